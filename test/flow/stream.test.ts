/** Bytes of one direction put back in order, with gaps and copies that differ. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACK, FIN, RST, SYN } from '../../src/decode/columns.ts';
import {
  type StreamConflict,
  type StreamItem,
  type StreamOptions,
  StreamReassembler,
} from '../../src/flow/stream.ts';

interface Sent {
  flags?: number;
  /** Payload bytes on the wire, where more than in the file. */
  len?: number;
  frame?: number;
}

/** A direction with ISN 1000 (its SYN seen, unless told otherwise), and what it hands out. */
function direction({
  isn = 1000,
  syn = true,
  ...options
}: Partial<StreamOptions> & { isn?: number; syn?: boolean } = {}) {
  const items: StreamItem[] = [];
  const conflicts: StreamConflict[] = [];
  const stream = new StreamReassembler({
    onItem: (item) => items.push(item),
    onConflict: (conflict) => conflicts.push(conflict),
    ...options,
  });
  let frames = 0;
  /** Sends `text` at `offset` of the stream. */
  const send = (
    offset: number,
    text: string | Uint8Array,
    { flags = ACK, len, frame }: Sent = {},
  ): void => {
    const payload = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    const bytes = new Uint8Array(payload.length + 2);
    bytes.set(payload, 1);
    const seq = (isn + (flags & SYN ? 0 : 1) + offset) >>> 0;
    frames++;
    stream.segment({
      ...{ seq, flags, len: len ?? payload.length, captured: payload.length },
      ...{ bytes, start: 1, frame: frame ?? frames, tNs: frames * 1000 },
    });
    // The memory of a segment is used again for the next.
    bytes.fill(0xee);
  };
  const acknowledge = (offset: number): void => stream.acknowledge((isn + 1 + offset) >>> 0);
  if (syn) send(0, '', { flags: SYN });
  return { stream, items, conflicts, send, acknowledge, said: () => said(items) };
}

/** Items as text: bytes as they are, gaps as `<length>`, those of the snap length as `{length}`. */
function said(items: readonly StreamItem[]): string {
  let at = items[0]?.offset ?? 0;
  let text = '';
  for (const item of items) {
    expect(item.offset).toBe(at);
    if (item.kind === 'bytes') text += Buffer.from(item.bytes).toString('latin1');
    else text += item.reason === 'missing' ? `<${item.length}>` : `{${item.length}}`;
    at += item.kind === 'bytes' ? item.bytes.length : item.length;
  }
  return text;
}

describe('in order', () => {
  test('bytes come with their offset, frame and time', () => {
    const { items, send } = direction();

    send(0, 'abc');
    send(3, 'de', { frame: 9 });

    expect(items).toEqual([
      { kind: 'bytes', offset: 0, bytes: new Uint8Array([97, 98, 99]), frame: 2, tNs: 2000 },
      { kind: 'bytes', offset: 3, bytes: new Uint8Array([100, 101]), frame: 9, tNs: 3000 },
    ]);
  });

  test('data on a SYN (Fast Open) is the beginning of the stream, once', () => {
    const { said, send } = direction({ syn: false });

    send(0, 'GET', { flags: SYN });
    send(0, 'GET', { flags: SYN });
    send(0, 'GET /');

    expect(said()).toBe('GET /');
  });

  test('the text of a RST is no part of the stream', () => {
    const { said, send, stream } = direction();

    send(0, 'ab');
    send(2, 'go away', { flags: RST | ACK });
    stream.finish();

    expect(said()).toBe('ab');
  });

  test('what lies behind the FIN is ignored, unless it was acknowledged', () => {
    const { acknowledge, said, send } = direction();

    send(0, 'ab', { flags: FIN | ACK });
    send(2, 'X');
    expect(said()).toBe('ab');

    acknowledge(9);
    send(2, 'cd');
    expect(said()).toBe('abcd');
  });

  test('the byte of a keep-alive is no data and no conflict', () => {
    const { conflicts, said, send } = direction();

    send(0, 'abc');
    send(2, '\0');
    send(3, 'd');

    expect(said()).toBe('abcd');
    expect(conflicts).toEqual([]);
  });
});

