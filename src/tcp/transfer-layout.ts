/** Where the figures of transfer lie in the record of an open connection, and in the block of an end where something went wrong. */

/** In the record (tcp/layout.ts) they take two cache lines. */
export const WORDS = 32;
/** The words of end `d` begin at d * END. */
export const END = 12;
/** The next sequence number as Wireshark keeps it: probes of a zero window don't count, RSTs do. */
export const NEXT = 0;
/** The acknowledgement field of the latest segment. */
export const LAST_ACK = 1;
export const STATE = 2;
/** Greatest window announced: without SYN (lower half, as sent), in a SYN (upper half). */
export const WINDOWS = 3;
/** A double: when NEXT was reached. */
export const TIME = 4;
export const MAX_FLIGHT = 6;
/** First and last of the segments before the newest one that wait for their ACK; 0: none. */
export const HEAD = 7;
export const TAIL = 8;
/** Three round trips, in nanoseconds and one more, 0: none; the fourth is at RTT_LAST + d. Where that is IN_BLOCK the first is the number of a block. */
export const RTT = 9;
export const FEW_SAMPLES = 4;
export const IN_BLOCK = -1;
/** A double: when the latest SYN came, while OPENING; afterwards Wireshark's initial_rtt in nanoseconds; valid with SYN_TIME_KNOWN. */
export const SYN_TIME = 24;
export const RTT_LAST = 26;
/** The block of end `d` at EXTRA + d, 0: none. */
export const EXTRA = 28;
/** Second of the connection's first frame: times are nanoseconds since then, exact for 104 days. */
export const BASE_SEC = 30;
/** How many segments end `d` has in its list, 13 bits from d * COUNT_BITS on, and the marks below. */
export const MARKS = 31;

export const COUNT_BITS = 13;
export const COUNT_MASK = (1 << COUNT_BITS) - 1;
/** MARKS: an end said that windows are not scaled; SYN_TIME holds something. */
export const NOT_SCALED = 1 << 26;
export const SYN_TIME_KNOWN = 1 << 27;

// STATE. Bits 0 … 15: window of the latest segment.
export const WINDOW_MASK = 0xffff;
/** The latest segment was a keep-alive, or a probe of a zero window. */
export const WAS_KEEP_ALIVE = 1 << 16;
export const WAS_PROBE = 1 << 17;
/** Duplicate ACKs in a row: 0, 1, 2 (or more), 3: an ACK of something unseen was reported (Wireshark's -1). */
export const DUP_SHIFT = 18;
export const DUP_MASK = 3 << DUP_SHIFT;
/** It has sent something. */
export const KNOWN = 1 << 20;
/** The segment that ends at NEXT waits for its ACK. */
export const PENDING = 1 << 21;
/** A hole: the block's X_CONTIGUOUS lies below NEXT. */
export const GAPPED = 1 << 22;
/** A SYN came and the first ACK after it did not yet (both ends have this bit). */
export const OPENING = 1 << 23;
/** It has sent no segment after its SYN: its window is not scaled yet. */
export const FIRST_ACK = 1 << 24;
/** Its latest segment had the ACK flag. */
export const ACKED = 1 << 25;
/** Bytes in flight can't be told until the other end acknowledges something. */
export const FLIGHT_UNKNOWN = 1 << 26;
/** Its latest segment had SACK blocks. */
export const SACKING = 1 << 27;
/** Bits 28 … 31: shift of its window, 15: unknown. */
export const SCALE_SHIFT = 28;
export const SCALE_UNKNOWN = 15;
/** Where either end has one of these a segment needs a closer look. */
export const CLOSER_LOOK = DUP_MASK | GAPPED | OPENING | FIRST_ACK | FLIGHT_UNKNOWN | SACKING;

/** The block of an end: the counts of figures.ts (RETRANSMITTED_BYTES apart) in order, then these. */
export const X_WORDS = 32;
/** Doubles. */
export const X_RETRANSMITTED = 18;
/** Payload bytes that were there before, or count for nothing (duplicate frames, text of a RST). */
export const X_REPEATED = 20;
/** When the end's latest segment came, while it sends duplicate ACKs. */
export const X_LAST_TIME = 22;
/** When it last sent something a second time, or out of order; -1: never. */
export const X_RESENT_TIME = 24;
/** Words: Wireshark's maxseqtobeacked, valid with GAPPED. */
export const X_CONTIGUOUS = 26;
/** The greatest right edge of the SACK blocks that the other end sent; valid with X_HAS_SACKED. */
export const X_SACK_EDGE = 27;
/** Bytes in the SACK blocks of the other end's latest segment. */
export const X_SACKED = 28;
/** The first byte captured where no SYN was; valid with X_HAS_LOW. */
export const X_LOW = 29;
export const X_BITS = 30;
export const X_HAS_SACKED = 1;
export const X_HAS_LOW = 2;
