/** What a record names its connection by, as text: Community ID, addresses, the time of its start. */

import { formatIpv4, formatIpv6 } from '../base/ip.ts';
import { formatUtc } from '../base/time.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { COMMUNITY_ID_VERSION, communityHash } from './community-id.ts';

/** Community ID v1. */
export function idOf(finished: FinishedConnection): string {
  return COMMUNITY_ID_VERSION + hashOf(finished);
}

/** The Community ID without its version. */
export function hashOf({ family, address, port }: FinishedConnection): string {
  return communityHash(family, address[0], port[0], address[1], port[1]);
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
