/** Hands finished connections to a second thread, which judges and writes them while this one reads on. */

import { Worker } from 'node:worker_threads';
import type { FinishedConnection } from '../tcp/finished.ts';
import { MAX_PACKED_WORDS, PackedConnections } from '../tcp/packed.ts';
import type { FromReport, ReportJob, ReportResult, ToReport } from './report-job.ts';

/**
 * Bytes of input from which on a second thread pays: starting one takes about 50 ms, and judging and writing takes longer than
 * reading and tracking where connections are short (docs/performance.md).
 */
export const OFFLOAD_FROM_BYTES = 16 * 1024 * 1024;

/** Memory of one message, and messages under way at most. */
const BUFFER_BYTES = Math.max(512 * 1024, MAX_PACKED_WORDS * 4 * 2);
const MAX_UNDER_WAY = 4;

/** Present only in the built program: a thread can't be started from TypeScript. */
const THREAD = import.meta.url.endsWith('.js')
  ? new URL('./report-thread.js', import.meta.url)
  : null;

export interface Offload {
  /** Takes a finished connection. */
  take: (finished: FinishedConnection) => void;
  /** Sends what was taken and waits while too much is under way. False once nobody reads the result any more. */
  drain: () => Promise<boolean>;
  /** Sends the rest and waits for all of it. Rejects where the thread failed. */
  finish: () => Promise<ReportResult>;
}

/** Starts the second thread; null where that can't be. Nothing else may write to `job.fd` until `finish` has resolved. */
export function startOffload(job: ReportJob): Offload | null {
  if (THREAD === null) return null;
  const worker = new Worker(THREAD, { workerData: job });
  const free: ArrayBuffer[] = [];
  let packed = new PackedConnections(new ArrayBuffer(BUFFER_BYTES));
  let underWay = 0;
  let gone = false;
  let failure: Error | null = null;
  let result: ReportResult | null = null;
  let wake: () => void = () => {};

  worker.on('message', (message: FromReport) => {
    if ('result' in message) {
      result = message.result;
    } else {
      underWay--;
      gone ||= message.gone;
      free.push(message.buffer);
    }
    wake();
  });
  worker.on('error', (error) => {
    failure = error;
    wake();
  });

  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const post = (message: ToReport): void => {
    worker.postMessage(message, message === null ? [] : [message.buffer]);
  };
  const send = (): void => {
    if (packed.used === 0) return;
    underWay++;
    post({ buffer: packed.buffer, used: packed.used });
    packed = new PackedConnections(free.pop() ?? new ArrayBuffer(BUFFER_BYTES));
  };

  return {
    take(finished) {
      packed.push(finished);
      if (!packed.hasRoom) send();
    },
    async drain() {
      send();
      while (underWay > MAX_UNDER_WAY && failure === null) await changed();
      if (failure !== null) throw failure;
      return !gone;
    },
    async finish() {
      send();
      post(null);
      while (result === null && failure === null) await changed();
      if (failure !== null) throw failure;
      return result as unknown as ReportResult;
    },
  };
}
