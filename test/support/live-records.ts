/** Records of a live capture held against those of a file of the same traffic. */

import type { ConnectionRecord } from '../../src/report/record.ts';

export interface Comparison {
  records: number;
  /** Equal in everything that is no time. */
  equal: number;
  /** Seconds between the starts of the same connection: the median and the greatest. */
  medianApart: number;
  maxApart: number;
  /** Some of what differs: the key, then both sides. */
  different: { key: string; live: string; file: string }[];
}

const MAX_SHOWN = 5;

/**
 * Compares the records of both. Frame numbers are left out: two sockets see frames of different connections in different orders, where
 * two processors hand them over at once. Times differ a little, since each socket stamps what arrives. Without `withFindings` these
 * are left out too: some go by times, which the cap engine has not from the kernel.
 */
export function compareLive(
  live: readonly ConnectionRecord[],
  file: readonly ConnectionRecord[],
  withFindings = true,
): Comparison {
  const wanted = grouped(file);
  const found = grouped(live);
  const result: Comparison = { records: 0, equal: 0, medianApart: 0, maxApart: 0, different: [] };
  const apart: number[] = [];
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const expected = wanted.get(key) ?? [];
    const actual = found.get(key) ?? [];
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      result.records++;
      const [a, b] = [actual[i], expected[i]];
      if (a && b) apart.push(Math.abs(Date.parse(a.start) - Date.parse(b.start)) / 1000);
      if (a && b && kinds(a, withFindings) === kinds(b, withFindings)) result.equal++;
      else if (result.different.length < MAX_SHOWN) {
        const show = (one?: ConnectionRecord): string =>
          one ? kinds(one, withFindings) : 'missing';
        result.different.push({ key, live: show(a), file: show(b) });
      }
    }
  }
  apart.sort((a, b) => a - b);
  result.medianApart = apart[apart.length >> 1] ?? 0;
  result.maxApart = apart.at(-1) ?? 0;
  return result;
}

/** The incarnations of each 4-tuple in their order. */
function grouped(records: readonly ConnectionRecord[]): Map<string, ConnectionRecord[]> {
  const groups = new Map<string, ConnectionRecord[]>();
  for (const record of [...records].sort((a, b) => a.stream - b.stream)) {
    const { client, server } = record;
    const ends = [`${client.ip} ${client.port}`, `${server.ip} ${server.port}`].sort();
    const key = ends.join(' ');
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return groups;
}

/** Two captures stamp a frame some microseconds apart: a finding that begins at a millisecond may be in one and not in the other. */
function isSteady(code: string): boolean {
  return code !== 'merged-by-delayed-ack';
}

/** Everything that is no time and no frame number. */
function kinds(r: ConnectionRecord, withFindings: boolean): string {
  const path = (side: 'client' | 'server'): string[] => r.states[side].map(({ state }) => state);
  const steps = (list: readonly { kind: string; from: string; retransmission: boolean }[]) =>
    list.map(({ kind, from, retransmission }) => [kind, from, retransmission]);
  return JSON.stringify({
    client: r.client,
    server: r.server,
    rolesFrom: r.rolesFrom,
    packets: r.packets,
    bytes: r.bytes,
    handshake: [
      r.handshake.kind,
      r.handshake.attempts,
      r.handshake.options,
      steps(r.handshake.steps),
    ],
    close: [r.close.kind, r.close.complete, r.close.initiator, r.close.timeWait, r.close.resetBy],
    phase: [r.close.phase, r.close.resetAfterClose, r.close.certainty, steps(r.close.steps)],
    states: [path('client'), path('server')],
    findings: withFindings ? r.findings.map(({ code }) => code).filter(isSteady) : null,
  });
}
