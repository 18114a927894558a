/** Runs tasks several at once and hands out their results in order. */

import type { Outcome } from '../report/batch.ts';

/** Rows of figures that may wait for the result of an earlier task: some 200 MB. Then the earliest task runs first, and others wait. */
export const MAX_WAITING_ROWS = 500_000;

interface Sized {
  /** Bytes to read. */
  size: number;
}

interface Running<T extends Sized> {
  /** Tasks at once. */
  slots: number;
  /** No further task is begun, and what waits counts as not run. */
  isStopped: () => boolean;
  run: (task: T) => Promise<Outcome[] | null>;
  /** Called once a task in the order of `tasks`; null where it was not run to its end. */
  onResult: (outcomes: Outcome[] | null) => void;
}

/** The largest tasks begin first, so that no large one is left for a single thread at the end. Rejects where a task does. */
export async function runInOrder<T extends Sized>(
  tasks: readonly T[],
  { isStopped, onResult, run, slots }: Running<T>,
): Promise<void> {
  const largestFirst = [...tasks.keys()].sort(
    (a, b) => (tasks[b]?.size ?? 0) - (tasks[a]?.size ?? 0) || a - b,
  );
  const begun = new Set<number>();
  const results = new Map<number, Outcome[] | null>();
  const underWay = new Set<Promise<void>>();
  let waitingRows = 0;
  let due = 0;
  let nextLarge = 0;

  /** Which task to begin; null: none for now. */
  const choose = (): number | null => {
    if (waitingRows > MAX_WAITING_ROWS) return begun.has(due) || due >= tasks.length ? null : due;
    while (nextLarge < largestFirst.length && begun.has(largestFirst[nextLarge] ?? 0)) nextLarge++;
    return largestFirst[nextLarge] ?? null;
  };
  const handOut = (): void => {
    for (; results.has(due); due++) {
      const outcomes = results.get(due) ?? null;
      results.delete(due);
      waitingRows -= rowsOf(outcomes);
      onResult(outcomes);
    }
  };

  for (;;) {
    while (underWay.size < slots && !isStopped()) {
      const i = choose();
      const task = i === null ? undefined : tasks[i];
      if (i === null || task === undefined) break;
      begun.add(i);
      const running = run(task).then((outcomes) => {
        results.set(i, outcomes);
        waitingRows += rowsOf(outcomes);
        underWay.delete(running);
      });
      underWay.add(running);
    }
    if (underWay.size === 0) break;
    await Promise.race(underWay);
    handOut();
  }
  // Only where the run was stopped: what was never begun, in its place among the others.
  for (let i = due; i < tasks.length; i++) if (!results.has(i)) results.set(i, null);
  handOut();
}

function rowsOf(outcomes: Outcome[] | null): number {
  let rows = 0;
  for (const outcome of outcomes ?? []) {
    if (outcome.kind !== 'read') continue;
    const { hosts, ports, services } = outcome.figures;
    rows += hosts.rows.size + ports.rows.size + services.rows.size;
  }
  return rows;
}
