/** Transfer figures of one end as plain numbers, and the shape they have in a record (docs/specification.md §5). */

import { NS_PER_S } from '../base/time.ts';

/** Round trips of one end's segments, in seconds: each from the segment to the ACK that ends where it ends. */
export interface RttFigures {
  samples: number;
  min: number;
  /** Nearest rank. */
  median: number;
  p95: number;
  max: number;
}

/** What one end sent, and how it went. Counts are of segments unless the name says bytes. */
export interface TransferSide {
  /** Fast and spurious ones included, as in Wireshark's tcp.analysis.retransmission. */
  retransmissions: number;
  /** Payload bytes of these segments. */
  retransmittedBytes: number;
  fastRetransmissions: number;
  spuriousRetransmissions: number;
  /** Retransmissions into a hole below what the other end had selectively acknowledged. */
  sackRetransmissions: number;
  /** How often the other end said that it got bytes twice (D-SACK, RFC 2883). */
  dsacks: number;
  outOfOrder: number;
  duplicateAcks: number;
  keepAlives: number;
  keepAliveAcks: number;
  zeroWindows: number;
  zeroWindowProbes: number;
  zeroWindowProbeAcks: number;
  windowFull: number;
  windowUpdates: number;
  /** Segments in front of which others are missing. */
  lostSegments: number;
  /** ACKs of segments that were never seen. */
  ackedUnseen: number;
  /** Bytes, scaled where both SYNs were seen. */
  maxWindow: number;
  /** Payload bytes without repetitions. */
  uniqueBytes: number;
  /** Bytes that the other end acknowledged and the capture lacks. */
  missingBytes: number;
  maxBytesInFlight: number;
  /** Null without a sample. */
  rtt: RttFigures | null;
}

/** Transfer figures of a connection. */
export interface Transfer {
  client: TransferSide;
  server: TransferSide;
  /** The capture holds an earlier connection of the same two ends. */
  reusedPorts: boolean;
}

/** The counts among the figures, in the order in which `EndFigures` holds them. */
export const COUNT_NAMES = [
  'retransmissions',
  'retransmittedBytes',
  'fastRetransmissions',
  'spuriousRetransmissions',
  'sackRetransmissions',
  'dsacks',
  'outOfOrder',
  'duplicateAcks',
  'keepAlives',
  'keepAliveAcks',
  'zeroWindows',
  'zeroWindowProbes',
  'zeroWindowProbeAcks',
  'windowFull',
  'windowUpdates',
  'lostSegments',
  'ackedUnseen',
] as const satisfies readonly (keyof TransferSide)[];

// Places in `EndFigures`: the counts, then the sizes, then the round trips in nanoseconds.
export const RETRANSMISSIONS = 0;
export const RETRANSMITTED_BYTES = 1;
export const FAST_RETRANSMISSIONS = 2;
export const SPURIOUS_RETRANSMISSIONS = 3;
export const SACK_RETRANSMISSIONS = 4;
export const DSACKS = 5;
export const OUT_OF_ORDER = 6;
export const DUPLICATE_ACKS = 7;
export const KEEP_ALIVES = 8;
export const KEEP_ALIVE_ACKS = 9;
export const ZERO_WINDOWS = 10;
export const ZERO_WINDOW_PROBES = 11;
export const ZERO_WINDOW_PROBE_ACKS = 12;
export const WINDOW_FULL = 13;
export const WINDOW_UPDATES = 14;
export const LOST_SEGMENTS = 15;
export const ACKED_UNSEEN = 16;
/** How many counts there are: they stand first. */
export const COUNTS = 17;
export const MAX_WINDOW = 17;
export const UNIQUE_BYTES = 18;
export const MISSING_BYTES = 19;
export const MAX_BYTES_IN_FLIGHT = 20;
export const RTT_SAMPLES = 21;
export const RTT_MIN = 22;
export const RTT_MEDIAN = 23;
export const RTT_P95 = 24;
export const RTT_MAX = 25;
export const FIGURES = 26;

/** The figures of one end as they leave the tracker. */
export interface EndFigures {
  /** FIGURES numbers. */
  readonly values: Float64Array;
  /** False where all counts are 0. */
  hasCounts: boolean;
}

/** Those of end 1 stand this much behind those of end 0, a power of two. */
export const FIGURES_OF_END = 32;

/** Room for the figures of both ends, side by side. */
export function createFigures(): Float64Array {
  return new Float64Array(2 * FIGURES_OF_END);
}

/** Those of end `d` in `figures`. */
export function figuresOfEnd(figures: Float64Array, d: 0 | 1): EndFigures {
  const at = d * FIGURES_OF_END;
  return { values: figures.subarray(at, at + FIGURES), hasCounts: false };
}

