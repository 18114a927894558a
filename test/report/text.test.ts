/** Escaping, units, times and addresses. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { humanSeconds } from '../../src/base/duration.ts';
import { endpointText, parseAddress } from '../../src/report/address.ts';
import { toAscii } from '../../src/report/ascii.ts';
import { escapeTerminal } from '../../src/report/escape.ts';
import { clockTime, fullTime } from '../../src/report/time.ts';
import { humanBytes, humanShare } from '../../src/report/units.ts';

test('control characters and bidi overrides never reach the terminal', () => {
  expect(escapeTerminal('a\u001b[31m\u009b\u202eb\n')).toBe('a\\x1b[31m\\x9b\\u{202e}b\\x0a');
});

test('ordinary text of any script is left alone', () => {
  expect(escapeTerminal('Übersicht 日本 😀')).toBe('Übersicht 日本 😀');
});

test('ASCII has one sign for each of ours, and keeps what is already ASCII', () => {
  const ours = '─┄│┊▶◀█░→↳↑↓·×µ–—…’';

  expect(toAscii(ours)).toMatch(/^[\x21-\x7e]+$/);
  expect(toAscii(ours)).toHaveLength(ours.length);
  expect(toAscii('a\tb\r\n\u001b[1m~')).toBe('a\tb\r\n\u001b[1m~');
  expect(toAscii('Überlänge 😀')).toBe('\\u{dc}berl\\u{e4}nge \\u{1f600}');
});

test('no string keeps a control character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escapeTerminal(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    }),
    { seed: 9293 },
  );
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1234, '1.23 kB'],
  [999_999, '1 MB'],
  [12_345_678, '12.3 MB'],
])('%d bytes read %s', (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text);
});

test.each([
  [0, '0 s'],
  [0.00085, '850 µs'],
  [0.0123, '12.3 ms'],
  [0.9999, '1 s'],
  [3.4, '3.4 s'],
  [59.99, '1 min 00 s'],
  [125, '2 min 05 s'],
  [3720, '1 h 02 min'],
  [-1, '-1 s'],
])('%d seconds read %s', (seconds, text) => {
  expect(humanSeconds(seconds)).toBe(text);
});

test('shares', () => {
  expect(humanShare(1, 3)).toBe('33.3%');
  expect(humanShare(0, 0)).toBe('');
});

test('times are in UTC to the fraction the table has room for', () => {
  expect(clockTime('2026-01-01T12:34:56.789123456Z', { local: false })).toBe('12:34:56.789');
  expect(fullTime('2026-01-01T12:34:56.789123456Z', { local: false })).toBe(
    '2026-01-01 12:34:56.789123 UTC',
  );
});

test('IPv6 endpoints have brackets', () => {
  expect(endpointText({ ip: '2001:db8::1', port: 443 })).toBe('[2001:db8::1]:443');
});

test.each(['1.2.3', '256.1.1.1', ':::', '1::2::3', '12345::', '1:2:3:4:5:6:7', '::1.2.3.4:5', ''])(
  '%j is no address',
  (text) => {
    expect(parseAddress(text)).toBeNull();
  },
);

test('an IPv6 address may end in an IPv4 one', () => {
  expect(parseAddress('::ffff:10.0.0.1')).toEqual([0, 0, 0, 0, 0, 0xffff, 0x0a00, 1]);
});
