/** The lab as far as it runs without being root. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const isRoot = process.getuid?.() === 0;

function lab(...args: string[]) {
  return spawnSync('python3', ['lab/run.py', ...args], { encoding: 'utf8' });
}

test.skipIf(!hasPython)('the lab’s own tests pass (they need python3)', () => {
  const run = spawnSync('python3', ['-m', 'unittest', 'discover', '-s', 'lab'], {
    encoding: 'utf8',
  });

  expect(run.stderr).toContain('OK');
  expect(run.status).toBe(0);
});

test.skipIf(!hasPython)('the lab lists its scenarios without being root (it needs python3)', () => {
  const run = lab('--list');

  expect(run.status).toBe(0);
  expect(run.stdout).toMatch(/^simultaneous-open +both ends bind and connect/m);
});

test.skipIf(!hasPython || isRoot)(
  'without root the lab says so and exits with 2 (not as root)',
  () => {
    const run = lab('--only', 'simultaneous');

    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/root|Linux/);
  },
);
