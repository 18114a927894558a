/** Bad input from the command line: a message with name and offset, the right exit status, every connection before the damage. */

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { analyze, type ConnectionRecord } from '../src/index.ts';
import * as build from './support/capture-bytes.ts';
import { finwait, type Outcome, ROOT, recordsOf, shell } from './support/command.ts';
import { fixturePath } from './support/fixtures.ts';

/** Who owns nothing. */
const NOBODY = 65_534;
const folder = mkdtempSync(join(tmpdir(), 'finwait-bad-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function jsonl(path: string): Promise<Outcome> {
  return finwait('--format', 'jsonl', '--sort', path);
}

/** A file of which nothing can be read: one line that names it, nothing on standard output, status 2. */
async function expectUnusable(path: string, what: RegExp): Promise<void> {
  const { status, stdout, stderr } = await jsonl(path);

  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.startsWith(`finwait: ${path}: `), stderr).toBe(true);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(what);
}

/** A damaged file: a line with its name and the offset, and status 3. */
function expectDamage({ status, stderr }: Outcome, path: string, offset: number): void {
  expect(status).toBe(3);
  expect(stderr.startsWith(`finwait: ${path}: `), stderr).toBe(true);
  expect(stderr).toContain(`(at byte ${offset})`);
}

async function recordsIn(bytes: Uint8Array, file: string): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const record of analyze(bytes, { file })) records.push(record);
  return records.sort((a, b) => a.stream - b.stream);
}

