/** Builds the record of a finished connection. */

import type { Conclusion } from '../tcp/conclude.ts';
import { createTransfer, fillTransfer } from '../tcp/figures.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import type { Filling } from '../tcp/molds.ts';
import { addressOf, idOf, startOf } from './names.ts';
import type { ConnectionRecord } from './record.ts';
import { zeekView } from './zeek-view.ts';

/** The record of `finished` with the verdicts of its conclusion. `file`: the input's name. */
export function buildRecord(
  finished: FinishedConnection,
  file: string | null,
  conclusion: Conclusion,
): ConnectionRecord {
  const record = emptyRecord(conclusion);
  fillRecord(record, finished, file, conclusion, 'all');
  return record;
}

/** One record that is filled again and again: for those who write it out at once. */
export class TransientRecord {
  readonly #names: Filling['names'];
  #record: ConnectionRecord | null = null;

  /** `names`: which records have `communityId`, the addresses and `start`; in the others they mean nothing. */
  constructor(names: Filling['names'] = 'all') {
    this.#names = names;
  }

  /** As `buildRecord`; holds until the next call. */
  fill(
    finished: FinishedConnection,
    file: string | null,
    conclusion: Conclusion,
  ): ConnectionRecord {
    this.#record ??= emptyRecord(conclusion);
    fillRecord(this.#record, finished, file, conclusion, this.#names);
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
  { facts, handshake, close, states, findings, mold }: Conclusion,
  names: Filling['names'],
): void {
  const c = facts.clientKeyEnd;
  const s = c === 0 ? 1 : 0;
  record.file = file;
  record.stream = finished.stream;
  record.client.port = finished.port[c];
  record.server.port = finished.port[s];
  if (names === 'all' || (names === 'judged' && mold === null)) {
    record.communityId = idOf(finished);
    record.client.ip = addressOf(finished, c);
    record.server.ip = addressOf(finished, s);
    record.start = startOf(finished);
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
