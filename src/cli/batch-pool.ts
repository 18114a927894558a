/** Where a report's jobs run: in a pool of threads (piscina), or in this one. */

import type { Outcome } from '../report/batch.ts';
import { type BatchJob, runJob } from './batch-job.ts';

/** Shared with the threads: a word that tells them to stop, then for each how far its job is (bytes read, connections). */
export const STOP = 0;
export const SLOT_WORDS = 2;

export interface ThreadTask {
  job: BatchJob;
  shared: SharedArrayBuffer;
  slot: number;
}

/** Present only in the built program: a thread can't be started from TypeScript. */
const THREAD = import.meta.url.endsWith('.js')
  ? new URL('./batch-thread.js', import.meta.url)
  : null;

export interface BatchPool {
  /** Jobs at once. */
  readonly size: number;
  /** Null where the job was stopped. */
  run: (job: BatchJob) => Promise<Outcome[] | null>;
  /** What the jobs under way have read and found so far. */
  underWay: () => { bytesRead: number; connections: number };
  /** Tells the jobs under way to stop soon. */
  stop: () => void;
  close: () => Promise<void>;
}

/** This thread alone, or a pool of `threads`; `onTurn` is called now and then while this thread works. */
export async function startBatchPool(threads: number, onTurn: () => void): Promise<BatchPool> {
  const local = localPool(onTurn);
  if (THREAD === null || threads < 2) return local;
  const { Piscina } = await import('piscina');
  const shared = new SharedArrayBuffer(8 * (1 + threads * SLOT_WORDS));
  const at = new Float64Array(shared);
  const free = Array.from({ length: threads }, (_, i) => i);
  const pool = new Piscina<ThreadTask, Outcome[] | null>({
    filename: THREAD.href,
    minThreads: threads,
    maxThreads: threads,
  });
  return {
    size: threads,
    async run(job) {
      // Standard input belongs to this thread.
      if (job.timeline.pieces[0]?.path === '-') return local.run(job);
      const slot = free.pop();
      if (slot === undefined) throw new Error('more jobs at once than threads');
      try {
        return await pool.run({ job, shared, slot }, { name: 'runTask' });
      } finally {
        free.push(slot);
      }
    },
    underWay() {
      let { bytesRead, connections } = local.underWay();
      for (let i = 1; i < at.length; i += SLOT_WORDS) {
        bytesRead += at[i] ?? 0;
        connections += at[i + 1] ?? 0;
      }
      return { bytesRead, connections };
    },
    stop() {
      at[STOP] = 1;
      local.stop();
    },
    close: () => pool.destroy(),
  };
}

function localPool(onTurn: () => void): BatchPool {
  const now = { bytesRead: 0, connections: 0 };
  let isStopped = false;
  return {
    size: 1,
    async run(job) {
      const outcomes = await runJob(job, (bytesRead, connections) => {
        now.bytesRead = bytesRead;
        now.connections = connections;
        onTurn();
        return !isStopped;
      });
      now.bytesRead = 0;
      now.connections = 0;
      return outcomes;
    },
    underWay: () => now,
    stop() {
      isStopped = true;
    },
    async close() {},
  };
}
