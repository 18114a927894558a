/** Tasks run several at once, with their results in order. */

import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MAX_WAITING_ROWS, runInOrder } from '../../src/cli/run-in-order.ts';
import type { Outcome } from '../../src/report/batch.ts';
import { createFigures } from '../../src/report/figures.ts';
import { captureSummary } from '../support/records.ts';

interface Task {
  name: string;
  size: number;
}

const tasksOf = (...sizes: number[]): Task[] =>
  sizes.map((size, i) => ({ name: String.fromCharCode(97 + i), size }));

/** An outcome that holds so many rows back. */
function outcome(file: string, rows = 0): Outcome[] {
  const figures = createFigures();
  Object.defineProperty(figures.hosts.rows, 'size', { value: rows });
  return [{ kind: 'read', files: [], summary: captureSummary({ file }), figures }];
}

const nameOf = (outcomes: Outcome[] | null): string | null => {
  const [first] = outcomes ?? [];
  return first?.kind === 'read' ? first.summary.file : null;
};

/** Runs `tasks`, each taking as many turns as its size; notes what begins, and in which order results come. */
async function run(
  tasks: readonly Task[],
  slots: number,
  options: { rows?: number; stopAfter?: number } = {},
) {
  const begun: string[] = [];
  const results: (string | null)[] = [];
  let together = 0;
  let most = 0;
  await runInOrder(tasks, {
    slots,
    isStopped: () => begun.length >= (options.stopAfter ?? Number.POSITIVE_INFINITY),
    async run({ name, size }) {
      begun.push(name);
      together++;
      most = Math.max(most, together);
      for (let i = 0; i < size; i++) await setImmediate();
      together--;
      return outcome(name, options.rows);
    },
    onResult: (outcomes) => void results.push(nameOf(outcomes)),
  });
  return { begun: begun.join(''), results, most };
}

test('the largest begin first, results come in the order of the tasks', async () => {
  const { begun, most, results } = await run(tasksOf(1, 9, 3, 3, 7), 2);

  expect(begun).toBe('becda');
  expect(results).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(most).toBe(2);
});

test('with too much waiting for its turn, the task that is due comes next', async () => {
  const { begun, results } = await run(tasksOf(1, 1, 2, 3, 9), 1, {
    rows: MAX_WAITING_ROWS / 2 + 1,
  });

  expect(begun).toBe('edabc');
  expect(results).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('a stopped run begins nothing more, and says in its place what was not run', async () => {
  const { begun, results } = await run(tasksOf(1, 9, 3), 1, { stopAfter: 2 });

  expect(begun).toBe('bc');
  expect(results).toEqual([null, 'b', 'c']);
});

test('no task at all ends at once, and an error of a task is passed on', async () => {
  expect((await run([], 4)).results).toEqual([]);
  await expect(
    runInOrder(tasksOf(1), {
      slots: 1,
      isStopped: () => false,
      run: () => Promise.reject(new Error('bug')),
      onResult() {},
    }),
  ).rejects.toThrow('bug');
});
