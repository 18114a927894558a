/** Breaking text at its spaces. */

import { expect, test } from 'vitest';
import { wrap } from '../../src/report/wrap.ts';

test('lines are as long as they may be, and words longer than that stand alone', () => {
  expect(wrap('one two three-and-four five', 8)).toEqual(['one two', 'three-and-four', 'five']);
});

test('a number keeps its unit', () => {
  expect(wrap('sent 1.02 kB in 12 ms, 3 d ago', 10)).toEqual([
    'sent',
    '1.02 kB in',
    '12 ms, 3 d',
    'ago',
  ]);
  expect(wrap('took 2 min', 8)).toEqual(['took', '2 min']);
});
