/** Builds the record of a finished connection. */

import { formatIpv4, formatIpv6 } from '../base/ip.ts';
import { formatUtc } from '../base/time.ts';
import type { Conclusion } from '../tcp/conclude.ts';
import { createTransfer, fillTransfer } from '../tcp/figures.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { communityId } from './community-id.ts';
import type { ConnectionRecord } from './record.ts';
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
  readonly #withNames: boolean;
  #record: ConnectionRecord | null = null;

  /** `withNames`: false leaves `communityId`, the addresses and `start` empty, for those who only count. */
  constructor(withNames = true) {
    this.#withNames = withNames;
  }

  /** As `buildRecord`; holds until the next call. */
  fill(
    finished: FinishedConnection,
    file: string | null,
    conclusion: Conclusion,
  ): ConnectionRecord {
    this.#record ??= emptyRecord(conclusion);
    fillRecord(this.#record, finished, file, conclusion, this.#withNames);
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
  withNames: boolean,
): void {
  const c = facts.clientKeyEnd;
  const s = c === 0 ? 1 : 0;
  record.file = file;
  record.stream = finished.stream;
  record.client.port = finished.port[c];
  record.server.port = finished.port[s];
  if (withNames) {
    record.communityId = idOf(finished);
    record.client.ip = addressOf(finished, c);
    record.server.ip = addressOf(finished, s);
    record.start = formatUtc(finished.startSec, finished.startNs);
  }
  record.rolesFrom = facts.rolesFrom;
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

function addressOf({ family, address }: FinishedConnection, end: 0 | 1): string {
  const words = address[end];
  return family === 4 ? formatIpv4(words[0] ?? 0) : formatIpv6(words);
}
