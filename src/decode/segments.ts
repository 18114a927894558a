/** Frames to rows of the ring: Ethernet, perhaps a VLAN tag, IPv4 without options or IPv6, and TCP are read right here. */

import type { FrameBatch } from '../capture/source.ts';
import {
  ACK_AT,
  CHECKSUM_AT,
  DST_AT,
  FAMILY_AT,
  FLAGS_AT,
  HAS_MORE_OPTIONS,
  HAS_TIMESTAMPS,
  HEADER_OFFSET_AT,
  IN_SPILL_AT,
  IP_ID_AT,
  IP_LEN_AT,
  MORE_AT,
  MORE_WORDS,
  OPTION_BITS_AT,
  PAYLOAD_LEN_AT,
  PORTS_AT,
  SACK_SHIFT,
  SEQ_AT,
  type SegmentColumns,
  SRC_AT,
  SYN,
  TS_ECR_AT,
  TS_NS_AT,
  TS_SEC_AT,
  TS_VAL_AT,
  TTL_AT,
  UNCAPTURED_AT,
  WINDOW_AT,
} from './columns.ts';
import { LINKTYPE_ETHERNET } from './link.ts';
import { packSynOptions } from './packed-options.ts';
import { MAX_WIRE_LEN } from './packet.ts';
import { TCP_HEADER_LEN } from './tcp.ts';
import { findTimestamps, NOP_NOP_TIMESTAMPS, readSackBlocks } from './tcp-options.ts';

/** In the word of flags and window. */
const SYN_BIT = SYN << 16;
const ETHERNET_LEN = 14;
const VLAN_TAG_LEN = 4;
const IPV4_LEN = 20;
const IPV6_LEN = 40;
/** Of the timestamps option with the two NOPs before it. */
const TIMESTAMPS_LEN = 12;

/** Where `readSegments` stands within a batch, and what the long way (decode.ts) has found for it. */
export interface Place {
  /** The frame to go on with. */
  frame: number;
  /** Segments written so far. */
  count: number;
  /** Whether the fields below say where the segment of that frame is. */
  isFound: boolean;
  view: DataView;
  ip: number;
  tcp: number;
  /** One beyond the last byte of the segment that was captured, and that was on the wire. */
  end: number;
  wireEnd: number;
  family: number;
  inSpill: number;
}

/** The beginning of a batch. */
export function createPlace(): Place {
  return {
    frame: 0,
    count: 0,
    isFound: false,
    view: new DataView(new ArrayBuffer(0)),
    ip: 0,
    tcp: 0,
    end: 0,
    wireEnd: 0,
    family: 0,
    inSpill: 0,
  };
}

/**
 * Writes the segments of the frames from `place.frame` on to the ring, whose next position is `start + place.count`. Stops at the first
 * frame that isn't of the shape above, or at the end of the batch; a frame it takes is one that the long way reads alike.
 *
 * Hot path: one loop without a call in it but for options that few segments have, so that V8 keeps the arrays at hand; why it writes through the ring's memory and not its
 * columns is said in columns.ts. Headers are told by whole words: EtherType, version and length of the IPv4 header in one, fragment
 * fields, TTL and protocol in another, the timestamps option in its usual place in a third.
 */
