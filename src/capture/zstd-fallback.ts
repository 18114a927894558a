/** zstd on Node before 22.15: fzstd, in JavaScript, and the checksum that it leaves out. */

import { Decompress } from 'fzstd';
import { CodecError, type Outlet } from './codec.ts';
import { Xxh64 } from './xxh64.ts';
import type { FrameDecoder } from './zstd.ts';

const CHECKSUM_BYTES = 4;

/** One frame through fzstd. */
export class FzstdFrame implements FrameDecoder {
  readonly #decoder: Decompress;
  readonly #hash: Xxh64 | null;
  /** The last piece ends in the checksum, where the frame has one. */
  #lastPiece: Uint8Array = new Uint8Array(0);

  constructor(outlet: Outlet, hasChecksum: boolean) {
    const hash = hasChecksum ? new Xxh64() : null;
    this.#hash = hash;
    this.#decoder = new Decompress((bytes) => {
      if (bytes.length === 0) return;
      hash?.update(bytes);
      // A copy, since fzstd reuses its buffer for blocks that were not compressed.
      outlet.take(bytes.slice());
    });
  }

  async push(piece: Uint8Array): Promise<void> {
    this.#lastPiece = piece;
    this.#run(piece, false);
  }

  async end(): Promise<void> {
    this.#run(new Uint8Array(0), true);
    if (this.#hash === null) return;
    const { buffer, byteOffset, length } = this.#lastPiece;
    const found = new DataView(buffer, byteOffset).getUint32(length - CHECKSUM_BYTES, true);
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
      throw new CodecError(error instanceof Error ? error.message : String(error));
    }
  }
}
