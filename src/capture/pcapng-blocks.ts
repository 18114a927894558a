/** The pcapng blocks that describe frames and carry none: interfaces, statistics, options (draft-ietf-opsawg-pcapng §3.5, §4). */

import { DEFAULT_TSRESOL, TimeScale } from './pcapng-time.ts';
import type { CaptureInterface } from './source.ts';

const OPT_END = 0;
export const IF_NAME = 2;
export const IF_TSRESOL = 9;
const IF_FCSLEN = 13;
const IF_TSOFFSET = 14;
export const ISB_IFRECV = 4;
export const ISB_IFDROP = 5;
const ISB_OSDROP = 7;

/** Names are shown, not parsed: what is longer than any system allows is cut. */
const MAX_NAME_BYTES = 256;

/** An interface of the current section, as the frames' hot path needs it. */
export interface SectionInterface {
  /** Index into the source's `interfaces`. */
  index: number;
  linkType: number;
  snapLen: number;
  time: TimeScale;
}

/** Called with each option: its code and where its value is. */
type OptionVisitor = (code: number, start: number, length: number) => void;

/**
 * Walks the options at bytes `start` … `end` of `view`.
 *
 * Returns null, or what was wrong with the option that ran past the end; the options before it were visited.
 */
export function visitOptions(
  view: DataView,
  start: number,
  end: number,
  littleEndian: boolean,
  visit: OptionVisitor,
): string | null {
  let at = start;
  while (end - at >= 4) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === OPT_END) return null;
    if (length > end - at - 4) {
      return `expected an option of at most ${end - at - 4} bytes, found option ${code} of ${length} bytes`;
    }
    visit(code, at + 4, length);
    at += 4 + length + (-length & 3);
  }
  return null;
}

/** Reads an interface description: body and options are bytes `start` … `end` of `view`, at least 8. */
export function readInterface(
  view: DataView,
  start: number,
  end: number,
  littleEndian: boolean,
  index: number,
  warn: (message: string) => void,
): { described: CaptureInterface; section: SectionInterface } {
  const linkType = view.getUint16(start, littleEndian);
  const snapLen = view.getUint32(start + 4, littleEndian);
  const described: CaptureInterface = {
    linkType,
    snapLen,
    name: null,
    fcsLen: 0,
    received: null,
    dropped: null,
  };
  let tsresol = DEFAULT_TSRESOL;
  let tsoffset = 0n;
  const trouble = visitOptions(view, start + 8, end, littleEndian, (code, at, length) => {
    if (code === IF_NAME) described.name = readName(view, at, length);
    else if (code === IF_TSRESOL && length === 1) tsresol = view.getUint8(at);
    else if (code === IF_FCSLEN && length === 1) described.fcsLen = fcsBytes(view.getUint8(at));
    else if (code === IF_TSOFFSET && length === 8) tsoffset = view.getBigInt64(at, littleEndian);
  });
  if (trouble !== null) warn(`interface ${index}: ${trouble}`);

  const time = new TimeScale(tsresol, tsoffset);
  return { described, section: { index, linkType, snapLen, time } };
}

/** Reads the counters of an interface statistics block into `described`; the last block of an interface stands. */
export function readStatistics(
  view: DataView,
  start: number,
  end: number,
  littleEndian: boolean,
  described: CaptureInterface,
  warn: (message: string) => void,
): void {
  let dropped = 0n;
  let isDropKnown = false;
  const trouble = visitOptions(view, start + 12, end, littleEndian, (code, at, length) => {
    if (length !== 8) return;
    if (code === ISB_IFRECV) described.received = Number(view.getBigUint64(at, littleEndian));
    if (code === ISB_IFDROP || code === ISB_OSDROP) {
      dropped += view.getBigUint64(at, littleEndian);
      isDropKnown = true;
    }
  });
  if (isDropKnown) described.dropped = Number(dropped);
  if (trouble !== null) warn(`interface statistics: ${trouble}`);
}

/** The drafts disagreed on the unit of if_fcslen; no link has a check sequence of 8 bytes, so 8 and more are bits. */
function fcsBytes(value: number): number {
  return value < 8 ? value : value >> 3;
}

function readName(view: DataView, at: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, Math.min(length, MAX_NAME_BYTES));
  const text = new TextDecoder().decode(bytes);
  const nul = text.indexOf('\0');
  return nul === -1 ? text : text.slice(0, nul);
}
