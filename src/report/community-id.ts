/** Community ID v1, a hash of the 5-tuple that Zeek, Suricata and others compute alike (github.com/corelight/community-id-spec). */

import { hashMessage, message } from './sha1.ts';

const TCP = 6;

/** What version 1 begins with. */
export const COMMUNITY_ID_VERSION = '1:';

/**
 * Makes `digest` (report/sha1.ts) the hash with seed 0, which stands behind the version in base64. `a` and `b` hold one word (IPv4) or four (IPv6) in
 * network order; which of the two ends comes first makes no difference. Hot path, once a connection.
 */
export function hashEnds(
  family: 4 | 6,
  a: Int32Array,
  aPort: number,
  b: Int32Array,
  bPort: number,
): void {
  const words = family === 4 ? 1 : 4;
  let order = 0;
  for (let i = 0; i < words && order === 0; i++) order = ((a[i] ?? 0) >>> 0) - ((b[i] ?? 0) >>> 0);
  if (order === 0) order = aPort - bPort;
  const isAFirst = order <= 0;
  // Seed (2 bytes), both addresses, protocol, padding: all words lie across two of the message.
  let rest = 0;
  for (let i = 0; i < words * 2; i++) {
    const isOfA = i < words === isAFirst;
    const word = (isOfA ? a : b)[i < words ? i : i - words] ?? 0;
    message[i] = (rest << 16) | (word >>> 16);
    rest = word;
  }
  message[words * 2] = (rest << 16) | (TCP << 8);
  message[words * 2 + 1] = isAFirst ? (aPort << 16) | bPort : (bPort << 16) | aPort;
  hashMessage(words * 2 + 2);
}
