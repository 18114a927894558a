/** Segments decoded byte by byte, below every kind of header. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSegmentColumns, SEGMENT_RING } from '../../src/decode/columns.ts';
import { createDecodeContext, decodeBatch } from '../../src/decode/decode.ts';
import * as reasons from '../../src/decode/reasons.ts';
import { decodeFrames } from '../support/decoded.ts';
import { concat, ethernet, hex, ipv4, ipv6, stacks, tcp, udp } from '../support/headers.ts';
import { batchesOf, frameOf, type TestFrame } from '../support/pcap.ts';

const segmentFrame = frameOf(1, ethernet(0x0800, ipv4(tcp())));

function onEthernet(type: number, ...parts: (Uint8Array | string)[]): TestFrame {
  return frameOf(1, ethernet(type, concat(...parts)));
}

/** Why the frame is no segment; fails where it is one. */
function reasonFor(...frames: TestFrame[]): Record<string, number> {
  const decoded = decodeFrames(frames);
  expect(decoded.segments).toEqual([]);
  return decoded.reasons;
}

function onlySegmentIn(...frames: TestFrame[]) {
  const { segments } = decodeFrames(frames);
  expect(segments).toHaveLength(1);
  return segments[0]!;
}

describe('a segment', () => {
  test('has every field of its headers', () => {
    const options = '0101080a 00000011 00000022';

    expect(
      onlySegmentIn(onEthernet(0x0800, ipv4(tcp('cafe', options.replaceAll(' ', ''))))),
    ).toEqual({
      frame: 1,
      src: '10.0.0.1',
      dst: '10.0.0.2',
      srcPort: 0x1234,
      dstPort: 80,
      seq: 0x01020304,
      ack: 0x05060708,
      flags: 0x018,
      len: 2,
      window: 512,
      checksum: 0xabcd,
      ttl: 64,
      ipId: 1,
      tsVal: 0x11,
      tsEcr: 0x22,
      snapped: false,
      options: options.replaceAll(' ', ''),
      payload: 'cafe',
    });
  });

  test('over IPv6 has four words of address and no identification', () => {
    expect(onlySegmentIn(onEthernet(0x86dd, ipv6(tcp())))).toMatchObject({
      src: 'fd00::1',
      dst: 'fd00::2',
      ttl: 63,
      ipId: 0,
      payload: 'cafe',
    });
  });

  test('has twelve bits of flags', () => {
    const bytes = tcp();
    bytes[12] = 0x5f;
    bytes[13] = 0xff;

    expect(onlySegmentIn(onEthernet(0x0800, ipv4(bytes))).flags).toBe(0xfff);
  });

  test.each(Object.entries(stacks))('under %s keeps its own bytes as payload', (_, frames) => {
    expect(onlySegmentIn(...frames).payload).toMatch(/^(cafe|(ab){28})$/);
  });

  test('does not count the padding of a short frame', () => {
    expect(onlySegmentIn(onEthernet(0x0800, ipv4(tcp('')), '0000 0000 0000'))).toMatchObject({
      len: 0,
      payload: '',
    });
  });

  test('of an offloaded IPv6 packet is as long as its frame', () => {
    expect(onlySegmentIn(onEthernet(0x86dd, ipv6(tcp('cafe'), 6, 0))).len).toBe(2);
  });

  test('of a jumbogram is as long as its option says', () => {
    const packet = ipv6(concat('0600 c204 0001 1180', tcp('cafe')), 0, 0);

    expect(onlySegmentIn(frameOf(1, ethernet(0x86dd, packet), 14 + 40 + 0x11180))).toMatchObject({
      len: 0x11180 - 8 - 20,
      payload: 'cafe',
      snapped: true,
    });
  });

  test('that was snapped keeps its real length', () => {
    const whole = ethernet(0x0800, ipv4(tcp('ab'.repeat(100))));

    expect(onlySegmentIn(frameOf(1, whole.slice(0, 60), whole.length))).toMatchObject({
      len: 100,
      payload: 'ab'.repeat(6),
      snapped: true,
    });
  });

  test('that was snapped in its options shows those that were captured', () => {
    const whole = ethernet(0x0800, ipv4(tcp('', '020405b4030307000402080a')));

    expect(onlySegmentIn(frameOf(1, whole.slice(0, 58), whole.length))).toMatchObject({
      len: 0,
      options: '020405b4',
      tsVal: null,
    });
  });

  test.each([16, 17, 18, 19])(
    'of which %i bytes were captured still shows its window',
    (captured) => {
      for (const ip of [ipv4(tcp('cafe')), ipv6(tcp('cafe'))]) {
        const whole = ethernet(ip[0] === 0x45 ? 0x0800 : 0x86dd, ip);
        const end = whole.length - 22 + captured;
        expect(onlySegmentIn(frameOf(1, whole.slice(0, end), whole.length))).toMatchObject({
          srcPort: 0x1234,
          seq: 0x01020304,
          flags: 0x018,
          window: 512,
          len: 2,
          payload: '',
          options: '',
          snapped: true,
        });
      }
    },
  );

  test('is the innermost one of a tunnel', () => {
    const inner = ipv4(tcp('beef'));
    inner.set([192, 168, 0, 9], 12);

    expect(
      onlySegmentIn(onEthernet(0x0800, ipv4(concat('00000800', inner), { protocol: 47 }))),
    ).toMatchObject({
      src: '192.168.0.9',
      payload: 'beef',
    });
  });

  test('in fragments belongs to the frame that completes it', () => {
    const whole = tcp('ab'.repeat(28));
    const last = onEthernet(0x0800, ipv4(whole.slice(24), { fragment: 3 }));
    const first = onEthernet(0x0800, ipv4(whole.slice(0, 24), { fragment: 0x2000 }));

    const { segments, reasons } = decodeFrames([last, segmentFrame, first]);

    expect(segments.map(({ frame, len }) => [frame, len])).toEqual([
      [2, 2],
      [3, 28],
    ]);
    expect(segments[1]).toMatchObject({ src: '10.0.0.1', ttl: 64, payload: 'ab'.repeat(28) });
    expect(reasons).toEqual({ 'fragment-pending': 1 });
  });

  test('in IPv6 fragments is put together too', () => {
    const whole = tcp('ab'.repeat(28));
    const part = (from: number, to: number, more: number) =>
      onEthernet(
        0x86dd,
        ipv6(
          concat(
            `0600 ${(from | more).toString(16).padStart(4, '0')} 00000009`,
            whole.slice(from, to),
          ),
          44,
        ),
      );

    expect(onlySegmentIn(part(0, 24, 1), part(24, 48, 0))).toMatchObject({
      frame: 2,
      dst: 'fd00::2',
      payload: 'ab'.repeat(28),
    });
  });

  test('in a fragment that was not captured whole shows what its header says', () => {
    const first = ethernet(0x0800, ipv4(tcp('ab'.repeat(20)), { fragment: 0x2000 }));

    expect(onlySegmentIn(frameOf(1, first.slice(0, 60), first.length))).toMatchObject({
      frame: 1,
      len: 20,
    });
  });
});