/** Makes all counts 0. */
export function clearCounts(figures: EndFigures): void {
  if (figures.hasCounts) figures.values.fill(0, 0, COUNTS);
  figures.hasCounts = false;
}

function createSide(): TransferSide {
  return {
    retransmissions: 0,
    retransmittedBytes: 0,
    fastRetransmissions: 0,
    spuriousRetransmissions: 0,
    sackRetransmissions: 0,
    dsacks: 0,
    outOfOrder: 0,
    duplicateAcks: 0,
    keepAlives: 0,
    keepAliveAcks: 0,
    zeroWindows: 0,
    zeroWindowProbes: 0,
    zeroWindowProbeAcks: 0,
    windowFull: 0,
    windowUpdates: 0,
    lostSegments: 0,
    ackedUnseen: 0,
    maxWindow: 0,
    uniqueBytes: 0,
    missingBytes: 0,
    maxBytesInFlight: 0,
    rtt: null,
  };
}

/** All zero, as a record shows it. */
export function createTransfer(): Transfer {
  return { client: createSide(), server: createSide(), reusedPorts: false };
}

/** Puts the figures of one end into `out`, which may hold those of another. Hot path, once a connection. */
function fillSide(out: TransferSide, { values: v, hasCounts }: EndFigures): void {
  if (hasCounts || !isQuiet(out)) {
    out.retransmissions = v[RETRANSMISSIONS]!;
    out.retransmittedBytes = v[RETRANSMITTED_BYTES]!;
    out.fastRetransmissions = v[FAST_RETRANSMISSIONS]!;
    out.spuriousRetransmissions = v[SPURIOUS_RETRANSMISSIONS]!;
    out.sackRetransmissions = v[SACK_RETRANSMISSIONS]!;
    out.dsacks = v[DSACKS]!;
    out.outOfOrder = v[OUT_OF_ORDER]!;
    out.duplicateAcks = v[DUPLICATE_ACKS]!;
    out.keepAlives = v[KEEP_ALIVES]!;
    out.keepAliveAcks = v[KEEP_ALIVE_ACKS]!;
    out.zeroWindows = v[ZERO_WINDOWS]!;
    out.zeroWindowProbes = v[ZERO_WINDOW_PROBES]!;
    out.zeroWindowProbeAcks = v[ZERO_WINDOW_PROBE_ACKS]!;
    out.windowFull = v[WINDOW_FULL]!;
    out.windowUpdates = v[WINDOW_UPDATES]!;
    out.lostSegments = v[LOST_SEGMENTS]!;
    out.ackedUnseen = v[ACKED_UNSEEN]!;
  }
  out.maxWindow = v[MAX_WINDOW]!;
  out.uniqueBytes = v[UNIQUE_BYTES]!;
  out.missingBytes = v[MISSING_BYTES]!;
  out.maxBytesInFlight = v[MAX_BYTES_IN_FLIGHT]!;
  if (v[RTT_SAMPLES] === 0) {
    out.rtt = null;
    return;
  }
  out.rtt ??= { samples: 0, min: 0, median: 0, p95: 0, max: 0 };
  out.rtt.samples = v[RTT_SAMPLES]!;
  out.rtt.min = v[RTT_MIN]! / NS_PER_S;
  out.rtt.median = v[RTT_MEDIAN]! / NS_PER_S;
  out.rtt.p95 = v[RTT_P95]! / NS_PER_S;
  out.rtt.max = v[RTT_MAX]! / NS_PER_S;
}

/** Whether all counts are 0, as for most connections. Hot path, once a connection: written out, since a loop over names takes 50 times as long. */
export function isQuiet(side: TransferSide): boolean {
  return (
    side.retransmissions +
      side.retransmittedBytes +
      side.fastRetransmissions +
      side.spuriousRetransmissions +
      side.sackRetransmissions +
      side.dsacks +
      side.outOfOrder +
      side.duplicateAcks +
      side.keepAlives +
      side.keepAliveAcks +
      side.zeroWindows +
      side.zeroWindowProbes +
      side.zeroWindowProbeAcks +
      side.windowFull +
      side.windowUpdates +
      side.lostSegments +
      side.ackedUnseen ===
    0
  );
}

/** Puts the figures of a finished connection whose end `client` is the client into `out`. */
export function fillTransfer(
  out: Transfer,
  finished: { readonly transfer: readonly [EndFigures, EndFigures]; readonly reusedPorts: boolean },
  client: 0 | 1,
): void {
  fillSide(out.client, finished.transfer[client]);
  fillSide(out.server, finished.transfer[client === 0 ? 1 : 0]);
  out.reusedPorts = finished.reusedPorts;
}
