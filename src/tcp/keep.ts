/** Which segments go into a connection's story: everything that a verdict could need, and a bounded number of it. */

import { ACK, isFin, RST, SYN } from '../decode/columns.ts';
import {
  ACK_KNOWN,
  B_AFTER_RST,
  B_BEYOND,
  B_COVERS,
  B_COVERS_AFTER,
  B_COVERS_BEFORE,
  B_FILLS,
  B_FINS,
  B_OPENING,
  B_RSTS,
  B_SYNS,
  END_ACK,
  END_BASE,
  END_FIN,
  END_FIRST_COVER,
  END_NEXT,
  END_ZERO_WINDOWS,
  FIN_SENT,
  HOT_BITS,
  HOT_END,
  RST_SEEN,
  SPOKE,
  STEADY,
  SYN_ACK_SENT,
  SYN_SENT,
} from './layout.ts';

/** Limits of what a story keeps of each kind, per end. */
const MAX_SYNS = 40;
export const MAX_OPENING = 24;
const MAX_FINS = 24;
const MAX_RSTS = 16;
const MAX_STRAY_RSTS = 8;
const MAX_AFTER_RST = 6;
const MAX_BEYOND = 6;
const MAX_FILLS = 24;
export const MAX_COVERS = 12;
/** Before its own FIN: the half-closed direction may go on for long. */
export const MAX_EARLY_COVERS = 3;
const MAX_LOWEST = 64;

/** Data that overtook the SYN-ACK ends no further behind it. */
const MAX_OVERTAKING_BYTES = 1 << 16;

export const SKIP = 0;
export const KEEP = 1;
/** Keep as a hole filler; or, where their limit is reached, in place of the latest: the last one before the ACK is what counts. */
export const KEEP_FILL = 2;
export const REPLACE_FILL = 3;
export type Decision = typeof SKIP | typeof KEEP | typeof KEEP_FILL | typeof REPLACE_FILL;

/**
 * Whether the segment of end `d` (0 or 1) of the connection whose hot words begin at `h` and whose counts at byte `c` is
 * kept; called before the segment changes either. Counts against the limits.
 *
 * Warm path: every segment of a connection that is opening or closing, none of the many in between.
 */
export function keep(
  hot: Int32Array,
  h: number,
  counts: Uint8Array,
  c: number,
  d: number,
  flags: number,
  seq: number,
  ack: number,
  len: number,
): Decision {
  if ((flags & SYN) !== 0) return count(counts, c + B_SYNS + d, MAX_SYNS);
  if ((flags & RST) !== 0) {
    // Those that fit nothing leave room for the one that does.
    const limit = isPlausibleRst(hot, h, d, seq) ? MAX_RSTS : MAX_STRAY_RSTS;
    return count(counts, c + B_RSTS + d, limit);
  }
  const bits = hot[h + HOT_BITS]!;
  if (isFin(flags)) return count(counts, c + B_FINS + d, MAX_FINS);
  if ((bits & RST_SEEN) !== 0 && counts[c + B_AFTER_RST + d]! < MAX_AFTER_RST) {
    counts[c + B_AFTER_RST + d]!++;
    return KEEP;
  }
  const own = h + HOT_END + d;
  const peer = h + HOT_END + (1 - d);
  if ((bits & (FIN_SENT << (1 - d))) !== 0 && (flags & ACK) !== 0) {
    if (((ack - hot[peer + END_FIN]!) | 0) > 0) {
      if (((seq - hot[own + END_NEXT]!) | 0) > 0)
        return count(counts, c + B_BEYOND + d, MAX_BEYOND);
      return keepCover(hot, own, counts, c + d, bits, d, seq, len);
    }
  }
  if ((bits & (FIN_SENT << d)) !== 0 && len > 0) {
    // Data below the own FIN at what the peer waits for: the piece that makes the FIN arrive.
    const waited = hot[peer + END_ACK]!;
    const fills = ((seq - waited) | 0) <= 0 && ((seq + len - waited) | 0) > 0;
    if (fills && ((waited - hot[own + END_FIN]!) | 0) <= 0) {
      if (counts[c + B_FILLS + d]! >= MAX_FILLS) return REPLACE_FILL;
      counts[c + B_FILLS + d]!++;
      return KEEP_FILL;
    }
  }
  // The first window of 0 (the tracker has counted it): the frame that proves it.
  if ((bits & STEADY) !== 0 && hot[own + END_ZERO_WINDOWS] === 1) return KEEP;
  if ((bits & STEADY) !== 0 || (bits & (FIN_SENT | (FIN_SENT << 1))) !== 0) return SKIP;
  return count(counts, c + B_OPENING, MAX_OPENING);
}

