/** Holes in what the capture has of one direction: numbers that were jumped over, until something fills them. */

/** Holes kept of an end at once. The oldest is given up for the next one: its bytes stay missing, whatever comes. */
const MAX_HOLES = 64;
/** Holes of all connections together. */
const MAX_ALL_HOLES = 1 << 20;

/** Words of a hole: where it begins, where it ends, the next older one. */
const WORDS = 4;
const END = 1;
const LINK = 2;

/** The holes of one end: the latest (0: none), how many, and the bytes of those given up. */
export interface HoleList {
  head: number;
  count: number;
  givenUp: number;
}

/** All holes in one growing array; hole 0 is never used. Numbers are 32-bit patterns. */
export class HolePool {
  #words = new Int32Array(64 * WORDS);
  #used = 1;
  #free = 0;

  /** Notes that the numbers from `from` up to `to` are missing. */
  add(list: HoleList, from: number, to: number): void {
    if (list.count >= MAX_HOLES) this.#giveUpOldest(list);
    const hole = this.#take();
    if (hole === 0) {
      list.givenUp += (to - from) | 0;
      return;
    }
    const at = hole * WORDS;
    this.#words[at] = from;
    this.#words[at + END] = to;
    this.#words[at + LINK] = list.head;
    list.head = hole;
    list.count++;
  }

  /** The numbers from `from` up to `to` were captured: how many of them were missing. */
  fill(list: HoleList, from: number, to: number): number {
    let filled = 0;
    let before = 0;
    let hole = list.head;
    while (hole !== 0) {
      const words = this.#words;
      const at = hole * WORDS;
      const next = words[at + LINK]!;
      const start = words[at]!;
      const end = words[at + END]!;
      const low = ((from - start) | 0) > 0 ? from : start;
      const high = ((to - end) | 0) < 0 ? to : end;
      const size = (high - low) | 0;
      if (size > 0) filled += size;
      if (size > 0 && low === start && high === end) {
        this.#remove(list, before, hole);
      } else {
        if (size > 0 && low === start) words[at] = high;
        else if (size > 0) {
          words[at + END] = low;
          // Filled in its middle: the upper part is a hole of its own.
          if (high !== end && list.count < MAX_HOLES) this.add(list, high, end);
          else list.givenUp += (end - high) | 0;
        }
        before = hole;
      }
      hole = next;
    }
    return filled;
  }

  /** Missing numbers below `acked`. */
  missing(list: HoleList, acked: number): number {
    let sum = list.givenUp;
    for (let hole = list.head; hole !== 0; hole = this.#words[hole * WORDS + LINK]!) {
      const start = this.#words[hole * WORDS]!;
      const end = this.#words[hole * WORDS + END]!;
      const high = ((acked - end) | 0) < 0 ? acked : end;
      sum += Math.max(0, (high - start) | 0);
    }
    return sum;
  }

  /** Whether a hole reaches up to `end`, and `acked` into it. */
  endsAt(list: HoleList, end: number, acked: number): boolean {
    for (let hole = list.head; hole !== 0; hole = this.#words[hole * WORDS + LINK]!) {
      if (this.#words[hole * WORDS + END] !== end) continue;
      return ((acked - this.#words[hole * WORDS]!) | 0) > 0;
    }
    return false;
  }

  /** Empties the list. */
  clear(list: HoleList): void {
    while (list.head !== 0) this.#remove(list, 0, list.head);
    list.givenUp = 0;
  }

  /** Takes over the holes of `list`, which are in `pool`. */
  adopt(pool: HolePool, list: HoleList): void {
    const old = pool.#words;
    let before = 0;
    for (let hole = list.head; hole !== 0; hole = old[hole * WORDS + LINK]!) {
      const to = this.#take();
      if (before === 0) list.head = to;
      else this.#words[before * WORDS + LINK] = to;
      this.#words[to * WORDS] = old[hole * WORDS]!;
      this.#words[to * WORDS + END] = old[hole * WORDS + END]!;
      this.#words[to * WORDS + LINK] = 0;
      before = to;
    }
  }

  #giveUpOldest(list: HoleList): void {
    const words = this.#words;
    let before = 0;
    let hole = list.head;
    for (let next = words[hole * WORDS + LINK]!; next !== 0; next = words[hole * WORDS + LINK]!) {
      before = hole;
      hole = next;
    }
    list.givenUp += (words[hole * WORDS + END]! - words[hole * WORDS]!) | 0;
    this.#remove(list, before, hole);
  }

  #remove(list: HoleList, before: number, hole: number): void {
    const words = this.#words;
    const next = words[hole * WORDS + LINK]!;
    if (before === 0) list.head = next;
    else words[before * WORDS + LINK] = next;
    list.count--;
    words[hole * WORDS + LINK] = this.#free;
    this.#free = hole;
  }

  #take(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.#words[free * WORDS + LINK]!;
      return free;
    }
    if (this.#used > MAX_ALL_HOLES) return 0;
    const hole = this.#used++;
    if ((hole + 1) * WORDS > this.#words.length) {
      const words = new Int32Array(this.#words.length * 2);
      words.set(this.#words);
      this.#words = words;
    }
    return hole;
  }
}
