/** How long a live capture waits for a connection from which nothing more is heard: files don't need it, they end. */

import * as L from './layout.ts';

/** Opening: Linux sends a SYN the last time 63 s after the first and gives up 64 s later. */
export const IDLE_OPENING_SEC = 130;
/** One FIN only. An application may read on for hours; a closed one is forgotten by Linux after 60 s. */
export const IDLE_HALF_CLOSED_SEC = 3600;
/** Open: longer than the 7,200 s after which Linux sends keep-alives, and the nine of them 75 s apart. */
export const IDLE_OPEN_SEC = 3 * 3600;

/** Seconds without a segment after which a connection with these HOT_BITS is taken for gone. `lingerSec`: 2·MSL. */
export function idleLimitSec(bits: number, lingerSec: number): number {
  const fins = bits & (L.FIN_SENT | (L.FIN_SENT << 1));
  // Both ends have sent their FIN, or one was reset: whoever holds TIME_WAIT leaves it after 2·MSL.
  if (fins === (L.FIN_SENT | (L.FIN_SENT << 1))) return lingerSec;
  if (fins !== 0) return IDLE_HALF_CLOSED_SEC;
  return (bits & L.STEADY) === 0 ? IDLE_OPENING_SEC : IDLE_OPEN_SEC;
}
