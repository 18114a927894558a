/** A result never takes the place of what it is made from, nor nothing that of an earlier result. */

import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { finwait, shell } from '../support/command.ts';
import { fixturePath } from '../support/fixtures.ts';

const DEMO = fixturePath('demo.pcap');

let folder = '';
let capture = '';
let link = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finwait-'));
  capture = join(folder, 'a.pcap');
  link = join(folder, 'latest.csv');
  copyFileSync(DEMO, capture);
  symlinkSync('a.pcap', link);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('-o is refused where it is the input', () => {
  test.each([
    ['behind a link', () => ['-o', link, capture]],
    ['and the input the link', () => ['-f', 'csv', '-o', capture, link]],
    ['of a report', () => ['report', '-o', link, capture]],
    ['in the folder of a report', () => ['report', '-o', link, folder]],
    ['of follow', () => ['follow', '-o', link, capture, '6']],
  ])('%s', async (_, args) => {
    const { status, stderr } = await finwait(...args());

    expect(status).toBe(2);
    expect(stderr).toContain('is one of the inputs, and would be overwritten');
    expect(readFileSync(capture)).toEqual(readFileSync(DEMO));
  });

  test('on standard input', () => {
    const { status, stderr } = shell(`finwait -o '${link}' - < '${capture}'`);

    expect(status).toBe(2);
    expect(stderr).toContain('is one of the inputs, and would be overwritten');
    expect(readFileSync(capture)).toEqual(readFileSync(DEMO));
  });
});

describe('where no input can be read', () => {
  test.each([
    ['an analysis', []],
    ['a report', ['report']],
    ['follow', ['follow']],
  ])('%s leaves an earlier result as it is', async (_, command) => {
    const result = join(folder, 'result.csv');
    writeFileSync(result, 'good\n');
    const stream = command[0] === 'follow' ? ['0'] : [];

    const { status } = await finwait(
      ...command,
      join(folder, 'none.pcap'),
      ...stream,
      '-o',
      result,
    );

    expect(status).toBe(2);
    expect(readFileSync(result, 'utf8')).toBe('good\n');
    expect(readdirSync(folder).sort()).toEqual(['a.pcap', 'latest.csv', 'result.csv']);
  });
});

test('one readable input of two makes a result', async () => {
  const result = join(folder, 'result.csv');

  const { status } = await finwait(join(folder, 'none.pcap'), capture, '-o', result);

  expect(status).toBe(2);
  expect(readFileSync(result, 'utf8').split('\n').length).toBeGreaterThan(10);
});

test.skipIf(process.platform !== 'linux').each([
  ['a result', ['-f', 'csv', DEMO]],
  ['a report', ['report', '-f', 'csv', DEMO]],
  ['a stream', ['follow', DEMO, '0']],
])('%s into a file on a full device names the file', async (_, args) => {
  const { status, stderr } = await finwait(...args, '-o', '/dev/full');

  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'finwait: -o /dev/full: no space left on the device\n',
  });
});

test.skipIf(process.platform !== 'linux').each([['--help'], [`-f csv ${DEMO}`]])(
  '%s to a device that is full says so',
  (args) => {
    const { status, stderr } = shell(`finwait ${args} > /dev/full`);

    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'finwait: writing the result: no space left on the device\n',
    });
  },
);
