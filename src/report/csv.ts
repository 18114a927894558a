/** A record as a row of CSV (RFC 4180): one line a connection, nested values flattened. */

import type { RttFigures } from '../tcp/figures.ts';
import { CLOSE_KINDS, FINDING_CODES, type Finding, HANDSHAKE_KINDS } from '../tcp/verdicts.ts';
import { ByteText } from './byte-text.ts';
import { type Fragment, fragment, fragments, isPlain } from './fragment.ts';
import type { ConnectionRecord } from './record.ts';
import type { Sink } from './sink.ts';
import { templated } from './templated.ts';

/** The columns in the order in which `writeRow` writes them. Times and sizes are those of the record; null is an empty cell. */
export const CSV_COLUMNS = [
  'file',
  'stream',
  'communityId',
  'clientIp',
  'clientPort',
  'serverIp',
  'serverPort',
  'rolesFrom',
  'start',
  'duration',
  'firstFrame',
  'lastFrame',
  'clientPackets',
  'serverPackets',
  'clientBytes',
  'serverBytes',
  'duplicateFrames',
  'handshake',
  'fastOpen',
  'attempts',
  'serverRtt',
  'clientRtt',
  'handshakeRtt',
  'close',
  'complete',
  'initiator',
  'timeWait',
  'resetBy',
  'phase',
  'resetAfterClose',
  'certainty',
  'finToAck',
  'closeWait',
  'finWait2',
  'closeTotal',
  'bytesAfterFin',
  'findings',
  'clientRetransmissions',
  'serverRetransmissions',
  'clientRetransmittedBytes',
  'serverRetransmittedBytes',
  'clientOutOfOrder',
  'serverOutOfOrder',
  'clientDuplicateAcks',
  'serverDuplicateAcks',
  'clientZeroWindows',
  'serverZeroWindows',
  'clientUniqueBytes',
  'serverUniqueBytes',
  'clientMissingBytes',
  'serverMissingBytes',
  'clientMaxBytesInFlight',
  'serverMaxBytesInFlight',
  'clientRttMedian',
  'serverRttMedian',
] as const;

/** The header line, without its line end. */
export const CSV_HEADER = CSV_COLUMNS.join(',');

/** Line end of RFC 4180. */
export const CSV_EOL = '\r\n';

const ROLES_FROM = fragments(['syn', 'syn-ack', 'ports'], (word) => `,${word},`);
const HANDSHAKE = fragments(HANDSHAKE_KINDS, (kind) => `,${kind}`);
const CLOSE = fragments(CLOSE_KINDS, (kind) => `,${kind}`);
const CERTAINTY = fragments(['proven', 'likely'], (word) => `,${word}`);
const SIDE = fragments(
  ['client', 'server', 'both', 'none'],
  (word) => `,${word === 'none' ? '' : word}`,
);
const BOOLEAN = [fragment(',false'), fragment(',true')] as const;
const FIRST_FINDING = fragments(FINDING_CODES, (code) => `,${code}`);
const NEXT_FINDING = fragments(FINDING_CODES, (code) => ` ${code}`);

const COMMA = fragment(',');

/** An empty buffer for rows: null is an empty cell. */
export function csvBytes(capacity: number): ByteText {
  return new ByteText(capacity, '');
}

/** A writer of records to `out`, a row each (report/templated.ts). */
export function rowWriter(out: ByteText): ReturnType<typeof templated> {
  return templated(out, writeRow);
}

