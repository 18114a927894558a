/** Arithmetic of sequence numbers across the wrap. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seqAdd, seqDiff } from '../../src/base/seq.ts';

const number32 = fc.integer({ min: 0, max: 0xffff_ffff });
const distance = fc.integer({ min: 1, max: 0x7fff_ffff });

describe('sequence numbers', () => {
  test('a number comes before every number up to 2^31 - 1 further on, across the wrap too', () => {
    fc.assert(
      fc.property(number32, distance, (a, n) => {
        const b = seqAdd(a, n);

        expect(seqDiff(b, a)).toBe(n);
        expect(seqDiff(a, b)).toBe(-n);
      }),
      { seed: 1 },
    );
  });

  test('a number is neither before nor after itself, signed or unsigned', () => {
    expect(seqDiff(0xffff_ffff, -1)).toBe(0);
    expect(seqDiff(0x8000_0000, -0x8000_0000)).toBe(0);
  });

  test('the number behind 2^32 - 1 is 0', () => {
    expect(seqAdd(0xffff_ffff, 1)).toBe(0);
  });
});
