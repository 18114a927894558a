/** The sliding window over an input: one reused buffer, the unread tail moved to the front before each read. */

import { CaptureError } from '../base/errors.ts';
import { MAX_BLOCK_BYTES } from './source.ts';

/** Bytes of a window to begin with, and of one read. */
export const CHUNK_BYTES = 1024 * 1024;

/** No window grows past this: the longest block believed, and one chunk. */
const MAX_WINDOW_BYTES = MAX_BLOCK_BYTES + CHUNK_BYTES;

/** Why an input ended before its end, as far as the input itself knows it. */
export interface InputDamage {
  /** A damage code of docs/errors.md. */
  code: string;
  message: string;
}

/** Bytes in order: a file, a pipe, an array, or one of these decompressed. */
export interface ByteInput {
  /** Bytes taken from the outermost input so far. */
  readonly bytesRead: number;
  /** Size of the outermost input where known, else null. */
  readonly bytesTotal: number | null;
  /** Set where `read` returned 0 although the input should have gone on. */
  readonly damage: InputDamage | null;
  readonly warnings: readonly string[];
  /** Puts 1 … `into.length - at` bytes at `into[at]` and returns how many; 0 is the end. Never throws or rejects. */
  read(into: Uint8Array, at: number): number | Promise<number>;
  close(): Promise<void>;
}

/**
 * The bytes `start` … `end` of `bytes` are read and not yet consumed; the reader moves `start`.
 *
 * `bytes` and `view` may be replaced by `need`, and only by it.
 */
export class Window {
  bytes: Uint8Array;
  view: DataView;
  start = 0;
  end = 0;
  /** Whether the input has no byte after `end`. */
  ended = false;
  readonly input: ByteInput;
  /** Offset in the input of `bytes[0]`. */
  #base = 0;

  constructor(input: ByteInput, chunkBytes: number = CHUNK_BYTES) {
    this.input = input;
    this.bytes = new Uint8Array(chunkBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Offset in the input of the byte at `start`. */
  get offset(): number {
    return this.#base + this.start;
  }

  /** The error where the input ends before the `expected` header at its start is whole. */
  tooShort(name: string, expected: string): CaptureError {
    const { damage } = this.input;
    const why = damage === null ? '' : `; ${damage.message}`;
    return new CaptureError(
      damage?.code === 'read-failed' ? 'read-failed' : 'not-a-capture',
      name,
      `expected ${expected}, found ${this.available} bytes${why}`,
      0,
    );
  }

  /** Bytes at hand. */
  get available(): number {
    return this.end - this.start;
  }

  /**
   * Waits until at least `count` bytes are at hand and resolves to true, or to false at the end of the input.
   *
   * The buffer doubles only once it is full of bytes that were really there: a length field alone allocates nothing.
   */
  async need(count: number): Promise<boolean> {
    while (this.end - this.start < count) {
      if (this.ended) return false;
      this.#makeRoom(count);
      const got = this.input.read(this.bytes, this.end);
      const read = typeof got === 'number' ? got : await got;
      if (read === 0) this.ended = true;
      this.end += read;
    }
    return true;
  }

  #makeRoom(count: number): void {
    if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
      this.#base += this.start;
      this.end -= this.start;
      this.start = 0;
    }
    if (this.end < this.bytes.length) return;

    const grown = Math.min(this.bytes.length * 2, Math.max(count, CHUNK_BYTES), MAX_WINDOW_BYTES);
    const bytes = new Uint8Array(Math.max(grown, this.bytes.length + 1));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
