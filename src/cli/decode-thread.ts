/** The thread that reads and decodes a large input: writes segments to the ring, as far ahead as that has room. */

import { parentPort, workerData } from 'node:worker_threads';
import { CaptureError } from '../base/errors.ts';
import { openCapture } from '../capture/open.ts';
import { FRAMES_PER_BATCH, type FrameSource } from '../capture/source.ts';
import { createSegmentColumns, RING_AHEAD } from '../decode/columns.ts';
import { Decoding } from '../segments.ts';
import {
  BEGUN,
  BYTES_READ,
  type DecodeJob,
  ENDED,
  FRAMES_READ,
  type FromDecoding,
  SEGMENTS_TOGETHER,
  STOPPED,
  TAKEN,
  type ToDecoding,
  WAITING,
  WANTED,
  WRITTEN,
} from './decode-job.ts';

const port = parentPort;
if (port === null) throw new Error('decode-thread.js runs as a worker thread only');
const tell = (message: FromDecoding): void => port.postMessage(message);
const job = workerData as DecodeJob;
const control = new Int32Array(job.control);
const figures = new Float64Array(job.control);
const source = await open(job.path);
if (source !== null) await decode(source);
port.close();

/** Null where the input can't be read: why is said. */
async function open(path: string): Promise<FrameSource | null> {
  Atomics.store(control, BEGUN, 1);
  try {
    return await openCapture(path, { name: path });
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    const { code, offset, source, what } = error;
    tell({ kind: 'unreadable', code, offset, source, what });
    return null;
  }
}

/** Writes all of its segments, until there are no more, or no more are wanted. */
async function decode(source: FrameSource): Promise<void> {
  // One that waits for a pipe doesn't look at the words that both threads share.
  port?.on('message', (_: ToDecoding) => source.close());
  const segments = new Decoding(source, createSegmentColumns(job.memory), job.seed);
  tell({ kind: 'opened', bytesTotal: source.bytesTotal, format: source.format });
  let written = 0;
  let told = 0;
  /** Told to stop with frames at hand that were read and are not decoded. */
  let isCut = false;

  /** Lets the other thread see what was written. */
  const publish = (): void => {
    told = written;
    figures[FRAMES_READ] = segments.frames;
    figures[BYTES_READ] = source.bytesRead;
    Atomics.store(control, WRITTEN, written);
    Atomics.notify(control, WRITTEN);
  };
  const hasRoom = (): boolean =>
    ((written - Atomics.load(control, TAKEN)) | 0) + FRAMES_PER_BATCH <= RING_AHEAD;
  /** Waits until the ring has room for a batch, and then for many batches: to be woken costs more than one. The last SEGMENT_RING that were taken may still be looked at. */
  const awaitRoom = (): void => {
    while (!hasRoom() && Atomics.load(control, STOPPED) === 0) {
      if (told !== written) publish();
      Atomics.store(control, WANTED, (written - RING_AHEAD / 4) | 0);
      Atomics.store(control, WAITING, 1);
      if (!hasRoom() && Atomics.load(control, STOPPED) === 0) Atomics.wait(control, WAITING, 1);
      Atomics.store(control, WAITING, 0);
    }
  };

  do {
    for (;;) {
      awaitRoom();
      isCut = Atomics.load(control, STOPPED) === 1;
      if (isCut) break;
      const count = segments.next(written & segments.columns.mask);
      if (count < 0) break;
      written = (written + count) | 0;
      if (((written - told) | 0) >= SEGMENTS_TOGETHER) publish();
    }
    publish();
  } while (Atomics.load(control, STOPPED) === 0 && (await source.more()));
  const { damage, warnings } = source;
  // What was not decoded counts as not read, at least the last byte of it.
  const bytesRead = isCut ? source.bytesRead - 1 : source.bytesRead;
  tell({ kind: 'end', totals: segments.totals(), bytesRead, damage, warnings: [...warnings] });
  Atomics.store(control, ENDED, 1);
  Atomics.notify(control, WRITTEN);
  await source.close();
}
