/** Compressed input of very many, very small parts, as nobody makes it but to keep a reader busy: each part costs little. */

import { createInflateRaw, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ChunkQueue } from '../../src/capture/chunk-queue.ts';
import { xxh32 } from '../../src/capture/xxh32.ts';
import { join, pcapBytes, u32 } from '../support/capture-bytes.ts';
import { readFrames } from '../support/read-frames.ts';

const NOTHING = new Uint8Array(0);
const HEAD = pcapBytes({ records: [] });
/** A record without bytes, which is all zeros, is a frame. */
const RECORD_BYTES = 16;

const times = (count: number, part: Uint8Array): Uint8Array =>
  join(...Array.from({ length: count }, () => part));

/** Processor time in ms, which a busy machine changes little. */
async function cost(run: () => Promise<unknown> | unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / 1000;
}

describe('gzip', () => {
  test('with members without bytes costs less than half a stream each', async () => {
    const count = 3000;
    const packed = join(gzipSync(HEAD), times(count, gzipSync(NOTHING)));
    await readFrames(packed);

    const ofStreams = await cost(() => {
      for (let i = 0; i < count; i++) createInflateRaw({ chunkSize: 1 << 20 }).close();
    });
    const ofMembers = await cost(() => readFrames(packed));

    expect(ofMembers).toBeLessThan(ofStreams / 2);
  });

  test('with members of a byte is read, and a wrong one is damage at its place', async () => {
    const member = gzipSync(Uint8Array.of(0));
    const packed = join(gzipSync(HEAD), times(10 * RECORD_BYTES + 3, member));
    const bad = packed.slice();
    // The checksum of the last member but two.
    bad[bad.length - 2 * member.length - 8]! ^= 1;

    const whole = await readFrames(packed);
    const spoilt = await readFrames(bad);

    expect(whole.frames).toHaveLength(10);
    expect(whole.damage).toMatchObject({ code: 'truncated-record' });
    expect(spoilt.frames).toHaveLength(10);
    expect(spoilt.damage?.message).toMatch(/^expected gzip checksum [0-9a-f]+, found [0-9a-f]+/);
  });

  test('with small and large members in turn gives all bytes', async () => {
    const small = gzipSync(new Uint8Array(RECORD_BYTES));
    const large = gzipSync(new Uint8Array(RECORD_BYTES * 5000));
    const packed = join(gzipSync(HEAD), times(20, join(small, small, large)));

    for (const chunkBytes of [1 << 20, 100]) {
      const { damage, frames } = await readFrames(packed, { chunkBytes });

      expect([frames.length, damage]).toEqual([20 * 5002, null]);
    }
  });
});

describe('lz4', () => {
  const frame = (size: number, ...blocks: Uint8Array[]): Uint8Array => {
    const descriptor = Uint8Array.of(0x60, size);
    const check = Uint8Array.of((xxh32(descriptor) >>> 8) & 0xff);
    return join(u32(0x184d2204), descriptor, check, ...blocks, u32(0));
  };
  const stored = (data: Uint8Array): Uint8Array =>
    join(u32((data.length | 0x80000000) >>> 0), data);
  const head = frame(0x40, stored(HEAD));

  test('with frames of large and small blocks in turn allocates once', async () => {
    const count = 500;
    const equal = join(head, times(2 * count, frame(0x40)));
    const inTurn = join(head, times(count, join(frame(0x70), frame(0x40))));
    await readFrames(equal);

    const [ofEqual, ofTurns] = [
      await cost(() => readFrames(equal)),
      await cost(() => readFrames(inTurn)),
    ];

    expect(ofTurns).toBeLessThan(5 * ofEqual + 50);
  });

  test('with blocks of a byte behind a long history is read', async () => {
    const records = 1000;
    const zeros = times(records * RECORD_BYTES, stored(Uint8Array.of(0)));
    const history = stored(new Uint8Array(RECORD_BYTES * 4096));

    const { damage, frames } = await readFrames(join(head, frame(0x40, history, zeros)));

    expect([frames.length, damage]).toEqual([4096 + records, null]);
  });
});

describe('zstd', () => {
  /** Frames without a content size; `window`: 1 KiB times a power of 2. */
  const frame = (window: number, ...blocks: Uint8Array[]): Uint8Array =>
    join(u32(0xfd2fb528), Uint8Array.of(0, window << 3), ...blocks);
  const raw = (data: Uint8Array, isLast: boolean): Uint8Array =>
    join(u32((data.length << 3) | Number(isLast)).subarray(0, 3), data);
  const head = frame(0, raw(HEAD, true));

  test('with frames that claim large windows costs no more than with small ones', async () => {
    const count = 100;
    const packed = [0, 16].map((window) =>
      join(head, times(count, frame(window, raw(NOTHING, true)))),
    );
    await readFrames(packed[0] ?? NOTHING);

    const [ofSmall = 0, ofLarge = 0] = [
      await cost(() => readFrames(packed[0] ?? NOTHING)),
      await cost(() => readFrames(packed[1] ?? NOTHING)),
    ];

    expect(ofLarge).toBeLessThan(5 * ofSmall + 50);
  });

  test('with blocks of a byte in a large window costs no more than in a small one', async () => {
    const records = 250;
    const blocks = join(
      times(records * RECORD_BYTES, raw(Uint8Array.of(0), false)),
      raw(NOTHING, true),
    );
    const read = async (window: number): Promise<void> => {
      const { damage, frames } = await readFrames(join(head, frame(window, blocks)));
      expect([frames.length, damage]).toEqual([records, null]);
    };
    await read(0);

    const [ofSmall, ofLarge] = [await cost(() => read(0)), await cost(() => read(13))];

    expect(ofLarge).toBeLessThan(3 * ofSmall + 50);
  });
});

test('bytes that come one by one wait in blocks, and are read together', () => {
  const queue = new ChunkQueue();
  const into = new Uint8Array(1 << 20);
  for (let i = 0; i < 100_000; i++) queue.take(Uint8Array.of(i));
  queue.take(new Uint8Array(10_000).fill(7));
  queue.take(Uint8Array.of(8));

  const counts: number[] = [];
  let end = 0;
  for (let count = queue.read(into, 0); count > 0; count = queue.read(into, end)) {
    counts.push(count);
    end += count;
  }

  expect(counts).toEqual([65_536, 34_464, 10_000, 1]);
  expect(into.subarray(0, 100_000)).toEqual(Uint8Array.from({ length: 100_000 }, (_, i) => i));
  expect([into[100_000], into[end - 1]]).toEqual([7, 8]);
});
