/** Which files are pieces of one rotated capture, and in which order. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { findTimelines, type JoinMode, namePattern } from '../../src/capture/rotation.ts';
import { frameOf, writePcap } from '../support/pcap.ts';
import { cutFrames, DEMO_FRAMES, writeParts } from '../support/rotate.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-rotation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

/** Writes the demo in pieces under these names, the first named holding the first frames, in a folder of its own. */
function pieces(...names: string[]): string[] {
  const base = join(folder, String(made++));
  const paths = names.map((name) => join(base, name));
  writeParts(paths, cutFrames(DEMO_FRAMES, names.length));
  return paths;
}

/** The names that `findTimelines` puts together, without their folders. */
async function found(paths: readonly string[], mode: JoinMode = 'auto'): Promise<string[]> {
  const timelines = await findTimelines(paths, mode);
  return timelines.map(({ pieces }) => pieces.map(({ path }) => path.split('/').at(-1)).join(' '));
}

describe('names of one rotated capture', () => {
  test.each([
    ['dumpcap -b', 'web_00001_20260101000000.pcapng', 'web_00002_20260101000100.pcapng'],
    [
      'dumpcap -b, time first',
      'web_20260101000000_00001.pcapng',
      'web_20260101000100_00002.pcapng',
    ],
    ['dumpcap without an ending', 'web_00001_20260101000000', 'web_00002_20260101000100'],
    ['tcpdump -C', 'x.pcap', 'x.pcap1'],
    ['tcpdump -W', 'x.pcap01', 'x.pcap12'],
    ['tcpdump -C without an ending', 'trace', 'trace1'],
    ['tcpdump -G with a date', 'x-20260101-000000.pcap', 'x-20260101-000100.pcap'],
    ['tcpdump -G as ISO 8601', 'x_2026-01-01T00:00:00.pcap', 'x_2026-01-01T00:01:00.pcap'],
    ['tcpdump -G with a time alone', 'x-000000.pcap', 'x-235959.pcap'],
    ['tcpdump -G with %s', '1767225600.pcap', '1767225660.pcap'],
    ['tcpdump -G and -C', 'x-20260101.pcap', 'x-20260101.pcap1'],
    ['tcpdump -z gzip', 'x.pcap1.gz', 'x.pcap2'],
  ])('%s', async (_, first, second) => {
    expect(namePattern(first).series).toBe(namePattern(second).series);
    expect(await found(pieces(first, second))).toEqual([`${first} ${second}`]);
  });

  test.each([
    ['two numbered captures without the first', 'web1', 'web2'],
    ['a number before the ending', 'web1.pcap', 'web2.pcap'],
    ['another prefix', 'a_00001_20260101000000.pcapng', 'b_00002_20260101000100.pcapng'],
    ['another ending', 'x.pcap', 'x.cap1'],
    ['ports', 'x-8080.pcap', 'x-8443.pcap'],
  ])('not %s', async (_, first, second) => {
    expect(await found(pieces(first, second))).toEqual([first, second]);
  });

  test('not files of two folders', async () => {
    const [a = '', b = ''] = pieces('one/x.pcap', 'two/x.pcap1');

    expect(await found([a, b])).toEqual(['x.pcap', 'x.pcap1']);
  });
});

test('the time of the first frame gives the order: a ring begins anywhere', async () => {
  const ring = pieces('x.pcap2', 'x.pcap3', 'x.pcap0', 'x.pcap1');

  expect(await found([...ring].sort())).toEqual(['x.pcap2 x.pcap3 x.pcap0 x.pcap1']);
});

test('a timeline stands where the first of its files was given', async () => {
  const rotated = pieces('x.pcap', 'x.pcap1', 'x.pcap2');
  const [other = ''] = pieces('other.pcap');
  const [, second = '', third = ''] = rotated;

  expect(await found([third, other, second, rotated[0] ?? ''])).toEqual([
    'x.pcap x.pcap1 x.pcap2',
    'other.pcap',
  ]);
});

test('a file of another format or link type, of no capture or missing is no piece', async () => {
  const paths = pieces('x.pcap', 'x.pcap1', 'x.pcap2', 'x.pcap3');
  writeFileSync(paths[1] ?? '', 'no capture');
  writeFileSync(
    paths[2] ?? '',
    writePcap([frameOf(101, DEMO_FRAMES[0]?.bytes ?? new Uint8Array())]),
  );

  expect(await found([...paths, `${paths[0]}9`])).toEqual([
    'x.pcap x.pcap3',
    'x.pcap1',
    'x.pcap2',
    'x.pcap9',
  ]);
});

test('a compressed piece and one without frames belong to the others', async () => {
  const paths = pieces('x.pcap', 'x.pcap1', 'x.pcap2');
  const [, second = '', third = ''] = paths;
  writeFileSync(`${third}.gz`, gzipSync(writePcap(cutFrames(DEMO_FRAMES, 3)[2] ?? [])));
  writeFileSync(second, writePcap([]));

  expect(await found([...paths.slice(0, 2), `${third}.gz`])).toEqual(['x.pcap x.pcap2.gz x.pcap1']);
});

test('a file given twice is read twice', async () => {
  const [first = '', second = ''] = pieces('x.pcap', 'x.pcap1');

  expect(await found([first, second, first])).toEqual(['x.pcap x.pcap1', 'x.pcap']);
});

test('--separate joins nothing, --join everything that can be read', async () => {
  const paths = [...pieces('x.pcap', 'x.pcap1'), ...pieces('another.pcap')];

  expect(await found(paths, 'separate')).toEqual(['x.pcap', 'x.pcap1', 'another.pcap']);
  expect(await found([...paths, '/missing'], 'join')).toEqual([
    'x.pcap another.pcap x.pcap1',
    'missing',
  ]);
});
