/** Whether a program that was started has come to wait for something. */

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Whether the main thread of the process waits for something, and has used how much time so far (proc(5)). */
function sleepAndTime(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'S' ? rest.slice(10, 12).join(' ') : null;
}

/** Resolves once the process has only waited for a second, as no program does that is being loaded. */
export async function hasSettled(pid: number): Promise<void> {
  let since = Date.now();
  let time = sleepAndTime(pid);
  while (Date.now() - since < 1000) {
    await wait(20);
    const now = sleepAndTime(pid);
    if (now === null || now !== time) since = Date.now();
    time = now;
  }
}
