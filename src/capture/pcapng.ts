/** pcapng (draft-ietf-opsawg-pcapng): sections of blocks, in either byte order. */

import type { Damage } from '../base/errors.ts';
import {
  readInterface,
  readStatistics,
  type SectionInterface,
  visitOptions,
} from './pcapng-blocks.ts';
import {
  type BlockDamage,
  badBody,
  badCapturedLength,
  badLength,
  badTrailer,
  MIN_BLOCK_BYTES,
  tooManyInterfaces,
  unknownInterface,
} from './pcapng-damage.ts';
import {
  BYTE_ORDER_MAGIC,
  BYTE_ORDER_MAGIC_SWAPPED,
  checkSection,
  MIN_SECTION_BYTES,
  needSection,
  SECTION_HEADER,
} from './pcapng-section.ts';
import { readSimplePacket, SIMPLE_PACKET } from './pcapng-simple.ts';
import { DEFAULT_TSRESOL, TimeScale } from './pcapng-time.ts';
import {
  FRAMES_PER_BATCH,
  type FrameBatch,
  MAX_BLOCK_BYTES,
  MAX_FRAME_BYTES,
  MAX_ORIGINAL_LEN,
} from './source.ts';
import type { Window } from './window.ts';
import { WindowSource } from './window-source.ts';

export const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
export const INTERFACE_STATISTICS = 5;
export const ENHANCED_PACKET = 6;

const BLOCK_HEADER_BYTES = 8;
const MIN_INTERFACE_BYTES = 20;
const MIN_STATISTICS_BYTES = 24;
/** Type, length, interface, two words of time, two lengths; the frame comes behind them. */
export const PACKET_HEADER_BYTES = 28;
export const MIN_PACKET_BYTES = 32;

/** Interfaces of one capture; a hostile file could make one of every 20 bytes. */
const MAX_INTERFACES = 65536;

/** Stands in the frames' loop until the first frame has named its interface. */
const NO_INTERFACE: SectionInterface = {
  index: -1,
  linkType: -1,
  snapLen: 0,
  time: new TimeScale(DEFAULT_TSRESOL, 0n),
};

/** Opens the pcapng whose block type is at the start of `window`; throws `CaptureError` where its first section is none. */
export async function openPcapng(name: string, window: Window): Promise<PcapngSource> {
  await needSection(name, window);
  return new PcapngSource(name, window);
}

/** Frames of a pcapng. */
class PcapngSource extends WindowSource {
  readonly format = 'pcapng';
  #littleEndian = true;
  /** Interfaces of the current section, by their number in it. */
  #section: SectionInterface[] = [];
  /** Time of the frame before, for simple packets. */
  #lastSec = 0;
  #lastNs = 0;
  /** Of the block at the window's start, for `describeTail`; 0 while it isn't known. */
  #blockLength = 0;

  constructor(name: string, window: Window) {
    super(name, window);
    this.stopFor(MIN_BLOCK_BYTES);
  }

