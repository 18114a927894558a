/** Classic pcap (draft-ietf-opsawg-pcap): one header, then records, in either byte order. */

import { CaptureError, type Damage } from '../base/errors.ts';
import { NS_PER_S } from '../base/time.ts';
import {
  FRAMES_PER_BATCH,
  type FrameBatch,
  MAX_BLOCK_BYTES,
  MAX_FRAME_BYTES,
  MAX_ORIGINAL_LEN,
  MAX_TS_SEC,
} from './source.ts';
import type { Window } from './window.ts';
import { WindowSource } from './window-source.ts';

export const PCAP_HEADER_BYTES = 24;
export const RECORD_HEADER_BYTES = 16;
/** Kuznetsov's header has the interface index, the protocol and the packet type after the lengths. */
const MODIFIED_RECORD_HEADER_BYTES = 24;

export const MAGIC_MICROSECONDS = 0xa1b2c3d4;
export const MAGIC_NANOSECONDS = 0xa1b23c4d;
const MAGIC_MODIFIED = 0xa1b2cd34;

/** Where the FCS length is given at all, in the upper bits of the link type, in units of 16 bits. */
const FCS_LENGTH_PRESENT = 0x04000000;

/**
 * Which of the two lengths of a record comes first.
 *
 * Writers of versions before 2.3 put the original length first; of 2.3 some did and some did not, so that the
 * greater one is the original length; DG/UX wrote "543.0" and swapped them (libpcap sf-pcap.c, Wireshark libpcap.c).
 */
type LengthOrder = 'captured-first' | 'original-first' | 'lesser-is-captured';

/** Whether `magic`, read little-endian, begins a pcap file; tells its byte order. */
export function pcapByteOrder(magic: number): 'little' | 'big' | null {
  switch (magic) {
    case MAGIC_MICROSECONDS:
    case MAGIC_NANOSECONDS:
    case MAGIC_MODIFIED:
      return 'little';
    case 0xd4c3b2a1:
    case 0x4d3cb2a1:
    case 0x34cdb2a1:
      return 'big';
    default:
      return null;
  }
}

/** Opens the pcap whose magic number is at the start of `window`; throws `CaptureError` where the header is bad. */
export async function openPcap(name: string, window: Window): Promise<PcapSource> {
  await needHeader(name, window);
  return new PcapSource(name, window);
}

/** Waits for the file header at the start of `window`; throws `CaptureError` where the input ends before its end. */
export async function needHeader(name: string, window: Window): Promise<void> {
  if (await window.need(PCAP_HEADER_BYTES)) return;
  throw window.tooShort(name, `a ${PCAP_HEADER_BYTES}-byte pcap header`);
}

/** Frames of a classic pcap. */
class PcapSource extends WindowSource {
  readonly format = 'pcap';
  readonly #littleEndian: boolean;
  readonly #recordHeaderBytes: number;
  readonly #nsPerTick: number;
  readonly #lengthOrder: LengthOrder;
  readonly #maxCapturedLen: number;
  readonly #linkType: number;

