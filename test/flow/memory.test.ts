/** Memory for records, and the same memory seen in other units. */

import { expect, test } from 'vitest';
import { alignedWords, bytesOf, doublesOf } from '../../src/flow/memory.ts';

test('words, doubles and bytes of one piece of memory begin and end together', () => {
  const words = alignedWords(80);
  const doubles = doublesOf(words);
  const bytes = bytesOf(words);

  expect([words.length, doubles.length, bytes.length]).toEqual([80, 40, 320]);
  expect(words.every((word) => word === 0)).toBe(true);
  doubles[39] = 1.5;
  bytes[0] = 7;

  expect([words[0], words[78], words[79]]).toEqual([7, 0, 0x3ff8_0000]);
});
