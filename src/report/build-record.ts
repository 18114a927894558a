/** Builds the record of a finished connection. */

import { formatIpv4, formatIpv6 } from '../base/ip.ts';
import { formatUtc } from '../base/time.ts';
import type { Conclusion } from '../tcp/conclude.ts';
import { createTransfer, fillTransfer } from '../tcp/figures.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { communityId } from './community-id.ts';
import type { ConnectionRecord, EndpointAddress } from './record.ts';
import { zeekView } from './zeek-view.ts';

/** The record of `finished` with the verdicts of its conclusion. `file`: the input's name. */
export function buildRecord(
  finished: FinishedConnection,
  file: string | null,
  conclusion: Conclusion,
): ConnectionRecord {
  const record = emptyRecord(conclusion);
  fillRecord(record, finished, file, conclusion, true);
  return record;
}

/** One record that is filled again and again: for those who write it out at once. */
export class TransientRecord {
  readonly #withId: boolean;
  #record: ConnectionRecord | null = null;

  /** `withId`: false leaves `communityId` empty, for those who only count. */
  constructor(withId = true) {
    this.#withId = withId;
  }

  /** As `buildRecord`; holds until the next call. */
  fill(
    finished: FinishedConnection,
    file: string | null,
    conclusion: Conclusion,
  ): ConnectionRecord {
    this.#record ??= emptyRecord(conclusion);
    fillRecord(this.#record, finished, file, conclusion, this.#withId);
    return this.#record;
  }
}

/** All keys in their order. */
function emptyRecord({ facts, handshake, close, states, findings }: Conclusion): ConnectionRecord {
  return {
    schema: 1,
    file: null,
    stream: 0,
    communityId: '',
    client: { ip: '', port: 0 },
    server: { ip: '', port: 0 },
    rolesFrom: facts.rolesFrom,
    start: '',
    duration: 0,
    firstFrame: 0,
    lastFrame: 0,
    packets: { client: 0, server: 0 },
    bytes: { client: 0, server: 0 },
    duplicateFrames: 0,
    transfer: createTransfer(),
    handshake,
    close,
    states,
    findings,
  };
}

/** Hot path, once a connection. */
function fillRecord(
  record: ConnectionRecord,
  finished: FinishedConnection,
  file: string | null,
  { facts, handshake, close, states, findings }: Conclusion,
  withId: boolean,
): void {
  const c = facts.clientKeyEnd;
  const s = c === 0 ? 1 : 0;
  record.file = file;
  record.stream = finished.stream;
  record.communityId = withId ? idOf(finished) : '';
  fillEndpoint(record.client, finished, c);
  fillEndpoint(record.server, finished, s);
  record.rolesFrom = facts.rolesFrom;
  record.start = formatUtc(finished.startSec, finished.startNs);
  record.duration = finished.durationNs / 1e9;
  record.firstFrame = finished.firstFrame;
  record.lastFrame = finished.lastFrame;
  record.packets.client = finished.packets[c];
  record.packets.server = finished.packets[s];
  record.bytes.client = finished.bytes[c];
  record.bytes.server = finished.bytes[s];
  record.duplicateFrames = finished.duplicates;
  fillTransfer(record.transfer, finished, c);
  record.handshake = handshake;
  record.close = close;
  record.states = states;
  record.findings = findings;
  if (finished.zeek !== null) record.zeek = zeekView(finished, finished.zeek);
}

function idOf({ family, address, port }: FinishedConnection): string {
  return communityId(family, address[0], port[0], address[1], port[1]);
}

function fillEndpoint(out: EndpointAddress, finished: FinishedConnection, end: 0 | 1): void {
  const words = finished.address[end];
  out.ip = finished.family === 4 ? formatIpv4(words[0] ?? 0) : formatIpv6(words);
  out.port = finished.port[end];
}
