/** Community ID v1, a hash of the 5-tuple that Zeek, Suricata and others compute alike (github.com/corelight/community-id-spec). */

import { sha1 } from './sha1.ts';

/** Seed, addresses, protocol, padding, ports: 16 bytes for IPv4, 40 for IPv6. */
const buffers = { 4: Buffer.alloc(16), 6: Buffer.alloc(40) };
const TCP = 6;

/** What version 1 begins with. */
export const COMMUNITY_ID_VERSION = '1:';

/**
 * The base64 of SHA-1 with seed 0, which stands behind the version. `a` and `b` hold one word (IPv4) or four (IPv6) in network order; which of the two
 * ends comes first makes no difference.
 */
export function communityHash(
  family: 4 | 6,
  a: Int32Array,
  aPort: number,
  b: Int32Array,
  bPort: number,
): string {
  const words = family === 4 ? 1 : 4;
  let order = 0;
  for (let i = 0; i < words && order === 0; i++) order = ((a[i] ?? 0) >>> 0) - ((b[i] ?? 0) >>> 0);
  if (order === 0) order = aPort - bPort;
  const buffer = buffers[family];
  const [low, high] = order <= 0 ? [a, b] : [b, a];
  for (let i = 0; i < words; i++) {
    buffer.writeInt32BE(low[i] ?? 0, 2 + i * 4);
    buffer.writeInt32BE(high[i] ?? 0, 2 + (words + i) * 4);
  }
  const at = 2 + words * 8;
  buffer[at] = TCP;
  buffer.writeUInt16BE(order <= 0 ? aPort : bPort, at + 2);
  buffer.writeUInt16BE(order <= 0 ? bPort : aPort, at + 4);
  return sha1(buffer);
}
