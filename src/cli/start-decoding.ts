/** Starts the thread that decodes a large file, or a pipe, before this one has loaded what it needs to follow connections. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { CaptureError } from '../base/errors.ts';
import { isRegularFile } from '../capture/paths.ts';
import { MEMORY_BYTES } from '../decode/columns.ts';
import { randomSeed, type SegmentSource } from '../segments.ts';
import { BEGUN, CONTROL_BYTES, type DecodeJob, type FromDecoding } from './decode-job.ts';
import { DecodedInput } from './decoded-input.ts';

/** What the thread makes lives as long as it: its young generation need not grow to the 48 MB that are usual. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2 };

/** Present only in the built program: a thread can't be started from TypeScript. */
const THREAD = import.meta.url.endsWith('.js')
  ? new URL('./decode-thread.js', import.meta.url)
  : null;

/** A thread that reads a file, and what it has said so far. */
export interface DecodeThread {
  readonly worker: Worker;
  readonly job: DecodeJob;
  /** What it decodes; null where it doesn't run, and has taken nothing that another can't read. Rejects with CaptureError where the input can't be read, or with what ended the thread. */
  readonly opened: Promise<SegmentSource | null>;
  end: Extract<FromDecoding, { kind: 'end' }> | null;
  failure: Error | null;
  /** Called when one of these has changed. */
  wake: () => void;
}

/** Has the file at `path` (`-`: standard input) read by a thread of its own; null where that can't be done, or takes a core that another needs. */
export function startDecoding(path: string): DecodeThread | null {
  if (THREAD === null || availableParallelism() === 1) return null;
  try {
    return startThread(THREAD, path);
  } catch {
    // No thread to be had: this one reads as well.
    return null;
  }
}

/** Starts the module at `url`, which is cli/decode-thread.ts as JavaScript. */
export function startThread(url: URL, path: string): DecodeThread {
  const job: DecodeJob = {
    path,
    seed: randomSeed(),
    memory: new SharedArrayBuffer(MEMORY_BYTES),
    control: new SharedArrayBuffer(CONTROL_BYTES),
  };
  const worker = new Worker(url, { resourceLimits: RESOURCE_LIMITS, workerData: job });
  let found = (_: SegmentSource | null): void => {};
  let refuse = (_: Error): void => {};
  const opened = new Promise<SegmentSource | null>((resolve, reject) => {
    found = resolve;
    refuse = reject;
  });
  // Who was interrupted meanwhile doesn't ask.
  opened.catch(() => {});
  const thread: DecodeThread = { worker, job, opened, end: null, failure: null, wake() {} };
  worker.on('message', (message: FromDecoding) => {
    if (message.kind === 'opened') {
      found(new DecodedInput(thread, message));
    } else if (message.kind === 'unreadable') {
      const { code, offset, source, what } = message;
      refuse(new CaptureError(code, source, what, offset));
    } else {
      thread.end = message;
    }
    thread.wake();
  });
  const fail = (error: Error): void => {
    thread.failure ??= error;
    // What it has taken from a pipe nobody else can read; a file can be read once more.
    const hasBegun = Atomics.load(new Int32Array(job.control), BEGUN) === 1;
    if (hasBegun && !isRegularFile(path)) refuse(error);
    else found(null);
    thread.wake();
  };
  worker.on('error', fail);
  worker.on('exit', () => {
    if (thread.end === null) fail(new Error('the thread that decodes ended too early'));
    thread.wake();
  });
  return thread;
}
