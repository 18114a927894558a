/** Zstandard frames (RFC 8878) around Node's decoder, or fzstd where Node has none. */

import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { type Codec, CodecError, HeaderBytes, type Outlet } from './codec.ts';
import { isSkippable, ZSTD_MAGIC } from './formats.ts';
import { ZlibStage } from './zlib-stage.ts';

/** The largest window believed, as the zstd program does without --long=31. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
/** No block may be larger (RFC 8878 §3.1.1.2.4). */
const MAX_ZSTD_BLOCK_BYTES = 128 * 1024;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

type State =
  | 'magic'
  | 'descriptor'
  | 'header'
  | 'block-header'
  | 'block'
  | 'checksum'
  | 'skip-size'
  | 'skip';

/** Decodes one frame whose bytes come in pieces. */
export interface FrameDecoder {
  /** Takes the header, then a block a time; it may hold them back. */
  push(piece: Uint8Array): Promise<void>;
  /** Emits what the blocks given so far hold. */
  flush(): Promise<void>;
  /** All bytes of the frame were given but its checksum, which is empty where it has none. */
  end(checksum: Uint8Array): Promise<void>;
  close(): void;
}

/** Makes the decoder of one frame with a window of `windowBytes`. */
export type OpenFrame = (outlet: Outlet, hasChecksum: boolean, windowBytes: number) => FrameDecoder;

/**
 * Decodes concatenated frames.
 *
 * The walk over frame and block headers is ours: it tells where a frame ends (Node's stream stops at the first), sees
 * that one is cut, and refuses a window that a header only claims before anything is allocated for it. Decoders are
 * given whole blocks, since they can't begin with less.
 */
export class ZstdCodec implements Codec {
  readonly warnings: readonly string[] = [];
  readonly #outlet: Outlet;
  readonly #openFrame: OpenFrame;
  /** The header or block being collected. */
  readonly #unit = new HeaderBytes(BLOCK_HEADER_BYTES + MAX_ZSTD_BLOCK_BYTES);
  #state: State = 'magic';
  #wanted = 4;
  #frame: FrameDecoder | null = null;
  #hasChecksum = false;
  #isLastBlock = false;
  #skipLeft = 0;

  constructor(outlet: Outlet, openFrame: OpenFrame) {
    this.#outlet = outlet;
    this.#openFrame = openFrame;
  }

  async push(piece: Uint8Array): Promise<void> {
    try {
      await this.#walk(piece);
    } finally {
      await this.#frame?.flush();
    }
  }

  async #walk(piece: Uint8Array): Promise<void> {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === 'skip') {
        const count = Math.min(this.#skipLeft, piece.length - at);
        this.#skipLeft -= count;
        at += count;
        if (this.#skipLeft === 0) this.#begin('magic', 4);
      } else {
        at = this.#unit.take(piece, at, this.#wanted);
        while (this.#unit.length === this.#wanted) await this.#advance();
      }
    }
  }

  async finish(): Promise<string | null> {
    if (this.#state === 'magic' && this.#unit.length === 0) return null;
    return 'the zstd stream ends within a frame';
  }

  close(): void {
    this.#frame?.close();
  }

  /** All the bytes wanted are there: says what comes next. */
  async #advance(): Promise<void> {
    const { bytes } = this.#unit;
    switch (this.#state) {
      case 'magic':
        this.#readMagic(this.#unit.uint32(0));
        return;
      case 'descriptor':
        this.#state = 'header';
        this.#wanted = 4 + headerBytes(bytes[4]!);
        return;
      case 'header': {
        if ((bytes[4]! & 8) !== 0) throw new CodecError('found a zstd frame with the reserved bit');
        if (needsDictionary(bytes)) throw new CodecError('the zstd frame needs a dictionary');
        const window = windowBytes(bytes);
        if (window > MAX_WINDOW_BYTES) {
          throw new CodecError(
            `expected a zstd window of at most ${MAX_WINDOW_BYTES} bytes, found ${window}`,
          );
        }
        this.#hasChecksum = (bytes[4]! & 4) !== 0;
        this.#frame = this.#openFrame(this.#outlet, this.#hasChecksum, window);
        await this.#pass();
        this.#begin('block-header', BLOCK_HEADER_BYTES);
        return;
      }
      case 'block-header':
        this.#readBlockHeader(bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16));
        return;
      case 'block':
        await this.#pass();
        if (!this.#isLastBlock) {
          this.#begin('block-header', BLOCK_HEADER_BYTES);
          return;
        }
        this.#begin('checksum', this.#hasChecksum ? CHECKSUM_BYTES : 0);
        return;
      case 'checksum':
        // By itself, since zlib drops the output of a write that ends in a wrong one.
        await this.#frame?.end(bytes.slice(0, this.#wanted));
        this.#frame?.close();
        this.#frame = null;
        this.#begin('magic', 4);
        return;
      default:
        this.#skipLeft = this.#unit.uint32(4);
        this.#begin(this.#skipLeft === 0 ? 'magic' : 'skip', 4);
    }
  }

