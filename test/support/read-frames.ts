/** Reads a source to its end and keeps every frame, for tests. */

import type { Readable } from 'node:stream';
import type { Damage } from '../../src/base/errors.ts';
import { type OpenOptions, openCapture } from '../../src/capture/open.ts';
import {
  type CaptureInterface,
  createFrameBatch,
  FRAMES_PER_BATCH,
  type FrameSource,
} from '../../src/capture/source.ts';

export interface Frame {
  /** Seconds with nine decimals. */
  time: string;
  capturedLen: number;
  originalLen: number;
  iface: number;
  linkType: number;
  /** The captured bytes in hex. */
  hex: string;
}

export interface ReadResult {
  frames: Frame[];
  damage: Damage | null;
  warnings: readonly string[];
  interfaces: readonly CaptureInterface[];
}

/** Opens `input`, reads all of it, and closes it. */
export async function readFrames(
  input: string | Readable | Uint8Array,
  options: OpenOptions = {},
): Promise<ReadResult> {
  const source = await openCapture(input, options);
  const result = await drain(source);
  await source.close();
  return result;
}

export async function drain(source: FrameSource): Promise<ReadResult> {
  const batch = createFrameBatch();
  const frames: Frame[] = [];
  do {
    while (source.fill(batch) > 0) {
      if (batch.count > FRAMES_PER_BATCH) throw new Error('the batch holds more than it can');
      for (let index = 0; index < batch.count; index++) {
        const offset = batch.offset[index]!;
        const capturedLen = batch.capturedLen[index]!;
        if (batch.view.byteOffset !== batch.bytes.byteOffset) throw new Error('the view is off');
        if (offset + capturedLen > batch.bytes.length) throw new Error('a frame is out of bounds');
        frames.push({
          time: `${batch.tsSec[index]}.${String(batch.tsNs[index]).padStart(9, '0')}`,
          capturedLen,
          originalLen: batch.originalLen[index]!,
          iface: batch.iface[index]!,
          linkType: batch.linkType[index]!,
          hex: Buffer.from(batch.bytes.subarray(offset, offset + capturedLen)).toString('hex'),
        });
      }
    }
  } while (await source.more());
  const { damage, warnings, interfaces } = source;
  return { frames, damage, warnings, interfaces };
}
