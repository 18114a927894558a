/** One of Node's zlib streams, written piece by piece. */

import type { Transform } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { CodecError, type Outlet } from './codec.ts';

/** What Node's decompressing streams have in common: bytes consumed are counted in `bytesWritten`. */
type ZlibTransform = Transform & { bytesWritten: number };

/** Writes to a zlib stream and waits until it has taken all it wants of the bytes. */
export class ZlibStage {
  /** Output comes in chunks of up to this: with the default of 16 KiB gzip takes three times as long. */
  static readonly CHUNK_BYTES = 1024 * 1024;

  /** Whether the compressed stream has ended; what follows isn't part of it. */
  isDone = false;
  readonly #stream: ZlibTransform;
  readonly #outlet: Outlet;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(stream: ZlibTransform, outlet: Outlet) {
    this.#stream = stream;
    this.#outlet = outlet;
    stream.on('data', (bytes: Uint8Array) => this.#take(bytes));
    stream.on('end', () => {
      this.isDone = true;
    });
    stream.on('error', (error) => {
      this.#error = error;
      this.#wake?.();
    });
    stream.on('close', () => this.#wake?.());
  }

  /** Returns how many bytes of `piece` were taken: all of them, or fewer where the stream ended within. */
  async push(piece: Uint8Array): Promise<number> {
    const before = this.#stream.bytesWritten;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#stream.write(piece, () => resolve());
    });
    await this.#emptied();
    if (this.#error !== null) throw new CodecError(this.#error.message, true);

    const used = this.#stream.bytesWritten - before;
    // A stream that has ended takes nothing more; its 'end' event may still be on its way.
    if (used < piece.length) this.isDone = true;
    return used;
  }

  /** Ends the stream and waits for its last output. Rejects where it is cut. */
  async end(): Promise<void> {
    if (!this.isDone) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#stream.once('end', resolve);
        this.#stream.end();
      });
    }
    if (this.#error !== null) throw new CodecError(this.#error.message, true);
  }

  close(): void {
    this.#stream.destroy();
  }

  /** Hands bytes on; a full outlet halts the stream, and so zlib, whatever a few compressed bytes expand to. */
  #take(bytes: Uint8Array): void {
    this.#outlet.take(bytes);
    const room = this.#outlet.room();
    if (room === null) return;
    this.#stream.pause();
    void room.then(() => this.#stream.resume());
  }

  /** Waits until the stream holds no output any more. */
  async #emptied(): Promise<void> {
    while (this.#error === null && !this.#stream.destroyed && this.#stream.readableLength > 0) {
      await (this.#outlet.room() ?? setImmediate());
    }
  }
}
