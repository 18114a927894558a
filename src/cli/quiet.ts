/** Waits until the threads of this process have nothing to do any more. */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';

/** Between two looks. */
const LOOK_MS = 1;
/** Of the time between two looks: what this thread takes for them is a tenth, one thread that works nearly all. */
const BUSY_SHARE = 0.3;
/** Looks in a row that found nobody at work: a thread may wait for another one. */
const QUIET_LOOKS = 2;
/** Looks at most: whatever else may be going on, the end does not wait longer for it. */
const MAX_LOOKS = 200;

/** What is looked at, and asked; milliseconds. */
export interface Threads {
  /** Has nothing new compiled. */
  compileNoMore: () => void;
  /** Whether one besides this is running, or waits for a processor; false where the system does not tell. */
  isAnyRunnable: () => boolean;
  /** Time of processors that all threads took. */
  cpuMs: () => number;
  nowMs: () => number;
  sleep: (ms: number) => Promise<unknown>;
}

const THIS_PROCESS: Threads = {
  compileNoMore() {
    setFlagsFromString('--no-opt');
  },
  isAnyRunnable() {
    try {
      const others = readdirSync('/proc/self/task').filter((id) => id !== `${process.pid}`);
      return others.some((id) => {
        const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1');
        // The name before it may hold anything.
        return 'RD'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
      });
    } catch {
      // Not Linux; or a thread has just ended.
      return false;
    }
  },
  cpuMs() {
    const { system, user } = process.cpuUsage();
    return (system + user) / 1000;
  },
  nowMs: () => performance.now(),
  sleep: setTimeout,
};

/**
 * To be awaited before `process.exit`: that waits for V8's threads, and one that compiles may wait for this one to collect garbage, which it does in its event
 * loop only. Both would wait for ever (nodejs/node#54918), and where a run ended while code was still new one of seven did.
 */
export async function untilQuiet(threads: Threads = THIS_PROCESS): Promise<void> {
  const { cpuMs, isAnyRunnable, nowMs, sleep } = threads;
  threads.compileNoMore();
  let quiet = 0;
  for (let looks = 0; looks < MAX_LOOKS && quiet < QUIET_LOOKS; looks++) {
    const cpu = cpuMs();
    const now = nowMs();
    await sleep(LOOK_MS);
    const isBusy = cpuMs() - cpu >= (nowMs() - now) * BUSY_SHARE || isAnyRunnable();
    quiet = isBusy ? 0 : quiet + 1;
  }
}
