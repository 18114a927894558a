/** Decompressed bytes between the decompressor that makes them and the reader that takes them. */

import type { Outlet } from './codec.ts';
import { copyBytes } from './copy.ts';

/** Bytes that wait at most, the last chunk aside: read ahead far enough that neither side waits for a short stop of the other. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** Shorter chunks are gathered in blocks: a block a byte, of a file made for that, would take hundreds of times its length. */
const SMALL_CHUNK_BYTES = 4 * 1024;
const GATHER_BYTES = 64 * 1024;

/** Chunks in order, with a limit: the writer waits for room, the reader for bytes. */
export class ChunkQueue implements Outlet {
  /** Bytes that ever went in. */
  total = 0;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** What small chunks are gathered in, and how far it is full. */
  #block: Uint8Array = new Uint8Array(0);
  #blockEnd = 0;
  #isEnded = false;
  #room: { promise: Promise<void>; resolve: () => void } | null = null;
  #wakeReader: (() => void) | null = null;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  take(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#isEnded) return;
    this.total += bytes.length;
    this.#bytes += bytes.length;
    if (bytes.length < SMALL_CHUNK_BYTES) this.#gather(bytes);
    else this.#chunks.push(bytes);
    this.#wakeReader?.();
  }

  room(): Promise<void> | null {
    if (this.#bytes < MAX_QUEUED_BYTES || this.#isEnded) return null;
    if (this.#room === null) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  /** No more bytes come, or none are wanted: nobody waits any longer. */
  end(): void {
    this.#isEnded = true;
    this.#wakeReader?.();
    this.#room?.resolve();
  }

  /** Puts waiting bytes at `into[at]`; returns how many, 0 where none wait. */
  read(into: Uint8Array, at: number): number {
    const [chunk] = this.#chunks;
    if (chunk === undefined) return 0;
    const count = Math.min(into.length - at, chunk.length);
    copyBytes(chunk.subarray(0, count), into, at);
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    this.#bytes -= count;
    if (this.#room !== null && this.#bytes < MAX_QUEUED_BYTES) {
      this.#room.resolve();
      this.#room = null;
    }
    return count;
  }

  /** Copies a small chunk behind the one before it. */
  #gather(bytes: Uint8Array): void {
    if (this.#blockEnd + bytes.length > this.#block.length) {
      this.#block = new Uint8Array(GATHER_BYTES);
      this.#blockEnd = 0;
    }
    const block = this.#block;
    const chunks = this.#chunks;
    block.set(bytes, this.#blockEnd);
    const last = chunks[chunks.length - 1];
    const goesOn = last?.buffer === block.buffer;
    const start = goesOn ? last.byteOffset : this.#blockEnd;
    this.#blockEnd += bytes.length;
    const gathered = block.subarray(start, this.#blockEnd);
    if (goesOn) chunks[chunks.length - 1] = gathered;
    else chunks.push(gathered);
  }

  /** Resolves once bytes wait, or none will come. */
  async filled(): Promise<void> {
    while (this.isEmpty && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }
}
