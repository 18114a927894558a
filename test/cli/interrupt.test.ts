/** A run that is told to end leaves no file behind that has not got its name yet. */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROOT } from '../support/command.ts';
import { generated } from '../support/generated.ts';
import { hasSettled } from '../support/settled.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finwait-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Starts the program on a pipe that stays open, waits for a file in the folder, and sends signals; resolves with the status. */
async function endedBy(args: readonly string[], signals: readonly NodeJS.Signals[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    cwd: ROOT,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  child.stdin?.on('error', () => {});
  // Downloads under way, larger than what is gathered before a file is begun.
  child.stdin?.write(await generated({ kind: 'bulk', seed: 2, frames: 1500, concurrency: 3 }));
  let begun: string[] = [];
  while (begun.length === 0 && child.exitCode === null) {
    await wait(20);
    begun = readdirSync(folder);
  }
  for (const signal of signals) {
    child.kill(signal);
    await wait(1);
  }
  const status = await ended;
  return { begun, status, left: readdirSync(folder).filter((name) => name.startsWith('.')) };
}

describe.each<[string, NodeJS.Signals[]]>([
  ['SIGINT', ['SIGINT']],
  ['SIGTERM', ['SIGTERM']],
  // As npx and timeout(1) pass on what the terminal or they themselves have sent already.
  ['SIGTERM twice', ['SIGTERM', 'SIGTERM']],
  ['SIGINT twice', ['SIGINT', 'SIGINT']],
])('%s', (_, signals) => {
  test('ends extract with status 130, and no unfinished file stays', async () => {
    const { begun, left, status } = await endedBy(['extract', '-', '-d', folder], signals);

    expect(begun.some((name) => name.startsWith('.finwait-'))).toBe(true);
    expect({ left, status }).toEqual({ left: [], status: 130 });
  }, 30_000);

  test('ends an analysis that writes to a file: the result is there, and no unfinished file', async () => {
    const { begun, left, status } = await endedBy(['-', '-o', join(folder, 'out.csv')], signals);

    expect(begun.some((name) => name.endsWith('.tmp'))).toBe(true);
    expect({ left, status }).toEqual({ left: [], status: 130 });
    expect(readdirSync(folder)).toEqual(['out.csv']);
  }, 30_000);
});

test.skipIf(process.platform !== 'linux').each([
  ['a pipe in which nothing has come', '-'],
  ['a FIFO that nobody writes to', 'fifo'],
])(
  'one SIGINT ends the wait for %s',
  async (_, input) => {
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    const path = input === '-' ? input : join(folder, input);
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', path], {
      cwd: ROOT,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    await hasSettled(child.pid ?? 0);

    child.kill('SIGINT');

    expect(await ended).toBe(130);
  },
  30_000,
);
