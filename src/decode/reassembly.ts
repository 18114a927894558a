/** Puts a reassembled datagram, behind a copy of its IP header, into the spill and goes on there. */

import type { SegmentColumns } from './columns.ts';
import { type Packet, STEP_IP_PROTOCOL } from './packet.ts';
import { FRAGMENT_OVER_LIMIT, FRAGMENT_PENDING } from './reasons.ts';
import { PENDING, type Reassembler } from './reassembler.ts';

/** The spill holds the datagrams of one batch: 128 frames finish 8 MiB at most, tunnels left aside. */
const MAX_SPILL_BYTES = 16 * 1024 * 1024;
const MIN_SPILL_BYTES = 64 * 1024;

export interface Reassembly {
  readonly reassembler: Reassembler;
  /** Whose spill is written. */
  columns: SegmentColumns;
  /** Bytes of the spill in use; back to 0 with every batch. */
  spillUsed: number;
}

/** Begins `len` new bytes in the spill: their offset, or -1 where that would pass the limit. */
export function reserveSpill(reassembly: Reassembly, len: number): number {
  const { columns, spillUsed } = reassembly;
  const needed = spillUsed + len;
  if (needed > MAX_SPILL_BYTES) return -1;
  if (needed > columns.spill.length) {
    const grown = new Uint8Array(Math.max(MIN_SPILL_BYTES, 2 ** Math.ceil(Math.log2(needed))));
    grown.set(columns.spill.subarray(0, spillUsed));
    columns.spill = grown;
    columns.spillView = new DataView(grown.buffer);
  }
  reassembly.spillUsed = needed;
  return spillUsed;
}

/** Points the packet to bytes of the spill: an IP header, then what lies above it, all of it captured. */
export function moveToSpill(
  reassembly: Reassembly,
  p: Packet,
  start: number,
  ipHeaderLen: number,
): void {
  p.bytes = reassembly.columns.spill;
  p.view = reassembly.columns.spillView;
  p.inSpill = 1;
  p.ipAt = start;
  p.at = start + ipHeaderLen;
}

/**
 * Hands over the fragment at `p.at`, whose IP header (`ipHeaderLen` bytes of it are kept) lies at `p.ipAt` and whose key the
 * caller has filled in. Where that finishes the datagram the packet goes on in the spill with the protocol above IP.
 */
export function reassemble(
  reassembly: Reassembly,
  p: Packet,
  ipHeaderLen: number,
  offset: number,
  more: boolean,
): number {
  const { reassembler } = reassembly;
  const len = reassembler.add(p.bytes, p.at, p.capturedEnd, offset, more, p.tsSec);
  if (len < 0) return len === PENDING ? ~FRAGMENT_PENDING : ~FRAGMENT_OVER_LIMIT;

  const { bytes, ipAt } = p;
  const start = reserveSpill(reassembly, ipHeaderLen + len);
  if (start < 0) return ~FRAGMENT_OVER_LIMIT;
  const { spill } = reassembly.columns;
  spill.set(bytes.subarray(ipAt, ipAt + ipHeaderLen), start);
  spill.set(reassembler.datagram.subarray(0, len), start + ipHeaderLen);
  moveToSpill(reassembly, p, start, ipHeaderLen);
  p.capturedEnd = p.wireEnd = p.at + len;
  return STEP_IP_PROTOCOL;
}
