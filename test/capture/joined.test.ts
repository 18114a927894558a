/** Pieces of one capture read as the whole: records, frames, damage. */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runAnalysis } from '../../src/analyze.ts';
import { type JoinedSource, openJoined } from '../../src/capture/joined.ts';
import { openCapture } from '../../src/capture/open.ts';
import { findTimelines } from '../../src/capture/rotation.ts';
import type { FrameSource } from '../../src/capture/source.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import {
  enhancedPacket,
  interfaceBlock,
  join as joinBytes,
  sectionHeader,
} from '../support/capture-bytes.ts';
import { fixturePath } from '../support/fixtures.ts';
import { jsonLine } from '../support/lines.ts';
import { writePcap } from '../support/pcap.ts';
import { drain } from '../support/read-frames.ts';
import { cutFrames, DEMO_FRAMES, later, writeParts } from '../support/rotate.ts';
import { HAS_TSHARK } from '../support/tshark.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-joined-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const newName = (name: string): string => join(folder, String(made++), name);

/** The demo in `count` pieces of tcpdump -C. */
function rotated(count: number): string[] {
  const base = newName('x.pcap');
  const paths = Array.from({ length: count }, (_, i) => `${base}${i === 0 ? '' : i}`);
  writeParts(paths, cutFrames(DEMO_FRAMES, count));
  return paths;
}

async function joined(paths: readonly string[]): Promise<JoinedSource> {
  const [timeline] = await findTimelines(paths, 'auto');
  if (timeline === undefined) throw new Error('no timeline');
  return openJoined(timeline);
}

async function records(source: FrameSource): Promise<ConnectionRecord[]> {
  const all: ConnectionRecord[] = [];
  await runAnalysis(source, { onRecord: (record) => all.push(record) });
  await source.close();
  return all;
}

const lines = (all: ConnectionRecord[]): string[] =>
  all.map((record) => jsonLine({ ...record, file: null }));

describe('the records of pieces', () => {
  test.each([2, 3, 7, 89])('%i are those of the whole capture', async (count) => {
    const whole = await openCapture(writePcap(DEMO_FRAMES), { name: 'whole' });

    const found = await records(await joined(rotated(count)));

    expect(lines(found)).toEqual(lines(await records(whole)));
  });

  test('name the file in which their connection began', async () => {
    const paths = rotated(4);
    const source = await joined(paths);

    const found = await records(source);

    for (const { file, firstFrame } of found) {
      const piece = source.files.find((one) => one.file === file);
      expect(firstFrame).toBeGreaterThanOrEqual(piece?.firstFrame ?? Number.NaN);
      expect(firstFrame).toBeLessThan((piece?.firstFrame ?? 0) + (piece?.frames ?? 0));
    }
    expect(new Set(found.map(({ file }) => file)).size).toBeGreaterThan(2);
    expect(source.files.map(({ file }) => file)).toEqual(paths);
    expect(source.files.reduce((sum, { frames }) => sum + frames, 0)).toBe(DEMO_FRAMES.length);
  });
});

const hasMergecap = spawnSync('mergecap', ['-v']).status === 0 && HAS_TSHARK;

test.skipIf(!hasMergecap)(
  'streams and frame numbers are those of tshark on what mergecap -a makes (skipped where they are missing)',
  async () => {
    const paths = rotated(5);
    const merged = newName('merged.pcap');
    writeParts([merged], [[]]);
    execFileSync('mergecap', ['-a', '-w', merged, ...paths]);
    const fields = ['-T', 'fields', '-e', 'tcp.stream', '-e', 'frame.number'];
    const text = execFileSync('tshark', ['-n', '-r', merged, '-Y', 'tcp', ...fields]).toString();
    const firsts = new Map<string, string>();
    for (const line of text.trim().split('\n')) {
      const [stream = '', frame = ''] = line.split('\t');
      if (!firsts.has(stream)) firsts.set(stream, frame);
    }

    const found = await records(await joined(paths));

    expect(new Map(found.map((r) => [String(r.stream), String(r.firstFrame)]))).toEqual(firsts);
  },
);

