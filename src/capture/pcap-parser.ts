/**
 * The npm package pcap-parser 0.2.1 as a frame source, for `--reader pcap-parser`: a second opinion on classic
 * microsecond pcap. docs/readers.md says why it is not the default. Nothing else imports the package.
 */

import { EventEmitter } from 'node:events';
import { type Packet, type PacketHeader, type ParserInput, parse } from 'pcap-parser';
import { CaptureError, type Damage } from '../base/errors.ts';
import {
  MAGIC_MICROSECONDS,
  needHeader,
  PCAP_HEADER_BYTES,
  pcapByteOrder,
  RECORD_HEADER_BYTES,
} from './pcap.ts';
import {
  type CaptureInterface,
  FRAMES_PER_BATCH,
  type FrameBatch,
  type FrameSource,
  MAX_BLOCK_BYTES,
  MAX_FRAME_BYTES,
  MAX_ORIGINAL_LEN,
  MAX_TS_SEC,
} from './source.ts';
import type { Window } from './window.ts';

const US_PER_S = 1_000_000;
/** Bytes fed at once: the parser copies what it holds with each chunk, and its packets wait here until they are taken. */
const FEED_BYTES = 64 * 1024;

/** Opens the pcap at the start of `window`; throws `CaptureError` where the package can't read it. */
export async function openWithPcapParser(name: string, window: Window): Promise<FrameSource> {
  const { view, start } = window;
  const magic = view.getUint32(start, true);
  const isLittleEndian = magic === MAGIC_MICROSECONDS;
  const order = pcapByteOrder(magic);
  if (!isLittleEndian && view.getUint32(start) !== MAGIC_MICROSECONDS) {
    const found = order === null ? 'pcapng' : 'nanosecond or modified pcap';
    throw unsupported('unsupported-format', name, `microsecond pcap, found ${found}`, 0);
  }
  await needHeader(name, window);
  const major = window.view.getUint16(window.start + 4, isLittleEndian);
  const minor = window.view.getUint16(window.start + 6, isLittleEndian);
  if (major !== 2 || minor !== 4) {
    const what = `pcap version 2.4, found ${major}.${minor}`;
    throw unsupported('unsupported-version', name, what, 4);
  }
  return new PcapParserSource(name, window);
}

/** The parser's idea of a stream; chunks are emitted on it by hand, so that back-pressure is simply not to feed it. */
class Feed extends EventEmitter implements ParserInput {
  pause(): void {}
  resume(): void {}
}

class PcapParserSource implements FrameSource {
  readonly name: string;
  readonly format = 'pcap';
  readonly interfaces: CaptureInterface[] = [];
  damage: Damage | null = null;
  readonly #window: Window;
  readonly #feed = new Feed();
  #packets: Packet[] = [];
  #taken = 0;
  #bytes: Uint8Array = new Uint8Array(FEED_BYTES);
  #maxCapturedLen = MAX_FRAME_BYTES;
  #linkType = 0;
  /** Where the record begins that the parser is at, and how long it is as far as known. */
  #recordOffset = PCAP_HEADER_BYTES;
  #recordBytes = RECORD_HEADER_BYTES;

