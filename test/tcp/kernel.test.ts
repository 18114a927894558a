/** finwait says of real Linux sockets what their kernel said: one test a capture that has the kernel's account beside it. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { CAPTURES_FOLDER } from '../support/captures.ts';
import { ROOT } from '../support/command.ts';
import { compareConnection, matchRecords } from '../support/compare.ts';
import { readTruth } from '../support/truth.ts';

/** What has to be compared in at least one connection of every capture, so that a test can't pass by comparing nothing. */
const ALWAYS = ['handshake', 'close kind', 'initiator', 'reset by'];

function truthsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.truth.json'))
    .sort()
    .map((name) => join(folder, name));
}

function holdAgainstKernel(folder: string): void {
  const truths = truthsIn(folder).map((path) => [path.slice(folder.length + 1), path] as const);

  test.each(truths)('%s', async (_, path) => {
    const truth = readTruth(path);
    const records: ConnectionRecord[] = [];
    for await (const record of analyze(join(path, '..', truth.capture))) records.push(record);

    const compared = new Set<string>();
    const wrong: string[] = [];
    for (const { connection, record, flipped } of matchRecords(truth, records)) {
      for (const { figure, mismatch } of compareConnection(connection, record, flipped)) {
        compared.add(figure);
        const stream = connection.streams.join(',');
        if (mismatch !== null) wrong.push(`stream ${stream}: ${figure}: ${mismatch}`);
      }
    }

    expect(wrong).toEqual([]);
    expect(truth.connections.length).toBeGreaterThan(0);
    expect([...compared]).toEqual(expect.arrayContaining(ALWAYS));
    expect(compared.has('client states') || compared.has('server states')).toBe(true);
  });
}

const own = join(ROOT, 'fixtures/kernel');

describe.skipIf(CAPTURES_FOLDER === null)(
  'every figure of a kernel’s captures equals its account (skipped without FINWAIT_CAPTURES)',
  () => holdAgainstKernel(join(CAPTURES_FOLDER ?? '', 'kernel')),
);

describe.skipIf(!existsSync(own))(
  'every figure of the kernel captures among the fixtures equals its account (skipped where there are none)',
  () => holdAgainstKernel(own),
);
