/** The thread that reads and decodes a large file: writes segments to the ring, as far ahead as that has room. */

import { parentPort, workerData } from 'node:worker_threads';
import { openCapture } from '../capture/open.ts';
import { FRAMES_PER_BATCH } from '../capture/source.ts';
import { createSegmentColumns, RING_AHEAD } from '../decode/columns.ts';
import { Decoding } from '../segments.ts';
import {
  BYTES_READ,
  type DecodeJob,
  ENDED,
  FRAMES_READ,
  type FromDecoding,
  SEGMENTS_TOGETHER,
  STOPPED,
  TAKEN,
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
const source = await openCapture(job.path, { name: job.path });
const segments = new Decoding(source, createSegmentColumns(job.memory), job.seed);
tell({ kind: 'ready' });

let written = 0;
let told = 0;
/** Told to stop with frames at hand that were read and are not decoded. */
let isCut = false;

/** Lets the other thread see what was written. */
function publish(): void {
  told = written;
  figures[FRAMES_READ] = segments.frames;
  figures[BYTES_READ] = source.bytesRead;
  Atomics.store(control, WRITTEN, written);
  Atomics.notify(control, WRITTEN);
}

/** Waits until the ring has room for a batch, and then for many batches: to be woken costs more than one. The last SEGMENT_RING that were taken may still be looked at. */
function awaitRoom(): void {
  const hasRoom = (): boolean =>
    ((written - Atomics.load(control, TAKEN)) | 0) + FRAMES_PER_BATCH <= RING_AHEAD;
  while (!hasRoom() && Atomics.load(control, STOPPED) === 0) {
    if (told !== written) publish();
    Atomics.store(control, WANTED, (written - RING_AHEAD / 4) | 0);
    Atomics.store(control, WAITING, 1);
    if (!hasRoom() && Atomics.load(control, STOPPED) === 0) Atomics.wait(control, WAITING, 1);
    Atomics.store(control, WAITING, 0);
  }
}

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
port.close();
