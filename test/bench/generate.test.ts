/** The benchmark's captures are the same on every machine, and are TCP as tshark reads it. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GenerateOptions, KINDS } from '../../bench/generate/index.ts';
import { generateFile } from '../../bench/generate.ts';
import { generated, USUAL } from '../support/generated.ts';
import { HAS_TSHARK } from '../support/tshark.ts';

const PLAIN = { ...USUAL, seed: 7, frames: 3000, concurrency: 16 };
const VARIANTS: readonly Partial<GenerateOptions>[] = [
  {},
  { container: 'pcapng' },
  { ipVersion: 6 },
  { vlan: true, container: 'pcapng', ipVersion: 6 },
];

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'finwait-bench-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function framesOfPcap(capture: Buffer): number {
  let frames = 0;
  for (let at = 24; at < capture.length; at += 16 + capture.readUInt32LE(at + 8)) frames += 1;
  return frames;
}

describe.each(KINDS)('a generated %s capture', (kind) => {
  test('has the same bytes for the same seed, and others for another', async () => {
    const first = await generated({ ...PLAIN, kind });
    const second = await generated({ ...PLAIN, kind });
    const other = await generated({ ...PLAIN, kind, seed: 8 });

    expect(second.equals(first)).toBe(true);
    expect(other.equals(first)).toBe(false);
  });

  test('has exactly the frames asked for', async () => {
    expect(framesOfPcap(await generated({ ...PLAIN, kind }))).toBe(3000);
  });

  test('never goes back in time', async () => {
    const capture = await generated({ ...PLAIN, kind });

    let lastUs = 0;
    for (let at = 24; at < capture.length; at += 16 + capture.readUInt32LE(at + 8)) {
      const us = capture.readUInt32LE(at) * 1e6 + capture.readUInt32LE(at + 4);
      expect(us).toBeGreaterThanOrEqual(lastUs);
      lastUs = us;
    }
    expect(lastUs).toBeGreaterThan(1_767_225_600e6);
  });

  test('stops after the chunk that reaches the byte limit', async () => {
    const capture = await generated({ ...PLAIN, kind, frames: Infinity, maxBytes: 3_000_000 });

    expect(capture.length).toBeGreaterThanOrEqual(3_000_000);
    expect(capture.length).toBeLessThan(4_200_000);
  });

  test.for(VARIANTS)(
    'has nothing that tshark calls malformed or wrong: %o',
    async (variant, { skip }) => {
      if (!HAS_TSHARK) skip('tshark is not installed');
      const path = join(folder, `${kind}.cap`);
      writeFileSync(path, await generated({ ...PLAIN, ...variant, kind }));
      const wrong = [
        '_ws.malformed',
        'tcp.checksum.status == "Bad"',
        'ip.checksum.status == "Bad"',
        'tcp.analysis.retransmission',
        'tcp.analysis.ack_lost_segment',
        'tcp.analysis.lost_segment',
        'tcp.analysis.duplicate_ack',
        'not tcp',
      ].join(' or ');

      const options = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
      const found = execFileSync('tshark', ['-n', '-r', path, ...options, '-Y', wrong], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString();

      expect(found).toBe('');
    },
  );
});

test('a flood closes its connections in every way and leaves some open', async () => {
  const capture = await generated({ ...PLAIN, kind: 'flood', frames: 20_000, concurrency: 500 });

  let fins = 0;
  let resets = 0;
  const connections = new Set<string>();
  for (let at = 24; at < capture.length; at += 16 + capture.readUInt32LE(at + 8)) {
    const tcp = at + 16 + 34;
    const flags = capture.readUInt8(tcp + 13);
    if (flags & 1) fins += 1;
    if (flags & 4) resets += 1;
    if (flags === 2) connections.add(capture.toString('hex', at + 42, tcp + 4));
  }

  expect(connections.size).toBeGreaterThan(1900);
  expect(connections.size).toBeLessThan(2100);
  expect(fins / connections.size).toBeCloseTo(1.47, 1);
  expect(resets / connections.size).toBeCloseTo(0.19, 1);
});

test('a flood whose connections all close has two FINs or a RST for each but those cut off', async () => {
  const options: GenerateOptions = { ...PLAIN, kind: 'flood', frames: 20_000, allClose: true };
  const path = join(folder, 'closed.pcap');

  await generateFile(options, path, false);

  const { opened, closed } = countCloses(readFileSync(path));
  expect(opened).toBeGreaterThan(1900);
  expect(opened - closed).toBeLessThanOrEqual(16);
});

test('gzip output unpacks to the plain capture', async () => {
  const options: GenerateOptions = { ...PLAIN, kind: 'web', frames: 20_000 };
  const path = join(folder, 'web.pcap.gz');

  await generateFile(options, path, true);

  expect(sha256(gunzipSync(readFileSync(path)))).toBe(sha256(await generated(options)));
});

/** SYNs without ACK, and the ends: a RST, or two FINs. */
function countCloses(capture: Buffer): { opened: number; closed: number } {
  let opened = 0;
  let closed = 0;
  for (let at = 24; at < capture.length; at += 16 + capture.readUInt32LE(at + 8)) {
    const flags = capture.readUInt8(at + 16 + 34 + 13);
    if (flags === 2) opened += 1;
    if (flags & 4) closed += 1;
    if (flags & 1) closed += 0.5;
  }
  return { opened, closed };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