describe('a frame without a segment is counted as', () => {
  const ip = ipv4(tcp());
  const cases: [string, TestFrame][] = [
    ['unknown-link-type', frameOf(147, ip)],
    ['link-truncated', frameOf(1, hex('0202'))],
    ['link-truncated', onEthernet(0x8100, '0005')],
    ['not-a-data-frame', frameOf(105, concat('8000 0000', new Uint8Array(30)))],
    ['encrypted-80211', frameOf(105, concat('0841 0000', new Uint8Array(30)))],
    ['fragment-80211', frameOf(105, concat('0805 0000', new Uint8Array(30)))],
    ['arp', onEthernet(0x0806, '0001 0800')],
    ['unknown-ethertype', onEthernet(0x88cc, '0207')],
    ['unknown-payload', onEthernet(3, '424203')],
    ['ip-truncated', onEthernet(0x0800, ip.slice(0, 19))],
    ['ip-truncated', onEthernet(0x86dd, ipv6(tcp()).slice(0, 39))],
    ['ip-bad-header', onEthernet(0x0800, '44', ip.slice(1))],
    ['ip-bad-header', onEthernet(0x0800, ipv4(tcp(), { totalLen: 10 }))],
    ['ip-bad-header', onEthernet(0x86dd, concat(ip, new Uint8Array(20)))],
    ['icmp', onEthernet(0x0800, ipv4(concat('0301 0000 00000000', ip), { protocol: 1 }))],
    ['udp', onEthernet(0x0800, ipv4(udp(53, hex('0001')), { protocol: 17 }))],
    [
      'udp',
      onEthernet(
        0x0800,
        ipv4(udp(8472, concat('0800000000000100', ethernet(0x0800, ip))), { protocol: 17 }),
      ),
    ],
    ['not-tcp', onEthernet(0x0800, ipv4(tcp(), { protocol: 132 }))],
    ['encrypted-ip', onEthernet(0x0800, ipv4(tcp(), { protocol: 50 }))],
    ['tunnel-truncated', onEthernet(0x0800, ipv4(hex('0000'), { protocol: 47 }))],
    ['tunnel-unsupported', onEthernet(0x0800, ipv4(concat('0007 0800', ip), { protocol: 47 }))],
    ['too-many-headers', onEthernet(0x0800, nested(9))],
    ['too-many-headers', onEthernet(0x8100, '0005 8100'.repeat(80))],
    ['fragment-pending', onEthernet(0x0800, ipv4(tcp('ab'.repeat(4)), { fragment: 0x2000 }))],
    ['fragment-over-limit', onEthernet(0x0800, ipv4(tcp(), { fragment: 0x1fff }))],
    ['tcp-truncated', onEthernet(0x0800, ipv4(tcp().slice(0, 15)))],
    ['tcp-bad-data-offset', onEthernet(0x0800, ipv4(withDataOffset(4)))],
    ['tcp-bad-data-offset', onEthernet(0x0800, ipv4(withDataOffset(15)))],
  ];

  test.each(cases)('%s (case %#)', (reason, frame) => {
    expect(reasonFor(frame)).toEqual({ [reason]: 1 });
  });

  test('fragment-incomplete where it was snapped and is not the first', () => {
    const whole = ethernet(0x0800, ipv4(tcp('ab'.repeat(20)), { fragment: 2 }));

    expect(reasonFor(frameOf(1, whole.slice(0, 60), whole.length))).toEqual({
      'fragment-incomplete': 1,
    });
  });

  test('eight IP headers deep is not too many', () => {
    expect(onlySegmentIn(onEthernet(0x0800, nested(8))).len).toBe(2);
  });

  function nested(headers: number): Uint8Array {
    let packet = ipv4(tcp());
    for (let i = 1; i < headers; i++) packet = ipv4(packet, { protocol: 4 });
    return packet;
  }

  function withDataOffset(words: number): Uint8Array {
    const bytes = tcp();
    bytes[12] = words << 4;
    return bytes;
  }
});

