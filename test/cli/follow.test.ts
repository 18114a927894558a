/** `finwait follow` and `finwait extract` on fixtures. */

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StreamFiles } from '../../src/cli/stream-files.ts';
import { finwait, shell } from '../support/command.ts';
import { fixturePath, segments } from '../support/fixtures.ts';

const DEMO = fixturePath('demo.pcap');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finwait-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A capture with 10 bytes of the server missing. */
function withGap(): string {
  const path = join(folder, 'gap.pcap');
  const bytes = segments`
    C > S  S   0:0(0)
    S > C  S.  0:0(0)  ack 1
    C > S  P.  1:5(4)  ack 1
    S > C  P.  11:14(3)  ack 5
    C > S  .   5:5(0)  ack 14
  `;
  writeFileSync(path, bytes);
  return path;
}

describe('follow', () => {
  test('--raw gives the bytes of both directions, or of one', async () => {
    const both = await finwait('follow', '--raw', DEMO, '0');
    const client = await finwait('follow', '--raw', '--client', DEMO, '0');
    const server = await finwait('follow', '--raw', '--server', DEMO, '0');

    expect([both.status, client.status, server.status]).toEqual([0, 0, 0]);
    expect(client.stdout.length).toBeGreaterThan(0);
    expect(both.stdout).toBe(client.stdout + server.stdout);
  });

  test('a gap is marked in text and hex, and in raw left out with a warning', async () => {
    const path = withGap();

    const text = await finwait('follow', path, '0');
    const hex = await finwait('follow', '--hex', path, '0');
    const raw = await finwait('follow', '--raw', '--server', path, '0');

    expect(text.stdout).toContain('\n< [10 bytes missing in the capture]\n< ');
    expect(hex.stdout).toMatch(/^\t\[10 bytes missing in the capture\]\n\t0000000A {2}/m);
    expect(raw.stdout).toHaveLength(3);
    expect(raw.stderr).toContain('connection 0: left out: 10 bytes from the server');
    expect(text.stderr).toBe('');
  });

  test('-o writes to a file, and never over the input', async () => {
    const out = join(folder, 'out');

    const written = await finwait('follow', '--raw', '--client', DEMO, '0', '-o', out);
    const refused = await finwait('follow', DEMO, '0', '-o', DEMO);

    expect(written).toMatchObject({ status: 0, stdout: '' });
    expect(readFileSync(out).length).toBeGreaterThan(0);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('is one of the inputs');
  });

  test('a number that no connection has, and forms that exclude each other, are wrong usage', async () => {
    const missing = await finwait('follow', DEMO, '99');
    const twice = await finwait('follow', '--hex', '--raw', DEMO, '0');

    expect(missing).toMatchObject({ status: 2, stdout: '' });
    expect(missing.stderr).toContain('no connection 99; it has 12 connections');
    expect(twice.status).toBe(2);
  });

  test('as a process, from standard input into a pipe', () => {
    const { status, stdout } = shell(
      'finwait follow --raw --server - 6 < fixtures/demo.pcap | wc -c',
    );

    expect([status, stdout.trim()]).toEqual([0, '100']);
  });
});

describe('extract', () => {
  test('writes a file for each direction that holds bytes, the same as follow --raw', async () => {
    const { status, stdout } = await finwait('extract', DEMO, '-d', folder);
    const followed = await finwait('follow', '--raw', '--server', DEMO, '0');

    expect([status, stdout]).toEqual([0, '']);
    const names = readdirSync(folder);
    expect(names).toContain('010.000.000.011.40112-010.000.000.002.00080');
    expect(names.every((name) => /^[0-9._]+-[0-9._]+$/.test(name))).toBe(true);
    const bytes = readFileSync(join(folder, '010.000.000.002.00080-010.000.000.011.40112'));
    expect(sha(bytes)).toBe(sha(Buffer.from(followed.stdout, 'latin1')));
  });

  test('takes the selection', async () => {
    await finwait('extract', '--close', 'rst', '--port', '40154', DEMO, '-d', folder);

    expect(readdirSync(folder)).toEqual(['010.000.000.002.00080-010.000.000.017.40154']);
  });

  test('later connections of the same ends get a number', async () => {
    const { status } = await finwait('extract', '--stream', '0', DEMO, DEMO, '-d', folder);

    expect(status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual([
      '010.000.000.002.00080-010.000.000.011.40112',
      '010.000.000.002.00080-010.000.000.011.40112.2',
      '010.000.000.011.40112-010.000.000.002.00080',
      '010.000.000.011.40112-010.000.000.002.00080.2',
    ]);
  });

  test('leaves files that are there already, unless --force', async () => {
    const name = '010.000.000.002.00080-010.000.000.017.40154';
    writeFileSync(join(folder, name), 'mine');

    const refused = await finwait('extract', '--stream', '6', DEMO, '-d', folder);
    const kept = readFileSync(join(folder, name), 'utf8');
    const forced = await finwait('extract', '--stream', '6', '--force', DEMO, '-d', folder);

    expect(refused.status).toBe(2);
    expect(refused.stderr).toBe(
      `finwait: 1 file not written: is in ${folder} already (--force replaces it, another -d keeps both): ${name}\n`,
    );
    expect(kept).toBe('mine');
    expect(forced.status).toBe(0);
    expect(readFileSync(join(folder, name))).toHaveLength(100);
  });

  test('of many files that are there already names three and counts the others', async () => {
    await finwait('extract', DEMO, '-d', folder);
    const { length } = readdirSync(folder);

    const { stderr } = await finwait('extract', DEMO, '-d', folder);

    expect(length).toBeGreaterThan(4);
    const names = '[0-9.]+-[0-9.]+, [0-9.]+-[0-9.]+, [0-9.]+-[0-9.]+';
    expect(stderr).toMatch(
      new RegExp(
        `^finwait: ${length} files not written: are in ${folder} already \\(--force replaces them, another -d keeps both\\): ${names} and ${length - 3} more\\n$`,
      ),
    );
  });

  test('says which files lack bytes', async () => {
    const { stderr } = await finwait('extract', withGap(), '-d', join(folder, 'streams'));

    expect(stderr).toMatch(/1 file without bytes that the capture does not hold: \S+-\S+\n/);
  });

  test('needs to be told where', async () => {
    const { status, stderr } = await finwait('extract', DEMO);

    expect(status).toBe(2);
    expect(stderr).toContain('-d, --directory');
  });
});

describe('the files of extracted streams', () => {
  test('one that can’t have its name is named, with the reason', () => {
    const files = new StreamFiles(folder);
    mkdirSync(join(folder, 'taken'));
    files.append(0, new Uint8Array(9));

    expect(() => files.finish(0, 'taken', true)).toThrow(
      `-d ${join(folder, 'taken')}: is a folder`,
    );
    files.discard();
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  test('hundreds of large ones at once keep their bytes apart, and nothing else stays behind', () => {
    const files = new StreamFiles(folder);
    const piece = (key: number) => new Uint8Array(40_000).fill(key % 251);

    for (let round = 0; round < 4; round++) {
      for (let key = 0; key < 300; key++) files.append(key, piece(key));
    }
    for (let key = 0; key < 299; key++) files.finish(key, `f${key}`, false);
    files.discard();

    expect(readdirSync(folder)).toHaveLength(299);
    const wrong = Array.from({ length: 299 }, (_, key) => key).filter((key) => {
      const bytes = readFileSync(join(folder, `f${key}`));
      return bytes.length !== 160_000 || bytes.some((byte) => byte !== key % 251);
    });
    expect(wrong).toEqual([]);
  });
});
