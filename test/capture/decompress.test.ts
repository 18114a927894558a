/** Compressed captures read as what is in them; damaged ones as far as they can be. */

import { spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { xxh32 } from '../../src/capture/xxh32.ts';
import { Xxh64 } from '../../src/capture/xxh64.ts';
import { FzstdFrame } from '../../src/capture/zstd-fallback.ts';
import { join, payload, pcapBytes, u32 } from '../support/capture-bytes.ts';
import { type Frame, readFrames } from '../support/read-frames.ts';

/** Half of each frame repeats, so that compressors find matches; half is noise to them. */
const RECORDS = Array.from({ length: 3000 }, (_, index) => ({
  sec: index,
  ticks: index,
  data: join(payload(40), noise(60, index)),
}));
const CAPTURE = pcapBytes({ records: RECORDS });
const RECORD_BYTES = 116;
const MIB = 1024 * 1024;

function noise(length: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

let plain: Promise<Frame[]> | null = null;
async function plainFrames(): Promise<Frame[]> {
  plain ??= readFrames(CAPTURE).then(({ frames }) => frames);
  return plain;
}

/** The output of a compressor of this system, or null where it has none. */
function pack(input: Uint8Array, command: string, ...args: string[]): Uint8Array | null {
  const { status, stdout } = spawnSync(command, args, { input, maxBuffer: 64 * 1024 * 1024 });
  return status === 0 ? new Uint8Array(stdout) : null;
}

const GZIP = new Uint8Array(gzipSync(CAPTURE));
const PACKED: [name: string, bytes: Uint8Array | null][] = [
  ['gzip', GZIP],
  [
    'gzip of several members',
    join(gzipSync(CAPTURE.subarray(0, 777)), gzipSync(CAPTURE.subarray(777))),
  ],
  ['zstd', pack(CAPTURE, 'zstd', '-q', '-c')],
  ['zstd with long matches', pack(CAPTURE, 'zstd', '-q', '-c', '-19', '--long=27')],
  ['zstd with a window of 1 KiB', pack(CAPTURE, 'zstd', '-q', '-c', '--zstd=wlog=10')],
  ['zstd with a window of 128 KiB', pack(CAPTURE, 'zstd', '-q', '-c', '--zstd=wlog=17')],
  ['zstd without checksum', pack(CAPTURE, 'zstd', '-q', '-c', '--no-check')],
  [
    'zstd of several frames',
    concat(
      pack(CAPTURE.subarray(0, 100_000), 'zstd', '-q', '-c'),
      join(u32(0x184d2a53), u32(5), payload(5)),
      pack(CAPTURE.subarray(100_000), 'zstd', '-q', '-c'),
    ),
  ],
  ['lz4', pack(CAPTURE, 'lz4', '-q', '-c')],
  [
    'lz4 behind frames to be skipped',
    concat(
      join(u32(0x184d2a50), u32(3), payload(3), u32(0x184d2a5f), u32(0)),
      pack(CAPTURE, 'lz4', '-q', '-c'),
    ),
  ],
  ['lz4 with linked blocks of 64 KiB', pack(CAPTURE, 'lz4', '-q', '-c', '-9', '-BD', '-B4')],
  [
    'lz4 with block checksums and the content size',
    pack(CAPTURE, 'lz4', '-q', '-c', '-BX', '-B5', '--content-size'),
  ],
  [
    'lz4 of several frames',
    concat(
      pack(CAPTURE.subarray(0, 100_000), 'lz4', '-q', '-c'),
      join(u32(0x184d2a50), u32(0)),
      pack(CAPTURE.subarray(100_000), 'lz4', '-q', '-c', '-B4'),
    ),
  ],
];

function concat(...parts: (Uint8Array | null)[]): Uint8Array | null {
  const known = parts.filter((part) => part !== null);
  return known.length === parts.length ? join(...known) : null;
}

describe.each(PACKED)('%s (skipped where the compressor is missing)', (_, bytes) => {
  const packed = bytes ?? new Uint8Array(0);
  const run = test.skipIf(bytes === null);

  run('gives every frame, whatever the chunks', async () => {
    for (const chunkBytes of [1024 * 1024, 4096, 257]) {
      const { frames, damage, warnings } = await readFrames(packed, { chunkBytes });

      expect(frames).toEqual(await plainFrames());
      expect([damage, warnings]).toEqual([null, []]);
    }
  });

  run(
    'cut anywhere gives the frames before the cut, then damage that names the compression',
    async () => {
      const all = await plainFrames();
      let most = 0;
      for (let index = 1; index < 24; index++) {
        const length = Math.floor((packed.length * index) / 24);
        const { frames, damage } = await readFrames(packed.subarray(0, length)).catch(() => ({
          frames: [],
          damage: { code: 'truncated-none', offset: 24, message: '' },
        }));

        expect(frames).toEqual(all.slice(0, frames.length));
        if (damage === null) continue; // between two members or frames
        expect(damage.code).toMatch(/^truncated-/);
        expect(damage.offset).toBe(24 + frames.length * RECORD_BYTES);
        expect(frames.length).toBeGreaterThanOrEqual(most);
        most = frames.length;
      }
      expect(most).toBeGreaterThan(0);
    },
  );
});

/** A gzip member that gives all of `bytes` and then has a block of the type that deflate does not know. */
function corruptAfter(bytes: Uint8Array): Uint8Array {
  const flushed = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  return join(GZIP.subarray(0, 10), flushed, Uint8Array.of(0x07), noise(50_000, 5));
}

describe('gzip', () => {
  test('with a wrong checksum gives every frame, then damage', async () => {
    const bad = Uint8Array.from(GZIP);
    bad[bad.length - 8]! ^= 1;

    const { frames, damage } = await readFrames(bad);

    expect(frames).toHaveLength(3000);
    expect(damage).toMatchObject({ code: 'bad-gzip', offset: CAPTURE.length });
    expect(damage?.message).toMatch(/^expected gzip checksum [0-9a-f]+, found [0-9a-f]+/);
  });

  test('corrupt in the middle gives from an array all that came before', async () => {
    const good = CAPTURE.subarray(0, 200_000);
    const wholeRecords = Math.floor((good.length - 24) / RECORD_BYTES);

    const { frames, damage } = await readFrames(corruptAfter(good));

    expect(frames).toEqual((await plainFrames()).slice(0, wholeRecords));
    expect(damage).toMatchObject({ code: 'bad-gzip', offset: 24 + wholeRecords * RECORD_BYTES });
    expect(damage?.message).toMatch(/^invalid block type, within the \d+ compressed bytes/);
  });

  test('corrupt in the middle of a pipe gives all but what the last 32 KiB before it hold', async () => {
    const good = CAPTURE.subarray(0, 200_000);
    const bad = corruptAfter(good);
    const safe = await readFrames(bad.subarray(0, 32 * 1024));

    const { frames, damage } = await readFrames(Readable.from([bad]));

    expect(damage?.code).toBe('bad-gzip');
    expect(safe.frames.length).toBeGreaterThan(0);
    expect(frames.length).toBeGreaterThanOrEqual(safe.frames.length);
    expect(frames).toEqual((await plainFrames()).slice(0, frames.length));
  });

  test('with garbage behind its end warns, and gives every frame', async () => {
    const { frames, damage, warnings } = await readFrames(join(GZIP, Buffer.from('garbage')));

    expect(frames).toHaveLength(3000);
    expect(damage).toBeNull();
    expect(warnings).toEqual(['ignored bytes behind the end of the gzip data']);
  });

  test('with a name, a comment, an extra field and a header checksum is read', async () => {
    const header = Uint8Array.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3]);
    const fields = join(
      Uint8Array.from([3, 0, 1, 2, 3]),
      Buffer.from('a.pcap\0hello\0'),
      payload(2),
    );
    const small = gzipSync(pcapBytes({ records: RECORDS.slice(0, 3) }));
    const packed = join(header, fields, small.subarray(10));

    for (const chunkBytes of [1024 * 1024, 1]) {
      expect((await readFrames(packed, { chunkBytes })).frames).toHaveLength(3);
    }
  });

  test('that unpacks to a hundred times its size takes little memory', async () => {
    const bomb = new Uint8Array(gzipSync(join(pcapBytes(), new Uint8Array(200_000_000))));
    const before = process.memoryUsage().arrayBuffers;
    let frames = 0;

    const { openCapture } = await import('../../src/capture/open.ts');
    const { createFrameBatch } = await import('../../src/capture/source.ts');
    const source = await openCapture(bomb);
    const batch = createFrameBatch();
    let most = 0;
    do {
      while (source.fill(batch) > 0) frames += batch.count;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    } while (await source.more());
    await source.close();

    expect(frames).toBe(200_000_000 / 16);
    expect(most).toBeLessThan(120_000_000);
  });
});

