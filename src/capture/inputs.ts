/** Bytes from an array, a regular file or a stream, in chunks of one shape. */

import { closeSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { reasonOf } from '../base/system-error.ts';
import { type ByteInput, CHUNK_BYTES, type InputDamage } from './window.ts';

const NO_WARNINGS: readonly string[] = [];

/** What can be read by its descriptor, in any thread. */
export interface OpenDescriptor {
  fd: number;
  isPipe: boolean;
  /** Where reading began, null where that is not known or makes no sense. */
  from: number | null;
}

/** An input and the way to read it a second time, where there is one. */
export interface OpenedInput {
  input: ByteInput;
  reopen: (() => ByteInput) | null;
  /** Of a regular file. */
  path: string | null;
  /** Standard input, where that is a regular file or a pipe. */
  descriptor: OpenDescriptor | null;
}

/** The bytes of an array, copied out `chunkBytes` at a time: the array is the caller's and stays as it is. */
export class BytesInput implements ByteInput {
  bytesRead = 0;
  readonly bytesTotal: number;
  readonly damage = null;
  readonly warnings = NO_WARNINGS;
  readonly #bytes: Uint8Array;
  readonly #chunkBytes: number;

  constructor(bytes: Uint8Array, chunkBytes: number = CHUNK_BYTES) {
    this.#bytes = bytes;
    this.#chunkBytes = chunkBytes;
    this.bytesTotal = bytes.length;
  }

  read(into: Uint8Array, at: number): number {
    const room = Math.min(into.length - at, this.#chunkBytes);
    const count = Math.min(room, this.#bytes.length - this.bytesRead);
    into.set(this.#bytes.subarray(this.bytesRead, this.bytesRead + count), at);
    this.bytesRead += count;
    return count;
  }

  async close(): Promise<void> {}
}

/**
 * A regular file by `readSync`: from the page cache that costs a tenth of what a promise or a stream costs.
 * Standard input may be such a file too, already read in part: reads then begin `from` there where that is known, and else go on from the
 * descriptor's position.
 */
export class FileInput implements ByteInput {
  bytesRead = 0;
  readonly bytesTotal: number | null;
  damage: InputDamage | null = null;
  readonly warnings = NO_WARNINGS;
  readonly #chunkBytes: number;
  readonly #from: number | null;
  #fd: number | null;

  constructor(
    fd: number,
    bytesTotal: number | null,
    chunkBytes: number = CHUNK_BYTES,
    from: number | null = null,
  ) {
    this.#fd = fd;
    this.bytesTotal = bytesTotal;
    this.#chunkBytes = chunkBytes;
    this.#from = from;
  }

  read(into: Uint8Array, at: number): number {
    if (this.#fd === null) return 0;
    try {
      const room = Math.min(into.length - at, this.#chunkBytes);
      const position = this.#from === null ? null : this.#from + this.bytesRead;
      const count = readSync(this.#fd, into, at, room, position);
      this.bytesRead += count;
      return count;
    } catch (error) {
      this.damage = readFailure(error, this.bytesRead);
      return 0;
    }
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null && fd !== 0) closeSync(fd);
  }
}

/** A pipe, socket or any other `Readable` of bytes; it waits for a chunk only when the one before is used up. */
export class StreamInput implements ByteInput {
  bytesRead = 0;
  readonly bytesTotal: number | null = null;
  damage: InputDamage | null = null;
  readonly warnings = NO_WARNINGS;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<unknown>;
  readonly #chunkBytes: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #closed = false;

  constructor(stream: Readable, chunkBytes: number = CHUNK_BYTES) {
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#chunkBytes = chunkBytes;
  }

  read(into: Uint8Array, at: number): number | Promise<number> {
    return this.#chunk.length > 0 ? this.#take(into, at) : this.#wait(into, at);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.destroy();
  }

  async #wait(into: Uint8Array, at: number): Promise<number> {
    try {
      while (this.#chunk.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done === true || this.#closed) return 0;
        if (!(value instanceof Uint8Array))
          throw new Error(`expected bytes, found ${typeof value}`);
        this.#chunk = value;
      }
    } catch (error) {
      if (!this.#closed) this.damage = readFailure(error, this.bytesRead);
      return 0;
    }
    return this.#take(into, at);
  }

  #take(into: Uint8Array, at: number): number {
    const count = Math.min(into.length - at, this.#chunkBytes, this.#chunk.length);
    into.set(this.#chunk.subarray(0, count), at);
    this.#chunk = this.#chunk.subarray(count);
    this.bytesRead += count;
    return count;
  }
}

/** What the operating system said when reading went wrong after `offset` bytes. */
export function readFailure(error: unknown, offset: number): InputDamage {
  const message = `reading failed after ${offset} bytes: ${reasonOf(error)}`;
  return { code: 'read-failed', message };
}
