/** The figures of a capture that come from its records, so that they can be counted in two places and added. */

import { COUNT_NAMES, isQuiet, type TransferSide } from '../tcp/figures.ts';
import {
  CLOSE_KINDS,
  type Close,
  type CloseKind,
  HANDSHAKE_KINDS,
  type HandshakeKind,
} from '../tcp/verdicts.ts';
import type { ConnectionRecord } from './record.ts';

/** The figures of transfer that are added up. */
const TRANSFER_TOTALS = [...COUNT_NAMES, 'uniqueBytes', 'missingBytes'] as const;
/** Sums over both directions of all connections. */
export type TransferTotals = Record<(typeof TRANSFER_TOTALS)[number], number> & {
  /** Connections whose ports an earlier one had used. */
  reusedPorts: number;
};

/** Part of CaptureSummary. */
export interface RecordCounts {
  handshakes: Record<HandshakeKind, number>;
  closes: Record<CloseKind, number>;
  /** Payload bytes of all connections. */
  bytes: number;
  /** Connections seen in one direction only; begun before the capture. */
  oneDirection: number;
  begunBefore: number;
  transfer: TransferTotals;
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
    transfer: createTransferTotals(),
  };
}

/** All zero. */
export function createTransferTotals(): TransferTotals {
  return { ...zeros(TRANSFER_TOTALS), reusedPorts: 0 };
}

/** Adds the figures of one connection. */
export function countTransfer(
  totals: TransferTotals,
  { transfer }: Pick<ConnectionRecord, 'transfer'>,
): void {
  addSide(totals, transfer.client);
  addSide(totals, transfer.server);
  if (transfer.reusedPorts) totals.reusedPorts++;
}

function addSide(totals: TransferTotals, side: TransferSide): void {
  totals.uniqueBytes += side.uniqueBytes;
  totals.missingBytes += side.missingBytes;
  if (isQuiet(side)) return;
  for (const name of COUNT_NAMES) totals[name] += side[name];
}

/** Adds `more` to `totals`. */
export function addTransfer(totals: TransferTotals, more: TransferTotals): void {
  for (const name of TRANSFER_TOTALS) totals[name] += more[name];
  totals.reusedPorts += more.reusedPorts;
}

/** What is counted of a record; or of several that differ in nothing but sums: these are in it then. */
export type Counted = Pick<
  ConnectionRecord,
  'bytes' | 'close' | 'findings' | 'handshake' | 'packets' | 'transfer'
>;

/** Counts one connection, or `n` of which `record` holds the sums. A SYN that nobody answers is whole with one direction. */
export function countRecord(counts: RecordCounts, record: Omit<Counted, 'findings'>, n = 1): void {
  counts.handshakes[record.handshake.kind] += n;
  counts.closes[record.close.kind] += n;
  counts.bytes += record.bytes.client + record.bytes.server;
  const isOneSided = record.packets.client === 0 || record.packets.server === 0;
  if (isOneSided && record.handshake.kind !== 'unanswered') counts.oneDirection += n;
  if (record.handshake.kind === 'none') counts.begunBefore += n;
  countTransfer(counts.transfer, record);
}

/** Who closed a connection first that was open; null where nobody did. A refused one was never open: whoever refused it closed nothing. */
export function closedFirst({ initiator, phase }: Close): Close['initiator'] {
  return phase === 'handshake' ? null : initiator;
}

/** Adds `more` to `counts`. */
export function addCounts(counts: RecordCounts, more: RecordCounts): void {
  for (const kind of HANDSHAKE_KINDS) counts.handshakes[kind] += more.handshakes[kind];
  for (const kind of CLOSE_KINDS) counts.closes[kind] += more.closes[kind];
  counts.bytes += more.bytes;
  counts.oneDirection += more.oneDirection;
  counts.begunBefore += more.begunBefore;
  addTransfer(counts.transfer, more.transfer);
}
