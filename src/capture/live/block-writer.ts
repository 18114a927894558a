/** pcapng blocks of what was captured, byte for byte (draft-ietf-opsawg-pcapng §4). */

import {
  ENHANCED_PACKET,
  INTERFACE_DESCRIPTION,
  INTERFACE_STATISTICS,
  MIN_PACKET_BYTES,
  PACKET_HEADER_BYTES,
} from '../pcapng.ts';
import { IF_NAME, IF_TSRESOL, ISB_IFDROP, ISB_IFRECV } from '../pcapng-blocks.ts';
import { MIN_BLOCK_BYTES } from '../pcapng-damage.ts';
import { BYTE_ORDER_MAGIC, SECTION_HEADER } from '../pcapng-section.ts';
import type { CaptureInterface, FrameBatch } from '../source.ts';

const CHUNK_BYTES = 512 * 1024;
const NANOSECONDS = 9;
const SHB_USERAPPL = 4;
const TWO_TO_32 = 2 ** 32;

/** Gathers blocks; `take` hands them over. Each block is there whole or not at all. */
export class BlockWriter {
  #bytes = Buffer.alloc(CHUNK_BYTES);
  #used = 0;
  /** High and low word of a time. */
  readonly #time = new Uint32Array(2);

  get used(): number {
    return this.#used;
  }

  /** What was gathered; holds until the next call. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    return bytes;
  }

  section(program: string): void {
    const options = option(SHB_USERAPPL, Buffer.from(program, 'utf8'));
    const body = Buffer.alloc(16);
    body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
    body.writeUInt16LE(1, 4);
    // Its length is not known beforehand.
    body.fill(0xff, 8);
    this.#block(SECTION_HEADER, Buffer.concat([body, options, endOfOptions()]));
  }

  interface({ linkType, name, snapLen }: CaptureInterface): void {
    const body = Buffer.alloc(8);
    body.writeUInt16LE(linkType, 0);
    body.writeUInt32LE(snapLen, 4);
    const named = name === null ? [] : [option(IF_NAME, Buffer.from(name, 'utf8'))];
    const resolution = option(IF_TSRESOL, Buffer.from([NANOSECONDS]));
    this.#block(INTERFACE_DESCRIPTION, Buffer.concat([body, ...named, resolution, endOfOptions()]));
  }

  /** The counters of interface `index` (an ISB), nothing where both are unknown. `ms`: milliseconds since 1970 when they were taken. */
  statistics(index: number, { dropped, received }: CaptureInterface, ms: number): void {
    if (dropped === null && received === null) return;
    const body = Buffer.alloc(12);
    body.writeUInt32LE(index, 0);
    const time = this.#time;
    nanoseconds(Math.floor(ms / 1000), Math.floor((ms % 1000) * 1e6), time);
    body.writeUInt32LE(time[0] ?? 0, 4);
    body.writeUInt32LE(time[1] ?? 0, 8);
    const options = [
      ...(received === null ? [] : [option(ISB_IFRECV, counter(received))]),
      ...(dropped === null ? [] : [option(ISB_IFDROP, counter(dropped))]),
    ];
    this.#block(INTERFACE_STATISTICS, Buffer.concat([body, ...options, endOfOptions()]));
  }

  /** Frame `i` of the batch. Hot path where packets are kept: written in place. */
  packet(batch: FrameBatch, i: number): void {
    const captured = batch.capturedLen[i] ?? 0;
    const padded = (captured + 3) & ~3;
    const length = MIN_PACKET_BYTES + padded;
    this.#reserve(length);
    const bytes = this.#bytes;
    const at = this.#used;
    const time = this.#time;
    nanoseconds(batch.tsSec[i] ?? 0, batch.tsNs[i] ?? 0, time);
    bytes.writeUInt32LE(ENHANCED_PACKET, at);
    bytes.writeUInt32LE(length, at + 4);
    bytes.writeUInt32LE(batch.iface[i] ?? 0, at + 8);
    bytes.writeUInt32LE(time[0] ?? 0, at + 12);
    bytes.writeUInt32LE(time[1] ?? 0, at + 16);
    bytes.writeUInt32LE(captured, at + 20);
    bytes.writeUInt32LE(batch.originalLen[i] ?? captured, at + 24);
    const start = batch.offset[i] ?? 0;
    bytes.set(batch.bytes.subarray(start, start + captured), at + PACKET_HEADER_BYTES);
    bytes.fill(0, at + PACKET_HEADER_BYTES + captured, at + PACKET_HEADER_BYTES + padded);
    bytes.writeUInt32LE(length, at + length - 4);
    this.#used = at + length;
  }

  #block(type: number, body: Buffer): void {
    const length = body.length + MIN_BLOCK_BYTES;
    this.#reserve(length);
    const bytes = this.#bytes;
    bytes.writeUInt32LE(type, this.#used);
    bytes.writeUInt32LE(length, this.#used + 4);
    body.copy(bytes, this.#used + 8);
    bytes.writeUInt32LE(length, this.#used + length - 4);
    this.#used += length;
  }

  /** The caller takes what was gathered often enough; a frame may be up to 64 MiB long all the same. */
  #reserve(length: number): void {
    if (this.#used + length <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#used + length));
    this.#bytes.copy(grown, 0, 0, this.#used);
    this.#bytes = grown;
  }
}

/** Nanoseconds since 1970 as two words, in two halves: they need 61 bits, a double has 53. */
function nanoseconds(sec: number, ns: number, into: Uint32Array): void {
  const low = (sec % 65_536) * 1e9 + ns;
  const upper = Math.floor(sec / 65_536) * 1e9 + Math.floor(low / 65_536);
  into[0] = Math.floor(upper / 65_536);
  into[1] = (upper % 65_536) * 65_536 + (low % 65_536);
}

function option(code: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3));
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt16LE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function endOfOptions(): Buffer {
  return Buffer.alloc(4);
}

function counter(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value % TWO_TO_32, 0);
  bytes.writeUInt32LE(Math.floor(value / TWO_TO_32), 4);
  return bytes;
}
