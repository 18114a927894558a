/** Compressed input as if it were plain: gzip, zstd and lz4, streamed in bounded memory. */

import { ChunkQueue } from './chunk-queue.ts';
import { type Codec, CodecError, type Outlet } from './codec.ts';
import type { Compression } from './formats.ts';
import { type ByteInput, type InputDamage, Window } from './window.ts';

/** Compressed bytes of one step: zlib is woken for each, which for small ones takes longer than its work. */
const PIECE_BYTES = 256 * 1024;

/** The same where the input can't be read twice: what the step of an error gave may be lost. */
const UNREPEATABLE_PIECE_BYTES = 32 * 1024;

/** Compressed bytes of a step near an error: first coarse, then exact. */
const RESCUE_STEPS = [512, 1];

/** Makes the codec of a compression, its code loaded when first used. */
async function createCodec(kind: Compression, outlet: Outlet): Promise<Codec> {
  switch (kind) {
    case 'gzip': {
      const { GzipCodec } = await import('./gzip.ts');
      return new GzipCodec(outlet);
    }
    case 'zstd': {
      const { loadFrameDecoder, ZstdCodec } = await import('./zstd.ts');
      return new ZstdCodec(outlet, await loadFrameDecoder());
    }
    case 'lz4': {
      const { Lz4Codec } = await import('./lz4.ts');
      return new Lz4Codec(outlet);
    }
  }
}

/**
 * The decompressed bytes of `packed`.
 *
 * Decompression runs ahead of the reader by what the queue holds: zlib works on a thread of Node's pool, and so beside whatever
 * the reader does with the bytes.
 *
 * zlib drops the output of the write in which it meets an error. So where the input can be read once more (`reopen`),
 * a corrupt stream is decoded again up to that write and then byte by byte, and nothing that was readable is lost; from
 * a pipe what the last 32 KiB of compressed bytes held may be.
 */
export class DecompressedInput implements ByteInput {
  damage: InputDamage | null = null;
  readonly #kind: Compression;
  readonly #packed: Window;
  readonly #reopen: (() => ByteInput) | null;
  readonly #pieceBytes: number;
  readonly #queue = new ChunkQueue();
  #codec: Codec | null = null;
  #hasBegun = false;
  #isOver = false;
  /** A mistake of the program's, to be thrown where it is waited for. */
  #failure: unknown = null;

  constructor(kind: Compression, packed: Window, reopen: (() => ByteInput) | null) {
    this.#kind = kind;
    this.#packed = packed;
    this.#reopen = reopen;
    this.#pieceBytes = reopen === null ? UNREPEATABLE_PIECE_BYTES : PIECE_BYTES;
  }

  get bytesRead(): number {
    return this.#packed.input.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#packed.input.bytesTotal;
  }

  get warnings(): readonly string[] {
    return this.#codec?.warnings ?? [];
  }

  read(into: Uint8Array, at: number): number | Promise<number> {
    return this.#queue.isEmpty ? this.#wait(into, at) : this.#queue.read(into, at);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#queue.end();
    this.#codec?.close();
    await this.#packed.input.close();
  }

  async #wait(into: Uint8Array, at: number): Promise<number> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#decodeAll()
        .catch((error: unknown) => {
          this.#failure = error;
        })
        .finally(() => this.#queue.end());
    }
    await this.#queue.filled();
    if (this.#failure !== null && this.#queue.isEmpty) throw this.#failure;
    return this.#queue.read(into, at);
  }

  async #decodeAll(): Promise<void> {
    this.#codec = await createCodec(this.#kind, this.#queue);
    while (!this.#isOver) {
      await this.#decodePiece(this.#codec);
      await this.#queue.room();
    }
  }

  async #decodePiece(codec: Codec): Promise<void> {
    const packed = this.#packed;
    const start = packed.offset;
    try {
      if (await packed.need(1)) {
        const count = Math.min(packed.available, this.#pieceBytes);
        const piece = packed.bytes.subarray(packed.start, packed.start + count);
        packed.start += count;
        await codec.push(piece);
        return;
      }
      if (this.#isOver) return;
      this.#isOver = true;
      const missing = await codec.finish();
      this.damage = packed.input.damage;
      if (missing !== null) {
        this.damage ??= {
          code: `truncated-${this.#kind}`,
          message: `${missing}, after ${start} compressed bytes`,
        };
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      if (this.#isOver) return;
      this.#isOver = true;
      this.damage = {
        code: `bad-${this.#kind}`,
        message: `${error.message}, within the ${packed.offset - start} compressed bytes from byte ${start}`,
      };
      if (error.isLossy) await this.#rescue(start);
    }
  }

  /** Decodes the input once more from its beginning, in small steps from `start` on, for what came before the error. */
  async #rescue(start: number): Promise<void> {
    let safe = start;
    for (const step of RESCUE_STEPS) safe = await this.#decodeUpTo(safe, step);
  }

  /** Decodes whole pieces up to the compressed byte `safe`, then `step` bytes at a time; returns how far that went. */
  async #decodeUpTo(safe: number, step: number): Promise<number> {
    const again = this.#tryReopen();
    if (again === null) return safe;
    const window = new Window(again);
    const queue = this.#queue;
    let skip = queue.total;
    const codec = await createCodec(this.#kind, {
      take(bytes) {
        const skipped = Math.min(skip, bytes.length);
        skip -= skipped;
        queue.take(bytes.subarray(skipped));
      },
      room: () => queue.room(),
    });
    let reached = safe;
    try {
      while (await window.need(1)) {
        reached = window.offset;
        const count = Math.min(
          reached < safe ? safe - reached : step,
          PIECE_BYTES,
          window.available,
        );
        const piece = window.bytes.subarray(window.start, window.start + count);
        window.start += count;
        await codec.push(piece);
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    } finally {
      codec.close();
      await window.input.close();
    }
    return Math.max(reached, safe);
  }

  /** The file may be gone by now; then what it held before the error stays unknown. */
  #tryReopen(): ByteInput | null {
    try {
      return this.#reopen?.() ?? null;
    } catch {
      return null;
    }
  }
}
