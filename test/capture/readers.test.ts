/** The tests that every reader passes: all input at once, a byte at a time, cut at every offset, and mutated. */

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaptureError } from '../../src/base/errors.ts';
import {
  type ByteOrder,
  block,
  enhancedPacket,
  interfaceBlock,
  join,
  obsoletePacket,
  payload,
  pcapBytes,
  sectionHeader,
  simplePacket,
  statisticsBlock,
  u64,
} from '../support/capture-bytes.ts';
import { readFrames } from '../support/read-frames.ts';

const SEED = 20260102;
const ORDERS: ByteOrder[] = ['little', 'big'];
const RECORDS = [
  { sec: 1, ticks: 2, data: payload(40, 1) },
  { sec: 3, ticks: 4, data: payload(0, 2), originalLen: 90 },
  { sec: 5, ticks: 6, data: payload(33, 3) },
];

interface Container {
  name: string;
  bytes: Uint8Array;
  /** Offsets at which a record or block begins, the end included: a cut there is no damage. */
  seams: number[];
  /** Bytes that must be there for it to be a capture at all. */
  headerBytes: number;
}

function pcap(order: ByteOrder, magic: number, name: string): Container {
  const headerBytes = magic === 0xa1b2cd34 ? 24 : 16;
  const seams = [24];
  for (const { data } of RECORDS) seams.push(seams.at(-1)! + headerBytes + data.length);
  const bytes = pcapBytes({ order, magic, records: RECORDS });
  return { name: `${order}-endian ${name}`, bytes, seams, headerBytes: 24 };
}

function pcapng(order: ByteOrder): Container {
  const other = order === 'little' ? 'big' : 'little';
  const blocks = [
    sectionHeader(order),
    interfaceBlock(order, { options: [{ code: 2, value: Buffer.from('eth0') }] }),
    enhancedPacket(order, { ticks: 1_000_002n, data: payload(41, 1) }),
    interfaceBlock(order, { linkType: 101, options: [{ code: 9, value: Uint8Array.of(9) }] }),
    enhancedPacket(order, { iface: 1, ticks: 3_000_000_004n, data: payload(30, 2) }),
    simplePacket(order, payload(23, 3)),
    obsoletePacket(order, { ticks: 5_000_006n, data: payload(22, 4) }),
    block(order, 0xbad, payload(16)),
    statisticsBlock(order, 0, [{ code: 5, value: u64(3n, order === 'little') }]),
    sectionHeader(other),
    interfaceBlock(other),
    enhancedPacket(other, { ticks: 7_000_008n, data: payload(21, 5) }),
  ];
  const seams = [0];
  for (const { length } of blocks) seams.push(seams.at(-1)! + length);
  return { name: `${order}-endian pcapng`, bytes: join(...blocks), seams, headerBytes: 28 };
}

const CONTAINERS = ORDERS.flatMap((order) => [
  pcap(order, 0xa1b2c3d4, 'pcap'),
  pcap(order, 0xa1b23c4d, 'nanosecond pcap'),
  pcap(order, 0xa1b2cd34, 'modified pcap'),
  pcapng(order),
]);
const CASES = CONTAINERS.flatMap((container) => {
  const native = { ...container, reader: 'native' as const };
  if (!container.name.endsWith('-endian pcap')) return [native];
  const name = `${container.name} with pcap-parser`;
  return [native, { ...container, name, reader: 'pcap-parser' as const }];
});

describe.each(CASES)('a $name', ({ bytes, seams, headerBytes, reader }) => {
  test('gives the same frames a byte at a time as at once', async () => {
    const whole = await readFrames(bytes, { reader });

    const byByte = await readFrames(bytes, { reader, chunkBytes: 1 });

    expect(whole.damage).toBeNull();
    expect(whole.frames.length).toBeGreaterThanOrEqual(3);
    expect(byByte).toEqual(whole);
  });

  test('gives the same frames from a stream, a byte a chunk', async () => {
    const whole = await readFrames(bytes, { reader });
    const stream = Readable.from(Array.from(bytes, (byte) => Uint8Array.of(byte)));

    const streamed = await readFrames(stream, { reader });

    expect(streamed).toEqual(whole);
  });

  test('gives the same frames compressed with gzip', async () => {
    const whole = await readFrames(bytes, { reader });

    const unpacked = await readFrames(gzipSync(bytes), { reader, chunkBytes: 7 });

    expect(unpacked).toEqual(whole);
  });

  test('cut at any offset gives all whole frames before it, and where the cut record begins', async () => {
    const whole = await readFrames(bytes, { reader });

    for (let length = headerBytes; length <= bytes.length; length++) {
      const { frames, damage } = await readFrames(bytes.subarray(0, length), { reader });
      const lastSeam = seams.findLast((seam) => seam <= length);

      expect(frames, `cut at ${length}`).toEqual(whole.frames.slice(0, frames.length));
      expect(damage?.offset ?? null, `cut at ${length}`).toBe(
        lastSeam === length ? null : lastSeam,
      );
      if (damage !== null) expect(damage.code).toMatch(/^truncated-(record|block)$/);
    }
  });

  test('cut within its header is no capture', async () => {
    for (let length = 0; length < headerBytes; length++) {
      const cut = readFrames(bytes.subarray(0, length), { reader });
      const code = length === 0 ? 'empty' : 'not-a-capture';

      await expect(cut, `cut at ${length}`).rejects.toMatchObject({ code });
    }
  });

  test('loses no frame to the cut: each is handed over once its last byte is there', async () => {
    const whole = await readFrames(bytes, { reader });
    let before = 0;
    const counts: number[] = [];
    for (const seam of seams.filter((offset) => offset >= headerBytes)) {
      const { frames } = await readFrames(bytes.subarray(0, seam), { reader });
      counts.push(frames.length - before);
      before = frames.length;
    }

    expect(Math.max(...counts)).toBe(1);
    expect(before).toBe(whole.frames.length);
  });

  test('with bytes changed at random gives frames, damage or a CaptureError, and nothing else', async () => {
    const change = fc.record({
      at: fc.nat({ max: bytes.length - 1 }),
      value: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const mutated = Uint8Array.from(bytes);
        for (const { at, value } of changes) mutated[at] = value;
        try {
          const { frames } = await readFrames(mutated, { reader });
          expect(frames.length).toBeLessThanOrEqual(bytes.length / 12);
        } catch (error) {
          expect(error).toBeInstanceOf(CaptureError);
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
  });
});

test('random bytes behind any magic number give frames, damage or a CaptureError', async () => {
  const magics = [
    'd4c3b2a1020004000000000000000000ffff000001000000',
    'a1b23c4d000200040000000000000000000400000000000f',
    '0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000',
    '1f8b0800000000000003',
    '28b52ffd',
    '04224d18',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...magics),
      fc.uint8Array({ maxLength: 300 }),
      async (magic, rest) => {
        try {
          await readFrames(join(Buffer.from(magic, 'hex'), rest));
        } catch (error) {
          expect(error).toBeInstanceOf(CaptureError);
        }
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
});
