/** The memory behind the transfer figures: records, blocks of ends with something to count, segments that wait for an ACK, holes. */

import { RttPool, readFew } from './rtt.ts';
import * as T from './transfer-layout.ts';

/** Segments of an end that wait for their ACK at once; later ones give no round trip. */
export const MAX_WAITING = 4096;
/** Entries of all lists together. */
export const MAX_ENTRIES = 1 << 21;
/** Holes kept of an end at once; the oldest is given up for the next: what fills it later counts as a repetition. */
export const MAX_HOLES = 64;

/** Words of an entry: the number behind the segment (or in a hole), the next entry, a double: when it was sent; or where the hole ends. */
const ENTRY = 4;
const LINK = 1;
const HOLE_END = 2;

/** Owns what `Transfer` reads and writes. */
export class TransferMemory {
  words = new Int32Array(1024 * T.WORDS);
  doubles = new Float64Array(this.words.buffer);
  /** Blocks of X_WORDS; block 0 is never used. */
  protected extra = new Int32Array(64 * T.X_WORDS);
  protected extraDoubles = new Float64Array(this.extra.buffer);
  #extras = 1;
  readonly #freeExtras: number[] = [];
  #entries = new Int32Array(1024 * ENTRY);
  #entryDoubles = new Float64Array(this.#entries.buffer);
  #entryCount = 1;
  #freeEntry = 0;
  readonly #rtt = new RttPool();

  /** Makes room for the record at `index` and empties it. */
  protected clear(index: number): void {
    const r = index * T.WORDS;
    if (r + T.WORDS > this.words.length) {
      const words = new Int32Array(Math.max(this.words.length * 2, r + T.WORDS));
      words.set(this.words);
      this.words = words;
      this.doubles = new Float64Array(words.buffer);
    }
    const words = this.words;
    words.fill(0, r, r + T.WORDS);
    words[r + T.STATE] = T.SCALE_UNKNOWN << T.SCALE_SHIFT;
    words[r + T.END + T.STATE] = T.SCALE_UNKNOWN << T.SCALE_SHIFT;
  }

  /** First word of the block of end `d`; makes one where there is none. */
  protected block(r: number, d: number): number {
    const words = this.words;
    const known = words[r + T.EXTRA + d]!;
    if (known !== 0) return known * T.X_WORDS;
    const block = this.#freeExtras.pop() ?? this.#extras++;
    const x = block * T.X_WORDS;
    if (x + T.X_WORDS > this.extra.length) {
      const extra = new Int32Array(this.extra.length * 2);
      extra.set(this.extra);
      this.extra = extra;
      this.extraDoubles = new Float64Array(extra.buffer);
    }
    this.extra.fill(0, x, x + T.X_WORDS);
    this.extraDoubles[(x + T.X_RESENT_TIME) >> 1] = -1;
    words[r + T.EXTRA + d] = block;
    return x;
  }

  /** Gives back everything that hangs on the record at `r`. */
  protected release(r: number): void {
    const words = this.words;
    for (let d = 0; d < 2; d++) {
      const own = r + d * T.END;
      this.#freeList(words[own + T.HEAD]!, words[own + T.TAIL]!);
      if (words[own + T.RTT_2] === T.IN_BLOCK) this.#rtt.free(words[own + T.RTT_0]!);
      const block = words[r + T.EXTRA + d]!;
      if (block === 0) continue;
      let hole = this.extra[block * T.X_WORDS + T.X_HOLES]!;
      while (hole !== 0) {
        const next = this.#entries[hole * ENTRY + LINK]!;
        this.#freeList(hole, hole);
        hole = next;
      }
      this.#freeExtras.push(block);
    }
  }

  // Segments that wait for their ACK.

