/** IP datagrams put together from their fragments, within limits. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OVER_LIMIT, PENDING } from '../../src/decode/reassembler.ts';
import {
  FRAGMENT_TIMEOUT_S,
  FragmentReassembler,
  MAX_FRAGMENTS,
  MAX_PENDING_BYTES,
  MAX_PENDING_DATAGRAMS,
} from '../../src/flow/fragments.ts';

const T = 1000;

/** Adds the bytes of `text` as a fragment of datagram `id`. */
function add(
  reassembler: FragmentReassembler,
  text: string,
  offset: number,
  more: boolean,
  { id = 1, tsSec = T } = {},
): number {
  reassembler.key.fill(0);
  reassembler.key[8] = id;
  const bytes = new TextEncoder().encode(`..${text}..`);
  return reassembler.add(bytes, 2, bytes.length - 2, offset, more, tsSec);
}

function textOf(reassembler: FragmentReassembler, len: number): string {
  return new TextDecoder().decode(reassembler.datagram.subarray(0, len));
}

test('fragments in order give the datagram with the last one', () => {
  const reassembler = new FragmentReassembler();

  expect(add(reassembler, 'abcdefgh', 0, true)).toBe(PENDING);
  const len = add(reassembler, 'ijk', 8, false);

  expect(textOf(reassembler, len)).toBe('abcdefghijk');
  expect(reassembler).toMatchObject({ pending: 0, pendingBytes: 0 });
});

test('fragments in any order give the same datagram', () => {
  const parts: [string, number, boolean][] = [
    ['abcdefgh', 0, true],
    ['ijklmnop', 8, true],
    ['qrstuvwx', 16, true],
    ['yz', 24, false],
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(parts, { minLength: parts.length }), (order) => {
      const reassembler = new FragmentReassembler();
      const results = order.map(([text, offset, more]) => add(reassembler, text, offset, more));
      expect(results.slice(0, -1)).toEqual([PENDING, PENDING, PENDING]);
      expect(textOf(reassembler, results.at(-1) ?? 0)).toBe('abcdefghijklmnopqrstuvwxyz');
    }),
    { seed: 4 },
  );
});

test('a repeated fragment changes nothing', () => {
  const reassembler = new FragmentReassembler();
  add(reassembler, 'abcdefgh', 0, true);
  add(reassembler, 'XXXXXXXX', 0, true);

  expect(reassembler.pendingBytes).toBe(8);
  expect(textOf(reassembler, add(reassembler, 'ijk', 8, false))).toBe('abcdefghijk');
});

test('where fragments overlap the lower offset wins', () => {
  const reassembler = new FragmentReassembler();
  add(reassembler, 'IJKLMNOPqrstuvwx', 8, true);
  add(reassembler, 'abcdefghijklmnop', 0, true);

  expect(textOf(reassembler, add(reassembler, 'yz', 24, false))).toBe('abcdefghijklmnopqrstuvwxyz');
});

test('two datagrams that differ in one word of the key stay apart', () => {
  const reassembler = new FragmentReassembler();
  add(reassembler, 'abcdefgh', 0, true, { id: 1 });

  expect(add(reassembler, 'XYZ', 8, false, { id: 2 })).toBe(PENDING);
  expect(textOf(reassembler, add(reassembler, 'ijk', 8, false, { id: 1 }))).toBe('abcdefghijk');
  expect(reassembler.pending).toBe(1);
});

test('a finished datagram is forgotten: the same key begins another', () => {
  const reassembler = new FragmentReassembler();
  add(reassembler, 'abcdefgh', 0, true);
  add(reassembler, 'ijk', 8, false);

  expect(add(reassembler, 'ijk', 8, false)).toBe(PENDING);
});

test('a datagram waits for its fragments until its time is up', () => {
  const reassembler = new FragmentReassembler();
  add(reassembler, 'abcdefgh', 0, true, { id: 1 });
  add(reassembler, 'abcdefgh', 0, true, { id: 2, tsSec: T + 1 });

  const late = T + FRAGMENT_TIMEOUT_S + 1;
  expect(add(reassembler, 'ijk', 8, false, { id: 1, tsSec: late })).toBe(PENDING);
  expect(add(reassembler, 'ijk', 8, false, { id: 2, tsSec: late })).toBe(11);
  expect(reassembler.timedOut).toBe(1);
});

test('a datagram longer than 65535 bytes is forgotten', () => {
  const reassembler = new FragmentReassembler();
  add(reassembler, 'abcdefgh', 0, true);

  expect(add(reassembler, 'abcdefgh', 65_528, false)).toBe(OVER_LIMIT);
  expect(reassembler).toMatchObject({ overLimit: 1, pending: 0, pendingBytes: 0 });
});

test('a datagram of too many fragments is forgotten', () => {
  const reassembler = new FragmentReassembler();
  for (let i = 1; i <= MAX_FRAGMENTS; i++) {
    expect(add(reassembler, 'abcdefgh', 8 * i, true)).toBe(PENDING);
  }

  expect(add(reassembler, 'abcdefgh', 0, true)).toBe(OVER_LIMIT);
});

test('too many datagrams push out the oldest', () => {
  const reassembler = new FragmentReassembler();
  for (let id = 0; id <= MAX_PENDING_DATAGRAMS; id++) add(reassembler, 'abcdefgh', 0, true, { id });

  expect(reassembler).toMatchObject({ evicted: 1, pending: MAX_PENDING_DATAGRAMS });
  expect(add(reassembler, 'ijk', 8, false, { id: 1 })).toBe(11);
  expect(add(reassembler, 'ijk', 8, false, { id: 0 })).toBe(PENDING);
});

test('too many bytes push out the oldest', () => {
  const reassembler = new FragmentReassembler();
  const text = 'x'.repeat(60_000);
  for (let id = 0; id < 300; id++) add(reassembler, text, 0, true, { id });

  expect(reassembler.pendingBytes).toBeLessThanOrEqual(MAX_PENDING_BYTES);
  expect(reassembler.evicted).toBe(300 - Math.floor(MAX_PENDING_BYTES / 60_000));
});

test('any sequence of fragments keeps the counts right', () => {
  const fragment = fc.record({
    text: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' }),
    offset: fc.nat(8).map((n) => n * 8),
    more: fc.boolean(),
    id: fc.nat(3),
    tsSec: fc.integer({ min: T, max: T + 100 }),
  });
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 40 }), (fragments) => {
      const reassembler = new FragmentReassembler();
      for (const { text, offset, more, id, tsSec } of fragments) {
        const len = add(reassembler, text, offset, more, { id, tsSec });
        expect(len === PENDING || (len > 0 && len <= 8 * 8 + 40)).toBe(true);
      }
      expect(reassembler.pending).toBeLessThanOrEqual(4);
      expect(reassembler.pendingBytes > 0).toBe(reassembler.pending > 0);
    }),
    { seed: 5, numRuns: 500 },
  );
});
