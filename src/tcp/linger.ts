/** The queue of closed connections that wait for late frames: first in, first out, since all wait equally long. */

/** Closed connections held at most; beyond, the oldest is written out early. */
export const MAX_LINGERING = 65_536;

/** A ring of (record index, stream number) pairs that grows by doubling. */
export class LingerQueue {
  #items = new Float64Array(2048);
  #head = 0;
  #count = 0;

  get size(): number {
    return this.#count;
  }

  push(index: number, stream: number): void {
    if (this.#count * 2 === this.#items.length) this.#grow();
    const at = ((this.#head + this.#count) * 2) % this.#items.length;
    this.#items[at] = index;
    this.#items[at + 1] = stream;
    this.#count++;
  }

  /** Record index of the oldest; only where `size` > 0. */
  headIndex(): number {
    return this.#items[this.#head * 2]!;
  }

  /** Stream number of the oldest: a record used again has another. */
  headStream(): number {
    return this.#items[this.#head * 2 + 1]!;
  }

  pop(): void {
    this.#head = (this.#head + 1) % (this.#items.length / 2);
    this.#count--;
  }

  #grow(): void {
    const old = this.#items;
    const items = new Float64Array(old.length * 2);
    const from = this.#head * 2;
    items.set(old.subarray(from));
    items.set(old.subarray(0, from), old.length - from);
    this.#items = items;
    this.#head = 0;
  }
}
