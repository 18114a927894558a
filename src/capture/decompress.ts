/** Compressed input as if it were plain: gzip, zstd and lz4, streamed in bounded memory. */

import { type Codec, CodecError, type Emit } from './codec.ts';
import { GzipCodec } from './gzip.ts';
import { LZ4_MAGIC, Lz4Codec, SKIPPABLE_MAGIC } from './lz4.ts';
import { type ByteInput, type InputDamage, Window } from './window.ts';
import { loadFrameDecoder, ZSTD_MAGIC, ZstdCodec } from './zstd.ts';

/** Compressed bytes of one step: gzip expands up to 1032 times, so that a bomb has 33 MiB in memory at most. */
const PIECE_BYTES = 32 * 1024;

/** Compressed bytes of a step near an error: first coarse, then exact. */
const RESCUE_STEPS = [512, 1];

export type Compression = 'gzip' | 'zstd' | 'lz4';

/** What the first bytes of `bytes` (4 or more) say of compression that can be undone here, or null. */
export function sniffCompression(magic: number): Compression | null {
  if ((magic & 0xffff) === 0x8b1f) return 'gzip';
  if (magic === ZSTD_MAGIC || (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return 'zstd';
  if (magic === LZ4_MAGIC) return 'lz4';
  return null;
}

/** Makes the codec of a compression, its code loaded when first used. */
async function createCodec(kind: Compression, emit: Emit): Promise<Codec> {
  switch (kind) {
    case 'gzip':
      return new GzipCodec(emit);
    case 'zstd':
      return new ZstdCodec(emit, await loadFrameDecoder());
    case 'lz4':
      return new Lz4Codec(emit);
  }
}

/**
 * The decompressed bytes of `packed`.
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
  readonly #queue: Uint8Array[] = [];
  #codec: Codec | null = null;
  #isOver = false;
  /** Decompressed bytes put into the queue. */
  #emitted = 0;

  constructor(kind: Compression, packed: Window, reopen: (() => ByteInput) | null) {
    this.#kind = kind;
    this.#packed = packed;
    this.#reopen = reopen;
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
    return this.#queue.length > 0 ? this.#take(into, at) : this.#wait(into, at);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#codec?.close();
    await this.#packed.input.close();
  }

  #take(into: Uint8Array, at: number): number {
    const [chunk] = this.#queue;
    if (chunk === undefined) return 0;
    const count = Math.min(into.length - at, chunk.length);
    into.set(chunk.subarray(0, count), at);
    if (count === chunk.length) this.#queue.shift();
    else this.#queue[0] = chunk.subarray(count);
    return count;
  }

  async #wait(into: Uint8Array, at: number): Promise<number> {
    while (this.#queue.length === 0 && !this.#isOver) await this.#decodePiece();
    return this.#take(into, at);
  }

  async #decodePiece(): Promise<void> {
    const packed = this.#packed;
    this.#codec ??= await createCodec(this.#kind, (bytes) => this.#enqueue(bytes));
    const start = packed.offset;
    try {
      if (await packed.need(1)) {
        const count = Math.min(packed.available, PIECE_BYTES);
        const piece = packed.bytes.subarray(packed.start, packed.start + count);
        packed.start += count;
        await this.#codec.push(piece);
        return;
      }
      this.#isOver = true;
      const missing = await this.#codec.finish();
      this.damage = packed.input.damage;
      if (missing !== null) {
        this.damage ??= {
          code: `truncated-${this.#kind}`,
          message: `${missing}, after ${start} compressed bytes`,
        };
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#isOver = true;
      this.damage = {
        code: `bad-${this.#kind}`,
        message: `${error.message}, within the ${packed.offset - start} compressed bytes from byte ${start}`,
      };
      if (error.isLossy) await this.#rescue(start);
    }
  }

  #enqueue(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#emitted += bytes.length;
    this.#queue.push(bytes);
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
    let skip = this.#emitted;
    const codec = await createCodec(this.#kind, (bytes) => {
      const skipped = Math.min(skip, bytes.length);
      skip -= skipped;
      this.#enqueue(bytes.subarray(skipped));
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