  /**
   * Hot path, once per block. Enhanced packets are read right here; the other blocks are rare and go to methods.
   *
   * Frames of one interface come in rows, and many of them within a second: the interface and the second of the frame
   * before stay in locals, so that most frames cost one subtraction for their time. Reads are signed, as in pcap.ts.
   */
  fill(batch: FrameBatch): number {
    const { window } = this;
    const { view, end } = window;
    const { offset, capturedLen, originalLen, tsSec, tsNs, iface, linkType } = batch;
    let littleEndian = this.#littleEndian;
    let section = this.#section;
    let current = NO_INTERFACE;
    let currentId = -1;
    let maxCapturedLen = 0;
    let highWord = 0;
    /** The low word at which the second `sec` began; NaN where no second is known. */
    let secondStart = Number.NaN;
    let sec = 0;
    let units = 0;
    let nsPerUnit = 0;
    let at = window.start;
    let count = 0;

    batch.bytes = window.bytes;
    batch.view = view;
    if (this.damage !== null) {
      batch.count = 0;
      return 0;
    }
    while (count < FRAMES_PER_BATCH) {
      if (end - at < MIN_BLOCK_BYTES) {
        this.#blockLength = 0;
        this.stopFor(MIN_BLOCK_BYTES);
        break;
      }
      const type = view.getInt32(at, littleEndian);
      if (type === SECTION_HEADER) {
        window.start = at;
        if (!this.#readSection()) break;
        at = window.start;
        littleEndian = this.#littleEndian;
        section = this.#section;
        currentId = -1;
        continue;
      }

      const length = view.getInt32(at + 4, littleEndian);
      if (length < MIN_BLOCK_BYTES || length > MAX_BLOCK_BYTES || (length & 3) !== 0) {
        window.start = at;
        this.#stop(badLength(length >>> 0));
        break;
      }
      const next = at + length;
      if (next > end) {
        this.#blockLength = length;
        this.stopFor(length);
        break;
      }
      if (view.getInt32(next - 4, littleEndian) !== length) {
        window.start = at;
        this.#stop(badTrailer(length, this.#trailer(length)));
        break;
      }

      if (type === ENHANCED_PACKET || type === OBSOLETE_PACKET) {
        if (length < MIN_PACKET_BYTES) {
          window.start = at;
          this.#stop(badBody(type, MIN_PACKET_BYTES, length));
          break;
        }
        const id =
          type === ENHANCED_PACKET
            ? view.getInt32(at + 8, littleEndian)
            : view.getUint16(at + 8, littleEndian);
        if (id !== currentId || id < 0) {
          const found = section[id];
          if (found === undefined) {
            window.start = at;
            this.#stop(unknownInterface(section.length, id >>> 0));
            break;
          }
          current = found;
          currentId = id;
          maxCapturedLen = Math.max(found.snapLen, MAX_FRAME_BYTES);
          units = found.time.units;
          nsPerUnit = found.time.nsPerUnit;
          secondStart = Number.NaN;
        }
        const captured = view.getInt32(at + 20, littleEndian);
        const original = view.getInt32(at + 24, littleEndian);
        if (captured < 0 || captured > length - MIN_PACKET_BYTES || captured > maxCapturedLen) {
          window.start = at;
          const limit = Math.min(length - MIN_PACKET_BYTES, maxCapturedLen);
          this.#stop(badCapturedLength(limit, captured >>> 0));
          break;
        }

        const high = view.getInt32(at + 12, littleEndian);
        const low = view.getUint32(at + 16, littleEndian);
        const rest = low - secondStart;
        if (high === highWord && rest >= 0 && rest < units) {
          tsSec[count] = sec;
          tsNs[count] = rest * nsPerUnit;
        } else {
          const { time } = current;
          time.convert(high >>> 0, low);
          highWord = high;
          sec = time.sec;
          secondStart = time.rest < 0 ? Number.NaN : low - time.rest;
          tsSec[count] = sec;
          tsNs[count] = time.ns;
        }
        offset[count] = at + PACKET_HEADER_BYTES;
        capturedLen[count] = captured;
        if (original >= captured) originalLen[count] = original;
        else originalLen[count] = original < 0 ? MAX_ORIGINAL_LEN : captured;
        iface[count] = current.index;
        linkType[count] = current.linkType;
        count++;
      } else {
        window.start = at;
        if (!this.#readOther(type, length, batch, count)) break;
        if (type === SIMPLE_PACKET) count++;
      }
      at = next;
    }

    if (this.damage === null) window.start = at;
    if (count > 0) {
      this.#lastSec = tsSec[count - 1]!;
      this.#lastNs = tsNs[count - 1]!;
    }
    batch.count = count;
    return count;
  }

  protected describeTail(found: number, expected: number): Damage {
    const message =
      this.#blockLength === 0
        ? `expected a block of at least ${expected} bytes, found ${found} bytes`
        : `expected a block of ${this.#blockLength} bytes, found ${found} bytes`;
    return { code: 'truncated-block', offset: this.window.offset, message };
  }

  /** Takes a block of another type at the window's start; false where it is damaged. */
  #readOther(type: number, length: number, batch: FrameBatch, count: number): boolean {
    switch (type) {
      case SIMPLE_PACKET:
        return this.#readSimplePacket(batch, count, length);
      case INTERFACE_DESCRIPTION:
        return this.#readInterface(length);
      case INTERFACE_STATISTICS:
        return this.#readStatistics(length);
      default:
        return true;
    }
  }

  /** Takes the section header at the window's start; false where it isn't whole yet, or damaged. */
  #readSection(): boolean {
    const { window } = this;
    const { view, start } = window;
    const order = view.getUint32(start + 8, true);
    if (order === BYTE_ORDER_MAGIC || order === BYTE_ORDER_MAGIC_SWAPPED) {
      const littleEndian = order === BYTE_ORDER_MAGIC;
      const length = view.getUint32(start + 4, littleEndian);
      this.#blockLength = length;
      if (length < MIN_SECTION_BYTES || length > MAX_BLOCK_BYTES || (length & 3) !== 0)
        return this.#stop(badLength(length));
      if (length > window.available) {
        this.stopFor(length);
        return false;
      }
    }
    const trouble = checkSection(view, start);
    if (trouble !== null) return this.#stop(trouble);

    this.#littleEndian = order === BYTE_ORDER_MAGIC;
    this.#section = [];
    const length = view.getUint32(start + 4, this.#littleEndian);
    if (view.getUint32(start + length - 4, this.#littleEndian) !== length)
      return this.#stop(badTrailer(length, this.#trailer(length)));
    const wrong = visitOptions(
      view,
      start + 24,
      start + length - 4,
      this.#littleEndian,
      ignoreOption,
    );
    if (wrong !== null) this.warn(`section header: ${wrong}`);
    window.start += length;
    return true;
  }

  #readInterface(length: number): boolean {
    const { view, start } = this.window;
    if (length < MIN_INTERFACE_BYTES)
      return this.#stop(badBody(INTERFACE_DESCRIPTION, MIN_INTERFACE_BYTES, length));
    if (this.interfaces.length >= MAX_INTERFACES)
      return this.#stop(tooManyInterfaces(MAX_INTERFACES));
    const { described, section } = readInterface(
      view,
      start + BLOCK_HEADER_BYTES,
      start + length - 4,
      this.#littleEndian,
      this.interfaces.length,
      (message) => this.warn(message),
    );
    this.interfaces.push(described);
    this.#section.push(section);
    return true;
  }

  #readStatistics(length: number): boolean {
    const { view, start } = this.window;
    if (length < MIN_STATISTICS_BYTES)
      return this.#stop(badBody(INTERFACE_STATISTICS, MIN_STATISTICS_BYTES, length));
    const id = view.getUint32(start + BLOCK_HEADER_BYTES, this.#littleEndian);
    const described = this.interfaces[this.#section[id]?.index ?? -1];
    if (described === undefined) {
      this.warn(`interface statistics name interface ${id}, which the section does not describe`);
      return true;
    }
    readStatistics(
      view,
      start + BLOCK_HEADER_BYTES,
      start + length - 4,
      this.#littleEndian,
      described,
      (message) => this.warn(message),
    );
    return true;
  }

  /** It is given the time of the frame before it, since a time of 0 would look like a clock that jumped to 1970. */
  #readSimplePacket(batch: FrameBatch, count: number, length: number): boolean {
    const { view, start } = this.window;
    const [first] = this.#section;
    const wrong = readSimplePacket(view, start, length, this.#littleEndian, first, batch, count);
    if (wrong !== null) return this.#stop(wrong);

    this.warn('simple packets carry no time: each is given the time of the frame before it');
    batch.tsSec[count] = count > 0 ? batch.tsSec[count - 1]! : this.#lastSec;
    batch.tsNs[count] = count > 0 ? batch.tsNs[count - 1]! : this.#lastNs;
    return true;
  }

  /** Ends the capture at the block at the window's start; always false. */
  #stop({ code, message }: BlockDamage): false {
    this.stopAtDamage(code, message);
    return false;
  }

  /** The length at the end of the block at the window's start. */
  #trailer(length: number): number {
    const { view, start } = this.window;
    return view.getUint32(start + length - 4, this.#littleEndian);
  }
}

function ignoreOption(): void {}
