/** zstd on Node before 22.15: fzstd, in JavaScript, and the checksum that it leaves out. */

import { Decompress } from 'fzstd';
import { CodecError, type Outlet } from './codec.ts';
import { Xxh64 } from './xxh64.ts';
import type { FrameDecoder } from './zstd.ts';

/**
 * fzstd reads 25 bits of an offset at times, and from further back it would copy from the wrong place. Nothing can refer back so far
 * before so much was decoded.
 */
const FURTHEST_BACK_BYTES = 64 * 1024 * 1024;

/** The longest output of a block (RFC 8878 §3.1.1.2.4). */
const MAX_OUTPUT_BYTES = 128 * 1024;

/** A frame header with every field, and a window of 1 KiB: fzstd begins at once with so long a one. */
const HEADER = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xc3, ...new Array<number>(13).fill(0));

/** What fzstd 0.1.1 keeps. */
interface Insides {
  /** Of the frame. `w`: what was decoded before the block at hand, up to `e`; `m`: the longest output of a block. */
  s: { w: Uint8Array; e: number; m: number };
  /** Input not used yet: after a whole block a view of nothing, which holds the block in memory all the same. */
  c: Uint8Array[];
}

/**
 * One frame through fzstd.
 *
 * fzstd allocates the window that a header claims, and moves all of it for each block: with one of 64 MiB that takes several times as long as
 * decoding, and of blocks made for that, hours. So the window is ours, and grows with what is there: fzstd looks back into it, and has the
 * block that it has just decoded to move.
 */
export class FzstdFrame implements FrameDecoder {
  readonly #decoder: Decompress;
  readonly #insides: Insides;
  readonly #hash: Xxh64 | null;
  readonly #windowBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowEnd = 0;
  #hasHeader = false;
  #total = 0;

  constructor(outlet: Outlet, hasChecksum: boolean, windowBytes: number) {
    this.#hash = hasChecksum ? new Xxh64() : null;
    this.#windowBytes = windowBytes;
    this.#decoder = new Decompress((bytes) => this.#take(bytes, outlet));
    this.#decoder.push(HEADER);
    this.#insides = this.#decoder as unknown as Insides;
    this.#insides.s.m = Math.min(windowBytes, MAX_OUTPUT_BYTES);
  }

  /** The header first, of which all is known that counts, then a block a time. */
  async push(piece: Uint8Array): Promise<void> {
    if (!this.#hasHeader) {
      this.#hasHeader = true;
      return;
    }
    const { s: state } = this.#insides;
    state.w = this.#window;
    state.e = this.#windowEnd;
    try {
      this.#decoder.push(piece);
    } catch (error) {
      if (error instanceof CodecError) throw error;
      throw new CodecError(error instanceof Error ? error.message : String(error));
    }
    this.#insides.c.length = 0;
  }

  async flush(): Promise<void> {}

  async end(checksum: Uint8Array): Promise<void> {
    if (this.#hash === null) return;
    const found = new DataView(checksum.buffer, checksum.byteOffset).getUint32(0, true);
    const expected = Number(this.#hash.digest() & 0xffffffffn);
    if (found !== expected) {
      throw new CodecError(
        `expected zstd checksum ${expected.toString(16)}, found ${found.toString(16)}`,
      );
    }
  }

  close(): void {}

  #take(bytes: Uint8Array, outlet: Outlet): void {
    const windowBytes = this.#windowBytes;
    if (windowBytes > FURTHEST_BACK_BYTES && this.#total > FURTHEST_BACK_BYTES) {
      throw new CodecError(
        `expected at most ${FURTHEST_BACK_BYTES} bytes in a zstd frame with a window of ${windowBytes}, found more; Node 22.15 and later read it`,
      );
    }
    this.#total += bytes.length;
    this.#hash?.update(bytes);
    this.#keep(bytes);
    this.#insides.s.w = bytes;
    if (bytes.length > 0) outlet.take(bytes);
  }

  /** Adds a block to the window, which moves to the front of its buffer, or to a larger one, only when that is full. */
  #keep(bytes: Uint8Array): void {
    const windowBytes = this.#windowBytes;
    const kept = Math.min(this.#windowEnd, windowBytes);
    if (this.#windowEnd + bytes.length > this.#window.length) {
      const old = this.#window;
      const most = windowBytes + Math.max(windowBytes >>> 2, MAX_OUTPUT_BYTES);
      if (old.length < most) {
        const grown = Math.max(2 * old.length, kept + bytes.length);
        this.#window = new Uint8Array(Math.min(grown, most));
      }
      this.#window.set(old.subarray(this.#windowEnd - kept, this.#windowEnd));
      this.#windowEnd = kept;
    }
    this.#window.set(bytes, this.#windowEnd);
    this.#windowEnd += bytes.length;
  }
}