export function readSegments(
  batch: FrameBatch,
  firstFrame: number,
  columns: SegmentColumns,
  start: number,
  place: Place,
): void {
  const { capturedLen, linkType, offset, originalLen, tsNs, tsSec } = batch;
  const { frame, mask, memory16, memory32, memory8 } = columns;
  const found = place.isFound ? place.frame : -1;
  const frames = place.isFound ? place.frame + 1 : batch.count;
  const view = place.isFound ? place.view : batch.view;
  const inSpill = place.isFound ? place.inSpill : 0;
  let { count, frame: k } = place;
  place.isFound = false;
  for (; k < frames; k++) {
    let ip: number;
    let tcp: number;
    let end: number;
    let wireEnd: number;
    let isV4 = true;
    if (k === found) {
      ip = place.ip;
      tcp = place.tcp;
      end = place.end;
      wireEnd = place.wireEnd;
      isV4 = place.family === 4;
    } else {
      const at = offset[k]!;
      end = at + capturedLen[k]!;
      ip = at + ETHERNET_LEN;
      if (linkType[k] !== LINKTYPE_ETHERNET || end < ip + IPV4_LEN + TCP_HEADER_LEN) break;
      let type = view.getInt32(ip - 2);
      if (type >>> 16 === 0x8100) {
        ip += VLAN_TAG_LEN;
        if (end < ip + IPV4_LEN + TCP_HEADER_LEN) break;
        type = view.getInt32(ip - 2);
      }
      let len: number;
      if (type >>> 8 === 0x080045) {
        // Neither fragment offset nor more fragments; TCP.
        if ((view.getInt32(ip + 6) & 0x3fff00ff) !== 6) break;
        tcp = ip + IPV4_LEN;
        len = view.getUint16(ip + 2);
      } else if (type >>> 12 === 0x86dd6 && end >= ip + IPV6_LEN + TCP_HEADER_LEN) {
        isV4 = false;
        if (view.getUint8(ip + 6) !== 6) break;
        tcp = ip + IPV6_LEN;
        len = view.getUint16(ip + 4);
        if (len !== 0) len += IPV6_LEN;
      } else {
        break;
      }
      wireEnd = at + Math.min(originalLen[k]!, MAX_WIRE_LEN);
      if (len !== 0) wireEnd = Math.min(ip + len, wireEnd);
      end = Math.min(end, wireEnd);
      const headerLen = (view.getUint8(tcp + 12) >> 4) * 4;
      if (headerLen < TCP_HEADER_LEN || tcp + headerLen > wireEnd) break;
    }

    const to = (start + count) & mask;
    const to4 = to * 4;
    count++;
    frame[to] = firstFrame + k;
    memory32[TS_SEC_AT + to] = tsSec[k]!;
    memory32[TS_NS_AT + to] = tsNs[k]!;
    if (isV4) {
      memory8[FAMILY_AT + to] = 4;
      memory16[IP_ID_AT + to] = view.getUint16(ip + 4);
      memory8[TTL_AT + to] = view.getUint8(ip + 8);
      memory32[SRC_AT + to4] = view.getInt32(ip + 12);
      memory32[DST_AT + to4] = view.getInt32(ip + 16);
    } else {
      memory8[FAMILY_AT + to] = 6;
      memory16[IP_ID_AT + to] = 0;
      memory8[TTL_AT + to] = view.getUint8(ip + 7);
      memory32[SRC_AT + to4] = view.getInt32(ip + 8);
      memory32[SRC_AT + to4 + 1] = view.getInt32(ip + 12);
      memory32[SRC_AT + to4 + 2] = view.getInt32(ip + 16);
      memory32[SRC_AT + to4 + 3] = view.getInt32(ip + 20);
      memory32[DST_AT + to4] = view.getInt32(ip + 24);
      memory32[DST_AT + to4 + 1] = view.getInt32(ip + 28);
      memory32[DST_AT + to4 + 2] = view.getInt32(ip + 32);
      memory32[DST_AT + to4 + 3] = view.getInt32(ip + 36);
    }

    memory32[PORTS_AT + to] = view.getInt32(tcp);
    memory32[SEQ_AT + to] = view.getInt32(tcp + 4);
    memory32[ACK_AT + to] = view.getInt32(tcp + 8);
    const flagsAndWindow = view.getInt32(tcp + 12);
    memory16[FLAGS_AT + to] = (flagsAndWindow >>> 16) & 0xfff;
    memory16[WINDOW_AT + to] = flagsAndWindow;
    memory16[CHECKSUM_AT + to] = view.getUint16(tcp + 16);
    const headerLen = (flagsAndWindow >>> 28) * 4;
    memory32[PAYLOAD_LEN_AT + to] = wireEnd - tcp - headerLen;
    memory32[IP_LEN_AT + to] = wireEnd - ip;
    memory32[HEADER_OFFSET_AT + to] = tcp;
    memory32[UNCAPTURED_AT + to] = wireEnd - end;
    memory8[IN_SPILL_AT + to] = inSpill;

    const options = tcp + TCP_HEADER_LEN;
    const optionsLen = Math.min(tcp + headerLen, end) - options;
    let timestamps = options + 4;
    if (optionsLen < TIMESTAMPS_LEN || view.getInt32(options) !== NOP_NOP_TIMESTAMPS) {
      timestamps = optionsLen < 10 ? -1 : findTimestamps(view, options, optionsLen);
    }
    let optionBits: number;
    if (timestamps >= 0) {
      optionBits = optionsLen > TIMESTAMPS_LEN ? HAS_TIMESTAMPS | HAS_MORE_OPTIONS : HAS_TIMESTAMPS;
      memory32[TS_VAL_AT + to] = view.getInt32(timestamps);
      memory32[TS_ECR_AT + to] = view.getInt32(timestamps + 4);
    } else {
      optionBits = optionsLen > 0 ? HAS_MORE_OPTIONS : 0;
      memory32[TS_VAL_AT + to] = 0;
      memory32[TS_ECR_AT + to] = 0;
    }
    if ((flagsAndWindow & SYN_BIT) !== 0) {
      packSynOptions(view, options, optionsLen, memory32, MORE_AT + to * MORE_WORDS);
    } else if ((optionBits & HAS_MORE_OPTIONS) !== 0) {
      const at = MORE_AT + to * MORE_WORDS;
      optionBits |= readSackBlocks(view, options, optionsLen, memory32, at) << SACK_SHIFT;
    }
    memory8[OPTION_BITS_AT + to] = optionBits;
  }
  place.frame = k;
  place.count = count;
}
