/** What a report counts of connections: one row of figures for all of them, and one for each service, port and host. */

import { formatIpv4, formatIpv6 } from '../base/ip.ts';
import type { Conclusion } from '../tcp/conclude.ts';
import type { Ends } from '../tcp/finished.ts';
import {
  CLOSE_KINDS,
  type Close,
  FINDING_CODES,
  HANDSHAKE_KINDS,
  RST_PHASES,
  SIDES,
} from '../tcp/verdicts.ts';
import { closedFirst } from './counts.ts';
import {
  addRow,
  addTable,
  createTopTable,
  type RowKey,
  rowOf,
  type TopTable,
} from './top-table.ts';

/** Services (server address and port), server ports and hosts told apart; beyond that the smaller half is added up as one. */
const MAX_SERVICES = 16_384;
const MAX_PORTS = 16_384;
const MAX_HOSTS = 32_768;

/** Who closes first, and who holds TIME_WAIT. */
export const WHO = ['client', 'server', 'both'] as const;

/** The figures of a row by name; a dot separates the parts, as nested keys in JSON. */
export const FIGURES: readonly string[] = [
  'connections',
  'bytes.client',
  'bytes.server',
  ...HANDSHAKE_KINDS.map((kind) => `opened.${kind}`),
  ...CLOSE_KINDS.map((kind) => `closed.${kind}`),
  ...WHO.map((who) => `closedFirst.${who}`),
  ...WHO.map((who) => `timeWait.${who}`),
  ...RST_PHASES.flatMap((phase) => SIDES.map((side) => `resets.${phase}.${side}`)),
  'incomplete',
  'likely',
  ...FINDING_CODES.map((code) => `findings.${code}`),
];

/** The figures of a host: connections that it began and that it took, payload, and RSTs that ended a connection. */
export const HOST_FIGURES: readonly string[] = [
  'connections.asClient',
  'connections.asServer',
  'bytes.sent',
  'bytes.received',
  'bytes.total',
  'resets',
];

const INDEX = new Map(FIGURES.map((name, i) => [name, i]));
const HOST_INDEX = new Map(HOST_FIGURES.map((name, i) => [name, i]));

/** Where a figure stands in its row; a name that is none is a mistake in the program. */
export function figureAt(name: string): number {
  return found(INDEX, name);
}

/** Where a host's figure stands in its row. */
export function hostFigureAt(name: string): number {
  return found(HOST_INDEX, name);
}

function found(index: ReadonlyMap<string, number>, name: string): number {
  const at = index.get(name);
  if (at === undefined) throw new Error(`no figure ${name}`);
  return at;
}

const places = <K extends string>(group: string, keys: readonly K[]): Record<K, number> =>
  Object.fromEntries(keys.map((key) => [key, figureAt(`${group}.${key}`)])) as Record<K, number>;

const CONNECTIONS = figureAt('connections');
const BYTES = places('bytes', SIDES);
const OPENED = places('opened', HANDSHAKE_KINDS);
const CLOSED = places('closed', CLOSE_KINDS);
const CLOSED_FIRST = places('closedFirst', WHO);
const TIME_WAIT = places('timeWait', WHO);
const FIRST_RESET = figureAt(`resets.${RST_PHASES[0]}.client`);
const INCOMPLETE = figureAt('incomplete');
const LIKELY = figureAt('likely');
const FINDINGS = places('findings', FINDING_CODES);
const AS_CLIENT = hostFigureAt('connections.asClient');
const AS_SERVER = hostFigureAt('connections.asServer');
const SENT = hostFigureAt('bytes.sent');
const RECEIVED = hostFigureAt('bytes.received');
const HOST_BYTES = hostFigureAt('bytes.total');
const HOST_RESETS = hostFigureAt('resets');

/** Plain data, so that a thread can hand it to another. */
export interface Figures {
  total: Float64Array;
  /** By server address and port: the most connections stay. */
  services: TopTable;
  /** By server port. */
  ports: TopTable;
  /** By address: the most payload stays. */
  hosts: TopTable;
}

