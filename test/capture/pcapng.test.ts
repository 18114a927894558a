/** pcapng block by block in either byte order, and damaged. */

import { describe, expect, test } from 'vitest';
import {
  type ByteOrder,
  block,
  enhancedPacket,
  interfaceBlock,
  join,
  obsoletePacket,
  payload,
  sectionHeader,
  simplePacket,
  statisticsBlock,
  u32,
  u64,
} from '../support/capture-bytes.ts';
import { readFrames } from '../support/read-frames.ts';

const ORDERS: ByteOrder[] = ['little', 'big'];
const text = (value: string): Uint8Array => Buffer.from(value);

describe.each(ORDERS)('a %s-endian pcapng', (order) => {
  const little = order === 'little';
  const section = sectionHeader(order);
  const ethernet = interfaceBlock(order);

  test('gives the frame of an enhanced packet, in microseconds by default', async () => {
    const packet = enhancedPacket(order, {
      ticks: 1_700_000_000_123_456n,
      data: payload(61),
      originalLen: 1514,
    });

    const { frames, damage, warnings } = await readFrames(join(section, ethernet, packet));

    expect(frames).toEqual([
      {
        time: '1700000000.123456000',
        capturedLen: 61,
        originalLen: 1514,
        iface: 0,
        linkType: 1,
        hex: Buffer.from(payload(61)).toString('hex'),
      },
    ]);
    expect(damage).toBeNull();
    expect(warnings).toEqual([]);
  });

  test('gives the frame of an obsolete packet block', async () => {
    const packet = obsoletePacket(order, { iface: 1, ticks: 5_000_001n, data: payload(10) });
    const raw = interfaceBlock(order, { linkType: 101 });

    const { frames } = await readFrames(join(section, ethernet, raw, packet));

    expect(frames).toMatchObject([{ time: '5.000001000', iface: 1, linkType: 101 }]);
  });

  test('gives a simple packet interface 0, and the time of the frame before', async () => {
    const packet = enhancedPacket(order, { ticks: 7_000_002n, data: payload(4) });
    const bytes = join(
      section,
      ethernet,
      simplePacket(order, payload(5)),
      packet,
      simplePacket(order, payload(6)),
    );

    const { frames, warnings } = await readFrames(bytes);

    expect(frames.map(({ time, capturedLen }) => [time, capturedLen])).toEqual([
      ['0.000000000', 5],
      ['7.000002000', 4],
      ['7.000002000', 6],
    ]);
    expect(warnings).toEqual([
      'simple packets carry no time: each is given the time of the frame before it',
    ]);
  });

  test('cuts a simple packet at the snap length', async () => {
    const snapped = interfaceBlock(order, { snapLen: 60 });

    const { frames } = await readFrames(
      join(section, snapped, simplePacket(order, payload(60), 1514)),
    );

    expect(frames).toMatchObject([{ capturedLen: 60, originalLen: 1514 }]);
  });

  test.each([
    { name: '10^-9', resol: 9, ticks: 1_700_000_000_123_456_789n, time: '1700000000.123456789' },
    { name: '10^-3', resol: 3, ticks: 1_700_000_000_123n, time: '1700000000.123000000' },
    { name: '10^0', resol: 0, ticks: 1_700_000_000n, time: '1700000000.000000000' },
    { name: '10^-12', resol: 12, ticks: 17_000_123_456_789_999n, time: '17000.123456789' },
    { name: '10^-19', resol: 19, ticks: 18_446_744_073_709_551_615n, time: '1.844674407' },
    { name: '10^-127', resol: 127, ticks: 18_446_744_073_709_551_615n, time: '0.000000000' },
    {
      name: '2^-10',
      resol: 0x8a,
      ticks: 1_700_000_000n * 1024n + 1023n,
      time: '1700000000.999023437',
    },
    {
      name: '2^-32',
      resol: 0xa0,
      ticks: (1_700_000_000n << 32n) + 1n,
      time: '1700000000.000000000',
    },
    { name: '2^-63', resol: 0xbf, ticks: (1n << 63n) + (1n << 62n), time: '1.500000000' },
  ])(
    'reads times in units of $name seconds without losing a nanosecond',
    async ({ resol, ticks, time }) => {
      const iface = interfaceBlock(order, { options: [{ code: 9, value: Uint8Array.of(resol) }] });
      const packet = enhancedPacket(order, { ticks, data: payload(4) });

      const { frames } = await readFrames(join(section, iface, packet));

      expect(frames[0]?.time).toBe(time);
    },
  );

  test.each([
    { offset: 1_700_000_000n, time: '1700000001.500000000' },
    { offset: -1n, time: '0.500000000' },
    { offset: -2n, time: '0.000000000' },
    { offset: 1n << 62n, time: '4294967295.999999999' },
  ])('adds if_tsoffset $offset and clamps what no longer fits', async ({ offset, time }) => {
    const value = u64(BigInt.asUintN(64, offset), little);
    const iface = interfaceBlock(order, { options: [{ code: 14, value }] });
    const packet = enhancedPacket(order, { ticks: 1_500_000n, data: payload(4) });

    const { frames } = await readFrames(join(section, iface, packet));

    expect(frames[0]?.time).toBe(time);
  });

  test('tells the name, snap length and FCS length of its interfaces', async () => {
    const iface = interfaceBlock(order, {
      linkType: 113,
      snapLen: 262_144,
      options: [
        { code: 2, value: text('eth0') },
        { code: 13, value: Uint8Array.of(4) },
      ],
    });

    const { interfaces } = await readFrames(join(section, iface));

    expect(interfaces).toEqual([
      { linkType: 113, snapLen: 262_144, name: 'eth0', fcsLen: 4, received: null, dropped: null },
    ]);
  });

  test('takes an FCS length of 32 as bits', async () => {
    const iface = interfaceBlock(order, { options: [{ code: 13, value: Uint8Array.of(32) }] });

    const { interfaces } = await readFrames(join(section, iface));

    expect(interfaces[0]?.fcsLen).toBe(4);
  });

  test('tells what each interface received and dropped, by its last statistics', async () => {
    const statistics = (received: bigint, ifDrop: bigint, osDrop: bigint): Uint8Array =>
      statisticsBlock(order, 1, [
        { code: 4, value: u64(received, little) },
        { code: 5, value: u64(ifDrop, little) },
        { code: 7, value: u64(osDrop, little) },
      ]);
    const bytes = join(
      section,
      ethernet,
      ethernet,
      statistics(5n, 1n, 1n),
      statistics(10n, 2n, 3n),
    );

    const { interfaces } = await readFrames(bytes);

    expect(interfaces[0]).toMatchObject({ received: null, dropped: null });
    expect(interfaces[1]).toMatchObject({ received: 10, dropped: 5 });
  });

  test('skips blocks that carry no frame, and unknown ones', async () => {
    const others = [4, 0x0a, 0xbad, 0x40000bad, 0x80001234].map((type) =>
      block(order, type, payload(20, type)),
    );
    const packet = enhancedPacket(order, { ticks: 1n, data: payload(4) });

    const { frames, damage } = await readFrames(join(section, ethernet, ...others, packet));

    expect(frames).toHaveLength(1);
    expect(damage).toBeNull();
  });

  test('starts its interface numbers again with each section', async () => {
    const packet = enhancedPacket(order, { iface: 0, ticks: 1n, data: payload(4) });
    const otherOrder = little ? 'big' : 'little';
    const second = join(
      sectionHeader(otherOrder, [1, 0], [], 48n),
      interfaceBlock(otherOrder, { linkType: 101 }),
      enhancedPacket(otherOrder, { iface: 0, ticks: 2_000_000n, data: payload(5) }),
    );

    const { frames, interfaces } = await readFrames(
      join(
        section,
        ethernet,
        packet,
        second,
        section,
        interfaceBlock(order, { linkType: 0 }),
        packet,
      ),
    );

    expect(
      frames.map(({ iface, linkType, capturedLen }) => [iface, linkType, capturedLen]),
    ).toEqual([
      [0, 1, 4],
      [1, 101, 5],
      [2, 0, 4],
    ]);
    expect(interfaces).toHaveLength(3);
  });

  test('keeps reading behind an option that runs past its block, and warns', async () => {
    const broken = join(
      block(
        order,
        1,
        ...[join(little ? Uint8Array.of(1, 0, 0, 0) : Uint8Array.of(0, 1, 0, 0))],
        u32(0, little),
        little ? Uint8Array.of(2, 0, 200, 0) : Uint8Array.of(0, 2, 0, 200),
      ),
    );
    const packet = enhancedPacket(order, { ticks: 1n, data: payload(4) });

    const { frames, damage, warnings } = await readFrames(join(section, broken, packet));

    expect(frames).toHaveLength(1);
    expect(damage).toBeNull();
    expect(warnings).toEqual([
      'interface 0: expected an option of at most 0 bytes, found option 2 of 200 bytes',
    ]);
  });

  test('of another major version is refused', async () => {
    await expect(
      readFrames(sectionHeader(order, [2, 0]), { name: 'a.pcapng' }),
    ).rejects.toMatchObject({
      code: 'unsupported-version',
      message: 'a.pcapng: expected pcapng version 1.x, found 2.0 (at byte 0)',
    });
  });

  test('of another major version in its second section is damaged there', async () => {
    const packet = enhancedPacket(order, { ticks: 1n, data: payload(4) });
    const first = join(section, ethernet, packet);

    const { frames, damage } = await readFrames(join(first, sectionHeader(order, [9, 0])));

    expect(frames).toHaveLength(1);
    expect(damage).toMatchObject({ code: 'unsupported-version', offset: first.length });
  });

  test('with a section header of no known byte order is damaged there', async () => {
    const bad = sectionHeader(order);
    bad.set([1, 2, 3, 4], 8);

    const { damage } = await readFrames(join(section, ethernet, bad));

    expect(damage).toMatchObject({
      code: 'bad-byte-order',
      offset: section.length + ethernet.length,
    });
  });

  test.each([0, 8, 11, 13, 30, 64 * 1024 * 1024 + 4, 0xfffffffc])(
    'with a block length of %i is damaged there',
    async (length) => {
      const start = join(section, ethernet);
      const bad = join(u32(6, little), u32(length, little), new Uint8Array(40));

      const { damage } = await readFrames(join(start, bad));

      expect(damage).toMatchObject({ code: 'bad-block-length', offset: start.length });
      expect(damage?.message).toContain(`found ${length}`);
    },
  );

  test('with another length at the end of a block is damaged at its beginning', async () => {
    const start = join(section, ethernet);
    const packet = enhancedPacket(order, { ticks: 1n, data: payload(4) });
    packet.set(u32(40, little), packet.length - 4);

    const { frames, damage } = await readFrames(join(start, packet));

    expect(frames).toHaveLength(0);
    expect(damage).toEqual({
      code: 'bad-block-trailer',
      offset: start.length,
      message: 'expected 36, the length of the block, at its end, found 40',
    });
  });

  test.each([
    { type: 6, body: 16 },
    { type: 2, body: 16 },
    { type: 5, body: 8 },
    { type: 3, body: 0 },
    { type: 1, body: 4 },
  ])(
    'with a block of type $type too short for its fields is damaged there',
    async ({ type, body }) => {
      const start = join(section, ethernet);

      const { damage } = await readFrames(join(start, block(order, type, new Uint8Array(body))));

      expect(damage).toMatchObject({ code: 'bad-block-length', offset: start.length });
    },
  );

  test('with a captured length beyond its block is damaged there', async () => {
    const start = join(section, ethernet);
    const packet = enhancedPacket(order, { ticks: 1n, data: payload(8), capturedLen: 9 });

    const { damage } = await readFrames(join(start, packet));

    expect(damage).toEqual({
      code: 'bad-captured-length',
      offset: start.length,
      message: 'expected a captured length of at most 8 bytes, found 9',
    });
  });

  test('with a frame of an interface that the section lacks is damaged there', async () => {
    const start = join(section, ethernet, section);
    const packet = enhancedPacket(order, { ticks: 1n, data: payload(4) });

    const { damage } = await readFrames(join(start, packet));

    expect(damage).toMatchObject({ code: 'unknown-interface', offset: start.length });
  });

  test('with a block of a megabyte and more between its frames is read on', async () => {
    const packet = enhancedPacket(order, { ticks: 1n, data: payload(4) });
    const large = block(order, 0xbad, new Uint8Array(3_000_000));

    const { frames, damage } = await readFrames(join(section, ethernet, packet, large, packet));

    expect(frames).toHaveLength(2);
    expect(damage).toBeNull();
  });
});
