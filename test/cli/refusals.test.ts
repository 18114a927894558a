/** What can't be done is refused with the words of the one who asked. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { finwait, shell } from '../support/command.ts';
import { fixturePath } from '../support/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-refusals-'));
const demo = fixturePath('demo.pcap');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('an output that can’t be made is named as it was given, with the reason', () => {
  const missing = join(folder, 'missing', 'out.csv');

  test.each([
    ['the result', [demo, '-o', missing]],
    ['a report', ['report', demo, '-o', missing]],
    ['a stream', ['follow', demo, '0', '-o', missing]],
  ])('%s', async (_, args) => {
    const { status, stderr } = await finwait(...args);

    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `finwait: -o ${missing}: no such folder\n`,
    });
  });

  test('a folder below a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    const below = join(folder, 'file', 'streams');

    const { status, stderr } = await finwait('extract', demo, '-d', below);

    expect(status).toBe(2);
    expect(stderr).toMatch(/-d .*file(\/streams)?: /);
    expect(stderr).not.toContain('mkdir');
  });

  test.skipIf(process.platform !== 'linux')(
    'a folder where the file system takes none (Linux: /proc)',
    async () => {
      const { status, stderr } = await finwait('extract', demo, '-d', '/proc/finwait');

      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: 'finwait: -d /proc/finwait: no such folder\n',
      });
    },
  );
});

test('folders are made as deep as asked for', async () => {
  const deep = join(folder, 'a', 'b', 'c');

  const { status } = await finwait('extract', demo, '-d', deep, '-q');

  expect(status).toBe(0);
});

test('a mistyped command is no list of files', async () => {
  const { status, stdout, stderr } = await finwait('shwo', demo, '1');

  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('did you mean show?');
});

test('who types help is told how to get it', async () => {
  const { status, stderr } = await finwait('help', 'show');

  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'finwait: help: no such file; finwait --help is the help\n',
  });
});

test('standard input is called so', () => {
  const { status, stderr } = shell('finwait - < /dev/null');

  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'finwait: standard input: expected a capture, found no bytes at all (at byte 0)\n',
  });
});

test('a snap length that no TCP header fits into is refused', async () => {
  const { status, stderr } = await finwait('live', '-i', 'lo', '-s', '10');

  expect(status).toBe(2);
  expect(stderr).toContain('--snap-len: expected 0 or at least 96');
});

test('a connection without payload is said to have none', async () => {
  const { status, stdout, stderr } = await finwait('follow', demo, '3', '--raw');

  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  expect(stderr).toContain('connection 3: no payload');
});

test('a report on nothing does not say that nothing was lost', async () => {
  const { stdout } = await finwait('report', join(folder, 'nothing'), '-f', 'md');

  expect(stdout).not.toContain('nothing lost');
});

test('a folder in place of a capture: said, with the command that reads folders', async () => {
  const { status, stderr } = await finwait(folder);

  expect(status).toBe(2);
  expect(stderr).toContain('found a folder; `finwait report` reads folders');
});