describe('gaps', () => {
  test('a gap waits for the segment that fills it', () => {
    const { acknowledge, said, send, stream } = direction();

    send(3, 'def');
    acknowledge(6);
    expect(said()).toBe('');
    expect(stream.bufferedBytes).toBe(3);
    send(0, 'abc');

    expect(said()).toBe('abcdef');
    expect(stream.bufferedBytes).toBe(0);
  });

  test('a gap that nothing fills is marked at the end, with whether it was acknowledged', () => {
    const { acknowledge, items, said, send, stream } = direction();

    send(0, 'ab');
    send(4, 'ef', { frame: 7 });
    acknowledge(6);
    send(9, 'j');
    stream.finish();

    expect(said()).toBe('ab<2>ef<3>j');
    expect(items.filter((item) => item.kind === 'gap')).toMatchObject([
      { offset: 2, length: 2, reason: 'missing', acknowledged: true, frame: 7 },
      { offset: 6, length: 3, reason: 'missing', acknowledged: false },
    ]);
  });

  test('the first gap is given up when too much waits behind it', () => {
    const { said, send, stream } = direction({ maxBufferedBytes: 4 });

    send(1, 'bc');
    send(4, 'ef');
    expect(said()).toBe('');
    send(7, 'h');

    expect(said()).toBe('<1>bc');
    expect(stream.bufferedBytes).toBe(3);
    send(0, 'a');
    send(3, 'd');
    expect(said()).toBe('<1>bcdef');
  });

  test('the number of pieces is limited too', () => {
    const { said, send } = direction({ maxBufferedPieces: 2 });

    for (const offset of [1, 3, 5]) send(offset, 'x');

    expect(said()).toBe('<1>x');
  });

  test('bytes that the snap length cut off are a gap of their own kind', () => {
    const { said, send, stream } = direction();

    send(0, 'ab', { len: 5 });
    send(7, 'h', { len: 3 });
    send(5, 'fg');
    stream.finish();

    expect(said()).toBe('ab{3}fgh{2}');
  });

  test('a segment further ahead than any window reaches is ignored', () => {
    const { said, send, stream } = direction();

    send(0, 'ab');
    send(2 ** 30 + 10, 'forged');
    stream.finish();

    expect(said()).toBe('ab');
  });
});

describe('copies', () => {
  test('the first copy of a byte wins, and one that differs is told', () => {
    const { conflicts, said, send } = direction();

    send(0, 'abcd');
    send(2, 'CDef', { frame: 8 });
    send(10, 'klm');
    send(8, 'ijKLM', { frame: 9 });
    send(6, 'gh');

    expect(said()).toBe('abcdefghijklm');
    expect(conflicts).toEqual([
      { offset: 2, length: 2, frame: 8 },
      { offset: 10, length: 3, frame: 9 },
    ]);
  });

  test('a copy is compared with what was handed out last only', () => {
    const { conflicts, send } = direction({ historyBytes: 2 });

    send(0, 'ab');
    send(2, 'cd');
    send(0, 'XX');

    expect(conflicts).toEqual([]);
  });
});

describe('where the stream begins', () => {
  test('in a connection begun before the capture: with the first byte that was captured', () => {
    const { acknowledge, said, send, stream } = direction({ syn: false });

    send(-1, '');
    acknowledge(0);
    send(0, 'ab');
    send(2, 'c');
    stream.finish();

    expect(said()).toBe('abc');
  });

  test('without its SYN: where the SYN,ACK of the other end says', () => {
    const { said, send, stream } = direction({ syn: false });

    stream.acknowledge(1001, true);
    send(2, 'cd');
    send(0, 'ab');

    expect(said()).toBe('abcd');
  });

  test('an ACK of an earlier connection before the SYN moves nothing', () => {
    const { said, send } = direction({ syn: false });

    send(5_000_000, '');
    send(0, '', { flags: SYN });
    send(0, 'ab');

    expect(said()).toBe('ab');
  });
});