describe('zstd', () => {
  const packed = pack(CAPTURE, 'zstd', '-q', '-c', '--check');

  test.skipIf(packed === null)(
    'with a wrong checksum gives every frame, then damage (skipped where zstd is missing)',
    async () => {
      const bad = Uint8Array.from(packed ?? []);
      bad[bad.length - 1]! ^= 1;

      const { frames, damage } = await readFrames(bad);

      expect(frames).toEqual(await plainFrames());
      expect(damage).toMatchObject({ code: 'bad-zstd', offset: CAPTURE.length });
    },
  );

  test.skipIf(packed === null)(
    'corrupt in its last block gives the frames of the blocks before it (skipped where zstd is missing)',
    async () => {
      const bad = Uint8Array.from(packed ?? []);
      bad.fill(0xff, bad.length - 3000, bad.length - 2000);

      const { frames, damage } = await readFrames(bad);

      expect(damage).not.toBeNull();
      expect(frames.length).toBeGreaterThan(1000);
      expect(frames.slice(0, 1000)).toEqual((await plainFrames()).slice(0, 1000));
    },
  );

  test('with a window too large for fzstd is decoded as far as it can be trusted', async () => {
    let total = 0;
    const outlet = {
      take(bytes: Uint8Array) {
        total += bytes.length;
      },
      room: () => null,
    };
    const frame = new FzstdFrame(outlet, false, 128 * MIB);
    // A window of 1 MiB in truth, which is quicker; and blocks of 128 KiB of one byte.
    const block = Uint8Array.of(0x02, 0, 0x10, 0x78);
    await frame.push(join(u32(0xfd2fb528), Uint8Array.of(0, 0x50)));

    const decoding = (async () => {
      for (let i = 0; i < 600; i++) await frame.push(block);
    })();

    await expect(decoding).rejects.toThrow(/at most 67108864 bytes in a zstd frame with a window/);
    expect(total / MIB).toBe(64.125);
  });

  test('with a dictionary, or the bit that is reserved, is refused', async () => {
    const frame = (...header: number[]): Uint8Array =>
      join(u32(0xfd2fb528), Uint8Array.from(header), Uint8Array.of(0xc1, 0, 0), payload(24));

    await expect(readFrames(frame(0x01, 0, 7))).rejects.toThrow(/needs a dictionary/);
    await expect(readFrames(frame(0x08, 0))).rejects.toThrow(/the reserved bit/);
  });

  test('that claims a window of gigabytes is refused before memory is taken', async () => {
    const packed = join(u32(0xfd2fb528), Uint8Array.of(0, 0xa8), payload(50));

    await expect(readFrames(packed)).rejects.toThrow(/window of at most 134217728 bytes/);
  });
});

