/** A record as a row of CSV (RFC 4180): one line a connection, nested values flattened. */

import { ByteText } from './byte-text.ts';
import type { ConnectionRecord } from './record.ts';

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

/** An empty buffer for rows: null is an empty cell. */
export function csvBytes(capacity: number): ByteText {
  return new ByteText(capacity, '');
}

/** Writes `record` as one row with its line end. Of a record's text only the file's name is foreign. Hot path, as `writeRecord`. */
export function writeRow(out: ByteText, r: ConnectionRecord): void {
  const { handshake, close } = r;
  const { client, server } = r.transfer;
  out.utf8(csvCell(r.file));
  out.comma();
  out.integer(r.stream);
  text(out, r.communityId);
  text(out, r.client.ip);
  integer(out, r.client.port);
  text(out, r.server.ip);
  integer(out, r.server.port);
  text(out, r.rolesFrom);
  text(out, r.start);
  seconds(out, r.duration);
  integer(out, r.firstFrame);
  integer(out, r.lastFrame);
  integer(out, r.packets.client);
  integer(out, r.packets.server);
  integer(out, r.bytes.client);
  integer(out, r.bytes.server);
  integer(out, r.duplicateFrames);
  text(out, handshake.kind);
  text(out, String(handshake.fastOpen));
  integer(out, handshake.attempts);
  seconds(out, handshake.serverRtt);
  seconds(out, handshake.clientRtt);
  seconds(out, handshake.handshakeRtt);
  text(out, close.kind);
  text(out, String(close.complete));
  text(out, close.initiator);
  text(out, close.timeWait);
  text(out, close.resetBy);
  text(out, close.phase);
  text(out, String(close.resetAfterClose));
  text(out, close.certainty);
  seconds(out, close.finToAck);
  seconds(out, close.closeWait);
  seconds(out, close.finWait2);
  seconds(out, close.total);
  integer(out, close.bytesAfterFin);
  out.comma();
  for (let i = 0; i < r.findings.length; i++) {
    if (i > 0) out.raw(' ');
    out.raw(r.findings[i]?.code ?? '');
  }
  integer(out, client.retransmissions);
  integer(out, server.retransmissions);
  integer(out, client.retransmittedBytes);
  integer(out, server.retransmittedBytes);
  integer(out, client.outOfOrder);
  integer(out, server.outOfOrder);
  integer(out, client.duplicateAcks);
  integer(out, server.duplicateAcks);
  integer(out, client.zeroWindows);
  integer(out, server.zeroWindows);
  integer(out, client.uniqueBytes);
  integer(out, server.uniqueBytes);
  integer(out, client.missingBytes);
  integer(out, server.missingBytes);
  integer(out, client.maxBytesInFlight);
  integer(out, server.maxBytesInFlight);
  seconds(out, client.rtt === null ? null : client.rtt.median);
  seconds(out, server.rtt === null ? null : server.rtt.median);
  out.raw(CSV_EOL);
}

function text(out: ByteText, value: string | null): void {
  out.comma();
  if (value !== null) out.raw(value);
}

function integer(out: ByteText, value: number | null): void {
  out.comma();
  out.integer(value);
}

function seconds(out: ByteText, value: number | null): void {
  out.comma();
  out.seconds(value);
}

/** One row, without its line end: for a few records, not for a million. */
export function csvRow(record: ConnectionRecord): string {
  const out = csvBytes(1024);
  writeRow(out, record);
  return new TextDecoder().decode(out.take()).slice(0, -CSV_EOL.length);
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
