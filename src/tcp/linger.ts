/** The queue of closed connections that wait for late frames: first in, first out, since all wait equally long. */

import type { Moves } from '../flow/moves.ts';

/** Closed connections held at most; beyond, the oldest is written out early. */
export const MAX_LINGERING = 32_768;

/** Numbers of an item: record index, stream number, second of the tracker's clock, packets by then. */
const FIELDS = 4;

/** A ring of closed connections that grows by doubling. */
export class LingerQueue {
  #items = new Float64Array(1024 * FIELDS);
  #head = 0;
  #count = 0;

  get size(): number {
    return this.#count;
  }

  push(index: number, stream: number, time: number, packets: number): void {
    if (this.#count * FIELDS === this.#items.length) this.#grow();
    const at = ((this.#head + this.#count) * FIELDS) % this.#items.length;
    this.#items[at] = index;
    this.#items[at + 1] = stream;
    this.#items[at + 2] = time;
    this.#items[at + 3] = packets;
    this.#count++;
  }

  /** Record index of the oldest; this and the following only where `size` > 0. */
  headIndex(): number {
    return this.#items[this.#head * FIELDS]!;
  }

  /** Stream number of the oldest: a record used again has another. */
  headStream(): number {
    return this.#items[this.#head * FIELDS + 1]!;
  }

  /** When it was pushed. */
  headTime(): number {
    return this.#items[this.#head * FIELDS + 2]!;
  }

  /** Its packets when it was pushed. */
  headPackets(): number {
    return this.#items[this.#head * FIELDS + 3]!;
  }

  pop(): void {
    this.#head = (this.#head + 1) % (this.#items.length / FIELDS);
    this.#count--;
  }

  /** Records have moved. An item whose record was used again keeps its place: its stream number tells that it is over. */
  move(moves: Moves): void {
    for (let i = 0; i < this.#count; i++) {
      const at = ((this.#head + i) * FIELDS) % this.#items.length;
      this.#items[at] = Math.max(0, moves.to(this.#items[at]!));
    }
  }

  #grow(): void {
    const old = this.#items;
    const items = new Float64Array(old.length * 2);
    const from = this.#head * FIELDS;
    items.set(old.subarray(from));
    items.set(old.subarray(0, from), old.length - from);
    this.#items = items;
    this.#head = 0;
  }
}
