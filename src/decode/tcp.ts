/** TCP header (RFC 9293 §3.1). */

import type { SegmentColumns } from './columns.ts';
import {
  ACK_AT,
  CHECKSUM_AT,
  DST_AT,
  DST_PORT_AT,
  FAMILY_AT,
  FLAGS_AT,
  HAS_TS_AT,
  IN_SPILL_AT,
  IP_ID_AT,
  IP_LEN_AT,
  OPTIONS_LEN_AT,
  OPTIONS_OFFSET_AT,
  PAYLOAD_CAPTURED_AT,
  PAYLOAD_LEN_AT,
  PAYLOAD_OFFSET_AT,
  SEGMENT_RING,
  SEQ_AT,
  SNAPPED_AT,
  SRC_AT,
  SRC_PORT_AT,
  TS_ECR_AT,
  TS_NS_AT,
  TS_SEC_AT,
  TS_VAL_AT,
  TTL_AT,
  WINDOW_AT,
} from './columns.ts';
import { findTimestamps, NOP_NOP_TIMESTAMPS } from './tcp-options.ts';

export const TCP_HEADER_LEN = 20;

/** Bytes that must have been captured: up to the window, which is what Wireshark needs to name a stream. */
export const TCP_USABLE_LEN = 16;

export const DATA_OFFSET = 12;
const RING_MASK = SEGMENT_RING - 1;
const WINDOW_FIELD = 14;
const CHECKSUM_FIELD = 16;

// Constants of this module: V8 knows their values, those of imported ones it loads again each time (measured: 48 and 35 ns).
const ACK = ACK_AT;
const CHECKSUM = CHECKSUM_AT;
const DST = DST_AT;
const DST_PORT = DST_PORT_AT;
const FAMILY = FAMILY_AT;
const FLAGS = FLAGS_AT;
const HAS_TS = HAS_TS_AT;
const IN_SPILL = IN_SPILL_AT;
const IP_ID = IP_ID_AT;
const IP_LEN = IP_LEN_AT;
const OPTIONS_LEN = OPTIONS_LEN_AT;
const OPTIONS_OFFSET = OPTIONS_OFFSET_AT;
const PAYLOAD_CAPTURED = PAYLOAD_CAPTURED_AT;
const PAYLOAD_LEN = PAYLOAD_LEN_AT;
const PAYLOAD_OFFSET = PAYLOAD_OFFSET_AT;
const SEQ = SEQ_AT;
const SNAPPED = SNAPPED_AT;
const SRC = SRC_AT;
const SRC_PORT = SRC_PORT_AT;
const TS_ECR = TS_ECR_AT;
const TS_NS = TS_NS_AT;
const TS_SEC = TS_SEC_AT;
const TS_VAL = TS_VAL_AT;
const TTL = TTL_AT;
const WINDOW = WINDOW_AT;

// Where the TCP headers of one batch are, PLACE_WORDS numbers a header: filled in the first pass over its frames, read
// in the second. One array, because a store into each of seven cost three times as much; the two hot loops write the
// numbers themselves, for the reason given above.
export const PLACE_WORDS = 8;
/** Index of the frame in the batch. */
export const PLACE_INDEX = 0;
export const PLACE_IP = 1;
export const PLACE_TCP = 2;
export const PLACE_CAPTURED_END = 3;
export const PLACE_WIRE_END = 4;
/** 4 or 6. */
export const PLACE_FAMILY = 5;
/** 1: the offsets point into the spill. */
export const PLACE_IN_SPILL = 6;

/** The frames' numbers and times. */
export interface FrameTimes {
  readonly tsSec: Uint32Array;
  readonly tsNs: Int32Array;
}

/**
 * Writes `count` segments into the ring from position `start`.
 *
 * Hot path, one loop over a batch; why it writes through the ring's memory and not its columns is said in columns.ts.
 * The places were checked: every header lies within its view.
 */
