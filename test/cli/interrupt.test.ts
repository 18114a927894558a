/** A run that is told to end leaves no file behind that has not got its name yet. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generate } from '../../bench/generate/index.ts';
import { ROOT } from '../support/command.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finwait-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The beginning of a capture with downloads under way, larger than what is gathered before a file is begun. */
async function beginning(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await generate(
    {
      ...{ kind: 'bulk', container: 'pcap', ipVersion: 4, vlan: false, seed: 2, frames: 1500 },
      ...{ maxBytes: Infinity, deadlineMs: Infinity, concurrency: 3, gapNs: null, allClose: false },
    },
    (chunk) => {
      chunks.push(Buffer.from(chunk));
    },
  );
  return Buffer.concat(chunks);
}

/** Starts the program on a pipe that stays open, waits for a file in the folder, and sends signals; resolves with the status. */
async function endedBy(args: readonly string[], signals: readonly NodeJS.Signals[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    cwd: ROOT,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  child.stdin?.on('error', () => {});
  child.stdin?.write(await beginning());
  let begun: string[] = [];
  while (begun.length === 0 && child.exitCode === null) {
    await wait(20);
    begun = readdirSync(folder);
  }
  for (const signal of signals) {
    child.kill(signal);
    await wait(30);
  }
  const status = await ended;
  return { begun, status, left: readdirSync(folder).filter((name) => name.startsWith('.')) };
}

describe.each<[string, NodeJS.Signals[]]>([
  ['SIGINT', ['SIGINT']],
  ['SIGTERM', ['SIGTERM']],
  ['SIGTERM twice', ['SIGTERM', 'SIGTERM']],
  ['SIGINT twice', ['SIGINT', 'SIGINT']],
])('%s', (_, signals) => {
  test('ends extract with status 130, and no unfinished file stays', async () => {
    const { begun, left, status } = await endedBy(['extract', '-', '-d', folder], signals);

    expect(begun.some((name) => name.startsWith('.finwait-'))).toBe(true);
    expect({ left, status }).toEqual({ left: [], status: 130 });
  }, 30_000);

  test('ends an analysis that writes to a file, and no unfinished file stays', async () => {
    const { begun, left, status } = await endedBy(['-', '-o', join(folder, 'out.csv')], signals);

    expect(begun.some((name) => name.endsWith('.tmp'))).toBe(true);
    expect({ left, status }).toEqual({ left: [], status: 130 });
  }, 30_000);
});
