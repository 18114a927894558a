/** A finished connection as text, to be compared. */

import type { FinishedConnection } from '../../src/tcp/finished.ts';
import { readNotes } from '../../src/tcp/notes.ts';

/** Everything of it that may be read. */
export function textOf(finished: FinishedConnection): string {
  readNotes(finished);
  const { story, transfer, ...rest } = finished;
  const { count, all: _, ...columns } = story;
  const entries = Object.entries(columns).map(([name, column]) => [
    name,
    [...column.slice(0, count)],
  ]);
  // A block of counts that are all 0 is as good as none.
  const figures = transfer.map(({ values }) => [...values]);
  return JSON.stringify({ ...rest, story: Object.fromEntries(entries), figures });
}
