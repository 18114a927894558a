/** A record as a row of CSV (RFC 4180): one line a connection, nested values flattened. */

import type { ConnectionRecord } from './record.ts';

type Cell = string | number | boolean | null;

/** The columns in order, each with where its value comes from. Times and sizes are those of the record; null is an empty cell. */
const COLUMNS: readonly (readonly [string, (r: ConnectionRecord) => Cell])[] = [
  ['file', (r) => r.file],
  ['stream', (r) => r.stream],
  ['communityId', (r) => r.communityId],
  ['clientIp', (r) => r.client.ip],
  ['clientPort', (r) => r.client.port],
  ['serverIp', (r) => r.server.ip],
  ['serverPort', (r) => r.server.port],
  ['rolesFrom', (r) => r.rolesFrom],
  ['start', (r) => r.start],
  ['duration', (r) => r.duration],
  ['firstFrame', (r) => r.firstFrame],
  ['lastFrame', (r) => r.lastFrame],
  ['clientPackets', (r) => r.packets.client],
  ['serverPackets', (r) => r.packets.server],
  ['clientBytes', (r) => r.bytes.client],
  ['serverBytes', (r) => r.bytes.server],
  ['duplicateFrames', (r) => r.duplicateFrames],
  ['handshake', (r) => r.handshake.kind],
  ['fastOpen', (r) => r.handshake.fastOpen],
  ['attempts', (r) => r.handshake.attempts],
  ['serverRtt', (r) => r.handshake.serverRtt],
  ['clientRtt', (r) => r.handshake.clientRtt],
  ['handshakeRtt', (r) => r.handshake.handshakeRtt],
  ['close', (r) => r.close.kind],
  ['complete', (r) => r.close.complete],
  ['initiator', (r) => r.close.initiator],
  ['timeWait', (r) => r.close.timeWait],
  ['resetBy', (r) => r.close.resetBy],
  ['phase', (r) => r.close.phase],
  ['resetAfterClose', (r) => r.close.resetAfterClose],
  ['certainty', (r) => r.close.certainty],
  ['finToAck', (r) => r.close.finToAck],
  ['closeWait', (r) => r.close.closeWait],
  ['finWait2', (r) => r.close.finWait2],
  ['closeTotal', (r) => r.close.total],
  ['bytesAfterFin', (r) => r.close.bytesAfterFin],
  ['findings', (r) => r.findings.map((finding) => finding.code).join(' ')],
];

/** The header line, without its line end. */
export const CSV_HEADER = COLUMNS.map(([name]) => name).join(',');

/** Line end of RFC 4180. */
export const CSV_EOL = '\r\n';

/** One row, without its line end. */
export function csvRow(record: ConnectionRecord): string {
  return COLUMNS.map(([, value]) => csvCell(value(record))).join(',');
}

/**
 * One cell. Text that a spreadsheet would take for a formula (it begins with = + - @ tab or CR) gets an apostrophe in
 * front; numbers are left alone. Quotes, commas and line ends are quoted.
 */
export function csvCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