test('unknown link types are counted by their number', () => {
  const { unknownLinkTypes } = decodeFrames(
    [147, 148, 147].map((type) => frameOf(type, hex('00'))),
  );

  expect([...unknownLinkTypes]).toEqual([
    [147, 2],
    [148, 1],
  ]);
});

test('snapped frames are counted, segments or not', () => {
  const arp = onEthernet(0x0806, '0001');
  expect(decodeFrames([segmentFrame, { ...arp, originalLen: 60 }]).snappedFrames).toBe(1);
});

test('segments run on around the ring and keep the numbers of their frames', () => {
  const columns = createSegmentColumns();
  const [batch] = batchesOf([segmentFrame, onEthernet(0x0806, '0001'), segmentFrame]);

  const count = decodeBatch(batch!, 2 ** 33, columns, SEGMENT_RING * 3 - 1, createDecodeContext());

  expect(count).toBe(2);
  expect([columns.frame[SEGMENT_RING - 1], columns.frame[0]]).toEqual([2 ** 33, 2 ** 33 + 2]);
});

test('a place of the ring that held IPv6 and timestamps holds no timestamps after IPv4 without', () => {
  const columns = createSegmentColumns();
  const ctx = createDecodeContext();
  const timestamped = tcp('', '0101080a0000001100000022');
  const [first] = batchesOf([onEthernet(0x86dd, ipv6(timestamped))]);
  const [second] = batchesOf([segmentFrame]);

  decodeBatch(first!, 1, columns, 0, ctx);
  decodeBatch(second!, 2, columns, 0, ctx);

  expect([columns.family[0], columns.src[0]]).toEqual([4, 0x0a000001]);
  expect([columns.optionBits[0], columns.tsVal[0], columns.tsEcr[0]]).toEqual([0, 0, 0]);
});

test('the short way of plain frames gives what the long way gives', () => {
  const options = ['', '0101080a0000001100000022', '080a00000011000000220101', '0101040201010101'];
  for (const text of options) {
    const packets: [number, Uint8Array][] = [
      [0x0800, ipv4(tcp('cafe', text))],
      [0x86dd, ipv6(tcp('cafe', text))],
    ];
    for (const [type, packet] of packets) {
      const short = onlySegmentIn(onEthernet(type, packet, '0000'));
      const long = onlySegmentIn(frameOf(101, packet));
      expect(short).toEqual(long);
    }
  }
});