/** Whether a RST of end `d` lies between what the other end acknowledged (one less: a FIN's own number) and all that was sent. */
export function isPlausibleRst(hot: Int32Array, h: number, d: number, seq: number): boolean {
  const bits = hot[h + HOT_BITS]!;
  const own = h + HOT_END + d;
  const peer = h + HOT_END + (1 - d);
  if ((bits & (ACK_KNOWN << (1 - d))) === 0) return true;
  const beyond = (seq - hot[peer + END_ACK]!) | 0;
  if (beyond === 0 || beyond === -1) return true;
  return beyond > 0 && ((seq - hot[own + END_NEXT]!) | 0) <= 0;
}

/**
 * Whether a SYN-ACK of end `d` acknowledges what the other end's SYN, where that was seen, did not send; or another segment, before one and
 * before the other end spoke, what that won't send soon: it is dropped, or draws a RST, and nothing it says holds (RFC 9293 §3.10.7.3).
 */
export function isBadAnswer(
  hot: Int32Array,
  h: number,
  d: number,
  flags: number,
  ack: number,
): boolean {
  if ((flags & (ACK | RST)) !== ACK) return false;
  const bits = hot[h + HOT_BITS]!;
  if ((bits & (SYN_SENT << (1 - d))) === 0) return false;
  const peer = h + HOT_END + (1 - d);
  if ((flags & SYN) === 0) {
    if ((bits & ((SYN_ACK_SENT << d) | (SPOKE << (1 - d)))) !== 0) return false;
    return !isNear(ack, hot[peer + END_BASE]!);
  }
  return ((ack - hot[peer + END_BASE]!) | 0) <= 0 || ((ack - hot[peer + END_NEXT]!) | 0) > 0;
}

/** A number within the first gigabyte behind an initial sequence number. */
export function isNear(number: number, isn: number): boolean {
  const beyond = (number - isn) | 0;
  return beyond > 0 && beyond < 0x4000_0000;
}

/** Whether the numbers of end `d` begin with its SYN or SYN-ACK, which ends at `end`: whatever it sent before belongs to an earlier connection. */
export function beginsAnew(
  hot: Int32Array,
  h: number,
  d: number,
  flags: number,
  end: number,
): boolean {
  const bits = hot[h + HOT_BITS]!;
  const isSynAck = (flags & ACK) !== 0;
  if ((bits & ((isSynAck ? SYN_ACK_SENT : SYN_SENT) << d)) !== 0) return false;
  if ((bits & (SPOKE << d)) === 0) return true;
  if (!isSynAck || (bits & (SPOKE << (1 - d))) !== 0) return false;
  const next = hot[h + HOT_END + d + END_NEXT]!;
  return ((next - end) | 0) < 0 || ((next - end) | 0) > MAX_OVERTAKING_BYTES;
}

/** A segment that acknowledges the peer's FIN: the first ones, the lowest one, and those numbered after the own FIN. */
function keepCover(
  hot: Int32Array,
  own: number,
  counts: Uint8Array,
  c: number,
  bits: number,
  d: number,
  seq: number,
  len: number,
): Decision {
  const finSent = (bits & (FIN_SENT << d)) !== 0;
  const isBehind = finSent && ((seq + len - hot[own + END_FIN]!) | 0) > 0;
  const at = c + (!finSent ? B_COVERS : isBehind ? B_COVERS_AFTER : B_COVERS_BEFORE);
  const isFirst =
    counts[c + B_COVERS] === 0 &&
    counts[c + B_COVERS_BEFORE] === 0 &&
    counts[c + B_COVERS_AFTER] === 0;
  const isLowest = isFirst || ((seq - hot[own + END_FIRST_COVER]!) | 0) < 0;
  const n = counts[at]!;
  if (n >= (finSent ? MAX_COVERS : MAX_EARLY_COVERS) && !(isLowest && n < MAX_LOWEST)) return SKIP;
  if (isLowest) hot[own + END_FIRST_COVER] = seq;
  counts[at] = n + 1;
  return KEEP;
}

function count(counts: Uint8Array, at: number, limit: number): Decision {
  if (counts[at]! >= limit) return SKIP;
  counts[at]!++;
  return KEEP;
}

/** Both ends sent on after a RST, as the counts at byte `c` tell: it ended nothing. */
export function goesOnAfterRst(counts: Uint8Array, c: number): boolean {
  return counts[c + B_AFTER_RST]! >= 2 && counts[c + B_AFTER_RST + 1]! >= 2;
}
