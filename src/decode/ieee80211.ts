/** IEEE 802.11 data frames (IEEE 802.11-2020 §9.3.2), and the headers that drivers put before them. */

import { type Packet, STEP_80211, STEP_LLC } from './packet.ts';
import { ENCRYPTED_80211, FRAGMENT_80211, LINK_TRUNCATED, NOT_A_DATA_FRAME } from './reasons.ts';

const MIN_HEADER_LEN = 24;
const TYPE_DATA = 0x0008;
const TYPE = 0x000c;
const NO_DATA = 0x0040;
const QOS = 0x0080;
const TO_AND_FROM_DS = 0x0300;
const MORE_FRAGMENTS = 0x0400;
const PROTECTED = 0x4000;
const ORDER = 0x8000;
const AMSDU_PRESENT = 0x80;
const AMSDU_HEADER_LEN = 14;

/** Passes the header of a data frame; of an A-MSDU that of its first frame too. */
export function step80211(p: Packet): number {
  const { view, at } = p;
  if (p.capturedEnd - at < MIN_HEADER_LEN) return ~LINK_TRUNCATED;
  const control = view.getUint16(at, true);
  if ((control & TYPE) !== TYPE_DATA || (control & NO_DATA) !== 0) return ~NOT_A_DATA_FRAME;
  if ((control & PROTECTED) !== 0) return ~ENCRYPTED_80211;
  const fragmentNumber = view.getUint16(at + 22, true) & 15;
  if (fragmentNumber !== 0 || (control & MORE_FRAGMENTS) !== 0) return ~FRAGMENT_80211;

  let len = MIN_HEADER_LEN;
  if ((control & TO_AND_FROM_DS) === TO_AND_FROM_DS) len += 6;
  if ((control & QOS) !== 0) {
    if (p.capturedEnd - at < len + 2) return ~LINK_TRUNCATED;
    const isAmsdu = (view.getUint8(at + len) & AMSDU_PRESENT) !== 0;
    len += 2;
    if ((control & ORDER) !== 0) len += 4;
    if (p.dataPadded) len = (len + 3) & ~3;
    if (isAmsdu) len += AMSDU_HEADER_LEN;
  } else if (p.dataPadded) len = (len + 3) & ~3;
  p.at = at + len;
  return STEP_LLC;
}

/** Passes a radiotap header (radiotap.org), which is little-endian. */
export function stepRadiotap(p: Packet): number {
  const { view, at } = p;
  if (p.capturedEnd - at < 8) return ~LINK_TRUNCATED;
  const len = view.getUint16(at + 2, true);
  if (len < 8 || p.capturedEnd - at < len) return ~LINK_TRUNCATED;
  p.dataPadded = isDataPadded(view, at, at + len);
  p.at = at + len;
  return STEP_80211;
}

const RADIOTAP_TSFT = 1;
const RADIOTAP_FLAGS = 2;
const RADIOTAP_MORE_WORDS = 0x80000000;
const RADIOTAP_DATA_PAD = 0x20;

/** Whether the driver put padding between the 802.11 header and the data. */
function isDataPadded(view: DataView, start: number, end: number): boolean {
  const present = view.getInt32(start + 4, true);
  if ((present & RADIOTAP_FLAGS) === 0) return false;
  let at = start + 4;
  while (at + 4 <= end && (view.getUint32(at, true) & RADIOTAP_MORE_WORDS) !== 0) at += 4;
  at += 4;
  if ((present & RADIOTAP_TSFT) !== 0) at = start + ((at - start + 7) & ~7) + 8;
  return at < end && (view.getUint8(at) & RADIOTAP_DATA_PAD) !== 0;
}

/** Passes a Prism or AVS header: the first four bytes tell which, the next four its length. */
export function stepPrism(p: Packet): number {
  const { view, at } = p;
  if (p.capturedEnd - at < 8) return ~LINK_TRUNCATED;
  const isAvs = view.getUint32(at) >>> 12 === 0x80211;
  const littleEndian = view.getUint32(at + 4, true);
  const len = isAvs ? view.getUint32(at + 4) : Math.min(littleEndian, view.getUint32(at + 4));
  if (len < 8 || p.capturedEnd - at < len) return ~LINK_TRUNCATED;
  p.at = at + len;
  return STEP_80211;
}
