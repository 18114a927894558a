/** Classic pcap in either byte order, of any version, and damaged. */

import { describe, expect, test } from 'vitest';
import { type ByteOrder, payload, pcapBytes } from '../support/capture-bytes.ts';
import { readFrames } from '../support/read-frames.ts';

const ORDERS: ByteOrder[] = ['little', 'big'];

describe.each(ORDERS)('a %s-endian pcap', (order) => {
  test('gives microseconds as nanoseconds, and both lengths', async () => {
    const records = [{ sec: 1_700_000_000, ticks: 123_456, data: payload(60), originalLen: 1514 }];

    const { frames, damage, interfaces } = await readFrames(pcapBytes({ order, records }));

    expect(frames).toEqual([
      {
        time: '1700000000.123456000',
        capturedLen: 60,
        originalLen: 1514,
        iface: 0,
        linkType: 1,
        hex: Buffer.from(payload(60)).toString('hex'),
      },
    ]);
    expect(damage).toBeNull();
    expect(interfaces).toEqual([
      { linkType: 1, snapLen: 65535, name: null, fcsLen: 0, received: null, dropped: null },
    ]);
  });

  test('keeps nanoseconds where the magic number says so', async () => {
    const records = [{ sec: 4_294_967_295, ticks: 999_999_999, data: payload(1) }];

    const { frames } = await readFrames(pcapBytes({ order, magic: 0xa1b23c4d, records }));

    expect(frames[0]?.time).toBe('4294967295.999999999');
  });

  test('with the modified record header has its frame 24 bytes behind the record', async () => {
    const records = [
      { sec: 1, ticks: 2, data: payload(40, 1) },
      { sec: 3, ticks: 4, data: payload(41, 2) },
    ];

    const { frames } = await readFrames(pcapBytes({ order, magic: 0xa1b2cd34, records }));

    expect(frames.map(({ hex }) => hex)).toEqual(
      records.map(({ data }) => Buffer.from(data).toString('hex')),
    );
    expect(frames[1]?.time).toBe('3.000004000');
  });

  test('with an FCS length in the upper bits of its link type still has that link type', async () => {
    const linkField = (0x20000000 | 0x04000000 | 113) >>> 0;

    const { interfaces, frames } = await readFrames(
      pcapBytes({ order, linkField, records: [{ sec: 1, ticks: 0, data: payload(9) }] }),
    );

    expect(interfaces[0]).toMatchObject({ linkType: 113, fcsLen: 4 });
    expect(frames[0]?.linkType).toBe(113);
  });

  test('without the FCS bit has no FCS length, whatever the length bits say', async () => {
    const { interfaces } = await readFrames(pcapBytes({ order, linkField: 0x20000001 }));

    expect(interfaces[0]).toMatchObject({ linkType: 1, fcsLen: 0 });
  });

  test('carries a fraction of a second and more into the seconds', async () => {
    const micro = [{ sec: 10, ticks: 2_500_001, data: payload(4) }];
    const nano = [{ sec: 10, ticks: 2_147_483_648, data: payload(4) }];

    const ofMicro = await readFrames(pcapBytes({ order, records: micro }));
    const ofNano = await readFrames(pcapBytes({ order, magic: 0xa1b23c4d, records: nano }));

    expect(ofMicro.frames[0]?.time).toBe('12.500001000');
    expect(ofNano.frames[0]?.time).toBe('12.147483648');
  });

  test('clamps a carry beyond the last second to the last second', async () => {
    const records = [{ sec: 4_294_967_295, ticks: 3_000_000, data: payload(4) }];

    const { frames } = await readFrames(pcapBytes({ order, records }));

    expect(frames[0]?.time).toBe('4294967295.000000000');
  });

  // tshark 4.0 and libpcap 1.10 do the same with these versions.
  test.each([
    { version: [2, 2], lengths: [100, 60], expected: [60, 100] },
    { version: [2, 3], lengths: [100, 60], expected: [60, 100] },
    { version: [2, 3], lengths: [60, 100], expected: [60, 100] },
    { version: [543, 0], lengths: [100, 60], expected: [60, 100] },
    { version: [2, 9], lengths: [60, 100], expected: [60, 100] },
  ] as const)(
    'of version $version with the lengths $lengths has them in the order $expected',
    async ({ version, lengths, expected }) => {
      const records = [
        {
          sec: 1,
          ticks: 0,
          data: payload(60),
          capturedLen: lengths[0],
          originalLen: lengths[1],
        },
        { sec: 2, ticks: 0, data: payload(60) },
      ];

      const { frames } = await readFrames(
        pcapBytes({ order, version: [version[0], version[1]], records }),
      );

      expect(frames).toHaveLength(2);
      expect([frames[0]?.capturedLen, frames[0]?.originalLen]).toEqual(expected);
    },
  );

  test.each([
    [1, 4],
    [3, 0],
    [543, 1],
  ] as [number, number][])('of version %i.%i is refused', async (major, minor) => {
    const bytes = pcapBytes({ order, version: [major, minor] });

    await expect(readFrames(bytes, { name: 'a.pcap' })).rejects.toMatchObject({
      code: 'unsupported-version',
      message: `a.pcap: expected pcap version 2.x, found ${major}.${minor} (at byte 4)`,
    });
  });

  test('whose captured length is above the original length keeps every captured byte', async () => {
    const records = [{ sec: 1, ticks: 0, data: payload(60), originalLen: 40 }];

    const { frames } = await readFrames(pcapBytes({ order, records }));

    expect(frames[0]).toMatchObject({ capturedLen: 60, originalLen: 60 });
  });

  test('with an original length beyond 2^31 has it clamped', async () => {
    const records = [{ sec: 1, ticks: 0, data: payload(60), originalLen: 0xffffffff }];

    const { frames } = await readFrames(pcapBytes({ order, records }));

    expect(frames[0]?.originalLen).toBe(0x7fffffff);
  });

  test.each([0, 40])('of snap length %i keeps a longer frame whole', async (snapLen) => {
    const records = [{ sec: 1, ticks: 0, data: payload(262_144) }];

    const { frames, damage } = await readFrames(pcapBytes({ order, snapLen, records }));

    expect(damage).toBeNull();
    expect(frames[0]?.capturedLen).toBe(262_144);
  });

  test('of a snap length above 256 KiB has frames as long as that', async () => {
    const records = [{ sec: 1, ticks: 0, data: payload(2_000_000) }];

    const { frames, damage } = await readFrames(pcapBytes({ order, snapLen: 2_000_000, records }));

    expect(damage).toBeNull();
    expect(frames[0]?.capturedLen).toBe(2_000_000);
  });

  test('with an absurd captured length is damaged where that record begins', async () => {
    const records = [
      { sec: 1, ticks: 0, data: payload(60) },
      { sec: 2, ticks: 0, data: payload(60), capturedLen: 0xfffffff0 },
      { sec: 3, ticks: 0, data: payload(60) },
    ];

    const { frames, damage } = await readFrames(pcapBytes({ order, records }));

    expect(frames).toHaveLength(1);
    expect(damage).toEqual({
      code: 'bad-captured-length',
      offset: 24 + 76,
      message: 'expected a captured length of at most 262144 bytes, found 4294967280',
    });
  });

  test('of a huge snap length and a huge record ends as truncated, with little memory', async () => {
    const records = [{ sec: 1, ticks: 0, data: payload(60), capturedLen: 60_000_000 }];
    const before = process.memoryUsage().arrayBuffers;

    const { frames, damage } = await readFrames(pcapBytes({ order, snapLen: 0xffffffff, records }));

    expect(frames).toHaveLength(0);
    expect(damage).toMatchObject({
      code: 'truncated-record',
      offset: 24,
      message: 'expected a record with 60000000 captured bytes, found 60',
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
  });

  test('with a record of no bytes has an empty frame', async () => {
    const records = [
      { sec: 1, ticks: 0, data: payload(0), originalLen: 77 },
      { sec: 2, ticks: 0, data: payload(3) },
    ];

    const { frames } = await readFrames(pcapBytes({ order, records }));

    expect(frames.map(({ capturedLen }) => capturedLen)).toEqual([0, 3]);
  });

  test('cut within a record header says how much of the header was there', async () => {
    const whole = pcapBytes({ order, records: [{ sec: 1, ticks: 0, data: payload(60) }] });
    const cut = Buffer.concat([whole, new Uint8Array(7)]);

    const { frames, damage } = await readFrames(cut);

    expect(frames).toHaveLength(1);
    expect(damage).toEqual({
      code: 'truncated-record',
      offset: 100,
      message: 'expected a 16-byte record header, found 7 bytes',
    });
  });
});

test('a pcap cut within its header is no capture', async () => {
  const cut = pcapBytes().subarray(0, 12);

  await expect(readFrames(cut, { name: 'a.pcap' })).rejects.toThrow(
    'a.pcap: expected a 24-byte pcap header, found 12 bytes (at byte 0)',
  );
});

test('frames beyond one batch come in the order of the file', async () => {
  const records = Array.from({ length: 1000 }, (_, index) => ({
    sec: index,
    ticks: index,
    data: payload(index % 100, index),
  }));

  const { frames } = await readFrames(pcapBytes({ records }));

  expect(frames.map(({ time }) => Number(time.split('.')[0]))).toEqual(
    records.map(({ sec }) => sec),
  );
});
