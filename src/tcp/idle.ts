/** How long a connection of which nothing more is heard is waited for, in capture time (RFC 9293 says nothing; systems do). */

import * as L from './layout.ts';

/** Seconds without a segment after which a connection is let go, by how far it has come. */
export interface IdleLimits {
  openingSec: number;
  /** One FIN only. */
  halfClosedSec: number;
  openSec: number;
  /** Both FINs seen, not both acknowledged. */
  closingSec: number;
}

/** Of a live capture, which has to keep its table small. */
export const LIVE_IDLE: Omit<IdleLimits, 'closingSec'> = {
  /** Linux sends a SYN the last time 63 s after the first and gives up 64 s later. */
  openingSec: 130,
  /** An application may read on for hours; a closed one is forgotten by Linux after 60 s. */
  halfClosedSec: 3600,
  /** Longer than the 7,200 s after which Linux sends keep-alives, and the nine of them 75 s apart. */
  openSec: 3 * 3600,
};

/** Of files, in which a connection should stay one: longer than what any system retries or any firewall remembers. */
export const FILE_IDLE: IdleLimits = {
  openingSec: 900,
  halfClosedSec: 24 * 3600,
  openSec: 48 * 3600,
  closingSec: 3600,
};

const BOTH_FINS = L.FIN_SENT | (L.FIN_SENT << 1);
/** The SYN-ACK of one end and an ACK of the other: every SYN, with ACK or without, clears SPOKE. */
const TAKEN_BY_UPPER = L.SYN_ACK_SENT | (L.SPOKE << 1);
const TAKEN_BY_LOWER = (L.SYN_ACK_SENT << 1) | L.SPOKE;

/** Whether both ends of a connection with these HOT_BITS have sent their FIN. */
export function isClosing(bits: number): boolean {
  return (bits & BOTH_FINS) === BOTH_FINS;
}

/** Seconds without a segment after which a connection with these HOT_BITS is let go. */
export function idleLimitSec(bits: number, limits: IdleLimits): number {
  if (isClosing(bits)) return limits.closingSec;
  if ((bits & BOTH_FINS) !== 0) return limits.halfClosedSec;
  return (bits & L.STEADY) === 0 && !isOpened(bits) ? limits.openingSec : limits.openSec;
}

/** Whether a SYN-ACK was seen and an ACK of the other end behind it: the connection is open, though neither may ever send data. */
function isOpened(bits: number): boolean {
  return (bits & TAKEN_BY_UPPER) === TAKEN_BY_UPPER || (bits & TAKEN_BY_LOWER) === TAKEN_BY_LOWER;
}
