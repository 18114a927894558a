/** Kept captures hold what was captured, in one file or a ring of them. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeptFiles } from '../../../src/capture/live/keep-files.ts';
import { NO_RING } from '../../../src/capture/live/ring-rules.ts';
import { openCapture } from '../../../src/capture/open.ts';
import { createFrameBatch, type FrameSource } from '../../../src/capture/source.ts';
import { readFrames } from '../../support/read-frames.ts';

const WEB = 'fixtures/demo.pcap';
let folder = '';
const framesIn = async (path: string) => (await readFrames(path)).frames;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'finwait-keep-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Keeps all frames of `source`; `each` is called before each batch. */
async function keepAll(source: FrameSource, kept: KeptFiles, each = () => {}): Promise<void> {
  const batch = createFrameBatch();
  do {
    while (source.fill(batch) > 0) {
      each();
      kept.add(batch, source.interfaces);
    }
  } while (await source.more());
  kept.finish(source.interfaces);
  await source.close();
}

test.each([WEB, 'fixtures/kernel/3way-merged.client.pcapng'])(
  'what is kept of %s holds the same frames, to the nanosecond',
  async (path) => {
    const kept = new KeptFiles(join(folder, 'kept.pcapng'), NO_RING, 'test');

    await keepAll(await openCapture(path), kept);

    expect(kept.failure).toBeNull();
    expect(await framesIn(join(folder, 'kept.pcapng'))).toEqual(await framesIn(path));
  },
);

test.skipIf(process.platform !== 'linux')('a full device ends it, in words', () => {
  const kept = new KeptFiles('/dev/full', NO_RING, 'test');

  expect(kept.failure).toBe('/dev/full: no space left on the device');
});

test('times far from today keep their nanoseconds', async () => {
  const path = join(folder, 'kept.pcapng');
  const kept = new KeptFiles(path, NO_RING, 'test');
  const batch = createFrameBatch();
  batch.count = 2;
  batch.bytes = new Uint8Array(64);
  batch.linkType.fill(1);
  batch.capturedLen.fill(60);
  batch.originalLen.fill(60);
  batch.tsSec.set([0, 4_294_967_295]);
  batch.tsNs.set([1, 999_999_999]);
  const iface = { linkType: 1, snapLen: 512, name: 'eth0', fcsLen: 0, received: 2, dropped: 1 };

  kept.add(batch, [iface]);
  kept.finish([iface]);

  const { frames, interfaces } = await readFrames(path);
  expect(frames.map(({ time }) => time)).toEqual(['0.000000001', '4294967295.999999999']);
  expect(interfaces).toEqual([iface]);
});

describe('a ring of files', () => {
  test('goes on in the next file after so many packets, and keeps the last ones', async () => {
    const rules = { ...NO_RING, packets: 20, files: 2 };
    const now = (): number => Date.parse('2026-01-02T03:04:05');
    const kept = new KeptFiles(join(folder, 'r.pcapng'), rules, 'test', now);

    await keepAll(await openCapture(WEB), kept);

    const names = readdirSync(folder).sort();
    expect(names).toEqual(['r_00004_20260102030405.pcapng', 'r_00005_20260102030405.pcapng']);
    const counts = await Promise.all(
      names.map(async (name) => (await framesIn(join(folder, name))).length),
    );
    expect(counts).toEqual([20, 9]);
  });

  test('goes on after so long on the clock, also while nothing arrives', async () => {
    let ms = 0;
    const kept = new KeptFiles(
      join(folder, 'r.pcapng'),
      { ...NO_RING, durationSec: 10 },
      'test',
      () => ms,
    );

    for (ms = 0; ms < 25_000; ms += 100) kept.tick([]);
    kept.finish([]);

    expect(kept.names).toHaveLength(3);
  });

  test('an interval ends at whole multiples of it', () => {
    let ms = 58_000;
    const rules = { ...NO_RING, intervalSec: 60 };
    const kept = new KeptFiles(join(folder, 'r.pcapng'), rules, 'test', () => ms);

    ms = 59_900;
    kept.tick([]);
    expect(kept.names).toHaveLength(1);
    ms = 60_000;
    kept.tick([]);
    expect(kept.names).toHaveLength(2);
    kept.finish([]);
  });

  test('a file is no longer than told by more than a frame and what ends it', async () => {
    const rules = { ...NO_RING, filesizeKb: 2 };
    const kept = new KeptFiles(join(folder, 'r.pcapng'), rules, 'test');

    await keepAll(await openCapture(WEB), kept);

    expect(kept.names.length).toBeGreaterThan(3);
    let frames = 0;
    for (const name of kept.names) frames += (await framesIn(name)).length;
    expect(frames).toBe(89);
  });
});
