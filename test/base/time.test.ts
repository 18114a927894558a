/** Instants as text, to the nanosecond. */

import { expect, test } from 'vitest';
import { formatUtc } from '../../src/base/time.ts';

test('an instant has nine decimals, to the nanosecond', () => {
  expect(formatUtc(1_767_225_600, 1)).toBe('2026-01-01T00:00:00.000000001Z');
  expect(formatUtc(0, 999_999_999)).toBe('1970-01-01T00:00:00.999999999Z');
});

test('the last second of 32 bits is one', () => {
  expect(formatUtc(0xffff_ffff, 0)).toBe('2106-02-07T06:28:15.000000000Z');
});
