/** The end of the process waits for threads that still compile (nodejs/node#54918). */

import { expect, test } from 'vitest';
import { type Threads, untilQuiet } from '../../src/cli/quiet.ts';

/** Threads that take `shares` of each look's time, and of all further ones as of the last (`R`: none, for want of a processor); and what was asked of them. */
function threadsThatTake(...shares: (number | 'R')[]): Threads & { asked: string[] } {
  let cpu = 0;
  let now = 0;
  let look = 0;
  const asked: string[] = [];
  const at = (i: number): number | 'R' => shares[Math.min(i, shares.length - 1)] ?? 0;
  return {
    asked,
    compileNoMore: () => asked.push('compile no more'),
    isAnyRunnable: () => at(look - 1) === 'R',
    cpuMs: () => cpu,
    nowMs: () => now,
    async sleep(ms) {
      asked.push('sleep');
      now += ms;
      const share = at(look++);
      cpu += share === 'R' ? 0 : ms * share;
    },
  };
}

const looks = (count: number): string[] => ['compile no more', ...Array(count).fill('sleep')];

test.each<[string, (number | 'R')[], number]>([
  ['two looks where nobody works', [0.1], 2],
  ['as long as one works', [1, 1, 1.1, 0.9, 0.1], 6],
  ['on after a single quiet look: a thread may wait for another', [1, 0, 1, 0, 0], 5],
  ['as long as one waits for a processor', ['R', 'R', 0, 'R', 0, 0], 6],
])('%s', async (_, shares, count) => {
  const threads = threadsThatTake(...shares);

  await untilQuiet(threads);

  expect(threads.asked).toEqual(looks(count));
});

test('whoever never rests is not waited for without an end', async () => {
  const threads = threadsThatTake(2);

  await untilQuiet(threads);

  expect(threads.asked).toEqual(looks(200));
});
