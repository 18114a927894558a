/** Addresses as text, compared with what Node itself makes of them. */

import { isIPv6, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpv4, formatIpv6 } from '../../src/base/ip.ts';

test('an IPv4 address is dotted decimal', () => {
  expect(formatIpv4(0xc0a80001 | 0)).toBe('192.168.0.1');
  expect(formatIpv4(-1)).toBe('255.255.255.255');
});

test.each([
  [[0, 0, 0, 0], '::'],
  [[0, 0, 0, 1], '::1'],
  [[0x20010db8, 0, 0, 1], '2001:db8::1'],
  [[0x20010db8, 0x00000001, 0x00010001, 0x00010001], '2001:db8:0:1:1:1:1:1'],
  [[0x20010db8, 0, 0x00010000, 0x00000001], '2001:db8::1:0:0:1'],
  [[0xfe800000, 0, 0, 0], 'fe80::'],
  [[0, 0, 0xffff, 0xc0a80001], '::ffff:192.168.0.1'],
])('%j is written as RFC 5952 wants it: %s', (words, text) => {
  expect(formatIpv6(Int32Array.from(words))).toBe(text);
});

test('every IPv6 address is written as Node itself writes it', () => {
  const word = fc.oneof(fc.constant(0), fc.constant(1), fc.constant(0x10000), fc.integer());
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), (words) => {
      const text = formatIpv6(Int32Array.from(words));

      expect(isIPv6(text)).toBe(true);
      // Node writes IPv4-compatible addresses (::a.b.c.d, deprecated) in dotted decimal; finwait doesn't.
      if (words[0] === 0 && words[1] === 0 && (words[2] === 0 || words[2] === 0xffff)) return;
      expect(new SocketAddress({ address: text, family: 'ipv6' }).address).toBe(text);
    }),
    { seed: 2, numRuns: 2000 },
  );
});