test('the short way gives what the long way gives, whatever the bytes behind the link layer', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 });
  const change = fc.record({ at: fc.integer({ min: 1, max: 75 }), bytes });
  const shape = fc.record({
    six: fc.boolean(),
    option: fc.constantFrom('', '0101080a0000001100000022', '080a00000011000000220101', '020405b4'),
    changes: fc.array(change, { maxLength: 3 }),
    cut: fc.integer({ min: 0, max: 40 }),
    extra: fc.integer({ min: 0, max: 9 }),
  });

  fc.assert(
    fc.property(shape, ({ changes, cut, extra, option, six }) => {
      const packet = concat(
        six ? ipv6(tcp('cafe', option)) : ipv4(tcp('cafe', option)),
        '00'.repeat(extra),
      );
      for (const { at, bytes: changed } of changes) {
        if (at + changed.length <= packet.length) packet.set(changed, at);
      }
      const type = six ? 0x86dd : 0x0800;
      const tagged = concat('0007', type.toString(16).padStart(4, '0'), packet);
      const captured = (frame: Uint8Array) => frame.slice(0, Math.max(14, frame.length - cut));
      const [plain, vlan] = [ethernet(type, packet), ethernet(0x8100, tagged)];
      const long = decodeFrames([
        frameOf(101, packet.slice(0, Math.max(0, packet.length - cut)), packet.length),
      ]);

      for (const frame of [plain, vlan]) {
        const short = decodeFrames([frameOf(1, captured(frame), frame.length)]);
        expect([short.segments, short.reasons]).toEqual([long.segments, long.reasons]);
      }
    }),
    { seed: 7, numRuns: 3000 },
  );
});

const LINK_TYPES = [
  0, 1, 9, 50, 51, 100, 101, 104, 105, 108, 113, 119, 127, 163, 192, 228, 229, 239, 274, 276,
];

/** Offsets and lengths that later layers rely on. */
function expectSound(frames: readonly TestFrame[]): void {
  for (const { len, payload, options } of decodeFrames(frames).segments) {
    expect(len).toBeGreaterThanOrEqual(payload.length / 2);
    expect(options.length / 2).toBeLessThanOrEqual(40);
  }
}

test('random bytes of any link type give segments or reasons', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...LINK_TYPES),
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(0x7fffffff),
      (linkType, bytes, more) => {
        expectSound([frameOf(linkType, bytes, Math.min(0x7fffffff, bytes.length + more))]);
      },
    ),
    { seed: 2, numRuns: 3000 },
  );
});

test('frames with changed bytes, cut anywhere, give segments or reasons', () => {
  const frames = Object.values(stacks).flat();
  const change = fc.tuple(fc.nat(150), fc.nat(255));
  fc.assert(
    fc.property(
      fc.constantFrom(...frames),
      fc.array(change, { maxLength: 4 }),
      fc.nat(200),
      fc.constantFrom(0, 1, 1000, 0x7fffff00),
      ({ linkType, bytes }, changes, end, more) => {
        const changed = bytes.slice(0, end);
        for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
        expectSound([frameOf(linkType, changed, changed.length + more)]);
      },
    ),
    { seed: 3, numRuns: 5000 },
  );
});

test('every frame is a segment or has a reason', () => {
  const frames = Object.values(stacks).flat();
  const { segments, reasons: counts } = decodeFrames(frames);
  const others = Object.values(counts).reduce((sum, n) => sum + n, 0);

  expect(segments.length + others).toBe(frames.length);
});

test('the number of a reason is its place in the list', () => {
  for (const [name, value] of Object.entries(reasons)) {
    if (typeof value !== 'number') continue;
    expect(reasons.REASONS[value]).toBe(name.toLowerCase().replaceAll('_', '-'));
  }
});

test('docs/decoding.md explains every reason and no other', () => {
  const page = readFileSync(new URL('../../docs/decoding.md', import.meta.url), 'utf8');
  const section = page.split(/^## Reasons$/m)[1] ?? '';
  const explained = [...section.matchAll(/^\| `([a-z0-9-]+)` +\|/gm)].map((match) => match[1]);

  expect(explained).toEqual([...reasons.REASONS]);
});