  /** A copy goes to the decoder: some hold on to what they are given. */
  async #pass(): Promise<void> {
    const room = this.#outlet.room();
    if (room !== null) await room;
    await this.#frame?.push(this.#unit.bytes.slice(0, this.#unit.length));
  }

  #begin(state: State, wanted: number): void {
    this.#state = state;
    this.#wanted = wanted;
    this.#unit.length = 0;
  }

  #readMagic(magic: number): void {
    if (magic === ZSTD_MAGIC) {
      this.#state = 'descriptor';
      this.#wanted = 5;
    } else if (isSkippable(magic)) {
      this.#state = 'skip-size';
      this.#wanted = 8;
    } else {
      throw new CodecError(`expected a zstd frame, found magic ${magic.toString(16)}`);
    }
  }

  #readBlockHeader(field: number): void {
    const kind = (field >> 1) & 3;
    const size = field >> 3;
    this.#isLastBlock = (field & 1) !== 0;
    if (kind === BLOCK_RESERVED) throw new CodecError('found a zstd block of the reserved type');
    if (size > MAX_ZSTD_BLOCK_BYTES) {
      throw new CodecError(
        `expected a zstd block of at most ${MAX_ZSTD_BLOCK_BYTES} bytes, found ${size}`,
      );
    }
    this.#state = 'block';
    this.#wanted = BLOCK_HEADER_BYTES + (kind === BLOCK_RLE ? 1 : size);
  }
}

/** Node's own decoder where it has one (22.15 and later), else fzstd; either way checksums are verified. */
export async function loadFrameDecoder(): Promise<OpenFrame> {
  if (createZstdDecompress !== undefined) return (outlet) => new NativeFrame(outlet);
  const { FzstdFrame } = await import('./zstd-fallback.ts');
  return (outlet, hasChecksum, windowBytes) => new FzstdFrame(outlet, hasChecksum, windowBytes);
}

/** What the types of Node 20 don't know yet. */
const { createZstdDecompress, zstdDecompressSync } = zlib as unknown as {
  createZstdDecompress?: (options: { chunkSize: number }) => Transform & { bytesWritten: number };
  zstdDecompressSync: (
    bytes: Uint8Array,
    options: { chunkSize: number; maxOutputLength: number },
  ) => Uint8Array;
};

/** Blocks are held until there are so many bytes of them: to wake zlib takes longer than to decode a small one. */
const HELD_BYTES = 16 * 1024;

/** A frame that was held whole and gives no more than this is decoded by one call: to start a stream takes ten times as long. */
const AT_ONCE = { chunkSize: 16 * 1024, maxOutputLength: 64 * 1024 };

/** One frame through Node's decoder. */
class NativeFrame implements FrameDecoder {
  readonly #outlet: Outlet;
  #stage: ZlibStage | null = null;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  async push(piece: Uint8Array): Promise<void> {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes >= HELD_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#heldBytes === 0) return;
    const held = this.#takeHeld();
    this.#stage ??= new ZlibStage(
      createZstdDecompress!({ chunkSize: ZlibStage.CHUNK_BYTES }),
      this.#outlet,
    );
    await this.#stage.push(held);
  }

  async end(checksum: Uint8Array): Promise<void> {
    if (this.#stage === null && this.#decodeAtOnce(checksum)) return;
    await this.flush();
    if (checksum.length > 0) await this.#stage?.push(checksum);
    await this.#stage?.end();
  }

  close(): void {
    this.#stage?.close();
  }

  /** False where the frame gives more than is decoded at once, or is corrupt: a stream tells. */
  #decodeAtOnce(checksum: Uint8Array): boolean {
    let bytes: Uint8Array;
    try {
      bytes = zstdDecompressSync(Buffer.concat([...this.#held, checksum]), AT_ONCE);
    } catch {
      return false;
    }
    this.#takeHeld();
    if (bytes.length > 0) this.#outlet.take(bytes);
    return true;
  }

  #takeHeld(): Uint8Array {
    const held = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}

/** Length of a frame header behind the magic number, from its first byte. */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return 1 + (isSingleSegment ? 0 : 1) + dictionary + contentSize;
}

/** Whether the whole header `bytes` names a dictionary: the number 0 names none (RFC 8878 §3.1.1.1.3). */
function needsDictionary(bytes: Uint8Array): boolean {
  const start = (bytes[4]! & 0x20) === 0 ? 6 : 5;
  return bytes.subarray(start, start + [0, 1, 2, 4][bytes[4]! & 3]!).some((byte) => byte !== 0);
}

/** Window_Size of the whole header `bytes`, magic number included (RFC 8878 §3.1.1.1.2). */
function windowBytes(bytes: Uint8Array): number {
  const descriptor = bytes[4]!;
  if ((descriptor & 0x20) === 0) {
    const base = 2 ** (10 + (bytes[5]! >> 3));
    return base + (base / 8) * (bytes[5]! & 7);
  }
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  switch (descriptor >> 6) {
    case 0:
      return view.getUint8(at);
    case 1:
      return view.getUint16(at, true) + 256;
    case 2:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}
