/** Paths, streams and bytes opened as captures, and what is said of those that are none. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCapture, startsLikeCapture } from '../../src/capture/open.ts';
import { payload, pcapBytes, sectionHeader } from '../support/capture-bytes.ts';
import { readFrames } from '../support/read-frames.ts';

const RECORDS = Array.from({ length: 2000 }, (_, index) => ({
  sec: index,
  ticks: index,
  data: payload(1000, index),
}));
const CAPTURE = pcapBytes({ records: RECORDS });
const READER = fileURLToPath(new URL('../support/count-frames.ts', import.meta.url));

let folder = '';
const inFolder = (name: string): string => path.join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'finwait-open-'));
  writeFileSync(inFolder('a.pcap'), CAPTURE);
  writeFileSync(inFolder('a.txt'), gzipSync(CAPTURE));
  writeFileSync(inFolder('empty.pcap'), '');
  writeFileSync(inFolder('notes.pcap'), 'Dear reader,\nthis is text');
  writeFileSync(inFolder('locked.pcap'), CAPTURE);
  writeFileSync(inFolder('old.pcap'), pcapBytes({ version: [1, 0] }));
  chmodSync(inFolder('locked.pcap'), 0o000);
  mkdirSync(inFolder('sub'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a path', () => {
  test('to a file larger than one chunk gives every frame and counts the bytes', async () => {
    const source = await openCapture(inFolder('a.pcap'));

    expect(source.name).toBe(inFolder('a.pcap'));
    expect(source.bytesTotal).toBe(CAPTURE.length);
    expect(source.bytesRead).toBe(1024 * 1024);
    await source.close();
    await source.close();

    const { frames } = await readFrames(inFolder('a.pcap'));
    expect(frames.map(({ time }) => Number(time.split('.')[0]))).toEqual(
      RECORDS.map(({ sec }) => sec),
    );
    expect(frames.at(-1)?.hex).toBe(Buffer.from(payload(1000, 1999)).toString('hex'));
  });

  test('is recognised by content, whatever its name', async () => {
    const source = await openCapture(inFolder('a.txt'));

    expect(source.format).toBe('pcap');
    expect(source.bytesTotal).toBeLessThan(CAPTURE.length / 10);
    await source.close();
    expect((await readFrames(inFolder('a.txt'))).frames).toHaveLength(2000);
  });

  test.each([
    ['nothing.pcap', 'not-found', 'expected a capture file, found no such file'],
    ['a.pcap/b.pcap', 'not-found', 'expected a capture file, found no such file'],
    ['sub', 'is-a-folder', 'expected a capture file, found a folder'],
    ['empty.pcap', 'empty', 'expected a capture, found no bytes at all (at byte 0)'],
    [
      'notes.pcap',
      'not-a-capture',
      String.raw`expected a pcap or pcapng capture, found the text "Dear reader,\nthi" (at byte 0)`,
    ],
  ])('to %s is an error with the code %s', async (name, code, message) => {
    await expect(openCapture(inFolder(name))).rejects.toMatchObject({
      code,
      source: inFolder(name),
      message: `${inFolder(name)}: ${message}`,
    });
  });

  test.skipIf(process.getuid?.() === 0)(
    'without permission is an error that says so (root may read everything: skipped for root)',
    async () => {
      await expect(openCapture(inFolder('locked.pcap'))).rejects.toMatchObject({
        code: 'no-permission',
      });
    },
  );
});

describe('bytes that are no pcap', () => {
  test.each([
    ['snoop\0\0\0\0\0\0\x02', 'unsupported-format', 'a snoop capture'],
    ['GMBU\0\x02', 'unsupported-format', 'a Microsoft Network Monitor 2 capture'],
    ['RTSS\0\x02', 'unsupported-format', 'a Microsoft Network Monitor 1 capture'],
    ['\xfd7zXZ\0\0', 'unsupported-compression', 'xz'],
    ['BZh91AY', 'unsupported-compression', 'bzip2'],
    ['\x02!L\x18\0\0', 'unsupported-compression', 'lz4 in the legacy format'],
    ['\x7fELF\x02\x01', 'not-a-capture', 'the bytes 7f 45 4c 46 02 01'],
    ['\x1b[2J', 'not-a-capture', 'the bytes 1b 5b 32 4a'],
    ['x', 'not-a-capture', 'the text "x"'],
  ])('beginning %j are named: %s, %s', async (start, code, what) => {
    const opened = openCapture(Buffer.from(start, 'latin1'), { name: 'a' });

    await expect(opened).rejects.toMatchObject({ code, source: 'a' });
    await expect(opened).rejects.toThrow(`found ${what}`);
  });

  test('of another format are sent to editcap', async () => {
    await expect(openCapture(Buffer.from('snoop\0\0\0'))).rejects.toThrow(/editcap/);
  });

  test('compressed twice are refused', async () => {
    await expect(openCapture(gzipSync(gzipSync(CAPTURE)))).rejects.toMatchObject({
      code: 'unsupported-compression',
    });
  });
});

describe('a stream', () => {
  test('that fails in the middle gives what came before, and damage', async () => {
    const stream = Readable.from(
      (function* () {
        yield CAPTURE.subarray(0, 24 + 1016 + 10);
        throw new Error('the line went dead');
      })(),
    );

    const { frames, damage } = await readFrames(stream);

    expect(frames).toHaveLength(1);
    expect(damage).toEqual({
      code: 'read-failed',
      offset: 24 + 1016,
      message: 'reading failed after 1050 bytes: the line went dead',
    });
  });

  test('that fails at once is an error', async () => {
    const stream = new Readable({
      read() {
        this.destroy(new Error('no line'));
      },
    });

    await expect(openCapture(stream)).rejects.toMatchObject({ code: 'read-failed' });
  });

  test('of text is an error, since text is no bytes', async () => {
    const stream = Readable.from(['text']);

    await expect(openCapture(stream)).rejects.toMatchObject({ code: 'read-failed' });
  });
});

describe('standard input', () => {
  const count = (shell: string): { status: number | null; out: string } => {
    const reader = `"${process.execPath}" --import tsx "${READER}"`;
    const run = spawnSync('sh', ['-c', shell.replaceAll('READER', reader)], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
      env: { ...process.env, DIR: folder },
    });
    return { status: run.status, out: `${run.stdout}${run.stderr}`.trim() };
  };

  test.skipIf(process.platform === 'win32').each([
    ['a pipe', 'cat "$DIR/a.pcap" | READER -'],
    ['a file', 'READER - < "$DIR/a.pcap"'],
    ['a compressed pipe', 'cat "$DIR/a.txt" | READER -'],
    ['/dev/stdin', 'cat "$DIR/a.pcap" | READER /dev/stdin'],
    ['a FIFO', 'mkfifo "$DIR/fifo" && { cat "$DIR/a.pcap" > "$DIR/fifo" & READER "$DIR/fifo"; }'],
  ])('as %s gives every frame, and the program ends', (_, shell) => {
    expect(count(shell)).toEqual({ status: 0, out: '2000 frames' });
  });

  test.skipIf(process.platform === 'win32')('that is closed is an error', () => {
    expect(count('READER - <&-').out).toMatch(/^-: expected .*\b(empty|no bytes|readable)\b/);
  });

  test.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'that is a terminal is refused (skipped where script(1) is missing)',
    () => {
      const { out } = count(`script -qec 'READER -' /dev/null < /dev/null`);

      expect(out).toContain('found a terminal');
    },
  );
});

test('startsLikeCapture tells plain captures from other files, and never throws', () => {
  const names = ['a.pcap', 'old.pcap', 'notes.pcap', 'empty.pcap', 'sub', 'nothing'];

  const answers = names.map((name) => startsLikeCapture(inFolder(name)));

  expect(answers).toEqual([true, true, false, false, false, false]);
});

test('a pcapng is named as such', async () => {
  const source = await openCapture(sectionHeader('big'), { name: 'b' });

  expect([source.format, source.name, source.bytesTotal]).toEqual(['pcapng', 'b', 28]);
  await source.close();
});