/** All zero. */
export function createFigures(): Figures {
  return {
    total: new Float64Array(FIGURES.length),
    services: createTopTable(FIGURES.length, CONNECTIONS, MAX_SERVICES),
    ports: createTopTable(FIGURES.length, CONNECTIONS, MAX_PORTS),
    hosts: createTopTable(HOST_FIGURES.length, HOST_BYTES, MAX_HOSTS),
  };
}

/** Adds what was counted elsewhere. */
export function addFigures(figures: Figures, more: Figures): void {
  addRow(figures.total, more.total);
  addTable(figures.services, more.services);
  addTable(figures.ports, more.ports);
  addTable(figures.hosts, more.hosts);
}

/** What a report counts of a verdict: which figures grow by one, and who sent the RST that ended the connection. It is the same for all with the same outline. */
export interface Counts {
  figures: readonly number[];
  resetBy: Close['resetBy'];
}

/** What is counted of a verdict. */
export function countsOf({ close, findings, handshake }: Conclusion): Counts {
  const figures = [CONNECTIONS, OPENED[handshake.kind], CLOSED[close.kind]];
  const first = closedFirst(close);
  if (first !== null) figures.push(CLOSED_FIRST[first]);
  if (close.timeWait !== null) figures.push(TIME_WAIT[close.timeWait]);
  if (close.phase !== null && close.resetBy !== null) {
    const place = RST_PHASES.indexOf(close.phase) * 2 + SIDES.indexOf(close.resetBy);
    figures.push(FIRST_RESET + place);
  }
  const isOver = close.kind !== 'open' && close.kind !== 'half-closed';
  if (isOver && !close.complete) figures.push(INCOMPLETE);
  if (close.certainty === 'likely') figures.push(LIKELY);
  // Once a connection, however often it happened in it.
  for (const code of new Set(findings.map((finding) => finding.code))) figures.push(FINDINGS[code]);
  return { figures, resetBy: close.resetBy };
}

/** Counts one connection. Hot path of a report, once a connection. */
export function countConnection(
  figures: Figures,
  { address, bytes, clientEnd, family, port }: Ends,
  { figures: counted, resetBy }: Counts,
): void {
  const client = clientEnd;
  const server = client === 0 ? 1 : 0;
  const sent = bytes[client];
  const received = bytes[server];
  const clientKey = hostKey(family, address[client]);
  const serverKey = hostKey(family, address[server]);
  const service = serviceKey(serverKey, port[server]);
  count(figures.total, counted, sent, received);
  count(rowOf(figures.services, service), counted, sent, received);
  count(rowOf(figures.ports, port[server]), counted, sent, received);
  countHost(rowOf(figures.hosts, clientKey), AS_CLIENT, sent, received, resetBy === 'client');
  countHost(rowOf(figures.hosts, serverKey), AS_SERVER, received, sent, resetBy === 'server');
}

function count(
  row: Float64Array,
  counted: readonly number[],
  sent: number,
  received: number,
): void {
  for (const at of counted) add(row, at, 1);
  add(row, BYTES.client, sent);
  add(row, BYTES.server, received);
}

function countHost(
  row: Float64Array,
  role: number,
  sent: number,
  received: number,
  reset: boolean,
): void {
  add(row, role, 1);
  add(row, SENT, sent);
  add(row, RECEIVED, received);
  add(row, HOST_BYTES, sent + received);
  if (reset) add(row, HOST_RESETS, 1);
}

function add(row: Float64Array, at: number, count: number): void {
  row[at] = (row[at] ?? 0) + count;
}

function hostKey(family: 4 | 6, address: Int32Array): RowKey {
  return family === 4 ? (address[0] ?? 0) >>> 0 : formatIpv6(address);
}

/** An IPv4 address and a port fit in a double; IPv6 stands in brackets, as in a URL (RFC 3986 §3.2.2). */
function serviceKey(host: RowKey, port: number): RowKey {
  return typeof host === 'number' ? host * 65536 + port : `[${host}]:${port}`;
}

/** A key of `hosts` as text. */
export function hostText(key: RowKey): string {
  return typeof key === 'number' ? formatIpv4(key | 0) : key;
}

/** A key of `services` as text. */
export function serviceText(key: RowKey): string {
  if (typeof key !== 'number') return key;
  return `${formatIpv4(Math.floor(key / 65536) | 0)}:${key % 65536}`;
}
