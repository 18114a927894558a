/** The 4-tuple table: open addressing over packed records, one key shape for both families. */

import { hashKey } from './keys.ts';
import { alignedWords, bytesOf, doublesOf } from './memory.ts';
import { Moves } from './moves.ts';

const INITIAL_RECORDS = 1024;
/**
 * How many times as large the memory of records is after it was full. What was never touched takes no memory, but the old one stays until the
 * garbage is collected: so there is little of that.
 */
export const GROWTH = 8;

/** The first four words of a record belong to the table; the rest is the owner's. The lower end's address (or IPv6 id), the upper end's, both ports (lower end's in the upper half), the family bit. */
const KEY_A = 0;
const KEY_B = 1;
const KEY_PORTS = 2;
/** Bit 0 of this word is set for IPv6; the other bits are the owner's. */
export const KEY_BITS = 3;

/**
 * Maps 4-tuples to records of `recordWords` 32-bit words, which the owner reads and writes through `words`,
 * `doubles` and `bytes` (the same memory; all change when the table grows: take them anew after `add`).
 *
 * A slot holds the full hash beside the record's index, so that a probe touches a record only when it is nearly
 * certain to be the right one: the first touch of a flow's memory is what a lookup costs (docs/performance.md).
 */
export class FlowTable {
  words: Int32Array;
  doubles: Float64Array;
  bytes: Uint8Array;
  readonly recordWords: number;
  readonly #clearedWords: number;
  /** Pairs of hash and index + 1; index part 0: empty. */
  #slots: Int32Array = new Int32Array(INITIAL_RECORDS * 4);
  #mask = INITIAL_RECORDS * 2 - 1;
  #capacity = INITIAL_RECORDS;
  #free: Int32Array = new Int32Array(INITIAL_RECORDS);
  #freeCount = 0;
  #next = 0;
  #size = 0;
  readonly #seed: number;

  /**
   * `recordWords`: an even number, of which `add` clears the first `clearedWords`; `seed`: that of the hashes it is given.
   */
  constructor(recordWords: number, clearedWords: number, seed: number) {
    this.recordWords = recordWords;
    this.#clearedWords = clearedWords;
    this.#seed = seed | 0;
    this.words = alignedWords(INITIAL_RECORDS * recordWords);
    this.doubles = doublesOf(this.words);
    this.bytes = bytesOf(this.words);
  }

  /** Records in the table. */
  get size(): number {
    return this.#size;
  }

  /** Records that memory is held for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Every index is below. */
  get indexes(): number {
    return this.#next;
  }

  /**
   * The index of the first record whose key has this hash, or 0: for touching the memory of a whole batch in loops of
   * their own, so that the cache misses overlap. It looks at no record itself.
   */
  guess(hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    for (;;) {
      const index = slots[slot * 2 + 1]!;
      if (index === 0) return 0;
      if (slots[slot * 2] === hash) return index - 1;
      slot = (slot + 1) & mask;
    }
  }

