/** The words of an open connection's record that hold more than one thing. */

import { expect, test } from 'vitest';
import { SPARE_ROWS } from '../../src/decode/columns.ts';
import {
  countRepeat,
  END_REPEATS,
  MAX_NOTES,
  NOTE_WORDS,
  REPEATS_MASK,
  TTL_SHIFT,
} from '../../src/tcp/layout.ts';
import { ENTRY_WORDS } from '../../src/tcp/story.ts';

test('all notes of a connection have room behind the ring, and one in the place of an entry of the story', () => {
  expect(MAX_NOTES).toBeLessThanOrEqual(SPARE_ROWS);
  expect(NOTE_WORDS).toBeLessThanOrEqual(ENTRY_WORDS);
});

test('repetitions stop counting where one more would change the TTL beside them', () => {
  for (const ttl of [0, 1, 64, 128, 255]) {
    const words = new Int32Array(END_REPEATS + 1);
    words[END_REPEATS] = (ttl << TTL_SHIFT) | (REPEATS_MASK - 1);

    const counted = [1, 2, 3].map(() => {
      countRepeat(words, 0);
      const word = words[END_REPEATS] ?? 0;
      return { repeats: word & REPEATS_MASK, ttl: word >>> TTL_SHIFT };
    });

    expect(counted).toEqual(Array(3).fill({ repeats: 16_777_215, ttl }));
  }
});
