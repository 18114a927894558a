/** Which segments go into a connection's story: everything that a verdict could need, and a bounded number of it. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import {
  C_AFTER_RST,
  C_BEYOND,
  C_COVERS,
  C_FILLS,
  C_FINS,
  C_OPENING,
  C_RSTS,
  C_SYNS,
  END_ACK,
  END_FIN,
  END_FIRST_COVER,
  END_NEXT,
  END_WORDS,
  FIN_SENT,
  HOT_BITS,
  HOT_END,
  RST_SEEN,
  STEADY,
} from './layout.ts';

/** Limits of what a story keeps of each kind, per end. */
export const MAX_SYNS = 40;
export const MAX_OPENING = 24;
export const MAX_FINS = 24;
export const MAX_RSTS = 16;
export const MAX_AFTER_RST = 6;
export const MAX_BEYOND = 6;
export const MAX_FILLS = 24;
export const MAX_COVERS = 12;

export const SKIP = 0;
export const KEEP = 1;
/** Keep in place of the latest hole filler, whose limit is reached: the last one before the ACK is what counts. */
export const REPLACE_FILL = 2;

/**
 * Whether the segment of end `d` (0 or 1) of the connection whose hot words begin at `h` and cold words at `c` is
 * kept; called before the segment changes either. Counts against the limits.
 *
 * Warm path: every segment of a connection that is opening or closing, none of the many in between.
 */
export function keep(
  hot: Int32Array,
  h: number,
  cold: Int32Array,
  c: number,
  d: number,
  flags: number,
  seq: number,
  ack: number,
  len: number,
): typeof SKIP | typeof KEEP | typeof REPLACE_FILL {
  if ((flags & SYN) !== 0) return count(cold, c + C_SYNS + d, MAX_SYNS);
  if ((flags & RST) !== 0) return count(cold, c + C_RSTS + d, MAX_RSTS);
  if ((flags & FIN) !== 0) return count(cold, c + C_FINS + d, MAX_FINS);
  const bits = hot[h + HOT_BITS]!;
  if ((bits & RST_SEEN) !== 0 && cold[c + C_AFTER_RST + d]! < MAX_AFTER_RST) {
    cold[c + C_AFTER_RST + d]!++;
    return KEEP;
  }
  const own = h + HOT_END + d * END_WORDS;
  const peer = h + HOT_END + (1 - d) * END_WORDS;
  if ((bits & (FIN_SENT << (1 - d))) !== 0 && (flags & ACK) !== 0) {
    if (((ack - hot[peer + END_FIN]!) | 0) > 0) {
      if (((seq - hot[own + END_NEXT]!) | 0) > 0) return count(cold, c + C_BEYOND + d, MAX_BEYOND);
      return keepCover(hot, own, cold, c + C_COVERS + d, bits, d, seq, len);
    }
  }
  if ((bits & (FIN_SENT << d)) !== 0 && len > 0) {
    // Data below the own FIN at what the peer waits for: the piece that makes the FIN arrive.
    const waited = hot[peer + END_ACK]!;
    const fills = ((seq - waited) | 0) <= 0 && ((seq + len - waited) | 0) > 0;
    if (fills && ((waited - hot[own + END_FIN]!) | 0) <= 0) {
      if (cold[c + C_FILLS + d]! >= MAX_FILLS) return REPLACE_FILL;
      cold[c + C_FILLS + d]!++;
      return KEEP;
    }
  }
  if ((bits & STEADY) !== 0 || (bits & (FIN_SENT | (FIN_SENT << 1))) !== 0) return SKIP;
  return count(cold, c + C_OPENING, MAX_OPENING);
}

/** A segment that acknowledges the peer's FIN: the first ones, the lowest one, and those numbered after the own FIN. */
function keepCover(
  hot: Int32Array,
  own: number,
  cold: Int32Array,
  at: number,
  bits: number,
  d: number,
  seq: number,
  len: number,
): typeof SKIP | typeof KEEP {
  const counts = cold[at]!;
  const finSent = (bits & (FIN_SENT << d)) !== 0;
  const afterFin = finSent && ((seq + len - hot[own + END_FIN]!) | 0) > 0;
  const shift = !finSent ? 0 : afterFin ? 16 : 8;
  const n = (counts >>> shift) & 0xff;
  const isLowest = counts === 0 || ((seq - hot[own + END_FIRST_COVER]!) | 0) < 0;
  const limit = shift === 0 ? 3 : MAX_COVERS;
  if (n >= limit && !(isLowest && n < 64)) return SKIP;
  if (isLowest) hot[own + END_FIRST_COVER] = seq;
  cold[at] = counts + (1 << shift);
  return KEEP;
}

function count(cold: Int32Array, at: number, limit: number): typeof SKIP | typeof KEEP {
  if (cold[at]! >= limit) return SKIP;
  cold[at]!++;
  return KEEP;
}
