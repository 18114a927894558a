/** The queue of closed connections that wait for late frames: first in, first out, since all wait equally long. */

import type { Moves } from '../flow/moves.ts';

/** Closed connections held at most; beyond, the oldest is written out early. */
export const MAX_LINGERING = 32_768;

const INITIAL_PLACES = 1024;
/** In the place of a connection that left by another way. */
const NOBODY = -1;

/**
 * A ring of closed connections that grows by doubling. A place is known by its running number, and the queue knows the place of each connection: so that
 * one that leaves by another way (its ports are used again, most of all) is marked there, and nobody has to look for it in its record later, which by then
 * lies in no cache.
 */
export class LingerQueue {
  /** Of each place: record index, when it was taken (the tracker's clock, in seconds), and the connection's packets by then. */
  #indexes = new Int32Array(INITIAL_PLACES);
  #times = new Float64Array(INITIAL_PLACES);
  #packets = new Float64Array(INITIAL_PLACES);
  /** By record index: the number of its place, modulo 2^32; of no meaning where it is in none. */
  #numbers = new Int32Array(INITIAL_PLACES);
  /** The number of the oldest place. */
  #first = 0;
  #count = 0;
  /** How many places were left. */
  #left = 0;
  /** The number of the first place that `look` did not hand out yet; of no meaning where it is no place. */
  #unseen = 0;

  /** Places, those that were left included. */
  get size(): number {
    return this.#count;
  }

  /** Connections in them. */
  get waiting(): number {
    return this.#count - this.#left;
  }

  push(index: number, time: number, packets: number): void {
    if (this.#count === this.#indexes.length) this.#grow();
    if (index >= this.#numbers.length) this.#makeNumbers(index);
    const number = (this.#first + this.#count) | 0;
    const at = number & (this.#indexes.length - 1);
    this.#indexes[at] = index;
    this.#times[at] = time;
    this.#packets[at] = packets;
    this.#numbers[index] = number;
    this.#count++;
  }

  /** The connection of record `index`, which is in the queue, leaves. */
  leave(index: number): void {
    this.#indexes[this.#numbers[index]! & (this.#indexes.length - 1)] = NOBODY;
    this.#left++;
  }

  /** Record index in the oldest place, -1: it was left. This and the following only where `size` > 0. */
  headIndex(): number {
    return this.#indexes[this.#first & (this.#indexes.length - 1)]!;
  }

  /** When the oldest place was taken. */
  headTime(): number {
    return this.#times[this.#first & (this.#indexes.length - 1)]!;
  }

  /** The packets of the connection in the oldest place when it took it. */
  headPackets(): number {
    return this.#packets[this.#first & (this.#indexes.length - 1)]!;
  }

  /** Whether `look` has not handed out the head. */
  get isHeadUnseen(): boolean {
    return ((this.#unseen - this.#first) | 0) <= 0;
  }

  /** Writes the record indexes of the oldest places to `into`, as many as it has room for, without those that were left; returns how many. */
  look(into: Int32Array): number {
    const mask = this.#indexes.length - 1;
    const places = Math.min(into.length, this.#count);
    let found = 0;
    for (let i = 0; i < places; i++) {
      const index = this.#indexes[(this.#first + i) & mask]!;
      if (index !== NOBODY) into[found++] = index;
    }
    this.#unseen = (this.#first + places) | 0;
    return found;
  }

  pop(): void {
    if (this.headIndex() === NOBODY) this.#left--;
    this.#first = (this.#first + 1) | 0;
    this.#count--;
  }

  /** Records have moved. */
  move(moves: Moves): void {
    const mask = this.#indexes.length - 1;
    this.#numbers = new Int32Array(INITIAL_PLACES);
    for (let i = 0; i < this.#count; i++) {
      const number = (this.#first + i) | 0;
      const from = this.#indexes[number & mask]!;
      const index = from === NOBODY ? NOBODY : moves.to(from);
      this.#indexes[number & mask] = index;
      if (index === NOBODY) continue;
      if (index >= this.#numbers.length) this.#makeNumbers(index);
      this.#numbers[index] = number;
    }
  }

  /** Twice as many places, in which each keeps its number. */
  #grow(): void {
    const { length } = this.#indexes;
    const indexes = new Int32Array(length * 2);
    const times = new Float64Array(length * 2);
    const packets = new Float64Array(length * 2);
    for (let i = 0; i < this.#count; i++) {
      const number = (this.#first + i) | 0;
      const from = number & (length - 1);
      const to = number & (length * 2 - 1);
      indexes[to] = this.#indexes[from]!;
      times[to] = this.#times[from]!;
      packets[to] = this.#packets[from]!;
    }
    this.#indexes = indexes;
    this.#times = times;
    this.#packets = packets;
  }

  /** Makes room for the number of record `index`. */
  #makeNumbers(index: number): void {
    let { length } = this.#numbers;
    while (length <= index) length *= 2;
    const numbers = new Int32Array(length);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }
}