  /** The index of the record with this key, or -1. Hot path. */
  find(hash: number, a: number, b: number, ports: number, family: number): number {
    const slots = this.#slots;
    const words = this.words;
    const mask = this.#mask;
    let slot = hash & mask;
    for (;;) {
      const index = slots[slot * 2 + 1]! - 1;
      if (index < 0) return -1;
      if (slots[slot * 2] === hash) {
        const w = index * this.recordWords;
        if (
          words[w + KEY_A] === a &&
          words[w + KEY_B] === b &&
          words[w + KEY_PORTS] === ports &&
          (words[w + KEY_BITS]! & 1) === family
        ) {
          return index;
        }
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Adds a record whose cleared words are all 0 but the key's; the key must not be in the table. Returns its index. */
  add(hash: number, a: number, b: number, ports: number, family: number): number {
    let index: number;
    if (this.#freeCount > 0) {
      index = this.#free[--this.#freeCount]!;
    } else {
      if (this.#next === this.#capacity) this.#grow();
      index = this.#next++;
    }
    const w = index * this.recordWords;
    this.words.fill(0, w, w + this.#clearedWords);
    this.words[w + KEY_A] = a;
    this.words[w + KEY_B] = b;
    this.words[w + KEY_PORTS] = ports;
    this.words[w + KEY_BITS] = family;
    this.#size++;
    if (this.#size * 2 > this.#mask + 1) this.#growSlots();
    this.#place(hash, index);
    return index;
  }

  /** Reads what `remove` of this record will read first. */
  touch(index: number): number {
    return this.#slots[(this.#hashOf(index) & this.#mask) * 2]!;
  }

  /** Takes a record out; its index will be used again. */
  remove(index: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = this.#hashOf(index) & mask;
    while (slots[slot * 2 + 1] !== index + 1) slot = (slot + 1) & mask;
    // Linear probing without tombstones: fill the hole with the next entry that may stand there (Knuth, 6.4 R).
    let hole = slot;
    let at = slot;
    for (;;) {
      at = (at + 1) & mask;
      if (slots[at * 2 + 1] === 0) break;
      const home = slots[at * 2]! & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        slots[hole * 2] = slots[at * 2]!;
        slots[hole * 2 + 1] = slots[at * 2 + 1]!;
        hole = at;
      }
    }
    slots[hole * 2] = 0;
    slots[hole * 2 + 1] = 0;
    this.#size--;
    if (this.#freeCount === this.#free.length) {
      const free = new Int32Array(this.#free.length * 2);
      free.set(this.#free);
      this.#free = free;
    }
    this.#free[this.#freeCount++] = index;
  }

  /**
   * Moves the records in use to the lowest indexes, into memory that fits them; what else is kept by their index has to follow them.
   * `ids`: what became of each IPv6 id (`AddressTable.compact`).
   */
  compact(ids: Int32Array): Moves {
    const slots = this.#slots;
    const from = new Int32Array(this.#size);
    let n = 0;
    for (let slot = 1; slot < slots.length; slot += 2) {
      if (slots[slot] !== 0) from[n++] = slots[slot]! - 1;
    }
    from.sort();
    this.#capacity = INITIAL_RECORDS;
    while (this.#capacity < n) this.#capacity *= GROWTH;
    const moves = new Moves(from, this.#capacity);
    const words = moves.gather(this.words, this.recordWords);
    this.words = words;
    this.doubles = doublesOf(words);
    this.bytes = bytesOf(words);
    this.#free = new Int32Array(INITIAL_RECORDS);
    this.#freeCount = 0;
    this.#next = n;
    let room = INITIAL_RECORDS * 2;
    while (room < n * 2) room *= 2;
    this.#slots = new Int32Array(room * 2);
    this.#mask = room - 1;
    for (let index = 0; index < n; index++) {
      const w = index * this.recordWords;
      if ((words[w + KEY_BITS]! & 1) === 1) {
        words[w] = ids[words[w]!]!;
        words[w + KEY_B] = ids[words[w + KEY_B]!]!;
      }
      this.#place(this.#hashOf(index), index);
    }
    return moves;
  }

  #hashOf(index: number): number {
    const w = index * this.recordWords;
    const words = this.words;
    return hashKey(this.#seed, words[w]!, words[w + 1]!, words[w + 2]!, words[w + 3]! & 1);
  }

  #place(hash: number, index: number): void {
    const slots = this.#slots;
    let slot = hash & this.#mask;
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & this.#mask;
    slots[slot * 2] = hash;
    slots[slot * 2 + 1] = index + 1;
  }

  #grow(): void {
    this.#capacity *= GROWTH;
    const words = alignedWords(this.#capacity * this.recordWords);
    words.set(this.words);
    this.words = words;
    this.doubles = doublesOf(words);
    this.bytes = bytesOf(words);
  }

  /** Doubles the slots: at most half of them are ever taken. */
  #growSlots(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] !== 0) this.#place(old[i]!, old[i + 1]! - 1);
    }
  }
}
