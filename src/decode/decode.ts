/** Frames to TCP segments, a batch at a time: a first pass finds the headers, a second one reads them. */

import { FRAMES_PER_BATCH, type FrameBatch } from '../capture/source.ts';
import { createSegmentColumns, type SegmentColumns } from './columns.ts';
import { stepEthernet, stepEthertype, stepLlc } from './ethernet.ts';
import { step80211 } from './ieee80211.ts';
import { stepIpProtocol } from './ip-protocol.ts';
import { stepIp, stepIpv4 } from './ipv4.ts';
import { stepIpv6 } from './ipv6.ts';
import { LINKTYPE_ETHERNET, stepLink } from './link.ts';
import { stepMpls } from './mpls.ts';
import {
  createPacket,
  MAX_HEADERS,
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
import {
  DATA_OFFSET,
  PLACE_CAPTURED_END,
  PLACE_FAMILY,
  PLACE_IN_SPILL,
  PLACE_INDEX,
  PLACE_IP,
  PLACE_TCP,
  PLACE_WIRE_END,
  PLACE_WORDS,
  readSegments,
  TCP_HEADER_LEN,
  TCP_USABLE_LEN,
} from './tcp.ts';

/** Unknown link types counted each for itself; a file can name 2^16 of them. */
const MAX_UNKNOWN_LINK_TYPES = 256;

/** A frame's length on the wire is believed up to here, so that an offset behind it is still a 32-bit number. */
const MAX_WIRE_LEN = 0x3fff_ffff;

/** What decoding keeps from batch to batch: counts, fragments, and records that it uses again. */
export interface DecodeContext {
  /** Frames that gave no segment, by the reason's position in REASONS; `addReasons` names them. */
  readonly notDecoded: Float64Array;
  /** Frames by unknown LINKTYPE_ number. */
  readonly unknownLinkTypes: Map<number, number>;
  /** Frames of which fewer bytes were captured than were on the wire. */
  snappedFrames: number;
  readonly packet: Packet;
  /** Where the batch's TCP headers are (tcp.ts). */
  readonly places: Int32Array;
  readonly reassembly: Reassembly;
}

/** A context for one capture. Without a reassembler every fragment counts as over the limit. */
export function createDecodeContext(reassembler: Reassembler = NO_REASSEMBLER): DecodeContext {
  return {
    notDecoded: new Float64Array(REASONS.length),
    unknownLinkTypes: new Map(),
    snappedFrames: 0,
    packet: createPacket(),
    places: new Int32Array(FRAMES_PER_BATCH * PLACE_WORDS),
    reassembly: { reassembler, columns: createSegmentColumns(), spillUsed: 0 },
  };
}

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
 * Hot path: nothing is allocated per frame; Ethernet with IPv4 or IPv6 and TCP directly above takes the short way.
 */
export function decodeBatch(
  batch: FrameBatch,
  firstFrame: number,
  columns: SegmentColumns,
  start: number,
  ctx: DecodeContext,
): number {
  ctx.reassembly.columns = columns;
  ctx.reassembly.spillUsed = 0;
  const count = findSegments(batch, ctx);
  readSegments(ctx.places, count, batch.view, batch, firstFrame, columns, start);
  return count;
}

/** Ethernet, IPv4 without options, TCP. */
const SHORT_IPV4_LEN = 14 + 20 + TCP_HEADER_LEN;
/** Ethernet, IPv6, TCP. */
const SHORT_IPV6_LEN = 14 + 40 + TCP_HEADER_LEN;
const PROTOCOL_TCP = 6;

/** The first pass: fills `ctx.places`, returns how many. Hot path. */
function findSegments(batch: FrameBatch, ctx: DecodeContext): number {
  const { view, offset, capturedLen, originalLen, linkType } = batch;
  const { places } = ctx;
  const frames = batch.count;
  let count = 0;
  let snappedFrames = 0;
  for (let k = 0; k < frames; k++) {
    const at = offset[k]!;
    const captured = capturedLen[k]!;
    const original = Math.min(originalLen[k]!, MAX_WIRE_LEN);
    if (captured < original) snappedFrames++;

    if (linkType[k] === LINKTYPE_ETHERNET && captured >= SHORT_IPV4_LEN) {
      const ip = at + 14;
      const type = view.getUint16(at + 12);
      let tcp = 0;
      let family = 0;
      let end = at + original;
      if (type === 0x0800) {
        // Version 4 and no options; neither fragment offset nor more fragments; TCP.
        if (
          view.getUint8(ip) === 0x45 &&
          view.getUint8(ip + 9) === PROTOCOL_TCP &&
          (view.getUint16(ip + 6) & 0x3fff) === 0
        ) {
          const totalLen = view.getUint16(ip + 2);
          if (totalLen !== 0 && ip + totalLen < end) end = ip + totalLen;
          tcp = ip + 20;
          family = 4;
        }
      } else if (
        type === 0x86dd &&
        captured >= SHORT_IPV6_LEN &&
        view.getUint8(ip) >> 4 === 6 &&
        view.getUint8(ip + 6) === PROTOCOL_TCP
      ) {
        const payloadLen = view.getUint16(ip + 4);
        if (payloadLen !== 0 && ip + 40 + payloadLen < end) end = ip + 40 + payloadLen;
        tcp = ip + 40;
        family = 6;
      }
      if (tcp !== 0) {
        const headerLen = (view.getUint8(tcp + DATA_OFFSET) >> 4) * 4;
        if (headerLen >= TCP_HEADER_LEN && tcp + headerLen <= end) {
          const place = count * 8;
          places[place] = k;
          places[place + 1] = ip;
          places[place + 2] = tcp;
          places[place + 3] = Math.min(at + captured, end);
          places[place + 4] = end;
          places[place + 5] = family;
          places[place + 6] = 0;
          count++;
          continue;
        }
      }
    }
    count = findSegment(batch, k, ctx, count);
  }
  ctx.snappedFrames += snappedFrames;
  return count;
}

/** Any frame, header by header: adds its segment to `ctx.places` or counts why there is none. */
function findSegment(batch: FrameBatch, k: number, ctx: DecodeContext, count: number): number {
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
    return count;
  }
  const { places } = ctx;
  const place = count * PLACE_WORDS;
  places[place + PLACE_INDEX] = k;
  places[place + PLACE_IP] = p.ipAt;
  places[place + PLACE_TCP] = p.at;
  places[place + PLACE_CAPTURED_END] = p.capturedEnd;
  places[place + PLACE_WIRE_END] = p.wireEnd;
  places[place + PLACE_FAMILY] = p.family;
  places[place + PLACE_IN_SPILL] = p.inSpill;
  return count + 1;
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
