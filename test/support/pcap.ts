/** The smallest reader and writer of classic captures that the decode tests need; the program's own is src/capture. */

import { createFrameBatch, FRAMES_PER_BATCH, type FrameBatch } from '../../src/capture/source.ts';

export interface TestFrame {
  linkType: number;
  tsSec: number;
  tsNs: number;
  bytes: Uint8Array;
  originalLen: number;
}

/** A frame of the given bytes, wholly captured unless `originalLen` says otherwise. */
export function frameOf(
  linkType: number,
  bytes: Uint8Array,
  originalLen = bytes.length,
): TestFrame {
  return { linkType, tsSec: 1_700_000_000, tsNs: 0, bytes, originalLen };
}

/** The frames of a little-endian microsecond or nanosecond pcap. */
export function readPcap(file: Uint8Array): TestFrame[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const nsPerTick = view.getUint32(0, true) === 0xa1b23c4d ? 1 : 1000;
  const linkType = view.getUint32(20, true) & 0xffff;
  const frames: TestFrame[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const len = view.getUint32(at + 8, true);
    frames.push({
      linkType,
      tsSec: view.getUint32(at, true),
      tsNs: view.getUint32(at + 4, true) * nsPerTick,
      bytes: file.subarray(at + 16, at + 16 + len),
      originalLen: Math.max(len, view.getUint32(at + 12, true)),
    });
    at += 16 + len;
  }
  return frames;
}

/** A little-endian microsecond pcap of frames of one link type. */
export function writePcap(frames: readonly TestFrame[]): Uint8Array {
  const len = frames.reduce((sum, frame) => sum + 16 + frame.bytes.length, 24);
  const file = new Uint8Array(len);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 262_144, true);
  view.setUint32(20, frames[0]?.linkType ?? 1, true);
  let at = 24;
  for (const frame of frames) {
    view.setUint32(at, frame.tsSec, true);
    view.setUint32(at + 4, Math.floor(frame.tsNs / 1000), true);
    view.setUint32(at + 8, frame.bytes.length, true);
    view.setUint32(at + 12, frame.originalLen, true);
    file.set(frame.bytes, at + 16);
    at += 16 + frame.bytes.length;
  }
  return file;
}

/** The frames in batches, each over memory of its own. */
export function batchesOf(frames: readonly TestFrame[]): FrameBatch[] {
  const batches: FrameBatch[] = [];
  for (let from = 0; from < frames.length; from += FRAMES_PER_BATCH) {
    const part = frames.slice(from, from + FRAMES_PER_BATCH);
    const batch = createFrameBatch();
    batch.bytes = new Uint8Array(part.reduce((sum, frame) => sum + frame.bytes.length, 0));
    batch.view = new DataView(batch.bytes.buffer);
    let at = 0;
    part.forEach((frame, i) => {
      batch.bytes.set(frame.bytes, at);
      batch.offset[i] = at;
      batch.capturedLen[i] = frame.bytes.length;
      batch.originalLen[i] = frame.originalLen;
      batch.tsSec[i] = frame.tsSec;
      batch.tsNs[i] = frame.tsNs;
      batch.linkType[i] = frame.linkType;
      at += frame.bytes.length;
    });
    batch.count = part.length;
    batches.push(batch);
  }
  return batches;
}
