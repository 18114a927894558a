/** zstd on Node before 22.15: fzstd, in JavaScript. It does not verify the checksum at the end of a frame. */

import { Decompress } from 'fzstd';
import { CodecError, type Emit } from './codec.ts';
import type { FrameDecoder } from './zstd.ts';

/** One frame through fzstd. */
export class FzstdFrame implements FrameDecoder {
  readonly #decoder: Decompress;

  constructor(emit: Emit) {
    this.#decoder = new Decompress((bytes) => {
      // fzstd reuses its buffers for blocks that were not compressed.
      if (bytes.length > 0) emit(bytes.slice());
    });
  }

  async push(piece: Uint8Array): Promise<void> {
    this.#run(piece, false);
  }

  async end(): Promise<void> {
    this.#run(new Uint8Array(0), true);
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
