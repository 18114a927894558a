/** Frames to TCP segments, a batch at a time: the short way for most frames, header by header for the others. */

import type { FrameBatch } from '../capture/source.ts';
import { createSegmentColumns, type SegmentColumns } from './columns.ts';
import { stepEthernet, stepEthertype, stepLlc } from './ethernet.ts';
import { step80211 } from './ieee80211.ts';
import { stepIpProtocol } from './ip-protocol.ts';
import { stepIp, stepIpv4 } from './ipv4.ts';
import { stepIpv6 } from './ipv6.ts';
import { stepLink } from './link.ts';
import { stepMpls } from './mpls.ts';
import {
  createPacket,
  MAX_HEADERS,
  MAX_WIRE_LEN,
  type Packet,
  STEP_80211,
  STEP_ETHERNET,
  STEP_ETHERTYPE,
  STEP_IP,
  STEP_IP_PROTOCOL,
  STEP_IPV4,
  STEP_IPV6,
  STEP_LLC,
  STEP_MPLS,
  STEP_PPP,
  STEP_TCP,
} from './packet.ts';
import { stepPpp } from './ppp.ts';
import {
  type NotDecodedReason,
  REASONS,
  TCP_BAD_DATA_OFFSET,
  TCP_TRUNCATED,
  TOO_MANY_HEADERS,
  UNKNOWN_LINK_TYPE,
} from './reasons.ts';
import { FRAGMENT_KEY_WORDS, OVER_LIMIT, type Reassembler } from './reassembler.ts';
import { moveToSpill, type Reassembly, reserveSpill } from './reassembly.ts';
import { createPlace, type Place, readSegments } from './segments.ts';
import { DATA_OFFSET, TCP_HEADER_LEN, TCP_USABLE_LEN } from './tcp.ts';

/** Unknown link types counted each for itself; a file can name 2^16 of them. */
const MAX_UNKNOWN_LINK_TYPES = 256;

/** What decoding keeps from batch to batch: counts, fragments, and records that it uses again. */
export interface DecodeContext {
  /** Frames that gave no segment, by the reason's position in REASONS; `addReasons` names them. */
  readonly notDecoded: Float64Array;
  /** Frames by unknown LINKTYPE_ number. */
  readonly unknownLinkTypes: Map<number, number>;
  /** Frames of which fewer bytes were captured than were on the wire. */
  snappedFrames: number;
  readonly packet: Packet;
  readonly place: Place;
  readonly reassembly: Reassembly;
}

/** A context for one capture. Without a reassembler every fragment counts as over the limit. */
export function createDecodeContext(reassembler: Reassembler = NO_REASSEMBLER): DecodeContext {
  return {
    notDecoded: new Float64Array(REASONS.length),
    unknownLinkTypes: new Map(),
    snappedFrames: 0,
    packet: createPacket(),
    place: createPlace(),
    reassembly: { reassembler, columns: NO_COLUMNS, spillUsed: 0 },
  };
}

/** Until the first batch says which. */
const NO_COLUMNS = createSegmentColumns();

const NO_REASSEMBLER: Reassembler = {
  key: new Int32Array(FRAGMENT_KEY_WORDS),
  datagram: new Uint8Array(0),
  add: () => OVER_LIMIT,
};

/** The counts of the reasons that occurred, by name, in the order of REASONS. */
export function addReasons(ctx: DecodeContext): Partial<Record<NotDecodedReason, number>> {
  const counts: Partial<Record<NotDecodedReason, number>> = {};
  REASONS.forEach((reason, i) => {
    const count = ctx.notDecoded[i] ?? 0;
    if (count > 0) counts[reason] = count;
  });
  return counts;
}

/**
 * Decodes all frames of `batch`, the first of which is frame `firstFrame` of the capture, and writes their TCP
 * segments to the ring from position `start`. Returns how many it wrote, 0 … `batch.count`; frames without a
 * segment are counted in `ctx`. Never throws, whatever the bytes.
 *
 * Hot path: nothing is allocated per frame. The short way goes on as long as it can; where it stops one frame goes the long way.
 */
export function decodeBatch(
  batch: FrameBatch,
  firstFrame: number,
  columns: SegmentColumns,
  start: number,
  ctx: DecodeContext,
): number {
  const { place } = ctx;
  ctx.reassembly.columns = columns;
  ctx.reassembly.spillUsed = 0;
  ctx.snappedFrames += countSnapped(batch);
  place.frame = 0;
  place.count = 0;
  place.isFound = false;
  for (;;) {
    readSegments(batch, firstFrame, columns, start, place);
    if (place.frame >= batch.count) return place.count;
    if (findSegment(batch, place.frame, ctx)) showPlace(ctx.packet, place);
    else place.frame++;
  }
}