test.skipIf(spawnSync('editcap', ['-v']).status !== 0)(
  'what editcap -c cuts a capture into is one capture again (skipped where it is missing)',
  async () => {
    const base = newName('cut.pcapng');
    const whole = fixturePath('demo.pcap');
    writeParts([base], []);
    rmSync(base);
    execFileSync('editcap', ['-c', '20', whole, base]);
    const paths = readdirSync(dirname(base)).map((name) => join(dirname(base), name));

    const found = await records(await joined(paths.reverse()));

    expect(paths).toHaveLength(5);
    expect(lines(found)).toEqual(lines(await records(await openCapture(whole))));
  },
);

test('a timeline of which no file is left is an error', async () => {
  const paths = rotated(2);
  const [timeline] = await findTimelines(paths, 'auto');
  for (const path of paths) rmSync(path);

  await expect(openJoined(timeline ?? { pieces: [], forced: false })).rejects.toMatchObject({
    code: 'not-found',
    source: paths[0],
  });
});

test('the interfaces of pcapng pieces stand one behind the other', async () => {
  const piece = (sec: number, linkTypes: number[]): Uint8Array =>
    joinBytes(
      sectionHeader('little'),
      ...linkTypes.map((linkType) => interfaceBlock('little', { linkType })),
      enhancedPacket('little', {
        iface: linkTypes.length - 1,
        ticks: BigInt(sec) * 1_000_000n,
        data: new Uint8Array(20),
      }),
    );
  const paths = [newName('web_00001_20260101000000.pcapng')];
  paths.push((paths[0] ?? '').replace('00001', '00002'));
  writeParts(paths, []);
  writeFileSync(paths[0] ?? '', piece(1, [101, 1]));
  writeFileSync(paths[1] ?? '', piece(2, [1]));

  const { frames, interfaces } = await drain(await joined(paths));

  expect(interfaces.map(({ linkType }) => linkType)).toEqual([101, 1, 1]);
  expect(frames.map(({ iface, linkType }) => [iface, linkType])).toEqual([
    [1, 1],
    [2, 1],
  ]);
});

describe('a damaged piece', () => {
  test('in the middle is reported, and the next is read', async () => {
    const paths = rotated(3);
    const second = paths[1] ?? '';
    truncateSync(second, readFileSync(second).length - 5);
    const source = await joined(paths);

    const { damage, frames } = await drain(source);

    expect(frames).toHaveLength(DEMO_FRAMES.length - 1);
    expect(source.files.map((file) => file.damage?.code ?? null)).toEqual([
      null,
      'truncated-record',
      null,
    ]);
    expect(damage?.message).toContain(second);
  });

  test.each([0, 1, 2])(
    'number %i, gone when it is due, is reported, and the next is read',
    async (gone) => {
      const paths = rotated(3);
      const [timeline] = await findTimelines(paths, 'auto');
      rmSync(paths[gone] ?? '');
      const source = await openJoined(timeline ?? { pieces: [], forced: false });

      const { frames } = await drain(source);

      expect(frames).toHaveLength(
        cutFrames(DEMO_FRAMES, 3)
          .filter((_, i) => i !== gone)
          .flat().length,
      );
      expect(source.files.map(({ file }) => file)).toEqual(paths);
      expect(source.files[gone]?.damage).toEqual({
        code: 'not-found',
        offset: 0,
        message: 'expected a capture file, found no such file',
      });
    },
  );
});

describe('times that do not go on', () => {
  test.each([
    ['another capture of the same time', -2],
    ['a day later', 86_500],
  ])('%s is a timeline of its own', async (_, seconds) => {
    const paths = rotated(3);
    writeParts(paths.slice(2), [later(DEMO_FRAMES.slice(-30), seconds)]);
    const source = await joined(paths);

    const { frames } = await drain(source);

    expect(frames).toHaveLength(cutFrames(DEMO_FRAMES, 3).slice(0, 2).flat().length);
    expect(source.rest?.pieces.map(({ path }) => path)).toEqual(paths.slice(2));
    expect(source.name).toBe(`${paths[0]} … ${paths[1]} (2 files)`);
  });

  test('are taken as they are with --join', async () => {
    const paths = rotated(2);
    writeParts(paths.slice(1), [later(DEMO_FRAMES.slice(30), 90_000)]);
    const [timeline] = await findTimelines(paths, 'join');

    const source = await openJoined(timeline ?? { pieces: [], forced: true });

    expect((await drain(source)).frames.length).toBeGreaterThan(DEMO_FRAMES.length);
    expect(source.rest).toBeNull();
  });
});
