/** Records of a live capture held against those of a file of the same traffic. */

import type { ConnectionRecord } from '../../src/report/record.ts';
import { isDelayedAck } from '../../src/tcp/findings/merged-by-delayed-ack.ts';

export interface Comparison {
  records: number;
  /** Equal in everything that is no time and no frame number. */
  equal: number;
  /** Equal but for the one finding that a delay decides, and in each record it is as that record's own delay has it. */
  byDelay: number;
  /** Their frames stand in another order in the other capture. */
  byOrder: number;
  /** The first of all the others: the key, then both sides. */
  different: { key: string; live: string; file: string }[];
}

const MAX_SHOWN = 5;
const DELAYED = 'merged-by-delayed-ack';

/**
 * Compares the records of both. Frame numbers are left out: two sockets see frames of different connections in different orders, where
 * two processors hand them over at once. Times are left out: each socket stamps what arrives. `reordered` has the keys of the
 * connections whose own frames stand in different orders.
 */
export function compareLive(
  live: readonly ConnectionRecord[],
  file: readonly ConnectionRecord[],
  reordered: ReadonlySet<string>,
): Comparison {
  const wanted = grouped(file);
  const found = grouped(live);
  const result: Comparison = { records: 0, equal: 0, byDelay: 0, byOrder: 0, different: [] };
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const expected = wanted.get(key) ?? [];
    const actual = found.get(key) ?? [];
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      result.records++;
      const [a, b] = [actual[i], expected[i]];
      if (a && b && kinds(a) === kinds(b)) result.equal++;
      else if (a && b && differByDelay(a, b)) result.byDelay++;
      else if (a && b && reordered.has(key)) result.byOrder++;
      else if (result.different.length < MAX_SHOWN) {
        const show = (one?: ConnectionRecord): string => (one ? kinds(one) : 'missing');
        result.different.push({ key, live: show(a), file: show(b) });
      }
    }
  }
  return result;
}

/** The key of a connection: both ends, as `10.0.0.1 80`, whichever is the client. */
export function keyOf(one: string, other: string): string {
  return [one, other].sort().join(' ');
}

/** The incarnations of each 4-tuple in their order. */
function grouped(records: readonly ConnectionRecord[]): Map<string, ConnectionRecord[]> {
  const groups = new Map<string, ConnectionRecord[]>();
  for (const record of [...records].sort((a, b) => a.stream - b.stream)) {
    const { client, server } = record;
    const key = keyOf(`${client.ip} ${client.port}`, `${server.ip} ${server.port}`);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return groups;
}

/** Whether only one side has the finding, and each side's delay is one that has it, or not. */
function differByDelay(a: ConnectionRecord, b: ConnectionRecord): boolean {
  const isTrue = (r: ConnectionRecord): boolean =>
    r.findings.some(({ code }) => code === DELAYED) === isDelayedAck(ackDelayNs(r));
  return kinds(a, DELAYED) === kinds(b, DELAYED) && isTrue(a) && isTrue(b);
}

/** From the first FIN to the one that acknowledges it, less the way to its sender and back: from the record's times alone. */
function ackDelayNs({ close, handshake }: ConnectionRecord): number {
  const first = close.steps.find(({ kind }) => kind === 'FIN');
  const second = close.steps.find(({ kind }) => kind === 'FIN,ACK of FIN');
  if (first === undefined || second === undefined) return Number.NaN;
  const rtt = second.from === 'server' ? handshake.serverRtt : handshake.clientRtt;
  return Math.round((second.t - first.t - (rtt ?? 0)) * 1e9);
}

/** Everything that is no time and no frame number. */
function kinds(r: ConnectionRecord, leftOut?: string): string {
  const path = (side: 'client' | 'server'): string[] => r.states[side].map(({ state }) => state);
  const steps = (list: readonly { kind: string; from: string; retransmission: boolean }[]) =>
    list.map(({ kind, from, retransmission }) => [kind, from, retransmission]);
  return JSON.stringify({
    client: r.client,
    server: r.server,
    rolesFrom: r.rolesFrom,
    packets: r.packets,
    bytes: r.bytes,
    duplicateFrames: r.duplicateFrames,
    handshake: [
      r.handshake.kind,
      r.handshake.attempts,
      r.handshake.options,
      steps(r.handshake.steps),
    ],
    close: [r.close.kind, r.close.complete, r.close.initiator, r.close.timeWait, r.close.resetBy],
    phase: [r.close.phase, r.close.resetAfterClose, r.close.certainty, steps(r.close.steps)],
    states: [path('client'), path('server')],
    findings: r.findings.map(({ code }) => code).filter((code) => code !== leftOut),
  });
}