  /** Puts the segment that ends at `end` behind the others of end `d`. Hot path. */
  protected wait(r: number, d: number, end: number, time: number): void {
    const words = this.words;
    const shift = d * 16;
    const counts = words[r + T.COUNTS_IN_LISTS]!;
    if (((counts >>> shift) & 0xffff) >= MAX_WAITING) return;
    const entry = this.#takeEntry();
    if (entry === 0) return;
    words[r + T.COUNTS_IN_LISTS] = counts + (1 << shift);
    const at = entry * ENTRY;
    this.#entries[at] = end;
    this.#entryDoubles[(at >> 1) + 1] = time;
    const own = r + d * T.END;
    const tail = words[own + T.TAIL]!;
    if (tail === 0) words[own + T.HEAD] = entry;
    else this.#entries[tail * ENTRY + LINK] = entry;
    words[own + T.TAIL] = entry;
  }

  /** Takes what `ack` covers out of the list of end `d`: a round trip where a segment ends at `ack`. Hot path. */
  protected answer(r: number, d: number, ack: number, now: number, resent: number): void {
    const words = this.words;
    const own = r + d * T.END;
    const entries = this.#entries;
    const first = words[own + T.HEAD]!;
    let entry = first;
    let last = 0;
    let taken = 0;
    let sent = -1;
    while (entry !== 0) {
      const at = entry * ENTRY;
      const beyond = (entries[at]! - ack) | 0;
      if (beyond > 0) break;
      if (beyond === 0) sent = this.#entryDoubles[(at >> 1) + 1]!;
      last = entry;
      entry = entries[at + LINK]!;
      taken++;
    }
    if (taken === 0) return;
    this.#freeList(first, last);
    words[own + T.HEAD] = entry;
    if (entry === 0) words[own + T.TAIL] = 0;
    words[r + T.COUNTS_IN_LISTS]! -= taken << (d * 16);
    if (sent > resent) this.sample(own, now - sent);
  }

  /** A round trip of the end whose words begin at `own`. Hot path. */
  protected sample(own: number, ns: number): void {
    if (ns < 0) return;
    const words = this.words;
    if (words[own + T.RTT_2] === 0 && ns < 0xffff_fffe) {
      const sample = (ns + 1) | 0;
      if (words[own + T.RTT_0] === 0) words[own + T.RTT_0] = sample;
      else if (words[own + T.RTT_1] === 0) words[own + T.RTT_1] = sample;
      else words[own + T.RTT_2] = sample;
      return;
    }
    if (words[own + T.RTT_2] !== T.IN_BLOCK) {
      const block = this.#rtt.allocate();
      if (block === 0) return;
      for (let i = T.RTT_0; i <= T.RTT_2; i++) {
        const few = words[own + i]! >>> 0;
        if (few !== 0) this.#rtt.add(block, few - 1);
      }
      words[own + T.RTT_0] = block;
      words[own + T.RTT_2] = T.IN_BLOCK;
    }
    this.#rtt.add(words[own + T.RTT_0]!, ns);
  }

  /** Writes the round trips of the end at `own` as figures. */
  protected readRtt(own: number, out: Float64Array): void {
    const words = this.words;
    if (words[own + T.RTT_2] === T.IN_BLOCK) {
      this.#rtt.read(words[own + T.RTT_0]!, out);
      return;
    }
    const a = words[own + T.RTT_0]! >>> 0;
    const b = words[own + T.RTT_1]! >>> 0;
    const c = words[own + T.RTT_2]! >>> 0;
    readFew(a - 1, b - 1, c - 1, (a && 1) + (b && 1) + (c && 1), out);
  }

  // Holes, the latest first.

  /** Notes that the numbers from `from` to `to` are missing in the block at `x`. */
  protected addHole(x: number, from: number, to: number): void {
    const extra = this.extra;
    if (extra[x + T.X_HOLE_COUNT]! >= MAX_HOLES) this.#giveUpOldest(x);
    const entry = this.#takeEntry();
    if (entry === 0) {
      this.extraDoubles[(x + T.X_GIVEN_UP) >> 1]! += (to - from) | 0;
      return;
    }
    const at = entry * ENTRY;
    this.#entries[at] = from;
    this.#entries[at + LINK] = extra[x + T.X_HOLES]!;
    this.#entries[at + HOLE_END] = to;
    extra[x + T.X_HOLES] = entry;
    extra[x + T.X_HOLE_COUNT]!++;
  }

