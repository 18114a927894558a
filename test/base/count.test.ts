/** Counts as people read them. */

import { expect, test } from 'vitest';
import { humanCount, plural, times } from '../../src/base/count.ts';

test('thousands are apart', () => {
  expect([0, 999, 1000, 1_234_567].map(humanCount)).toEqual(['0', '999', '1,000', '1,234,567']);
});

test('a noun is in the singular behind 1 alone', () => {
  expect([0, 1, 2, 1000].map((count) => plural(count, 'byte'))).toEqual([
    '0 bytes',
    '1 byte',
    '2 bytes',
    '1,000 bytes',
  ]);
});

test('how often', () => {
  expect([1, 2, 3, 1000].map(times)).toEqual(['once', 'twice', '3 times', '1,000 times']);
});
