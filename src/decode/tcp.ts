/** TCP header (RFC 9293 §3.1). */

import type { SegmentColumns } from './columns.ts';
import { SEGMENT_RING } from './columns.ts';
import { findTimestamps, NOP_NOP_TIMESTAMPS } from './tcp-options.ts';

export const TCP_HEADER_LEN = 20;

/** Bytes that must have been captured: up to the window, which is what Wireshark needs to name a stream. */
export const TCP_USABLE_LEN = 16;

export const DATA_OFFSET = 12;
const WINDOW = 14;
const CHECKSUM = 16;

/** Where the TCP headers of one batch are: filled in the first pass over its frames, read in the second. */
export interface SegmentPlaces {
  /** Index of the frame in the batch. */
  readonly index: Int32Array;
  readonly ipAt: Int32Array;
  readonly tcpAt: Int32Array;
  readonly capturedEnd: Int32Array;
  readonly wireEnd: Int32Array;
  readonly family: Uint8Array;
  readonly inSpill: Uint8Array;
}

export function createSegmentPlaces(count: number): SegmentPlaces {
  return {
    index: new Int32Array(count),
    ipAt: new Int32Array(count),
    tcpAt: new Int32Array(count),
    capturedEnd: new Int32Array(count),
    wireEnd: new Int32Array(count),
    family: new Uint8Array(count),
    inSpill: new Uint8Array(count),
  };
}

/** The frames' numbers and times. */
export interface FrameTimes {
  readonly tsSec: Uint32Array;
  readonly tsNs: Int32Array;
}

/**
 * Writes `count` segments into the ring from position `start`.
 *
 * Hot path, one loop over a batch: the columns are locals, because a load of each from its record, once a frame,
 * costs more than the reads of the header. The places were checked: every header lies within its view.
 */
export function readSegments(
  places: SegmentPlaces,
  count: number,
  batchView: DataView,
  times: FrameTimes,
  firstFrame: number,
  columns: SegmentColumns,
  start: number,
): void {
  const { index, ipAt, tcpAt, capturedEnd, wireEnd } = places;
  const { frame, tsSec, tsNs, family, src, dst, srcPort, dstPort, seq, ack, flags } = columns;
  const { window, payloadLen, checksum, ipId, ttl, hasTs, tsVal, tsEcr, snapped } = columns;
  const { optionsOffset, optionsLen, payloadOffset, payloadCaptured, inSpill, spillView } = columns;
  for (let i = 0; i < count; i++) {
    const to = (start + i) & (SEGMENT_RING - 1);
    const spilled = places.inSpill[i]!;
    const view = spilled === 0 ? batchView : spillView;
    const ip = ipAt[i]!;
    const tcp = tcpAt[i]!;
    const end = capturedEnd[i]!;
    const k = index[i]!;

    frame[to] = firstFrame + k;
    tsSec[to] = times.tsSec[k]!;
    tsNs[to] = times.tsNs[k]!;
    const to4 = to * 4;
    if (places.family[i] === 4) {
      family[to] = 4;
      src[to4] = view.getInt32(ip + 12);
      dst[to4] = view.getInt32(ip + 16);
      src[to4 + 1] = src[to4 + 2] = src[to4 + 3] = 0;
      dst[to4 + 1] = dst[to4 + 2] = dst[to4 + 3] = 0;
      ipId[to] = view.getUint16(ip + 4);
      ttl[to] = view.getUint8(ip + 8);
    } else {
      family[to] = 6;
      for (let w = 0; w < 4; w++) {
        src[to4 + w] = view.getInt32(ip + 8 + 4 * w);
        dst[to4 + w] = view.getInt32(ip + 24 + 4 * w);
      }
      ipId[to] = 0;
      ttl[to] = view.getUint8(ip + 7);
    }

    const ports = view.getInt32(tcp);
    srcPort[to] = ports >>> 16;
    dstPort[to] = ports & 0xffff;
    seq[to] = view.getInt32(tcp + 4);
    ack[to] = view.getInt32(tcp + 8);
    const offsetAndFlags = view.getUint16(tcp + DATA_OFFSET);
    const headerLen = (offsetAndFlags >> 12) * 4;
    flags[to] = offsetAndFlags & 0xfff;
    window[to] = view.getUint16(tcp + WINDOW);
    checksum[to] = view.getUint16(tcp + CHECKSUM);

    const payload = tcp + headerLen;
    payloadLen[to] = wireEnd[i]! - payload;
    payloadOffset[to] = payload;
    payloadCaptured[to] = end > payload ? end - payload : 0;
    snapped[to] = end < wireEnd[i]! ? 1 : 0;
    inSpill[to] = spilled;

    const options = tcp + TCP_HEADER_LEN;
    const optionsEnd = Math.min(payload, end);
    const len = optionsEnd > options ? optionsEnd - options : 0;
    optionsOffset[to] = options;
    optionsLen[to] = len;
    let timestamps = -1;
    if (len >= 12) {
      timestamps =
        view.getInt32(options) === NOP_NOP_TIMESTAMPS
          ? options + 4
          : findTimestamps(view, options, len);
    } else if (len >= 10) timestamps = findTimestamps(view, options, len);
    if (timestamps >= 0) {
      hasTs[to] = 1;
      tsVal[to] = view.getInt32(timestamps);
      tsEcr[to] = view.getInt32(timestamps + 4);
    } else {
      hasTs[to] = 0;
      tsVal[to] = 0;
      tsEcr[to] = 0;
    }
  }
}
