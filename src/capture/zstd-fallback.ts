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

/** One frame through fzstd. */
export class FzstdFrame implements FrameDecoder {
  readonly #decoder: Decompress;
  readonly #hash: Xxh64 | null;

  constructor(outlet: Outlet, hasChecksum: boolean, windowBytes: number) {
    const hash = hasChecksum ? new Xxh64() : null;
    this.#hash = hash;
    let total = 0;
    this.#decoder = new Decompress((bytes) => {
      if (bytes.length === 0) return;
      if (windowBytes > FURTHEST_BACK_BYTES && total > FURTHEST_BACK_BYTES) {
        throw new CodecError(
          `expected at most ${FURTHEST_BACK_BYTES} bytes in a zstd frame with a window of ${windowBytes}, found more; Node 22.15 and later read it`,
        );
      }
      total += bytes.length;
      hash?.update(bytes);
      // A copy, since fzstd reuses its buffer for blocks that were not compressed.
      outlet.take(bytes.slice());
    });
  }

  async push(piece: Uint8Array): Promise<void> {
    this.#run(piece, false);
  }

  async end(checksum: Uint8Array): Promise<void> {
    this.#run(checksum, true);
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

  #run(piece: Uint8Array, isFinal: boolean): void {
    try {
      this.#decoder.push(piece, isFinal);
    } catch (error) {
      if (error instanceof CodecError) throw error;
      throw new CodecError(error instanceof Error ? error.message : String(error));
    }
  }
}
