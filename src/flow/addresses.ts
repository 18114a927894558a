/** IPv6 addresses as 32-bit ids, so that one key shape serves both families. */

const INITIAL_SLOTS = 1024;

/**
 * A table of IPv6 addresses with a reference count each. An id stays the same while at least one reference is held;
 * without references its place is used again, so that memory follows the connections open at once.
 */
export class AddressTable {
  #slots = new Int32Array(INITIAL_SLOTS);
  #mask = INITIAL_SLOTS - 1;
  #words = new Int32Array(INITIAL_SLOTS * 2);
  #refs = new Int32Array(INITIAL_SLOTS / 2);
  #free: number[] = [];
  #idle: number[] = [];
  /** Ids handed out so far; id 0 is never used. */
  #next = 1;
  #live = 0;
  readonly #seed: number;

  /** `seed` stirs the hash, so that a hostile capture can't choose addresses that collide. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** Addresses held at present. */
  get size(): number {
    return this.#live;
  }

  /** The id (1 …) of the address in `source[at … at+3]`, made if needed. Takes no reference. Hot path for IPv6. */
  intern(source: Int32Array, at: number): number {
    const a = source[at]!;
    const b = source[at + 1]!;
    const c = source[at + 2]!;
    const d = source[at + 3]!;
    const words = this.#words;
    const slots = this.#slots;
    let slot = this.#hash(a, b, c, d) & this.#mask;
    for (;;) {
      const id = slots[slot]!;
      if (id === 0) break;
      const w = id * 4;
      if (words[w + 3] === d && words[w + 2] === c && words[w + 1] === b && words[w] === a)
        return id;
      slot = (slot + 1) & this.#mask;
    }
    return this.#add(a, b, c, d);
  }

  /** Takes a reference. */
  hold(id: number): void {
    this.#refs[id]!++;
  }

  /** Gives a reference back; an id without any is freed by the next `sweep`. */
  release(id: number): void {
    if (--this.#refs[id]! <= 0) this.#idle.push(id);
  }

  /** Frees the id at the next `sweep` if nobody holds it: for an address that was looked up and not used. */
  drop(id: number): void {
    if (this.#refs[id] === 0) this.#idle.push(id);
  }

  /**
   * Frees what nobody holds. Called between batches: within one, ids that were looked up but not yet held must stay.
   */
  sweep(): void {
    for (const id of this.#idle) if (this.#refs[id] === 0) this.#remove(id);
    this.#idle.length = 0;
  }

  /** Copies the four words of an address to `out` from `at` on. */
  copy(id: number, out: Int32Array, at: number): void {
    for (let i = 0; i < 4; i++) out[at + i] = this.#words[id * 4 + i]!;
  }

  /** The address in 32 bits that don't depend on the id or the seed: for remembering it beyond its references. */
  fold(id: number): number {
    const w = id * 4;
    const words = this.#words;
    let h = Math.imul(words[w]!, 0x9e3779b1) ^ words[w + 1]!;
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ words[w + 2]!;
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) ^ words[w + 3]!;
    return h ^ (h >>> 16);
  }

  /**
   * Gives the addresses held the lowest ids, in memory that fits them: what became of each id, 0 where it was free. Not within a
   * batch, as `sweep`.
   */
  compact(): Int32Array {
    this.sweep();
    const ids = new Int32Array(this.#next);
    const words = this.#words;
    const refs = this.#refs;
    let room = INITIAL_SLOTS;
    while (room < (this.#live + 1) * 2) room *= 2;
    this.#slots = new Int32Array(room);
    this.#mask = room - 1;
    this.#words = new Int32Array(room * 2);
    this.#refs = new Int32Array(room / 2);
    this.#free = [];
    const end = this.#next;
    this.#next = 1;
    for (let id = 1; id < end; id++) {
      if (refs[id]! <= 0) continue;
      const to = this.#next++;
      ids[id] = to;
      for (let i = 0; i < 4; i++) this.#words[to * 4 + i] = words[id * 4 + i]!;
      this.#refs[to] = refs[id]!;
      this.#place(to);
    }
    this.#live = this.#next - 1;
    return ids;
  }

  #hash(a: number, b: number, c: number, d: number): number {
    let h = Math.imul(a ^ this.#seed, 0x9e3779b1);
    h = Math.imul((h ^ (h >>> 15)) + b, 0x85ebca6b);
    h = Math.imul((h ^ (h >>> 13)) + c, 0xc2b2ae35);
    h = Math.imul((h ^ (h >>> 16)) + d, 0x27d4eb2f);
    return h ^ (h >>> 15);
  }

  #add(a: number, b: number, c: number, d: number): number {
    if ((this.#live + 1) * 2 > this.#slots.length) this.#grow();
    const id = this.#free.pop() ?? this.#next++;
    if (id * 4 + 4 > this.#words.length) {
      const words = new Int32Array(this.#words.length * 2);
      words.set(this.#words);
      this.#words = words;
      const refs = new Int32Array(words.length / 4);
      refs.set(this.#refs);
      this.#refs = refs;
    }
    const w = id * 4;
    this.#words[w] = a;
    this.#words[w + 1] = b;
    this.#words[w + 2] = c;
    this.#words[w + 3] = d;
    this.#refs[id] = 0;
    this.#live++;
    this.#place(id);
    return id;
  }

  #hashOf(id: number): number {
    const w = id * 4;
    const words = this.#words;
    return this.#hash(words[w]!, words[w + 1]!, words[w + 2]!, words[w + 3]!);
  }

  #place(id: number): void {
    let slot = this.#hashOf(id) & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = id;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#slots.length - 1;
    for (const id of old) if (id !== 0) this.#place(id);
  }

  /** Linear probing without tombstones: the run behind the hole is placed again (Knuth, Algorithm 6.4 R). */
  #remove(id: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = this.#hashOf(id) & mask;
    while (slots[slot] !== id) slot = (slot + 1) & mask;
    slots[slot] = 0;
    let at = (slot + 1) & mask;
    while (slots[at] !== 0) {
      const moved = slots[at]!;
      slots[at] = 0;
      this.#place(moved);
      at = (at + 1) & mask;
    }
    this.#live--;
    this.#refs[id] = -1;
    this.#free.push(id);
  }
}
