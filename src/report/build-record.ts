/** Builds the record of a finished connection. */

import { formatIpv4, formatIpv6 } from '../base/ip.ts';
import { formatUtc } from '../base/time.ts';
import type { Conclusion } from '../tcp/conclude.ts';
import { transferOf } from '../tcp/figures.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { communityId } from './community-id.ts';
import type { ConnectionRecord, EndpointAddress } from './record.ts';
import { zeekView } from './zeek-view.ts';

/** The record of `finished` with the verdicts of its conclusion. `file`: the input's name. */
export function buildRecord(
  finished: FinishedConnection,
  file: string | null,
  { facts, handshake, close, states, findings }: Conclusion,
): ConnectionRecord {
  const c = facts.clientKeyEnd;
  const s = c === 0 ? 1 : 0;
  return {
    schema: 1,
    file,
    stream: finished.stream,
    communityId: communityId(
      finished.family,
      finished.address[0],
      finished.port[0],
      finished.address[1],
      finished.port[1],
    ),
    client: endpoint(finished, c),
    server: endpoint(finished, s),
    rolesFrom: facts.rolesFrom,
    start: formatUtc(finished.startSec, finished.startNs),
    duration: finished.durationNs / 1e9,
    firstFrame: finished.firstFrame,
    lastFrame: finished.lastFrame,
    packets: { client: finished.packets[c], server: finished.packets[s] },
    bytes: { client: finished.bytes[c], server: finished.bytes[s] },
    duplicateFrames: finished.duplicates,
    transfer: transferOf(finished, c),
    handshake,
    close,
    states,
    findings,
    ...(finished.zeek === null ? {} : { zeek: zeekView(finished, finished.zeek) }),
  };
}

function endpoint(finished: FinishedConnection, end: 0 | 1): EndpointAddress {
  const words = finished.address[end];
  const ip = finished.family === 4 ? formatIpv4(words[0] ?? 0) : formatIpv6(words);
  return { ip, port: finished.port[end] };
}
