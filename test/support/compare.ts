/** One connection of finwait beside the kernel's account of it, figure by figure. */

import type { ConnectionRecord } from '../../src/report/record.ts';
import type { Side } from '../../src/tcp/verdicts.ts';
import {
  expectedCloses,
  expectedHandshake,
  expectedPath,
  expectedTimeWait,
  pathMismatch,
  type TruthConnection,
  type TruthFile,
} from './truth.ts';

export type Figure =
  | 'found'
  | 'stream'
  | 'packets'
  | 'handshake'
  | 'fast open'
  | 'close kind'
  | 'initiator'
  | 'complete'
  | 'reset by'
  | 'reset after close'
  | 'time wait'
  | 'client states'
  | 'server states';

export interface Outcome {
  figure: Figure;
  /** Got and expected, or null where they agree. */
  mismatch: string | null;
}

export interface Match {
  connection: TruthConnection;
  record: ConnectionRecord | null;
  /** finwait calls the truth's server client (a simultaneous open seen from the other side). */
  flipped: boolean;
}

function endpoint({ ip, port }: { ip: string; port: number }): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** Each connection of the truth with the record of the same 4-tuple that starts nearest to it in the file. */
export function matchRecords(truth: TruthFile, records: readonly ConnectionRecord[]): Match[] {
  const byPair = new Map<string, Set<ConnectionRecord>>();
  const key = (a: string, b: string) => [a, b].sort().join(' ');
  for (const record of records) {
    const pair = key(endpoint(record.client), endpoint(record.server));
    const list = byPair.get(pair);
    if (list) list.add(record);
    else byPair.set(pair, new Set([record]));
  }
  return truth.connections.map((connection) => {
    const candidates = byPair.get(key(connection.client, connection.server)) ?? new Set();
    let record: ConnectionRecord | null = null;
    for (const candidate of candidates) {
      const gap = Math.abs(candidate.firstFrame - connection.first_frame);
      if (record === null || gap < Math.abs(record.firstFrame - connection.first_frame))
        record = candidate;
    }
    if (record !== null) candidates.delete(record);
    const flipped = record !== null && endpoint(record.client) === connection.server;
    return { connection, record, flipped };
  });
}

function flip(side: Side | 'both' | null, flipped: boolean): Side | 'both' | null {
  if (!flipped || side === null || side === 'both') return side;
  return side === 'client' ? 'server' : 'client';
}

/** Every figure that the truth tells of, compared. A close may be as the file shows it or as it was sent. */
export function compareConnection(
  connection: TruthConnection,
  record: ConnectionRecord | null,
  flipped: boolean,
): Outcome[] {
  if (record === null)
    return [
      { figure: 'found', mismatch: `no record of ${connection.client} > ${connection.server}` },
    ];
  const outcomes: Outcome[] = [{ figure: 'found', mismatch: null }];
  const check = (figure: Figure, got: unknown, ...wanted: unknown[]): void => {
    const right = wanted.some((value) => value === got);
    const text = [...new Set(wanted.map(String))].join(' or ');
    outcomes.push({ figure, mismatch: right ? null : `expected ${text}, got ${String(got)}` });
  };
  if (connection.streams.length === 1) {
    check('stream', record.stream, connection.streams[0]);
    check('packets', record.packets.client + record.packets.server, connection.frames);
  }
  const handshake = expectedHandshake(connection);
  check('handshake', record.handshake.kind, handshake.kind);
  check('fast open', record.handshake.fastOpen, handshake.fastOpen);

  const { close } = record;
  const closes = expectedCloses(connection);
  check('close kind', close.kind, ...closes.map(({ kind }) => kind));
  check('initiator', flip(close.initiator, flipped), ...closes.map(({ initiator }) => initiator));
  const complete = closes[0]?.complete ?? null;
  if (complete !== null && closes[0]?.kind === close.kind)
    check('complete', close.complete, complete);
  check('reset by', flip(close.resetBy, flipped), ...closes.map(({ resetBy }) => resetBy));
  if (connection.close !== 'rst' && connection.close_as_sent === connection.close)
    check('reset after close', close.resetAfterClose, connection.rst_after_close !== null);
  const timeWait = expectedTimeWait(connection);
  if (timeWait !== undefined) check('time wait', flip(close.timeWait, flipped), timeWait);

  for (const side of ['client', 'server'] as const) {
    const expected = expectedPath(connection, side);
    if (expected === null) continue;
    const states = record.states[flip(side, flipped) as Side].map(({ state }) => state);
    outcomes.push({ figure: `${side} states`, mismatch: pathMismatch(expected, states) });
  }
  return outcomes;
}

/**
 * Seconds between finwait's and the kernel's time of each state of the end beside the capture point, unsigned. Empty where
 * the two don't agree on the states.
 */
export function timeErrors(
  connection: TruthConnection,
  record: ConnectionRecord,
  side: Side,
  flipped: boolean,
): number[] {
  const expected = expectedPath(connection, side);
  const entries = record.states[flip(side, flipped) as Side];
  if (
    expected === null ||
    pathMismatch(
      expected,
      entries.map(({ state }) => state),
    ) !== null
  )
    return [];
  // Microseconds of the epoch fit in a double, nanoseconds don't.
  const [seconds = '', fraction = '0'] = record.start.replace('Z', '').split('.');
  const startUs = Date.parse(`${seconds}Z`) * 1000 + Number(fraction.padEnd(9, '0')) / 1000;
  const errors: number[] = [];
  let at = 0;
  for (const { state, time } of expected.states) {
    const entry = entries[at];
    if (entry?.state !== state) continue;
    at += 1;
    if (time !== null && entry.frame !== null)
      errors.push(Math.abs(startUs + entry.t * 1e6 - time * 1e6) / 1e6);
  }
  return errors;
}