export function readSegments(
  places: Int32Array,
  count: number,
  batchView: DataView,
  times: FrameTimes,
  firstFrame: number,
  columns: SegmentColumns,
  start: number,
): void {
  const { tsSec, tsNs } = times;
  const { frame, memory32, memory16, memory8, spillView } = columns;
  for (let i = 0; i < count; i++) {
    const to = (start + i) & RING_MASK;
    const place = i * 8;
    const spilled = places[place + 6]!;
    const view = spilled === 0 ? batchView : spillView;
    const ip = places[place + 1]!;
    const tcp = places[place + 2]!;
    const end = places[place + 3]!;
    const wireEnd = places[place + 4]!;
    const k = places[place]!;

    frame[to] = firstFrame + k;
    memory32[TS_SEC + to] = tsSec[k]!;
    memory32[TS_NS + to] = tsNs[k]!;
    const to4 = to * 4;
    if (places[place + 5] === 4) {
      memory8[FAMILY + to] = 4;
      memory32[SRC + to4] = view.getInt32(ip + 12);
      memory32[DST + to4] = view.getInt32(ip + 16);
      memory32[SRC + to4 + 1] = memory32[SRC + to4 + 2] = memory32[SRC + to4 + 3] = 0;
      memory32[DST + to4 + 1] = memory32[DST + to4 + 2] = memory32[DST + to4 + 3] = 0;
      memory16[IP_ID + to] = view.getUint16(ip + 4);
      memory8[TTL + to] = view.getUint8(ip + 8);
    } else {
      memory8[FAMILY + to] = 6;
      for (let w = 0; w < 4; w++) {
        memory32[SRC + to4 + w] = view.getInt32(ip + 8 + 4 * w);
        memory32[DST + to4 + w] = view.getInt32(ip + 24 + 4 * w);
      }
      memory16[IP_ID + to] = 0;
      memory8[TTL + to] = view.getUint8(ip + 7);
    }

    const ports = view.getInt32(tcp);
    memory16[SRC_PORT + to] = ports >>> 16;
    memory16[DST_PORT + to] = ports & 0xffff;
    memory32[SEQ + to] = view.getInt32(tcp + 4);
    memory32[ACK + to] = view.getInt32(tcp + 8);
    const offsetAndFlags = view.getUint16(tcp + DATA_OFFSET);
    const headerLen = (offsetAndFlags >> 12) * 4;
    memory16[FLAGS + to] = offsetAndFlags & 0xfff;
    memory16[WINDOW + to] = view.getUint16(tcp + WINDOW_FIELD);
    memory16[CHECKSUM + to] = view.getUint16(tcp + CHECKSUM_FIELD);

    const payload = tcp + headerLen;
    memory32[PAYLOAD_LEN + to] = wireEnd - payload;
    memory32[IP_LEN + to] = wireEnd - ip;
    memory32[PAYLOAD_OFFSET + to] = payload;
    memory32[PAYLOAD_CAPTURED + to] = end > payload ? end - payload : 0;
    memory8[SNAPPED + to] = end < wireEnd ? 1 : 0;
    memory8[IN_SPILL + to] = spilled;

    const options = tcp + TCP_HEADER_LEN;
    const optionsEnd = Math.min(payload, end);
    const len = optionsEnd > options ? optionsEnd - options : 0;
    memory32[OPTIONS_OFFSET + to] = options;
    memory8[OPTIONS_LEN + to] = len;
    let timestamps = -1;
    if (len >= 12) {
      timestamps =
        view.getInt32(options) === NOP_NOP_TIMESTAMPS
          ? options + 4
          : findTimestamps(view, options, len);
    } else if (len >= 10) timestamps = findTimestamps(view, options, len);
    if (timestamps >= 0) {
      memory8[HAS_TS + to] = 1;
      memory32[TS_VAL + to] = view.getInt32(timestamps);
      memory32[TS_ECR + to] = view.getInt32(timestamps + 4);
    } else {
      memory8[HAS_TS + to] = 0;
      memory32[TS_VAL + to] = 0;
      memory32[TS_ECR + to] = 0;
    }
  }
}
