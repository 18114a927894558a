/** The command line in-process, with an analyzer that hands out made-up records. */

import { getEventListeners } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { main } from '../../src/cli/program.ts';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS } from '../../src/tcp/verdicts.ts';
import { fakeContext, record } from '../support/records.ts';

const TWO = [
  record({ stream: 1, close: { kind: 'rst', resetBy: 'server', phase: 'established' } }),
  record(),
];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finwait-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function run(
  args: string[],
  ...rest: Partial<Parameters<typeof fakeContext>>
): Promise<{ status: number; out: string; err: string }> {
  const [records = TWO, changes = {}] = rest;
  const { ctx, errors, stdout } = fakeContext(records, changes);
  const status = await main(args, ctx, '1.2.3');
  return { status, out: stdout.text, err: errors.join('\n') };
}

test('--version prints the version', async () => {
  expect(await run(['--version'])).toEqual({ status: 0, out: '1.2.3\n', err: '' });
});

test('--help names the options, the commands, the kinds and findings, and the exit statuses', async () => {
  const { out, status } = await run(['--help']);

  expect(status).toBe(0);
  for (const word of [...CLOSE_KINDS, ...HANDSHAKE_KINDS, ...FINDING_CODES]) {
    expect(out).toMatch(new RegExp(`(?<![\\w-])${word}(?![\\w-])`));
  }
  const commands = out.slice(out.indexOf('Commands:'), out.indexOf('Examples:'));
  expect([...commands.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name)).toEqual([
    ...['show', 'follow', 'extract', 'report', 'live', 'interfaces'],
  ]);
  for (const option of ['--format', '--close', '--join', '--msl', '--color']) {
    expect(out).toContain(option);
  }
  expect(out).toContain('Examples:');
  expect(out).toContain('130  interrupted');
});

test.each(['', 'show', 'follow', 'extract', 'report', 'live'])(
  'the help of %j gives the usage with FILE… as written and no defaults that go without saying',
  async (command) => {
    const { out, status } = await run([...(command === '' ? [] : [command]), '--help']);

    expect(status).toBe(0);
    expect(out).toMatch(/^Usage: finwait [a-z ]*\[options\] (FILE…|PATH…|-i IFACE)/);
    expect(out).not.toMatch(/default:\s+(false|true|")/);
    expect(out).toMatch(/\(default:\s+(auto|native)\)/);
  },
);

test.each(['', 'show', 'follow', 'extract', 'report', 'live', 'interfaces'])(
  'the help of %j fits a terminal of 80 columns, and names only options that have an effect',
  async (command) => {
    const { out } = await run([...(command === '' ? [] : [command]), '--help']);

    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(out.includes('--color')).toBe(!['extract', 'report', 'interfaces'].includes(command));
    expect(out.includes('--local')).toBe(!['follow', 'extract', 'interfaces'].includes(command));
  },
);

test.each([
  [['--close', 'rst', 'report', 'a.pcap'], '--close before'],
  [['-q', 'show', 'a.pcap', '0'], '--quiet before'],
  [['--format', 'csv', 'live', '-i', 'lo'], '--format before'],
])('options before a command are refused: %j', async (args, reason) => {
  const { err, out, status } = await run(args);

  expect({ out, status }).toEqual({ out: '', status: 2 });
  expect(err).toContain(reason);
  expect(err).toContain('options stand behind the command\n  finwait ');
});

test('a start has its date where the capture spans two days', async () => {
  const two = [record(), record({ stream: 1, start: '2026-01-02T00:00:00.250000000Z' })];
  const end = '2026-01-02T00:00:01.000000000Z';

  expect((await run(['a.pcap'], two, { summary: { end } })).out).toContain(' 01-02 00:00:00.250 ');
  expect((await run(['a.pcap'], two.slice(0, 1))).out).toContain('  00:00:00.000 ');
});

test('the table is in the order of stream and the summary stands under it', async () => {
  const { out, status } = await run(['a.pcap']);

  expect(status).toBe(0);
  expect(out.indexOf('\n0  ')).toBeLessThan(out.indexOf('\n1  '));
  expect(out).toContain('2 connections');
});

test('JSON Lines come in the order in which connections finish, or sorted on request', async () => {
  const streams = (out: string) =>
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).stream);

  expect(streams((await run(['-f', 'jsonl', 'a.pcap'])).out)).toEqual([1, 0]);
  expect(streams((await run(['-f', 'jsonl', '--sort', 'a.pcap'])).out)).toEqual([0, 1]);
});

