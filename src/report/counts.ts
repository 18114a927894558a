/** The figures of a capture that come from its records, so that they can be counted in two places and added. */

import {
  CLOSE_KINDS,
  type CloseKind,
  HANDSHAKE_KINDS,
  type HandshakeKind,
} from '../tcp/verdicts.ts';
import type { ConnectionRecord } from './record.ts';

/** Part of CaptureSummary. */
export interface RecordCounts {
  handshakes: Record<HandshakeKind, number>;
  closes: Record<CloseKind, number>;
  /** Payload bytes of all connections. */
  bytes: number;
  /** Connections seen in one direction only; begun before the capture. */
  oneDirection: number;
  begunBefore: number;
}

function zeros<K extends string>(kinds: readonly K[]): Record<K, number> {
  return Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<K, number>;
}

/** All zero. */
export function createCounts(): RecordCounts {
  return {
    handshakes: zeros(HANDSHAKE_KINDS),
    closes: zeros(CLOSE_KINDS),
    bytes: 0,
    oneDirection: 0,
    begunBefore: 0,
  };
}

/** Counts one connection. A SYN that nobody answers is whole with one direction. */
export function countRecord(
  counts: RecordCounts,
  record: Pick<ConnectionRecord, 'bytes' | 'close' | 'handshake' | 'packets'>,
): void {
  counts.handshakes[record.handshake.kind]++;
  counts.closes[record.close.kind]++;
  counts.bytes += record.bytes.client + record.bytes.server;
  const isOneSided = record.packets.client === 0 || record.packets.server === 0;
  if (isOneSided && record.handshake.kind !== 'unanswered') counts.oneDirection++;
  if (record.handshake.kind === 'none') counts.begunBefore++;
}

/** Adds `more` to `counts`. */
export function addCounts(counts: RecordCounts, more: RecordCounts): void {
  for (const kind of HANDSHAKE_KINDS) counts.handshakes[kind] += more.handshakes[kind];
  for (const kind of CLOSE_KINDS) counts.closes[kind] += more.closes[kind];
  counts.bytes += more.bytes;
  counts.oneDirection += more.oneDirection;
  counts.begunBefore += more.begunBefore;
}
