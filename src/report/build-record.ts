/** Builds the record of a finished connection. */

import { formatIpv4, formatIpv6 } from '../base/ip.ts';
import { formatUtc } from '../base/time.ts';
import type { Conclusion } from '../tcp/conclude.ts';
import { transferOf } from '../tcp/figures.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { communityId } from './community-id.ts';
import type { ConnectionRecord, EndpointAddress } from './record.ts';
import { zeekView } from './zeek-view.ts';

/**
 * The record of `finished` with the verdicts of its conclusion. `file`: the input's name. `withId`: false leaves `communityId` empty, for
 * those who only count.
 */
export function buildRecord(
  finished: FinishedConnection,
  file: string | null,
  { facts, handshake, close, states, findings }: Conclusion,
  withId = true,
): ConnectionRecord {
  const c = facts.clientKeyEnd;
  const s = c === 0 ? 1 : 0;
  const record: ConnectionRecord = {
    schema: 1,
    file,
    stream: finished.stream,
    communityId: withId ? idOf(finished) : '',
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
  };
  // Not spread into the object: that takes as long as all the rest of it.
  if (finished.zeek !== null) record.zeek = zeekView(finished, finished.zeek);
  return record;
}

function idOf({ family, address, port }: FinishedConnection): string {
  return communityId(family, address[0], port[0], address[1], port[1]);
}

function endpoint(finished: FinishedConnection, end: 0 | 1): EndpointAddress {
  const words = finished.address[end];
  const ip = finished.family === 4 ? formatIpv4(words[0] ?? 0) : formatIpv6(words);
  return { ip, port: finished.port[end] };
}