/** Writes `record` as one row with its line end. Of a record's text only the file's name is foreign. Hot path, as `writeRecord`. */
function writeRow(out: Sink, r: ConnectionRecord): void {
  const { handshake, close } = r;
  const { client, server } = r.transfer;
  out.part(r, fileCell);
  integer(out, r, 'stream');
  out.put(COMMA);
  out.nameOf(r, 'communityId');
  out.put(COMMA);
  out.nameOf(r.client, 'ip');
  integer(out, r.client, 'port');
  out.put(COMMA);
  out.nameOf(r.server, 'ip');
  integer(out, r.server, 'port');
  out.put(ROLES_FROM[r.rolesFrom]);
  out.nameOf(r, 'start');
  seconds(out, r, 'duration');
  integer(out, r, 'firstFrame');
  integer(out, r, 'lastFrame');
  integer(out, r.packets, 'client');
  integer(out, r.packets, 'server');
  integer(out, r.bytes, 'client');
  integer(out, r.bytes, 'server');
  integer(out, r, 'duplicateFrames');
  out.put(HANDSHAKE[handshake.kind]);
  out.put(BOOLEAN[handshake.fastOpen ? 1 : 0]);
  out.put(COMMA);
  // One SYN where there is a mold.
  out.integer(handshake.attempts);
  seconds(out, handshake, 'serverRtt');
  seconds(out, handshake, 'clientRtt');
  seconds(out, handshake, 'handshakeRtt');
  out.put(CLOSE[close.kind]);
  out.put(BOOLEAN[close.complete ? 1 : 0]);
  out.put(SIDE[close.initiator ?? 'none']);
  out.put(SIDE[close.timeWait ?? 'none']);
  out.put(SIDE[close.resetBy ?? 'none']);
  out.put(COMMA);
  if (close.phase !== null) out.raw(close.phase);
  out.put(BOOLEAN[close.resetAfterClose ? 1 : 0]);
  out.put(CERTAINTY[close.certainty]);
  seconds(out, close, 'finToAck');
  seconds(out, close, 'closeWait');
  seconds(out, close, 'finWait2');
  seconds(out, close, 'total');
  integer(out, close, 'bytesAfterFin');
  if (r.findings.length === 0) out.put(COMMA);
  for (let i = 0; i < r.findings.length; i++) {
    const { code } = r.findings[i] as Finding;
    out.put((i === 0 ? FIRST_FINDING : NEXT_FINDING)[code]);
  }
  integer(out, client, 'retransmissions');
  integer(out, server, 'retransmissions');
  integer(out, client, 'retransmittedBytes');
  integer(out, server, 'retransmittedBytes');
  integer(out, client, 'outOfOrder');
  integer(out, server, 'outOfOrder');
  integer(out, client, 'duplicateAcks');
  integer(out, server, 'duplicateAcks');
  integer(out, client, 'zeroWindows');
  integer(out, server, 'zeroWindows');
  integer(out, client, 'uniqueBytes');
  integer(out, server, 'uniqueBytes');
  integer(out, client, 'missingBytes');
  integer(out, server, 'missingBytes');
  integer(out, client, 'maxBytesInFlight');
  integer(out, server, 'maxBytesInFlight');
  median(out, client.rtt);
  median(out, server.rtt);
  out.raw(CSV_EOL);
}

/** The file of the row before, and its cell, where that is ASCII: there are many rows to a file. */
let lastFile: string | null = null;
let lastCell = '';
let lastFragment: Fragment | null = fragment('');

function fileCell(out: ByteText, { file }: ConnectionRecord): void {
  if (file !== lastFile) {
    lastFile = file;
    lastCell = csvCell(file);
    lastFragment = isPlain(lastCell) ? fragment(lastCell) : null;
  }
  if (lastFragment !== null) out.put(lastFragment);
  else out.utf8(lastCell);
}

function integer<K extends string>(
  out: Sink,
  of: Readonly<Record<K, number | null>>,
  key: K,
): void {
  out.put(COMMA);
  out.integerOf(of, key);
}

function seconds<K extends string>(
  out: Sink,
  of: Readonly<Record<K, number | null>>,
  key: K,
): void {
  out.put(COMMA);
  out.secondsOf(of, key);
}

function median(out: Sink, rtt: RttFigures | null): void {
  if (rtt === null) out.put(COMMA);
  else seconds(out, rtt, 'median');
}

/**
 * One cell. Text that a spreadsheet would take for a formula (it begins with = + - @ tab or CR) gets an apostrophe in
 * front; numbers are left alone. Quotes, commas and line ends are quoted.
 */
export function csvCell(value: string | null): string {
  if (value === null) return '';
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
