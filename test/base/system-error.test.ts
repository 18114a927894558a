/** Errors of the system in words. */

import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reasonOf, systemReason } from '../../src/base/system-error.ts';

function errorOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

test('an error of the system is said in words, the caller’s before ours', () => {
  const error = errorOf(() => readFileSync('/no/such/file'));

  expect(systemReason(error)).toBe('no such file or folder');
  expect(systemReason(error, { ENOENT: 'no such folder' })).toBe('no such folder');
});

test('a code without words of ours keeps those of the system, without code, call and paths', () => {
  const error = Object.assign(
    new Error("EXDEV: cross-device link not permitted, rename 'a' -> 'b'"),
    {
      code: 'EXDEV',
      syscall: 'rename',
    },
  );

  expect(systemReason(error)).toBe('cross-device link not permitted');
  const folder = mkdtempSync(join(tmpdir(), 'finwait-'));
  const below = errorOf(() => renameSync(folder, join(folder, 'below')));
  rmSync(folder, { recursive: true });
  expect(systemReason(below)).toBe('invalid argument');
});

test('any other error is none of the system’s', () => {
  expect(systemReason(new Error('ENOENT: mine'))).toBeNull();
  expect(reasonOf(new Error('mine'))).toBe('mine');
  expect(reasonOf('text')).toBe('text');
});