  /** Fills the holes of the block at `x` with the numbers from `from` to `to`: how many were missing. */
  protected fill(x: number, from: number, to: number): number {
    let filled = 0;
    let before = 0;
    let hole = this.extra[x + T.X_HOLES]!;
    while (hole !== 0) {
      const at = hole * ENTRY;
      const next = this.#entries[at + LINK]!;
      const start = this.#entries[at]!;
      const end = this.#entries[at + HOLE_END]!;
      const low = ((from - start) | 0) > 0 ? from : start;
      const high = ((to - end) | 0) < 0 ? to : end;
      const size = (high - low) | 0;
      if (size > 0) filled += size;
      if (size > 0 && low === start && high === end) {
        this.#removeHole(x, before, hole);
        hole = next;
        continue;
      }
      if (size > 0 && low === start) this.#entries[at] = high;
      else if (size > 0) {
        this.#entries[at + HOLE_END] = low;
        if (high !== end) this.#split(x, high, end);
      }
      before = hole;
      hole = next;
    }
    return filled;
  }

  /** The upper part of a hole that was filled in its middle. */
  #split(x: number, from: number, to: number): void {
    if (this.extra[x + T.X_HOLE_COUNT]! < MAX_HOLES) this.addHole(x, from, to);
    else this.extraDoubles[(x + T.X_GIVEN_UP) >> 1]! += (to - from) | 0;
  }

  /** Missing bytes below `acked` in the block at `x`. */
  protected missing(x: number, acked: number): number {
    let sum = this.extraDoubles[(x + T.X_GIVEN_UP) >> 1]!;
    let hole = this.extra[x + T.X_HOLES]!;
    while (hole !== 0) {
      const at = hole * ENTRY;
      const start = this.#entries[at]!;
      const end = this.#entries[at + HOLE_END]!;
      const high = ((acked - end) | 0) < 0 ? acked : end;
      sum += Math.max(0, (high - start) | 0);
      hole = this.#entries[at + LINK]!;
    }
    return sum;
  }

  #giveUpOldest(x: number): void {
    let before = 0;
    let hole = this.extra[x + T.X_HOLES]!;
    let next = this.#entries[hole * ENTRY + LINK]!;
    while (next !== 0) {
      before = hole;
      hole = next;
      next = this.#entries[hole * ENTRY + LINK]!;
    }
    const at = hole * ENTRY;
    const size = (this.#entries[at + HOLE_END]! - this.#entries[at]!) | 0;
    this.extraDoubles[(x + T.X_GIVEN_UP) >> 1]! += size;
    this.#removeHole(x, before, hole);
  }

  #removeHole(x: number, before: number, hole: number): void {
    const next = this.#entries[hole * ENTRY + LINK]!;
    if (before === 0) this.extra[x + T.X_HOLES] = next;
    else this.#entries[before * ENTRY + LINK] = next;
    this.extra[x + T.X_HOLE_COUNT]!--;
    this.#freeList(hole, hole);
  }

  /** An entry without a next one, or 0 where all are taken. */
  #takeEntry(): number {
    const free = this.#freeEntry;
    if (free !== 0) {
      this.#freeEntry = this.#entries[free * ENTRY + LINK]!;
      this.#entries[free * ENTRY + LINK] = 0;
      return free;
    }
    if (this.#entryCount >= MAX_ENTRIES) return 0;
    const entry = this.#entryCount++;
    if ((entry + 1) * ENTRY > this.#entries.length) {
      const entries = new Int32Array(this.#entries.length * 2);
      entries.set(this.#entries);
      this.#entries = entries;
      this.#entryDoubles = new Float64Array(entries.buffer);
    }
    return entry;
  }

  /** Gives back the entries chained from `head` to `tail`. */
  #freeList(head: number, tail: number): void {
    if (head === 0) return;
    this.#entries[tail * ENTRY + LINK] = this.#freeEntry;
    this.#freeEntry = head;
  }
}