  constructor(name: string, window: Window) {
    super(name, window);
    const { view, start } = window;
    const littleEndian = pcapByteOrder(view.getUint32(start, true)) === 'little';
    const magic = view.getUint32(start, littleEndian);
    const major = view.getUint16(start + 4, littleEndian);
    const minor = view.getUint16(start + 6, littleEndian);
    const snapLen = view.getUint32(start + 16, littleEndian);
    const linkField = view.getUint32(start + 20, littleEndian);
    window.start += PCAP_HEADER_BYTES;

    this.#littleEndian = littleEndian;
    this.#lengthOrder = lengthOrder(name, major, minor);
    this.#nsPerTick = magic === MAGIC_NANOSECONDS ? 1 : 1000;
    this.#recordHeaderBytes =
      magic === MAGIC_MODIFIED ? MODIFIED_RECORD_HEADER_BYTES : RECORD_HEADER_BYTES;
    this.#maxCapturedLen = Math.min(Math.max(snapLen, MAX_FRAME_BYTES), MAX_BLOCK_BYTES);
    this.#linkType = linkField & 0xffff;
    this.interfaces.push({
      linkType: this.#linkType,
      snapLen,
      name: null,
      fcsLen: (linkField & FCS_LENGTH_PRESENT) === 0 ? 0 : (linkField >>> 28) * 2,
      received: null,
      dropped: null,
    });
    this.stopFor(this.#recordHeaderBytes);
  }

  /**
   * Hot path, once per frame: a walk over one view with everything in locals; the batch's columns are only
   * written. A record that is not whole yet leaves the loop, so that no frame waits.
   */
  fill(batch: FrameBatch): number {
    const { window } = this;
    const { view, end } = window;
    const { offset, capturedLen, originalLen, tsSec, tsNs, iface, linkType } = batch;
    const littleEndian = this.#littleEndian;
    const headerBytes = this.#recordHeaderBytes;
    const nsPerTick = this.#nsPerTick;
    const ticksPerS = NS_PER_S / nsPerTick;
    const maxCapturedLen = this.#maxCapturedLen;
    const capturedFirst = this.#lengthOrder === 'captured-first';
    const link = this.#linkType;
    let at = window.start;
    let count = 0;

    batch.bytes = window.bytes;
    batch.view = view;
    if (this.damage !== null) {
      batch.count = 0;
      return 0;
    }

    while (count < FRAMES_PER_BATCH) {
      const data = at + headerBytes;
      if (data > end) {
        this.stopFor(headerBytes);
        break;
      }
      // Signed reads: what doesn't fit in 31 bits is negative, rare, and corrected off the fast path.
      const sec = view.getInt32(at, littleEndian);
      const ticks = view.getInt32(at + 4, littleEndian);
      let captured = view.getInt32(at + 8, littleEndian);
      let original = view.getInt32(at + 12, littleEndian);

      if (!capturedFirst && this.#isSwapped(captured >>> 0, original >>> 0)) {
        const first = captured;
        captured = original;
        original = first;
      }
      if (captured < 0 || captured > maxCapturedLen) {
        window.start = at;
        this.stopAtDamage(
          'bad-captured-length',
          `expected a captured length of at most ${maxCapturedLen} bytes, found ${captured >>> 0}`,
        );
        break;
      }
      if (data + captured > end) {
        this.stopFor(headerBytes + captured);
        break;
      }
      if (original < captured) original = original < 0 ? MAX_ORIGINAL_LEN : captured;

      if (ticks >= 0 && ticks < ticksPerS) {
        tsSec[count] = sec;
        tsNs[count] = ticks * nsPerTick;
      } else {
        const whole = (sec >>> 0) + Math.floor((ticks >>> 0) / ticksPerS);
        tsSec[count] = Math.min(whole, MAX_TS_SEC);
        tsNs[count] = ((ticks >>> 0) % ticksPerS) * nsPerTick;
      }
      offset[count] = data;
      capturedLen[count] = captured;
      originalLen[count] = original;
      iface[count] = 0;
      linkType[count] = link;
      count++;
      at = data + captured;
    }

    window.start = at;
    batch.count = count;
    return count;
  }

  protected describeTail(found: number, expected: number): Damage {
    const { window } = this;
    const headerBytes = this.#recordHeaderBytes;
    return {
      code: 'truncated-record',
      offset: window.offset,
      message:
        found < headerBytes
          ? `expected a ${headerBytes}-byte record header, found ${found} bytes`
          : `expected a record with ${expected - headerBytes} captured bytes, found ${found - headerBytes}`,
    };
  }

  #isSwapped(first: number, second: number): boolean {
    return this.#lengthOrder === 'original-first' || first > second;
  }
}

function lengthOrder(name: string, major: number, minor: number): LengthOrder {
  if (major === 543 && minor === 0) return 'original-first';
  if (major !== 2) {
    throw new CaptureError(
      'unsupported-version',
      name,
      `expected pcap version 2.x, found ${major}.${minor}`,
      4,
    );
  }
  if (minor < 3) return 'original-first';
  return minor === 3 ? 'lesser-is-captured' : 'captured-first';
}