test('CSV of several files has one header', async () => {
  const { out } = await run(['--format', 'csv', 'a.pcap', 'b.pcap']);

  expect(out.split('\r\n').filter((line) => line !== '')).toHaveLength(5);
  expect(out).toContain('\r\nb.pcap,');
});

test('--format summary prints no table', async () => {
  const { out } = await run(['--format', 'summary', '--close', 'rst', 'a.pcap']);

  expect(out).toMatch(/^1 of 2 connections/);
});

test.each([
  [['--close', 'rts', 'a'], /unknown close kind 'rts' — did you mean rst\?\n {2}valid: 4-way, /],
  [['--finding', 'zero-windw', 'a'], /did you mean zero-window\?/],
  [['--format', 'json', 'a'], /did you mean jsonl\?/],
  [['--host', '10.0.0.0/33', 'a'], /expected an IPv4 or IPv6 address/],
  [['--port', '70000', 'a'], /port: expected a whole number between 0 and 65535, found '70000'/],
  [['--msl', '0', 'a'], /--msl: expected seconds/],
  [['--msl', '1e9', 'a'], /--msl: expected seconds/],
  [['--clos', 'rst', 'a'], /Did you mean --close\?/],
  [[], /missing required argument/],
  [['-', '-'], /only once/],
  [['show', 'a.pcap', 'x'], /STREAM: expected a whole number from 0/],
  [['show'], /show: expected FILE and then STREAM.*\n {2}finwait show web\.pcapng 7/],
  [['show', '3'], /found only the number 3\n {2}finwait show FILE 3$/],
  [['follow', 'a.pcap'], /found only 'a\.pcap'\n {2}finwait follow a\.pcap 0\n/],
  [['show', '3', 'a.pcap'], /found the number first\n {2}finwait show a\.pcap 3$/],
  [['--local', '--utc', 'a'], /cannot be used with/],
  [['-o', 'x.exe', 'a'], /the ending says no format/],
  [['--zeek-json', '--format', 'csv', 'a'], /--zeek-json: does not go with --format csv/],
  [['-o', 'x.constructor', 'a'], /the ending says no format/],
])('%j is wrong usage', async (args, message) => {
  const { err, out, status } = await run(args);

  expect(status).toBe(2);
  expect(err).toMatch(message);
  expect(out).toBe('');
});

test('--fail-on exits with 1 and still prints the result', async () => {
  expect(await run(['--fail-on', 'rst', '-f', 'summary', 'a'])).toMatchObject({ status: 1 });
  expect(await run(['--fail-on', 'refused,vanished', '-f', 'summary', 'a'])).toMatchObject({
    status: 0,
  });
});

test('--fail-on looks at selected connections only', async () => {
  expect(await run(['--fail-on', 'rst', '--stream', '0', 'a'])).toMatchObject({ status: 0 });
});

test('an input that cannot be read does not stop the next one', async () => {
  const { err, out, status } = await run(['-f', 'jsonl', 'missing.pcap', 'b.pcap']);

  expect(status).toBe(2);
  expect(err).toBe('finwait: missing.pcap: no such file');
  expect(out).toContain('"file":"b.pcap"');
});

test('damage is said with its offset, even with --quiet, and exits with 3', async () => {
  const damage = { code: 'truncated-record', offset: 40, message: 'expected 60 bytes, found 12' };
  const { err, out, status } = await run(['-q', '-f', 'jsonl', 'a.pcap'], TWO, {
    summary: { damage, warnings: ['w'] },
  });

  expect(status).toBe(3);
  expect(err).toBe(
    'finwait: a.pcap: expected 60 bytes, found 12 (at byte 40); the result holds everything before it',
  );
  expect(out.trim().split('\n')).toHaveLength(2);
});