describe('an input that is no capture', () => {
  test('of no bytes', () => expectUnusable(put('empty.pcap', ''), /no bytes at all \(at byte 0\)/));

  test('of ten bytes of a pcap header', () => {
    const bytes = build.pcapBytes().subarray(0, 10);

    return expectUnusable(
      put('ten.pcap', bytes),
      /expected a 24-byte .*found 10 bytes \(at byte 0\)/,
    );
  });

  test('of ten other bytes', () =>
    expectUnusable(put('ten', '0123456789'), /expected .*, found .*\(at byte 0\)/));

  test('that is a text file', () =>
    expectUnusable(join(ROOT, 'README.md'), /expected .*, found .*\(at byte 0\)/));

  test('that is a folder', () => {
    const path = join(folder, 'captures');
    mkdirSync(path);

    return expectUnusable(path, /folder/);
  });

  test('that does not exist', () => expectUnusable(join(folder, 'none.pcap'), /no such file/i));

  test('that may not be read', async ({ skip }) => {
    const path = put('secret.pcap', readFileSync(fixturePath('demo.pcap')));
    chmodSync(path, 0o000);
    if (process.getuid?.() !== 0) return expectUnusable(path, /permission/);

    // Root may read everything: for a moment this is another user, who may not even reach the project's folder.
    chmodSync(folder, 0o755);
    await jsonl(fixturePath('demo.pcap'));
    try {
      process.seteuid?.(NOBODY);
    } catch {
      skip('root may read everything, and can be no other user here');
    }
    try {
      await expectUnusable(path, /permission/);
    } finally {
      process.seteuid?.(0);
    }
  });

  test('among others: the others are done, and the status is still 2', async () => {
    const { status, stdout, stderr } = await finwait(
      ...['-f', 'jsonl', put('text.pcap', 'text, text'), fixturePath('close/3-way-merged.pcap')],
    );

    expect(status).toBe(2);
    expect(stderr).toContain('text.pcap: ');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a capture cut at every byte of its last frames', () => {
  const LAST_FRAMES = 4;

  /** Where each record or block of a frame begins, and the end of the file. */
  function boundaries(bytes: Buffer): number[] {
    const found: number[] = [];
    const isPcapng = bytes.readUInt32LE(0) === 0x0a0d0d0a;
    for (let at = isPcapng ? 0 : 24; at < bytes.length; ) {
      found.push(at);
      at += isPcapng ? bytes.readUInt32LE(at + 4) : 16 + bytes.readUInt32LE(at + 8);
    }
    return [...found, bytes.length];
  }

  test.each(['demo.pcap', 'container/pcapng.pcapng'])('%s', async (name) => {
    const bytes = readFileSync(fixturePath(name));
    const starts = boundaries(bytes).slice(-1 - LAST_FRAMES);
    const path = join(folder, name.replace('/', '-'));

    for (const [i, start] of starts.slice(0, -1).entries()) {
      const upTo = await recordsIn(bytes.subarray(0, start), path);
      for (let cut = start; cut < (starts[i + 1] ?? 0); cut++) {
        writeFileSync(path, bytes.subarray(0, cut));
        const outcome = await jsonl(path);

        expect(recordsOf(outcome), `cut at ${cut}`).toEqual(upTo);
        if (cut > start) expectDamage(outcome, path, start);
        else expect(outcome, `cut at ${cut}`).toMatchObject({ status: 0, stderr: '' });
      }
    }
  });

  test('connections that were over before the cut are those of the whole file', async () => {
    const bytes = readFileSync(fixturePath('demo.pcap'));
    const path = put('cut.pcap', bytes.subarray(0, bytes.length - 1));
    const whole = await recordsIn(bytes, path);

    const cut = recordsOf(await jsonl(path));

    const last = cut.at(-1)?.lastFrame ?? 0;
    // How long an end has been in CLOSE_WAIT depends on where the capture ends.
    const over = whole.filter(
      ({ close, lastFrame }) =>
        close.kind !== 'open' && close.kind !== 'half-closed' && lastFrame <= last,
    );
    expect(over.length).toBeGreaterThan(7);
    for (const record of over) expect(cut).toContainEqual(record);
  });
});

describe('a capture with damage in its middle', () => {
  const whole = readFileSync(fixturePath('demo.pcap'));
  const FILE_HEADER_BYTES = 24;

  /** Bytes at which record `index` (from 0) of the demo begins. */
  function startOf(index: number): number {
    let at = FILE_HEADER_BYTES;
    for (let i = 0; i < index; i++) at += 16 + whole.readUInt32LE(at + 8);
    return at;
  }

  test.each([
    ['0xffffffff', 0xffffffff],
    ['0x7fffffff', 0x7fffffff],
    ['one more than the file allows', 262_145],
  ])('an absurd captured length of %s', async (_, length) => {
    const bytes = Buffer.from(whole);
    const start = startOf(60);
    bytes.writeUInt32LE(length, start + 8);
    const path = put('absurd.pcap', bytes);
    const before = process.memoryUsage().rss;

    const outcome = await jsonl(path);

    expectDamage(outcome, path, start);
    expect(recordsOf(outcome)).toEqual(await recordsIn(whole.subarray(0, start), path));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  test.each([
    ['that is too short', 8],
    ['that is no multiple of four', 33],
    ['of four GiB', 0xfffffffc],
    ['that leads into the next block', 64],
  ])('a pcapng block with a length %s', async (_, length) => {
    const good = readFileSync(fixturePath('container/pcapng.pcapng'));
    let start = 0;
    for (let i = 0; i < 5; i++) start += good.readUInt32LE(start + 4);
    const bytes = Buffer.from(good);
    bytes.writeUInt32LE(length, start + 4);
    const path = put('block.pcapng', bytes);

    const outcome = await jsonl(path);

    expectDamage(outcome, path, start);
    expect(recordsOf(outcome)).toEqual(await recordsIn(good.subarray(0, start), path));
  });

  test('a gzip cut in the middle', async () => {
    const packed = gzipSync(whole);
    const path = put('cut.pcap.gz', packed.subarray(0, packed.length >> 1));

    const outcome = await jsonl(path);
    const records = recordsOf(outcome);

    expect(outcome.status).toBe(3);
    expect(outcome.stderr).toMatch(/cut\.pcap\.gz: .*gzip.*\(at byte \d+\)/);
    expect(records.length).toBeGreaterThan(0);
    const at = Number(/\(at byte (\d+)\)/.exec(outcome.stderr)?.[1]);
    expect(records).toEqual(await recordsIn(whole.subarray(0, at), path));
  });

  test('a corrupt gzip gives the same from standard input as from its file', async () => {
    const packed = Buffer.from(gzipSync(whole));
    packed.fill(0xff, packed.length >> 1, (packed.length >> 1) + 20);
    const path = put('corrupt.pcap.gz', packed);

    const named = await finwait('-f', 'csv', path);
    const { status, stdout } = shell(`finwait -f csv - < ${path}`);

    expect(named.status).toBe(3);
    expect(named.stdout.split('\n').length).toBeGreaterThan(2);
    expect(status).toBe(3);
    expect(stdout.replaceAll(/^[^,\n]*,/gm, '')).toBe(named.stdout.replaceAll(/^[^,\n]*,/gm, ''));
  });
});

describe('a link type that is not known', () => {
  test('is a warning that names its number, said once, and its frames are counted', async () => {
    const record = { sec: 1, ticks: 0, data: build.payload(60) };
    const path = put('link.pcap', build.pcapBytes({ linkField: 147, records: [record, record] }));

    const { status, stdout, stderr } = await finwait(path);

    expect(status).toBe(0);
    expect(stdout).toMatch(/2 frames/);
    expect(stderr).toBe(`finwait: ${path}: link type 147 is not known; frames not decoded: 2\n`);
  });
});
