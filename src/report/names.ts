/** What a record names its connection by, as text: Community ID, addresses, the time of its start. */

import { formatIpv4, formatIpv6 } from '../base/ip.ts';
import { formatUtc } from '../base/time.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { DIGEST_CHARS, writeDigest } from './base64.ts';
import { COMMUNITY_ID_VERSION, hashEnds } from './community-id.ts';
import { digest } from './sha1.ts';

const hash = Buffer.alloc(DIGEST_CHARS);
const hashView = new DataView(hash.buffer, hash.byteOffset, DIGEST_CHARS);

/** Community ID v1. */
export function idOf(finished: FinishedConnection): string {
  hashNames(finished);
  writeDigest(hashView, 0, digest);
  return COMMUNITY_ID_VERSION + hash.toString('latin1');
}

/** Makes `digest` (report/sha1.ts) that of the Community ID. */
export function hashNames({ family, address, port }: FinishedConnection): void {
  hashEnds(family, address[0], port[0], address[1], port[1]);
}

/** The address of end `end` of the key. */
export function addressOf({ family, address }: FinishedConnection, end: 0 | 1): string {
  const words = address[end];
  return family === 4 ? formatIpv4(words[0] ?? 0) : formatIpv6(words);
}

/** RFC 3339. */
export function startOf({ startSec, startNs }: FinishedConnection): string {
  return formatUtc(startSec, startNs);
}
