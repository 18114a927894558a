/** Where records go when a table shrinks: those in use move to the lowest indexes and keep their order. */

import { alignedWords } from './memory.ts';

/** What everything that is kept by a record's index needs to follow it. */
export class Moves {
  /** Records that memory is to be held for. */
  readonly capacity: number;
  readonly #from: Int32Array;

  /** `from`: the indexes in use, ascending: the record at `from[i]` moves to `i`. */
  constructor(from: Int32Array, capacity: number) {
    this.#from = from;
    this.capacity = capacity;
  }

  /** Records in use. */
  get count(): number {
    return this.#from.length;
  }

  /** Where the record that was at `index` is now, or -1 where there was none. */
  to(index: number): number {
    const from = this.#from;
    let low = 0;
    let high = from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (from[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return from[low] === index ? low : -1;
  }

  /** The records of `recordWords` words that lie in `words`, moved to memory of their own. */
  gather(words: Int32Array, recordWords: number): Int32Array<ArrayBuffer> {
    const from = this.#from;
    const moved = alignedWords(this.capacity * recordWords);
    for (let to = 0; to < from.length; to++) {
      const at = from[to]! * recordWords;
      const toAt = to * recordWords;
      for (let i = 0; i < recordWords; i++) moved[toAt + i] = words[at + i]!;
    }
    return moved;
  }

  /** Renames the keys of `map`: each is an index times `perRecord`, and less than that more. */
  renameKeys<Value>(map: Map<number, Value>, perRecord: number): void {
    const entries = [...map];
    map.clear();
    for (const [key, value] of entries) {
      const to = this.to(Math.floor(key / perRecord));
      if (to >= 0) map.set(to * perRecord + (key % perRecord), value);
    }
  }
}
