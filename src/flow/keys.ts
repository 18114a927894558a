/** The key of each segment: its 4-tuple with the lower end first, so that both directions have the same, and its hash. */

import type { SegmentColumns } from '../decode/columns.ts';

/** The hash of a key. `seed` stirs it, so that a hostile capture can't choose tuples that collide. Hot path. */
export function hashKey(seed: number, a: number, b: number, ports: number, family: number): number {
  let h = Math.imul(a ^ seed, 0x9e3779b1);
  h = Math.imul((h ^ (h >>> 15)) + b, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 13)) + ports, 0xc2b2ae35) ^ family;
  return h ^ (h >>> 16);
}

/**
 * Writes the keys of the `count` segments from `position` of the ring on, those of IPv4: the addresses of the others must be interned first, by
 * whoever holds the connections. Hot path; it may run in another thread than these.
 */
export function writeKeys(
  columns: SegmentColumns,
  position: number,
  count: number,
  seed: number,
): void {
  const { family, mask, src, dst } = columns;
  for (let i = 0; i < count; i++) {
    const p = (position + i) & mask;
    if (family[p] === 4) writeKey(columns, p, src[p * 4]!, dst[p * 4]!, 0, seed);
  }
}

/** Writes the key of the segment at `p` from its two addresses, or their ids. `six`: 1 for IPv6. Hot path. */
export function writeKey(
  columns: SegmentColumns,
  p: number,
  s: number,
  d: number,
  six: number,
  seed: number,
): void {
  const sent = columns.ports[p]!;
  const high = s > d || (s === d && sent >>> 16 > (sent & 0xffff));
  const a = high ? d : s;
  const b = high ? s : d;
  const ports = high ? (sent << 16) | (sent >>> 16) : sent;
  columns.keyA[p] = a;
  columns.keyB[p] = b;
  columns.keyPorts[p] = ports;
  columns.fromHigh[p] = high ? 1 : 0;
  columns.hash[p] = hashKey(seed, a, b, ports, six);
}
