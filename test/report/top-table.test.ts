/** Tables of the largest rows, bounded, with sums that stay whole. */

import { expect, test } from 'vitest';
import { addTable, createTopTable, rowOf, sortedRows } from '../../src/report/top-table.ts';

/** Adds 1 to the row of `key`, `times` times. */
function count(table: ReturnType<typeof createTopTable>, key: number | string, times = 1): void {
  for (let i = 0; i < times; i++) {
    const row = rowOf(table, key);
    row[0] = (row[0] ?? 0) + 1;
  }
}

const shown = (table: ReturnType<typeof createTopTable>) =>
  sortedRows(table).map(([key, row]) => [key, row[0]]);

test('rows come largest first, equal ones in the order of their keys, numbers before text', () => {
  const table = createTopTable(1, 0, 10);
  for (const key of ['b', 7, 'a', 3]) count(table, key, 2);
  count(table, 'most', 3);

  expect(shown(table)).toEqual([
    ['most', 3],
    [3, 2],
    [7, 2],
    ['a', 2],
    ['b', 2],
  ]);
});

test('a full table drops its smaller half, and the sum stays whole', () => {
  const table = createTopTable(1, 0, 4);
  for (const [key, times] of [
    [1, 9],
    [2, 1],
    [3, 8],
    [4, 2],
    [5, 1],
  ] as const)
    count(table, key, times);

  expect(shown(table)).toEqual([
    [1, 9],
    [3, 8],
    [5, 1],
  ]);
  expect([table.fellOff, table.beyond[0]]).toEqual([2, 3]);
});

test('of rows that are equally large those with the first keys stay, numbers before text', () => {
  const table = createTopTable(1, 0, 8);
  count(table, 'large', 2);
  for (const key of ['b', 70, 'a', 9, 10, 'c', 'd']) count(table, key);
  count(table, 'new');

  expect(shown(table)).toEqual([
    ['large', 2],
    [9, 1],
    [10, 1],
    [70, 1],
    ['new', 1],
  ]);
  expect([table.fellOff, table.beyond[0]]).toEqual([4, 4]);
});

test('a million keys take no more than the limit, and the large ones stay', () => {
  const table = createTopTable(1, 0, 1000);
  for (let i = 0; i < 1_000_000; i++) {
    count(table, i);
    if (i % 100 === 0) count(table, 'large');
  }

  expect(table.rows.size).toBeLessThanOrEqual(1000);
  expect(shown(table)[0]).toEqual(['large', 10_000]);
  const held = shown(table).reduce((sum, [, n]) => sum + Number(n), 0);
  expect(held + (table.beyond[0] ?? 0)).toBe(1_010_000);
});

test('tables add up', () => {
  const one = createTopTable(1, 0, 10);
  const two = createTopTable(1, 0, 10);
  count(one, 'a', 2);
  count(two, 'a', 3);
  count(two, 'b', 1);

  addTable(one, two);

  expect(shown(one)).toEqual([
    ['a', 5],
    ['b', 1],
  ]);
});