  constructor(name: string, window: Window) {
    this.name = name;
    this.#window = window;
    const parser = parse(this.#feed);
    parser.on('globalHeader', (header) => {
      this.#linkType = header.linkLayerType & 0xffff;
      this.#maxCapturedLen = Math.min(
        Math.max(header.snapshotLength, MAX_FRAME_BYTES),
        MAX_BLOCK_BYTES,
      );
      this.interfaces.push({
        linkType: this.#linkType,
        snapLen: header.snapshotLength,
        name: null,
        fcsLen: 0,
        received: null,
        dropped: null,
      });
    });
    parser.on('packetHeader', (header) => this.#checkLength(header));
    parser.on('packet', (packet) => {
      if (this.damage !== null) return;
      this.#packets.push(packet);
      this.#recordOffset += this.#recordBytes;
      this.#recordBytes = RECORD_HEADER_BYTES;
    });
    parser.on('error', (error) => {
      this.#stop('bad-record', error.message);
    });
    this.#feedBytes(PCAP_HEADER_BYTES);
  }

  get warnings(): readonly string[] {
    return this.#window.input.warnings;
  }

  get bytesRead(): number {
    return this.#window.input.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#window.input.bytesTotal;
  }

  /** Copies packets into one buffer, since each comes in memory of its own. */
  fill(batch: FrameBatch): number {
    const count = Math.min(FRAMES_PER_BATCH, this.#packets.length - this.#taken);
    let total = 0;
    for (let index = 0; index < count; index++) {
      total += this.#packets[this.#taken + index]!.data.length;
    }
    if (total > this.#bytes.length) this.#bytes = new Uint8Array(total);

    let at = 0;
    for (let index = 0; index < count; index++) {
      const { header, data } = this.#packets[this.#taken + index]!;
      const seconds = header.timestampSeconds + Math.floor(header.timestampMicroseconds / US_PER_S);
      this.#bytes.set(data, at);
      batch.offset[index] = at;
      batch.capturedLen[index] = data.length;
      batch.originalLen[index] = Math.min(
        Math.max(header.originalLength, data.length),
        MAX_ORIGINAL_LEN,
      );
      batch.tsSec[index] = Math.min(seconds, MAX_TS_SEC);
      batch.tsNs[index] = (header.timestampMicroseconds % US_PER_S) * 1000;
      batch.iface[index] = 0;
      batch.linkType[index] = this.#linkType;
      at += data.length;
    }
    this.#taken += count;
    batch.bytes = this.#bytes;
    batch.view = new DataView(this.#bytes.buffer);
    batch.count = count;
    return count;
  }

  async more(): Promise<boolean> {
    if (this.#taken < this.#packets.length) return true;
    this.#packets = [];
    this.#taken = 0;
    while (this.#packets.length === 0 && this.damage === null) {
      if (!(await this.#window.need(1))) {
        this.#reportTail();
        return false;
      }
      this.#feedBytes(Math.min(this.#window.available, FEED_BYTES));
    }
    return this.#packets.length > 0;
  }

  async close(): Promise<void> {
    await this.#window.input.close();
  }

  /** The parser keeps slices of what it is given, so it gets a copy. */
  #feedBytes(count: number): void {
    const window = this.#window;
    const chunk = Buffer.from(window.bytes.subarray(window.start, window.start + count));
    window.start += count;
    this.#feed.emit('data', chunk);
  }

  /** The parser would wait for any length, copying all that it has with every chunk: so it is fed no more. */
  #checkLength(header: PacketHeader): void {
    this.#recordBytes = RECORD_HEADER_BYTES + header.capturedLength;
    if (header.capturedLength <= this.#maxCapturedLen) return;
    this.#stop(
      'bad-captured-length',
      `expected a captured length of at most ${this.#maxCapturedLen} bytes, found ${header.capturedLength}`,
    );
  }

  /** The parser drops a cut record without a word; its offset is known from the records before it. */
  #reportTail(): void {
    const cause = this.#window.input.damage;
    const found = this.#window.offset - this.#recordOffset;
    if (cause !== null) {
      this.#stop(cause.code, cause.message);
    } else if (found > 0) {
      this.#stop(
        'truncated-record',
        found < RECORD_HEADER_BYTES
          ? `expected a ${RECORD_HEADER_BYTES}-byte record header, found ${found} bytes`
          : `expected a record with ${this.#recordBytes - RECORD_HEADER_BYTES} captured bytes, found ${
              found - RECORD_HEADER_BYTES
            }`,
      );
    }
  }

  #stop(code: string, message: string): void {
    this.damage ??= { code, offset: this.#recordOffset, message };
  }
}

function unsupported(
  code: 'unsupported-format' | 'unsupported-version',
  name: string,
  what: string,
  offset: number,
): CaptureError {
  return new CaptureError(
    code,
    name,
    `the reader pcap-parser expected ${what}; use the native reader`,
    offset,
  );
}