describe('any segmentation', () => {
  const scenario = fc.record({
    isn: fc.nat(2 ** 32 - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    cuts: fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 80 })), { maxLength: 30 }),
    order: fc.array(fc.nat(), { maxLength: 60 }),
  });

  /** Segments that overlap at random; with `isWhole`, every byte is in one. */
  function segmentsOf(
    { bytes, cuts, order }: typeof scenario extends fc.Arbitrary<infer T> ? T : never,
    isWhole: boolean,
  ) {
    const parts = cuts.map(([at, len]) => ({ at: at % bytes.length, len }));
    if (isWhole) for (let at = 0; at < bytes.length; at += 37) parts.push({ at, len: 37 });
    const keyed = parts.map((part, i) => ({ part, key: order[i] ?? i }));
    keyed.sort((a, b) => a.key - b.key);
    return keyed.map(({ part }) => ({
      ...part,
      bytes: bytes.subarray(part.at, part.at + part.len),
    }));
  }

  test('reordered, repeated, overlapping, across the wrap: the bytes are those that were sent', () => {
    fc.assert(
      fc.property(scenario, (random) => {
        const { conflicts, items, said, send, stream } = direction({ isn: random.isn });

        for (const { at, bytes } of segmentsOf(random, true)) send(at, bytes);
        const before = items.length;
        stream.finish();

        expect(said()).toBe(Buffer.from(random.bytes).toString('latin1'));
        expect(items.length).toBe(before);
        expect(conflicts).toEqual([]);
        expect(stream.bufferedBytes).toBe(0);
      }),
      { seed: 20260101 },
    );
  });

  test('with segments missing: every byte or its place in a gap, exactly', () => {
    fc.assert(
      fc.property(scenario, (random) => {
        const { items, send, stream } = direction({ isn: random.isn });
        const isSent = new Uint8Array(random.bytes.length);

        for (const { at, bytes } of segmentsOf(random, false)) {
          send(at, bytes);
          isSent.fill(1, at, at + bytes.length);
        }
        stream.finish();

        let at = 0;
        for (const item of items) {
          expect(item.offset).toBe(at);
          const len = item.kind === 'bytes' ? item.bytes.length : item.length;
          expect([...isSent.subarray(at, at + len)]).toEqual(
            new Array(len).fill(item.kind === 'bytes' ? 1 : 0),
          );
          if (item.kind === 'bytes')
            expect([...item.bytes]).toEqual([...random.bytes.subarray(at, at + len)]);
          at += len;
        }
        expect(at).toBe(isSent.lastIndexOf(1) + 1);
      }),
      { seed: 20260102 },
    );
  });

  test('offsets go on beyond 4 GiB', () => {
    const { acknowledge, items, send, stream } = direction({ isn: 4_000_000_000 });
    const step = 2 ** 30;

    for (let offset = 0; offset <= 9 * step; offset += step) {
      send(offset, 'x');
      acknowledge(offset + 1);
    }
    stream.finish();

    expect(items.at(-1)).toMatchObject({ kind: 'bytes', offset: 9 * step });
  });

  test('garbage of any kind keeps the buffer within its limit', () => {
    const segment = fc.record({
      seq: fc.nat(2 ** 32 - 1),
      flags: fc.nat(511),
      len: fc.nat(200),
      ack: fc.nat(2 ** 32 - 1),
    });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 60 }), (segments) => {
        const { items, stream } = direction({ syn: false, maxBufferedBytes: 500 });

        for (const [frame, { ack, ...fields }] of segments.entries()) {
          stream.acknowledge(ack);
          const captured = fields.len >> 1;
          stream.segment({
            ...fields,
            captured,
            bytes: new Uint8Array(200),
            start: 3,
            frame,
            tNs: 0,
          });
          expect(stream.bufferedBytes).toBeLessThanOrEqual(500);
        }
        stream.finish();

        said(items);
        expect(stream.bufferedBytes).toBe(0);
      }),
      { seed: 20260103 },
    );
  });
});
