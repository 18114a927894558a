import { expect, test } from 'vitest';
import {
  IDLE_HALF_CLOSED_SEC,
  IDLE_OPEN_SEC,
  IDLE_OPENING_SEC,
  idleLimitSec,
} from '../../src/tcp/idle.ts';
import { FIN_SENT, STEADY, SYN_SENT } from '../../src/tcp/layout.ts';

test('what both ends have closed waits as long as TIME_WAIT lasts', () => {
  expect(idleLimitSec(SYN_SENT | FIN_SENT | (FIN_SENT << 1), 60)).toBe(60);
});

test('an opening, a half-closed and an open connection each have a limit of their own', () => {
  expect(idleLimitSec(SYN_SENT, 60)).toBe(IDLE_OPENING_SEC);
  expect(idleLimitSec(FIN_SENT << 1, 60)).toBe(IDLE_HALF_CLOSED_SEC);
  expect(idleLimitSec(STEADY, 60)).toBe(IDLE_OPEN_SEC);
});

test('an open connection outlives the keep-alives of Linux, 7200 s and 9 × 75 s', () => {
  expect(IDLE_OPEN_SEC).toBeGreaterThan(7200 + 9 * 75);
});
