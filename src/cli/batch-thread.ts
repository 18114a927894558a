/** A thread of a report: runs one job after another (cli/batch-pool.ts). */

import type { Outcome } from '../report/batch.ts';
import { runJob } from './batch-job.ts';
import { SLOT_WORDS, STOP, type ThreadTask } from './batch-pool.ts';

/** Runs `task`, noting how far it is where the main thread looks. */
export async function runTask({ job, shared, slot }: ThreadTask): Promise<Outcome[] | null> {
  const at = new Float64Array(shared);
  const place = 1 + slot * SLOT_WORDS;
  const outcomes = await runJob(job, (bytesRead, connections) => {
    at[place] = bytesRead;
    at[place + 1] = connections;
    return at[STOP] === 0;
  });
  at[place] = 0;
  at[place + 1] = 0;
  return outcomes;
}
