/** Which files are pieces of one rotated capture, and in which order. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { missingPeriods, type ReadPiece } from '../../src/capture/missing-pieces.ts';
import { namePattern } from '../../src/capture/piece-names.ts';
import { findTimelines, type JoinMode } from '../../src/capture/rotation.ts';
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

describe('a piece that is missing is known by its number', () => {
  /** What is said of the names, which are in the order of their times; by the name behind. */
  async function missingIn(...names: string[]): Promise<Record<string, string>> {
    const timelines = await findTimelines(pieces(...names).sort(), 'auto');
    const said = timelines.flatMap(({ pieces }) => pieces);
    return Object.fromEntries(
      said.flatMap(({ missing, path }) =>
        missing === null ? [] : [[path.split('/').at(-1), missing]],
      ),
    );
  }
  const one = (number: number): string =>
    `the piece before it, number ${number}, is missing: its packets count as lost`;
  const dumpcap = (...numbers: number[]): string[] =>
    numbers.map((n, i) => `cap_${String(n).padStart(5, '0')}_2026010100000${i}.pcapng`);

  test('dumpcap -b', async () => {
    const [first = '', second = '', fourth = ''] = dumpcap(1, 2, 4);

    expect(await missingIn(first, second, fourth)).toEqual({ [fourth]: one(3) });
    expect(
      await missingIn('cap_20260101000000_00001.pcap', 'cap_20260101000001_00005.pcap'),
    ).toEqual({
      'cap_20260101000001_00005.pcap':
        '3 pieces before it, from number 2 on, are missing: their packets count as lost',
    });
  });

  test('tcpdump -C, whose first has none, with and without compression', async () => {
    expect(await missingIn('x.pcap', 'x.pcap2', 'x.pcap3', 'x.pcap11')).toEqual({
      'x.pcap2': one(1),
      'x.pcap11': '7 pieces before it, from number 4 on, are missing: their packets count as lost',
    });
  });

  test('tcpdump -G with -C counts anew in each period', async () => {
    const [a, b] = ['t-20260101.pcap', 't-20260102.pcap'];

    expect(await missingIn(a, `${a}1`, `${a}2`, b, `${b}1`, `${b}3`)).toEqual({
      [`${b}3`]: one(2),
    });
    expect(await missingIn(a, `${a}1`, `${b}5`, `${b}6`)).toEqual({});
  });

  test.each([
    ['a ring of tcpdump that began anywhere', ['x.pcap2', 'x.pcap3', 'x.pcap0', 'x.pcap1']],
    ['a ring of ten and more', ['x.pcap09', 'x.pcap10', 'x.pcap11', 'x.pcap00', 'x.pcap01']],
    ['a ring started anew', ['x.pcap7', 'x.pcap8', 'x.pcap2', 'x.pcap3', 'x.pcap0', 'x.pcap1']],
    ['the oldest files of dumpcap removed', dumpcap(7, 8, 9)],
    ['dumpcap behind its last number', dumpcap(99_998, 99_999, 0, 1)],
    ['dumpcap started anew', dumpcap(1, 2, 3, 1, 2)],
    ['times alone', ['x-20260101-000000.pcap', 'x-20260101-000100.pcap', 'x-20260109.pcap']],
    ['seconds since 1970', ['1767225600.pcap', '1767225660.pcap', '1767229999.pcap']],
  ])('nothing is said of %s', async (_, names) => {
    expect(await missingIn(...names)).toEqual({});
  });

  test('not one without frames, of no capture, or with a time that lies elsewhere', async () => {
    const paths = pieces('x.pcap', 'x.pcap1', 'x.pcap2', 'x.pcap4', 'x.pcap3', 'x.pcap5');
    writeFileSync(paths[1] ?? '', writePcap([]));
    writeFileSync(paths[2] ?? '', 'no capture');

    const timelines = await findTimelines(paths, 'auto');

    expect(timelines).toHaveLength(2);
    for (const { pieces } of timelines) {
      for (const { missing } of pieces) expect(missing).toBeNull();
    }
  });
});

describe('whole periods without a piece', () => {
  /** Pieces of 60 s that begin at these minutes, full but for those in `short`. */
  const minutes = (starts: readonly number[], short: readonly number[] = []): ReadPiece[] =>
    starts.map((minute) => ({
      path: `x-2026010100${String(minute).padStart(2, '0')}00.pcap`,
      startSec: 60 * minute,
      endSec: 60 * minute + (short.includes(minute) ? 20 : 59.9),
    }));

  test('are said where all other pieces follow at once, and the one before was full', () => {
    expect(missingPeriods(minutes([0, 1, 2, 4, 5, 9]))).toEqual([
      'x-20260101000400.pcap: begins 1 min 00 s after the end of x-20260101000200.pcap, where the other pieces follow at once: one may be missing',
      'x-20260101000900.pcap: begins 3 min 00 s after the end of x-20260101000500.pcap, where the other pieces follow at once: one may be missing',
    ]);
  });

  test.each([
    ['few pieces', minutes([0, 1, 3])],
    ['a capture that was stopped and went on', minutes([0, 1, 2, 4, 5], [2])],
    ['a link that is idle now and then', minutes([0, 1, 3, 4, 5, 7, 8], [1, 4])],
    ['pieces of different length', minutes([0, 1, 3, 9, 20, 50])],
    [
      'names with numbers',
      minutes([0, 1, 2, 4, 5]).map((one, i) => ({ ...one, path: `x.pcap${i}` })),
    ],
  ])('are not said of %s', (_, pieces) => {
    expect(missingPeriods(pieces)).toEqual([]);
  });
});
