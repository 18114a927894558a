/** Hands finished connections to other threads, which judge and write them while this one reads on. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FileStart } from '../base/files.ts';
import { type LeavingConnection, MAX_PACKED_WORDS, PackedConnections } from '../tcp/packed.ts';
import type { FromReport, ReportJob, ReportResult, ToReport } from './report-job.ts';

/** Threads beside this one: reading keeps about three busy. JSON Lines take so long to write that reading can share a core. */
const MAX_THREADS = 3;

/** Memory of one message: little enough to stay in the caches. Messages under way at most between two chunks of the input. */
const MESSAGE_BYTES = Math.max(128 * 1024, MAX_PACKED_WORDS * 4 * 2);
const MAX_UNDER_WAY = 48;
/** Pieces of memory held for later messages: 8 MB. Some thousand connections leave at once at the end, many more where the table is full. */
const MAX_FREE = 64;

/** What a thread makes is gone with the connection: its young generation need not grow to the 48 MB that are usual. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4 };

/** Present only in the built program: a thread can't be started from TypeScript. */
const THREAD = import.meta.url.endsWith('.js')
  ? new URL('./report-thread.js', import.meta.url)
  : null;

export interface Offload {
  /** Takes a finished connection. */
  take: (leaving: LeavingConnection) => void;
  /** Sends what was taken and waits while too much is under way. False once nobody reads the result any more. */
  drain: () => Promise<boolean>;
  /** Sends the rest and waits for all of it: what each thread counted. Rejects where one failed. */
  finish: () => Promise<ReportResult[]>;
}

/** Starts the threads; null where that can't be. `files`: those begun so far. Nothing else may write to `job.fd` until `finish` has resolved. */
export function startOffload(
  job: Omit<ReportJob, 'turn'>,
  files: () => readonly FileStart[],
): Offload | null {
  if (THREAD === null) return null;
  const cores = availableParallelism() - (job.format === 'jsonl' ? 0 : 1);
  const turn = new SharedArrayBuffer(4);
  const workers = Array.from(
    { length: Math.max(1, Math.min(cores, MAX_THREADS)) },
    () =>
      new Worker(THREAD, {
        resourceLimits: RESOURCE_LIMITS,
        workerData: { ...job, turn } satisfies ReportJob,
      }),
  );
  const free: SharedArrayBuffer[] = [];
  const results: ReportResult[] = [];
  let memory = new SharedArrayBuffer(MESSAGE_BYTES);
  let packed = new PackedConnections(memory);
  let sent = 0;
  let underWay = 0;
  let gone = false;
  let failure: Error | null = null;
  let wake: () => void = () => {};

  for (const worker of workers) {
    worker.on('message', (message: FromReport) => {
      if ('result' in message) {
        results.push(message.result);
      } else {
        underWay--;
        gone ||= message.gone;
        if (free.length < MAX_FREE) free.push(message.memory);
      }
      wake();
    });
    worker.on('error', (error) => {
      failure = error;
      for (const other of workers) void other.terminate();
      wake();
    });
  }

  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const send = (): void => {
    if (packed.used === 0) return;
    const message: ToReport = {
      number: sent,
      memory,
      used: packed.used,
      files: files().map(({ file, firstFrame }) => ({ file, firstFrame })),
    };
    workers[sent % workers.length]?.postMessage(message);
    sent++;
    underWay++;
    memory = free.pop() ?? new SharedArrayBuffer(MESSAGE_BYTES);
    packed = new PackedConnections(memory);
  };

  return {
    take(leaving) {
      leaving.pack(packed);
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
      for (const worker of workers) worker.postMessage(null satisfies ToReport);
      while (results.length < workers.length && failure === null) await changed();
      if (failure !== null) throw failure;
      return results;
    },
  };
}