test('warnings are said once a file, escaped', async () => {
  const { err } = await run(['-f', 'jsonl', 'a.pcap'], TWO, {
    summary: { warnings: ['odd \u001b[2J'] },
  });

  expect(err).toBe('finwait: a.pcap: odd \\x1b[2J');
});

test('after Ctrl-C the finished records are written and the status is 130', async () => {
  const controller = new AbortController();
  const { out, status } = await run(['-f', 'jsonl', 'a.pcap', 'b.pcap'], TWO, {
    interrupt: controller.signal,
    during: () => controller.abort(),
  });

  expect(status).toBe(130);
  expect(out.trim().split('\n')).toHaveLength(2);
});

test('-o chooses the format by the ending and leaves no temporary file', async () => {
  const path = join(folder, 'out.csv');
  const { out, status } = await run(['-o', path, 'a.pcap']);

  expect({ out, status }).toEqual({ out: '', status: 0 });
  expect(readFileSync(path, 'utf8')).toMatch(/^file,stream,/);
  expect(readdirSync(folder)).toEqual(['out.csv']);
});

test('a run that fails leaves the old file as it was', async () => {
  const path = join(folder, 'out.jsonl');
  writeFileSync(path, 'old');
  const broken = run(['-o', path, 'a.pcap'], TWO, {
    during: () => {
      throw new Error('bug');
    },
  });

  await expect(broken).rejects.toThrow('bug');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['out.jsonl']);
});

test('-o onto an input is refused, and a folder that is not there is an error', async () => {
  const input = join(folder, 'in.csv');
  writeFileSync(input, 'x');

  expect(await run(['-o', input, input])).toMatchObject({ status: 2 });
  expect(readFileSync(input, 'utf8')).toBe('x');
  expect(await run(['-o', join(folder, 'no', 'out.csv'), 'a'])).toMatchObject({ status: 2 });
  expect(existsSync(join(folder, 'no'))).toBe(false);
});

test('NO_COLOR and --color decide on a terminal', async () => {
  const esc = '\u001b[';
  const terminal = { stdoutIsTerminal: true };

  expect((await run(['a'], TWO, terminal)).out).toContain(esc);
  expect((await run(['a'], TWO, { ...terminal, env: { NO_COLOR: '1' } })).out).not.toContain(esc);
  expect((await run(['--color', 'never', 'a'], TWO, terminal)).out).not.toContain(esc);
  expect((await run(['a'])).out).not.toContain(esc);
  expect((await run(['--color', 'always', 'a'])).out).toContain(esc);
});

test('show draws the connection, and says which numbers there are where there is none', async () => {
  const shown = await run(['show', 'a.pcap', '0']);
  const absent = await run(['show', 'a.pcap', '7']);

  expect(shown.out).toContain('A four-way close, begun by the client');
  expect(absent).toMatchObject({
    status: 2,
    out: '',
    err: 'finwait: a.pcap: no connection 7; it has 2 connections, 0 to 1',
  });
});

test('any number of files leaves no listener behind', async () => {
  const controller = new AbortController();
  const names = Array.from({ length: 30 }, (_, i) => `${i}.pcap`);

  await run(['-f', 'summary', ...names], TWO, { interrupt: controller.signal });

  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

test('--join and --separate exclude each other, and standard input has no place in a joined timeline', async () => {
  expect(await run(['--join', '--separate', 'a.pcap'])).toMatchObject({ status: 2, out: '' });
  expect((await run(['--join', 'a.pcap', '-'])).err).toContain('--join: the times of standard');
});

test('-o - writes to standard output, and makes no file of that name', async () => {
  const plain = await run(['-f', 'csv', 'a.pcap']);

  expect(await run(['-f', 'csv', 'a.pcap', '-o', '-'])).toEqual(plain);
  expect(plain.out).toContain('clientIp');
  expect(existsSync('-')).toBe(false);
});
