/** The end of the process waits for threads that still compile (nodejs/node#54918). */

import { expect, test } from 'vitest';
import { type Threads, untilQuiet } from '../../src/cli/quiet.ts';

/** Threads that take `shares` of each look's time, and of all further ones as of the last; and what was asked of them. */
function threadsThatTake(...shares: number[]): Threads & { asked: string[] } {
  let cpu = 0;
  let now = 0;
  let look = 0;
  const asked: string[] = [];
  return {
    asked,
    compileNoMore: () => asked.push('compile no more'),
    cpuMs: () => cpu,
    nowMs: () => now,
    async sleep(ms) {
      asked.push('sleep');
      now += ms;
      cpu += ms * (shares[Math.min(look++, shares.length - 1)] ?? 0);
    },
  };
}

const looks = (count: number): string[] => ['compile no more', ...Array(count).fill('sleep')];

test.each<[string, number[], number]>([
  ['two looks where nobody works', [0.1], 2],
  ['as long as one works', [1, 1, 1.1, 0.9, 0.1], 6],
  ['on after a single quiet look: a thread may wait for a processor', [1, 0, 1, 0, 0], 5],
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
