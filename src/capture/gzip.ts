/** gzip members (RFC 1952) around zlib's inflate. */

import * as zlib from 'node:zlib';
import { createInflateRaw } from 'node:zlib';
import { type Codec, CodecError, HeaderBytes, type Outlet } from './codec.ts';
import { ZlibStage } from './zlib-stage.ts';

const FIXED_HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const FLAG_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;

/**
 * Behind a member that gave no more than so many bytes the next is taken for another, and inflated by one call: to start a stream takes seven
 * times as long. Where it is larger after all, this bounds what the attempt costs.
 */
const SMALL_MEMBER_BYTES = 64 * 1024;
/** The output of an attempt comes in pieces of this. */
const SMALL_CHUNK_BYTES = 16 * 1024;

type State = 'header' | 'extra-length' | 'extra' | 'text' | 'crc' | 'data' | 'trailer' | 'garbage';

/**
 * Decodes concatenated members.
 *
 * The framing is ours, since `createGunzip` throws away the output of a whole write when a checksum is wrong or bytes
 * that are no member follow; gzip(1) hands over all of it and warns of the rest, and so does this.
 */
export class GzipCodec implements Codec {
  readonly warnings: string[] = [];
  readonly #outlet: Outlet;
  readonly #head = new HeaderBytes(FIXED_HEADER_BYTES);
  #state: State = 'header';
  #flags = 0;
  #skipLeft = 0;
  #members = 0;
  #isAfterSmall = false;
  #stage: ZlibStage | null = null;
  #crc = 0;
  #size = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  async push(piece: Uint8Array): Promise<void> {
    let at = 0;
    while (at < piece.length) {
      at = this.#state === 'data' ? await this.#inflate(piece, at) : this.#step(piece, at);
    }
  }

  async finish(): Promise<string | null> {
    const isBetween = this.#state === 'header' && this.#head.length === 0;
    if (this.#state === 'garbage' || (isBetween && this.#members > 0)) return null;
    return 'the gzip stream ends within a member';
  }

  close(): void {
    this.#stage?.close();
  }

  async #inflate(piece: Uint8Array, at: number): Promise<number> {
    if (this.#stage === null && this.#isAfterSmall) {
      const room = this.#outlet.room();
      if (room !== null) await room;
      const end = this.#inflateAtOnce(piece, at);
      if (end !== null) return end;
    }
    this.#stage ??= new ZlibStage(createInflateRaw({ chunkSize: ZlibStage.CHUNK_BYTES }), {
      take: (bytes) => this.#emit(bytes),
      room: () => this.#outlet.room(),
    });
    const used = await this.#stage.push(piece.subarray(at));
    if (this.#stage.isDone) {
      this.#stage.close();
      this.#stage = null;
      this.#enter('trailer');
    }
    return at + used;
  }

  /** The whole of a small member; returns where it ends, or null where it is no small one, not all here, or corrupt: a stream tells. */
  #inflateAtOnce(piece: Uint8Array, at: number): number | null {
    let inflated: ReturnType<typeof inflateRawSync>;
    try {
      const packed = piece.subarray(at, at + SMALL_MEMBER_BYTES);
      inflated = inflateRawSync(packed, INFLATE_AT_ONCE);
    } catch {
      return null;
    }
    this.#emit(inflated.buffer);
    this.#enter('trailer');
    return at + inflated.engine.bytesWritten;
  }

  #emit(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#size = (this.#size + bytes.length) >>> 0;
    this.#outlet.take(bytes);
  }

  #step(piece: Uint8Array, start: number): number {
    const head = this.#head;
    let at = start;
    switch (this.#state) {
      case 'header':
        at = head.take(piece, at, FIXED_HEADER_BYTES);
        if (this.#members > 0 && this.#isGarbage()) {
          this.warnings.push('ignored bytes behind the end of the gzip data');
          this.#state = 'garbage';
        } else if (head.length === FIXED_HEADER_BYTES) {
          this.#readHeader();
        }
        return at;
      case 'extra-length':
        at = head.take(piece, at, 2);
        if (head.length === 2) {
          this.#skipLeft = head.bytes[0]! | (head.bytes[1]! << 8);
          this.#enter('extra');
        }
        return at;
      case 'extra':
      case 'crc': {
        const count = Math.min(this.#skipLeft, piece.length - at);
        this.#skipLeft -= count;
        if (this.#skipLeft === 0) this.#afterField(this.#state === 'extra' ? FLAG_EXTRA : FLAG_CRC);
        return at + count;
      }
      case 'text': {
        const nul = piece.indexOf(0, at);
        if (nul === -1) return piece.length;
        this.#afterField((this.#flags & FLAG_NAME) === 0 ? FLAG_COMMENT : FLAG_NAME);
        return nul + 1;
      }
      case 'trailer':
        at = head.take(piece, at, TRAILER_BYTES);
        if (head.length === TRAILER_BYTES) this.#checkTrailer();
        return at;
      default:
        return piece.length;
    }
  }

  #isGarbage(): boolean {
    const { bytes, length } = this.#head;
    return bytes[0] !== 0x1f || (length > 1 && bytes[1] !== 0x8b);
  }

  #readHeader(): void {
    const { bytes } = this.#head;
    if (bytes[2] !== 8) throw new CodecError(`expected gzip method 8 (deflate), found ${bytes[2]}`);
    this.#flags = bytes[3]! & (FLAG_CRC | FLAG_EXTRA | FLAG_NAME | FLAG_COMMENT);
    this.#crc = 0;
    this.#size = 0;
    this.#nextField();
  }

  #afterField(flag: number): void {
    this.#flags &= ~flag;
    this.#nextField();
  }

  #nextField(): void {
    if ((this.#flags & FLAG_EXTRA) !== 0) this.#enter('extra-length');
    else if ((this.#flags & (FLAG_NAME | FLAG_COMMENT)) !== 0) this.#enter('text');
    else if ((this.#flags & FLAG_CRC) !== 0) {
      this.#skipLeft = 2;
      this.#enter('crc');
    } else this.#enter('data');
  }

  #checkTrailer(): void {
    const crc = this.#head.uint32(0);
    const size = this.#head.uint32(4);
    if (crc !== this.#crc) {
      throw new CodecError(
        `expected gzip checksum ${this.#crc.toString(16)}, found ${crc.toString(16)}`,
      );
    }
    if (size !== this.#size) {
      throw new CodecError(`expected gzip length ${this.#size}, found ${size}`);
    }
    this.#members++;
    this.#isAfterSmall = size <= SMALL_MEMBER_BYTES;
    this.#enter('header');
  }

  #enter(state: State): void {
    this.#state = state;
    this.#head.length = 0;
  }
}

const INFLATE_AT_ONCE = {
  chunkSize: SMALL_CHUNK_BYTES,
  maxOutputLength: SMALL_MEMBER_BYTES,
  info: true,
};

/** With `info` Node returns the engine too, which tells how many bytes it took; its types don't know. */
const inflateRawSync = zlib.inflateRawSync as unknown as (
  packed: Uint8Array,
  options: typeof INFLATE_AT_ONCE,
) => { buffer: Uint8Array; engine: { bytesWritten: number } };

/** zlib.crc32 came with Node 20.15 and 22.2; before, a table does. */
const crc32: (bytes: Uint8Array, start: number) => number = zlib.crc32 ?? crc32ByTable;

let table: Uint32Array | null = null;

function crc32ByTable(bytes: Uint8Array, start: number): number {
  table ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let entry = index;
    for (let bit = 0; bit < 8; bit++) entry = (entry >>> 1) ^ ((entry & 1) === 0 ? 0 : 0xedb88320);
    return entry;
  });
  let crc = ~start;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}
