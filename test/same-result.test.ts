/** The same frames give the same records, byte for byte, however they reach finwait. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { runAnalysis } from '../src/analyze.ts';
import { openCapture } from '../src/capture/open.ts';
import * as build from './support/capture-bytes.ts';
import { FIXTURES, OTHER_CAPTURES } from './support/captures.ts';
import { shell } from './support/command.ts';
import { fixturePath } from './support/fixtures.ts';
import { jsonLine } from './support/lines.ts';
import { readFrames } from './support/read-frames.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-same-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The records as JSON Lines, and where the input ended in damage. */
async function analyzed(input: string | Uint8Array, chunkBytes?: number): Promise<string> {
  const options = { name: 'capture', ...(chunkBytes === undefined ? {} : { chunkBytes }) };
  const source = await openCapture(input, options);
  const records: string[] = [];
  try {
    const { damage } = await runAnalysis(source, {
      file: 'capture',
      onRecord: (record) => records.push(`${jsonLine(record)}\n`),
    });
    return `${records.join('')}${JSON.stringify(damage)}`;
  } finally {
    await source.close();
  }
}

const ALL = [...FIXTURES, ...OTHER_CAPTURES];
/** Larger ones are read in chunks of one byte by the readers' own tests. */
const MAX_BYTES_ONE_BY_ONE = 20_000;

describe('whatever the size of the chunks', () => {
  test.each(ALL.map(({ title, path }) => [title, path]))('%s', async (_, path) => {
    const whole = await analyzed(path).catch((error: Error) => error.message);

    for (const chunkBytes of [1, 7, 61, 4096, 65_537]) {
      if (chunkBytes < 61 && readFileSync(path).length > MAX_BYTES_ONE_BY_ONE) continue;
      const parts = await analyzed(path, chunkBytes).catch((error: Error) => error.message);

      expect(parts, `in chunks of ${chunkBytes}`).toBe(whole);
    }
    expect(whole).not.toBe('');
  });
});

/** The frames of a capture in other containers, or null where one link type can't hold them all. */
async function inOtherContainers(path: string): Promise<Record<string, Uint8Array> | null> {
  const { frames, damage } = await readFrames(path);
  const linkTypes = new Set(frames.map(({ linkType }) => linkType));
  const [linkType] = linkTypes;
  if (linkTypes.size !== 1 || linkType === undefined || damage !== null) return null;
  const parts = frames.map(({ time, hex, originalLen, capturedLen }) => {
    const [sec = '', ns = ''] = time.split('.');
    const data = new Uint8Array(Buffer.from(hex, 'hex'));
    return { sec: Number(sec), ns: Number(ns), data, originalLen, capturedLen };
  });
  const made: Record<string, Uint8Array> = {};
  for (const order of ['little', 'big'] as const) {
    const records = parts.map((part) => ({ ...part, ticks: part.ns }));
    made[`pcap of nanoseconds, ${order}-endian`] = build.pcapBytes({
      ...{ order, magic: 0xa1b23c4d, snapLen: 262_144, linkField: linkType, records },
    });
    const resolution = [{ code: 9, value: Uint8Array.of(9) }];
    made[`pcapng, ${order}-endian`] = build.join(
      build.sectionHeader(order),
      build.interfaceBlock(order, { linkType, options: resolution }),
      ...parts.map(({ sec, ns, data, originalLen }) => {
        const ticks = BigInt(sec) * 1_000_000_000n + BigInt(ns);
        return build.enhancedPacket(order, { ticks, data, originalLen });
      }),
    );
    if (parts.some(({ ns }) => ns % 1000 !== 0)) continue;
    made[`pcap of microseconds, ${order}-endian`] = build.pcapBytes({
      ...{ order, snapLen: 262_144, linkField: linkType },
      records: parts.map((part) => ({ ...part, ticks: part.ns / 1000 })),
    });
  }
  return made;
}

describe('whatever the container', () => {
  test('pcap and pcapng of every fixture and capture, in both byte orders', async () => {
    let compared = 0;
    for (const { title, path } of ALL) {
      const made = await inOtherContainers(path).catch(() => null);
      if (made === null) continue;
      const whole = await analyzed(path);
      for (const [container, bytes] of Object.entries(made)) {
        expect(await analyzed(bytes), `${title} as ${container}`).toBe(whole);
        compared += 1;
      }
    }

    expect(compared).toBeGreaterThan(300);
  });
});

describe('whatever the way', () => {
  const demo = 'fixtures/demo.pcap';
  const bytes = readFileSync(fixturePath('demo.pcap'));
  const packed = join(folder, 'demo.gz');
  writeFileSync(packed, gzipSync(bytes));
  const named = shell(`finwait -f jsonl ${demo}`).stdout.replaceAll(demo, '-');

  test.each([
    ['standard input from a file', `finwait -f jsonl - < ${demo}`],
    ['a pipe', `cat ${demo} | finwait -f jsonl -`],
    ['a slow pipe in pieces', `{ head -c 1000; sleep 0.2; cat; } < ${demo} | finwait -f jsonl -`],
    ['a compressed pipe', `cat ${packed} | finwait -f jsonl -`],
    ['compressed standard input from a file', `finwait -f jsonl - < ${packed}`],
    [
      'compressed standard input that was read in part',
      `{ printf abc; cat ${packed}; } > ${folder}/late; { dd bs=3 count=1 of=${folder}/gone 2> /dev/null; finwait -f jsonl -; } < ${folder}/late`,
    ],
    [
      'a named pipe',
      `mkfifo ${folder}/-; cat ${demo} > ${folder}/- & finwait -f jsonl ${folder}/-`,
    ],
    ['the pcap-parser package', `finwait -f jsonl --reader pcap-parser ${demo}`],
  ])('%s', (_, command) => {
    const { status, stdout, stderr } = shell(command);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.replaceAll(/"file":"[^"]*"/g, '"file":"-"')).toBe(named);
    expect(stdout.split('\n')).toHaveLength(13);
  });
});
