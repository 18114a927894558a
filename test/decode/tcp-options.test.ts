/** The options of a SYN. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cookieText,
  packSynOptions,
  SYN_OPTION_WORDS,
  unpackOptions,
} from '../../src/decode/packed-options.ts';
import { findTimestamps, MAX_SACK_BLOCKS, readSackBlocks } from '../../src/decode/tcp-options.ts';
import { hex } from '../support/headers.ts';

function viewOf(text: string): DataView {
  return new DataView(hex(text).buffer);
}

function parse(text: string) {
  const view = viewOf(text);
  const words = new Int32Array(2 + SYN_OPTION_WORDS).fill(-1);
  packSynOptions(view, 0, view.byteLength, words, 2);
  const options = unpackOptions(words[2]!, cookieText(words, 2));
  if (options === null) throw new Error('a SYN without options is one, too');
  return options;
}

const none = {
  mss: null,
  windowScale: null,
  sackPermitted: false,
  timestamps: false,
  fastOpenCookie: null,
  mptcp: false,
};

test('the SYN of a Linux client offers all its options', () => {
  expect(parse('020405b4 0402 080a0000000100000000 01 030307')).toEqual({
    ...none,
    mss: 1460,
    windowScale: 7,
    sackPermitted: true,
    timestamps: true,
  });
});

test('a SYN without options offers nothing', () => {
  expect(parse('')).toEqual(none);
});

test('an empty fast open option asks for a cookie', () => {
  expect(parse('2202').fastOpenCookie).toBe('');
});

test('a fast open cookie is given in hex', () => {
  expect(parse('220a0123456789abcdef').fastOpenCookie).toBe('0123456789abcdef');
});

test('of a cookie that is longer than one can be the beginning counts', () => {
  const bytes = '000102030405060708090a0b0c0d0e0f';

  expect(parse(`2214${bytes}1011`).fastOpenCookie).toBe(bytes);
});

test('the experimental fast open option counts as the standard one', () => {
  expect(parse('fe08f989deadbeef').fastOpenCookie).toBe('deadbeef');
});

test('another experiment is passed over', () => {
  expect(parse('fe04abcd 020405b4')).toEqual({ ...none, mss: 1460 });
});

test('an MPTCP option is seen', () => {
  expect(parse('1e0c0181 0102030405060708').mptcp).toBe(true);
});

test('a window scale above 14 counts as 14', () => {
  expect(parse('0303ff').windowScale).toBe(14);
});

test('what follows the end of the list is padding', () => {
  expect(parse('00 020405b4')).toEqual(none);
});

test('an option that ends beyond the captured bytes ends the list', () => {
  expect(parse('0402 0204')).toEqual({ ...none, sackPermitted: true });
});

test.each(['0200', '0201', '02'])(
  'the option %s, shorter than an option can be, ends the list',
  (text) => {
    expect(parse(text)).toEqual(none);
  },
);

test('an MSS of the wrong length is passed over', () => {
  expect(parse('020305 030302')).toEqual({ ...none, windowScale: 2 });
});

test('the blocks of a SACK option are edges in turn', () => {
  const view = viewOf('0101 0512 00000001 00000005 fffffff0 00000010');
  const out = new Int32Array(8);

  expect(readSackBlocks(view, 0, view.byteLength, out, 0)).toBe(2);
  expect([...out]).toEqual([1, 5, -16, 16, 0, 0, 0, 0]);
});

test('no more SACK blocks are read than an option has room for', () => {
  const blocks = Array.from({ length: 10 }, (_, i) => `0000000${i}`).join('');
  const view = viewOf(`052a ${blocks}`);
  const out = new Int32Array(10);

  expect(readSackBlocks(view, 0, view.byteLength, out, 1)).toBe(MAX_SACK_BLOCKS);
  expect([...out]).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 0]);
});

test('a segment without SACK has no blocks', () => {
  expect(readSackBlocks(viewOf('01010101'), 0, 4, new Int32Array(8), 0)).toBe(0);
});

test('timestamps are found behind other options', () => {
  const view = viewOf('020405b4 080a0000000100000002');

  expect(findTimestamps(view, 0, view.byteLength)).toBe(6);
});

test('any bytes give an answer within the view', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(60), fc.nat(60), (bytes, offset, len) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      packSynOptions(view, offset, len, new Int32Array(SYN_OPTION_WORDS), 0);
      findTimestamps(view, offset, len);
      const blocks = readSackBlocks(view, offset, len, new Int32Array(8), 0);
      expect(blocks).toBeGreaterThanOrEqual(0);
      expect(blocks).toBeLessThanOrEqual(4);
    }),
    { seed: 1, numRuns: 2000 },
  );
});