describe('lz4', () => {
  const stored = (data: Uint8Array): Uint8Array =>
    join(u32((data.length | 0x80000000) >>> 0), data);
  const frame = (flags: number, ...blocks: Uint8Array[]): Uint8Array => {
    const descriptor = Uint8Array.of(0x40 | flags, 0x40);
    const check = Uint8Array.of((xxh32(descriptor) >>> 8) & 0xff);
    return join(u32(0x184d2204), descriptor, check, ...blocks, u32(0));
  };
  const small = pcapBytes({ records: RECORDS.slice(0, 3) });

  test('with stored blocks is read', async () => {
    const { frames, damage } = await readFrames(frame(0x20, stored(small)));

    expect(frames).toHaveLength(3);
    expect(damage).toBeNull();
  });

  test('with a wrong content checksum gives every frame, then damage', async () => {
    const packed = join(frame(0x24, stored(small)), u32((xxh32(small) ^ 1) >>> 0));

    const { frames, damage } = await readFrames(packed);

    expect(frames).toHaveLength(3);
    expect(damage).toMatchObject({ code: 'bad-lz4', offset: small.length });
  });

  test('with a wrong block checksum gives nothing of that block', async () => {
    const checked = (data: Uint8Array, mistake: number): Uint8Array =>
      join(stored(data), u32((xxh32(data) ^ mistake) >>> 0));
    const head = small.subarray(0, 24 + RECORD_BYTES);
    const rest = small.subarray(24 + RECORD_BYTES);

    const { frames, damage } = await readFrames(frame(0x30, checked(head, 0), checked(rest, 1)));

    expect(frames).toHaveLength(1);
    expect(damage).toMatchObject({ code: 'bad-lz4', offset: head.length });
  });

  test('with a match from before its data is damaged', async () => {
    const block = Uint8Array.of(0x10, 65, 9, 0);
    const packed = frame(0x20, stored(small), join(u32(block.length), block));

    const { frames, damage } = await readFrames(packed);

    expect(frames).toHaveLength(3);
    expect(damage?.message).toMatch(/reaches 9 bytes back, before the data/);
  });

  test('with a wrong header checksum is no capture', async () => {
    const packed = frame(0x20, stored(small));
    packed[6]! ^= 1;

    await expect(readFrames(packed)).rejects.toMatchObject({ code: 'not-a-capture' });
  });
});

test('xxh32 gives the values of its specification', () => {
  expect(xxh32(new Uint8Array(0))).toBe(0x02cc5d05);
  expect(xxh32(Buffer.from('abc'))).toBe(0x32d153ff);
  expect(xxh32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
});

test('xxh64 gives the values of its specification, in pieces of any length too', () => {
  const hashOf = (...pieces: Uint8Array[]): bigint => {
    const hash = new Xxh64();
    for (const piece of pieces) hash.update(piece);
    return hash.digest();
  };

  expect(hashOf(new Uint8Array(0))).toBe(0xef46db3751d8e999n);
  expect(hashOf(Buffer.from('abc'))).toBe(0x44bc2cf5ad770999n);
  expect(hashOf(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xfbcea83c8a378bf1n);
  for (const cut of [0, 1, 31, 32, 33, 500, 999]) {
    const bytes = noise(1000, 7);
    expect(hashOf(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(hashOf(bytes));
  }
});