/** Says where the long way has found the segment. */
function showPlace(p: Packet, place: Place): void {
  place.isFound = true;
  place.view = p.view;
  place.ip = p.ipAt;
  place.tcp = p.at;
  place.end = p.capturedEnd;
  place.wireEnd = p.wireEnd;
  place.family = p.family;
  place.inSpill = p.inSpill;
}

/** Hot path: one loop over two columns. */
function countSnapped({ capturedLen, count, originalLen }: FrameBatch): number {
  let snapped = 0;
  for (let k = 0; k < count; k++) if (capturedLen[k]! < originalLen[k]!) snapped++;
  return snapped;
}

/** The long way, for any frame, header by header: leaves its segment in `ctx.packet`, or counts why there is none. */
function findSegment(batch: FrameBatch, k: number, ctx: DecodeContext): boolean {
  const p = ctx.packet;
  const at = batch.offset[k]!;
  p.view = batch.view;
  p.bytes = batch.bytes;
  p.inSpill = 0;
  p.at = at;
  p.capturedEnd = at + batch.capturedLen[k]!;
  p.wireEnd = at + Math.min(batch.originalLen[k]!, MAX_WIRE_LEN);
  p.ipHeaders = 0;
  p.vlan = 0;
  p.dataPadded = false;
  p.tsSec = batch.tsSec[k]!;

  const linkType = batch.linkType[k]!;
  let step = stepLink(p, linkType);
  for (let i = 0; step > STEP_TCP; i++)
    step = i < MAX_HEADERS ? stepOver(p, step, ctx) : ~TOO_MANY_HEADERS;
  if (step === STEP_TCP) step = checkTcp(p, ctx.reassembly);
  if (step < 0) {
    const reason = ~step;
    ctx.notDecoded[reason]! += 1;
    if (reason === UNKNOWN_LINK_TYPE) countLinkType(ctx.unknownLinkTypes, linkType);
    return false;
  }
  return true;
}

/** Passes one header. A header that ended beyond the captured bytes shows in the next one's check. */
function stepOver(p: Packet, step: number, ctx: DecodeContext): number {
  switch (step) {
    case STEP_ETHERNET:
      return stepEthernet(p);
    case STEP_ETHERTYPE:
      return stepEthertype(p);
    case STEP_IP:
      return stepIp(p);
    case STEP_IPV4:
      return stepIpv4(p, ctx.reassembly);
    case STEP_IPV6:
      return stepIpv6(p);
    case STEP_IP_PROTOCOL:
      return stepIpProtocol(p, ctx.reassembly);
    case STEP_PPP:
      return stepPpp(p);
    case STEP_LLC:
      return stepLlc(p);
    case STEP_80211:
      return step80211(p);
    default:
      return step === STEP_MPLS ? stepMpls(p) : ~TOO_MANY_HEADERS;
  }
}

/**
 * Whether the header at `p.at` can be read: STEP_TCP or a reason. One that was snapped behind its window is put into
 * the spill and filled up with zeros, as if it had no checksum and no options.
 */
function checkTcp(p: Packet, reassembly: Reassembly): number {
  const captured = p.capturedEnd - p.at;
  if (captured < TCP_USABLE_LEN) return ~TCP_TRUNCATED;
  const headerLen = (p.view.getUint8(p.at + DATA_OFFSET) >> 4) * 4;
  if (headerLen < TCP_HEADER_LEN || p.at + headerLen > p.wireEnd) return ~TCP_BAD_DATA_OFFSET;
  if (captured >= TCP_HEADER_LEN) return STEP_TCP;

  const { bytes, ipAt, at, capturedEnd } = p;
  const ipHeaderLen = p.at - ipAt;
  const start = reserveSpill(reassembly, ipHeaderLen + TCP_HEADER_LEN);
  if (start < 0) return ~TCP_TRUNCATED;
  const { spill } = reassembly.columns;
  spill.fill(0, start, start + ipHeaderLen + TCP_HEADER_LEN);
  spill.set(bytes.subarray(ipAt, capturedEnd), start);
  moveToSpill(reassembly, p, start, ipHeaderLen);
  p.wireEnd += p.at - at;
  p.capturedEnd = start + ipHeaderLen + captured;
  return STEP_TCP;
}

function countLinkType(counts: Map<number, number>, linkType: number): void {
  const count = counts.get(linkType);
  if (count !== undefined || counts.size < MAX_UNKNOWN_LINK_TYPES) {
    counts.set(linkType, (count ?? 0) + 1);
  }
}
