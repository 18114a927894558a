/**
 * LZ4 frames (LZ4 Frame Format 1.6.4, LZ4 Block Format).
 *
 * Our own, since the packages of npm either decode whole blocks only, bring a native addon, or have seen no release for
 * years; and none hands over what a cut block still holds.
 */

import { type Codec, CodecError, HeaderBytes, type Outlet } from './codec.ts';
import { isSkippable, LZ4_MAGIC } from './formats.ts';
import { Xxh32, xxh32 } from './xxh32.ts';

/** How far back a match reaches, and so what is kept of earlier blocks. */
const HISTORY_BYTES = 65536;
/** The history is moved to the front when so much lies there: each time a block was decoded it would cost more than a small block does. */
const MOVED_FROM_BYTES = 2 * HISTORY_BYTES;
const MAX_HEADER_BYTES = 19;
const UNCOMPRESSED = 0x80000000;

type State = 'magic' | 'header' | 'block-size' | 'block' | 'checksum' | 'skip-size' | 'skip';

/** Decodes concatenated LZ4 frames; block and content checksums are verified. */
export class Lz4Codec implements Codec {
  readonly warnings: string[] = [];
  readonly #outlet: Outlet;
  readonly #head = new HeaderBytes(MAX_HEADER_BYTES);
  #state: State = 'magic';
  #hasBlockChecksum = false;
  #hasContentChecksum = false;
  #isLinked = true;
  #hash = new Xxh32();
  #maxBlockBytes = 0;
  /** The block being collected, its checksum included. */
  #block: Uint8Array = new Uint8Array(0);
  #blockLength = 0;
  #blockNeeded = 0;
  #isStored = false;
  /** History in front, and room for one block behind it. */
  #out: Uint8Array = new Uint8Array(0);
  #history = 0;
  #skipLeft = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  async push(piece: Uint8Array): Promise<void> {
    let at = 0;
    while (at < piece.length) {
      at = this.#step(piece, at);
      const room = this.#outlet.room();
      if (room !== null) await room;
    }
  }

  async finish(): Promise<string | null> {
    if (this.#state === 'magic' && this.#head.length === 0) return null;
    if (this.#state === 'block' && !this.#isStored) {
      this.#decode(Math.min(this.#blockLength, this.#blockNeeded), false);
    } else if (this.#state === 'block') {
      this.#outlet.take(this.#block.slice(0, this.#blockLength));
    }
    return 'the lz4 stream ends within a frame';
  }

  close(): void {}

  #step(piece: Uint8Array, start: number): number {
    const head = this.#head;
    let at = start;
    switch (this.#state) {
      case 'magic':
        at = head.take(piece, at, 4);
        if (head.length === 4) this.#readMagic(head.uint32(0));
        return at;
      case 'header':
        at = head.take(piece, at, 2);
        if (head.length >= 2) at = head.take(piece, at, headerBytes(head.bytes[0]!));
        if (head.length >= 2 && head.length === headerBytes(head.bytes[0]!)) this.#readHeader();
        return at;
      case 'block-size':
        at = head.take(piece, at, 4);
        if (head.length === 4) this.#readBlockSize(head.uint32(0));
        return at;
      case 'block':
        return this.#collect(piece, at);
      case 'checksum':
        at = head.take(piece, at, 4);
        if (head.length === 4) {
          expectChecksum('content', this.#hash.digest(), head.uint32(0));
          this.#enter('magic');
        }
        return at;
      case 'skip-size':
        at = head.take(piece, at, 4);
        if (head.length === 4) {
          this.#skipLeft = head.uint32(0);
          this.#enter(this.#skipLeft === 0 ? 'magic' : 'skip');
        }
        return at;
      case 'skip': {
        const count = Math.min(this.#skipLeft, piece.length - at);
        this.#skipLeft -= count;
        if (this.#skipLeft === 0) this.#enter('magic');
        return at + count;
      }
    }
  }

  #enter(state: State): void {
    this.#state = state;
    this.#head.length = 0;
  }

  #readMagic(magic: number): void {
    if (magic === LZ4_MAGIC) this.#enter('header');
    else if (isSkippable(magic)) this.#enter('skip-size');
    else throw new CodecError(`expected an lz4 frame, found magic ${magic.toString(16)}`);
  }

  #readHeader(): void {
    const { bytes, length } = this.#head;
    const flags = bytes[0]!;
    const sizeCode = (bytes[1]! >> 4) & 7;
    if (flags >> 6 !== 1) throw new CodecError(`expected lz4 frame version 1, found ${flags >> 6}`);
    if ((flags & 1) !== 0) throw new CodecError('the lz4 frame needs a dictionary');
    if (sizeCode < 4)
      throw new CodecError(`expected an lz4 block size of 4 to 7, found ${sizeCode}`);
    const check = (xxh32(bytes.subarray(0, length - 1)) >>> 8) & 0xff;
    expectChecksum('header', check, bytes[length - 1]!);

    this.#isLinked = (flags & 0x20) === 0;
    this.#hasBlockChecksum = (flags & 0x10) !== 0;
    this.#hasContentChecksum = (flags & 0x04) !== 0;
    this.#hash = new Xxh32();
    this.#history = 0;
    this.#maxBlockBytes = 1 << (8 + 2 * sizeCode);
    // They only grow: frames of small and large blocks in turn would have new ones each time.
    if (this.#block.length < this.#maxBlockBytes + 4) {
      this.#block = new Uint8Array(this.#maxBlockBytes + 4);
      this.#out = new Uint8Array(MOVED_FROM_BYTES + this.#maxBlockBytes);
    }
    this.#enter('block-size');
  }

  #readBlockSize(field: number): void {
    if (field === 0) {
      this.#enter(this.#hasContentChecksum ? 'checksum' : 'magic');
      return;
    }
    this.#isStored = field >= UNCOMPRESSED;
    const size = this.#isStored ? field - UNCOMPRESSED : field;
    if (size > this.#maxBlockBytes) {
      throw new CodecError(
        `expected an lz4 block of at most ${this.#maxBlockBytes} bytes, found ${size}`,
      );
    }
    this.#blockNeeded = size;
    this.#blockLength = 0;
    this.#enter('block');
  }

  #collect(piece: Uint8Array, at: number): number {
    const needed = this.#blockNeeded + (this.#hasBlockChecksum ? 4 : 0);
    const count = Math.min(needed - this.#blockLength, piece.length - at);
    this.#block.set(piece.subarray(at, at + count), this.#blockLength);
    this.#blockLength += count;
    if (this.#blockLength < needed) return at + count;

    if (this.#hasBlockChecksum) {
      const found = new DataView(this.#block.buffer).getUint32(this.#blockNeeded, true);
      expectChecksum('block', xxh32(this.#block.subarray(0, this.#blockNeeded)), found);
    }
    this.#decode(this.#blockNeeded, true);
    this.#enter('block-size');
    return at + count;
  }

  /** Decodes the first `length` bytes of the block and emits what they give; `isWhole`: anything odd is corrupt. */
  #decode(length: number, isWhole: boolean): void {
    const out = this.#out;
    const from = this.#history;
    let trouble: string | null = null;
    let end = from;
    if (this.#isStored) {
      out.set(this.#block.subarray(0, length), from);
      end += length;
    } else {
      const oldest = this.#isLinked ? 0 : from;
      const limit = from + this.#maxBlockBytes;
      const result = decodeBlock(this.#block, length, out, from, oldest, limit);
      end = result.end;
      trouble = result.trouble;
    }

    const decoded = out.slice(from, end);
    if (decoded.length > 0) {
      if (this.#hasContentChecksum) this.#hash.update(decoded);
      this.#outlet.take(decoded);
    }
    if (trouble !== null && isWhole) throw new CodecError(trouble);
    if (end > MOVED_FROM_BYTES) {
      out.copyWithin(0, end - HISTORY_BYTES, end);
      this.#history = HISTORY_BYTES;
    } else {
      this.#history = end;
    }
  }
}

/**
 * Decodes `length` bytes of `block` to `out[from…]`, with matches back to `oldest` and never beyond `limit`.
 * Returns where the output ends, and what was wrong if it stopped early.
 */
function decodeBlock(
  block: Uint8Array,
  length: number,
  out: Uint8Array,
  from: number,
  oldest: number,
  limit: number,
): { end: number; trouble: string | null } {
  let at = 0;
  let to = from;
  while (at < length) {
    const token = block[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < length) {
        more = block[at++]!;
        literals += more;
      }
    }
    const copied = Math.min(literals, length - at, limit - to);
    out.set(block.subarray(at, at + copied), to);
    to += copied;
    if (copied < literals) return { end: to, trouble: 'an lz4 literal runs past its block' };
    at += copied;
    if (at === length) return { end: to, trouble: null };

    if (length - at < 2) return { end: to, trouble: 'an lz4 block ends within a match' };
    const distance = block[at]! | (block[at + 1]! << 8);
    at += 2;
    let match = (token & 15) + 4;
    if ((token & 15) === 15) {
      let more = 255;
      while (more === 255 && at < length) {
        more = block[at++]!;
        match += more;
      }
      if (more === 255) return { end: to, trouble: 'an lz4 block ends within a match' };
    }
    const source = to - distance;
    if (distance === 0 || source < oldest) {
      return { end: to, trouble: `an lz4 match reaches ${distance} bytes back, before the data` };
    }
    if (match > limit - to) return { end: to, trouble: 'an lz4 match runs past the block size' };
    if (distance >= match) {
      out.copyWithin(to, source, source + match);
      to += match;
    } else {
      for (let index = source; match > 0; match--) out[to++] = out[index++]!;
    }
  }
  return { end: to, trouble: null };
}

/** Flags, block size, the optional content size, and the header's checksum; a dictionary is refused later. */
function headerBytes(flags: number): number {
  return 2 + ((flags & 8) === 0 ? 0 : 8) + ((flags & 1) === 0 ? 0 : 4) + 1;
}

function expectChecksum(of: string, expected: number, found: number): void {
  if (expected === found) return;
  throw new CodecError(
    `expected lz4 ${of} checksum ${expected.toString(16)}, found ${found.toString(16)}`,
  );
}
