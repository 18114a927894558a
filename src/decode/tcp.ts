/** TCP header (RFC 9293 §3.1): its sizes, and what of a segment's bytes is found by its columns. */

import type { SegmentColumns } from './columns.ts';

export const TCP_HEADER_LEN = 20;

/** Bytes that must have been captured: up to the window, which is what Wireshark needs to name a stream. */
export const TCP_USABLE_LEN = 16;

export const DATA_OFFSET = 12;

/** Where the payload of the segment at `p` begins, captured or not. Of the current batch only. */
export function payloadOffsetAt(columns: SegmentColumns, view: DataView, p: number): number {
  const header = columns.headerOffset[p]!;
  return header + (view.getUint8(header + DATA_OFFSET) >> 4) * 4;
}

/** How many bytes of the payload of the segment at `p` were captured. */
export function payloadCapturedAt(columns: SegmentColumns, p: number): number {
  return Math.max(0, columns.payloadLen[p]! - columns.uncaptured[p]!);
}
