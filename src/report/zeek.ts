/** Zeek's conn.log: tab-separated with Zeek's header (zeek: logging/writers/ascii), or JSON Lines as its `use_json` writes them. */

import type { ByteText } from './byte-text.ts';
import type { ConnectionRecord } from './record.ts';
import type { ZeekView } from './zeek-view.ts';

/** Every field with its type, in conn.log's order; the last one is that of Zeek's Community ID script. */
export const ZEEK_FIELDS = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['history', 'string'],
  ['orig_pkts', 'count'],
  ['orig_ip_bytes', 'count'],
  ['resp_pkts', 'count'],
  ['resp_ip_bytes', 'count'],
  ['tunnel_parents', 'set[string]'],
  ['ip_proto', 'count'],
  ['community_id', 'string'],
] as const;

const UNSET = '-';
const PROTOCOL_TCP = 6;

/** The lines before the first connection. `open`: when the log was opened, as `YYYY-MM-DD-hh-mm-ss`. */
export function zeekHeader(open: string): string {
  return [
    '#separator \\x09',
    '#set_separator\t,',
    '#empty_field\t(empty)',
    `#unset_field\t${UNSET}`,
    '#path\tconn',
    `#open\t${open}`,
    `#fields\t${ZEEK_FIELDS.map(([name]) => name).join('\t')}`,
    `#types\t${ZEEK_FIELDS.map(([, type]) => type).join('\t')}`,
    '',
  ].join('\n');
}

/** The line behind the last one. */
export function zeekFooter(close: string): string {
  return `#close\t${close}\n`;
}

/**
 * Writes `record` as one line. No field needs an escape: the only text from outside would be the service, which finwait doesn't tell. Hot
 * path, as `writeRecord`.
 */
export function writeZeekRow(out: ByteText, record: ConnectionRecord): void {
  const z = viewOf(record);
  const { originator, responder } = z;
  micros(out, z.startUs);
  cell(out, z.uid);
  cell(out, originator.ip);
  count(out, originator.port);
  cell(out, responder.ip);
  count(out, responder.port);
  cell(out, 'tcp');
  cell(out, UNSET);
  out.raw('\t');
  if (z.durationUs === null) out.raw(UNSET);
  else micros(out, z.durationUs);
  count(out, originator.bytes);
  count(out, responder.bytes);
  cell(out, z.connState);
  cell(out, originator.isLocal ? 'T' : 'F');
  cell(out, responder.isLocal ? 'T' : 'F');
  count(out, z.missedBytes);
  cell(out, z.history ?? UNSET);
  count(out, originator.packets);
  count(out, originator.ipBytes);
  count(out, responder.packets);
  count(out, responder.ipBytes);
  cell(out, UNSET);
  count(out, PROTOCOL_TCP);
  cell(out, record.communityId);
  out.raw('\n');
}

/** Writes `record` as one line of JSON: fields that are not set are left out. Hot path. */
export function writeZeekJson(out: ByteText, record: ConnectionRecord): void {
  const z = viewOf(record);
  const { originator, responder } = z;
  out.raw('{"ts":');
  micros(out, z.startUs);
  member(out, 'uid', z.uid);
  member(out, 'id.orig_h', originator.ip);
  number(out, 'id.orig_p', originator.port);
  member(out, 'id.resp_h', responder.ip);
  number(out, 'id.resp_p', responder.port);
  member(out, 'proto', 'tcp');
  if (z.durationUs !== null) {
    out.raw(',"duration":');
    micros(out, z.durationUs);
    number(out, 'orig_bytes', originator.bytes);
    number(out, 'resp_bytes', responder.bytes);
  }
  member(out, 'conn_state', z.connState);
  out.raw(`,"local_orig":${originator.isLocal},"local_resp":${responder.isLocal}`);
  number(out, 'missed_bytes', z.missedBytes);
  if (z.history !== null) member(out, 'history', z.history);
  number(out, 'orig_pkts', originator.packets);
  number(out, 'orig_ip_bytes', originator.ipBytes);
  number(out, 'resp_pkts', responder.packets);
  number(out, 'resp_ip_bytes', responder.ipBytes);
  number(out, 'ip_proto', PROTOCOL_TCP);
  member(out, 'community_id', record.communityId);
  out.raw('}\n');
}

function viewOf({ zeek }: ConnectionRecord): ZeekView {
  if (zeek === undefined) throw new Error('the record was made without Zeek’s view');
  return zeek;
}

/** Microseconds as seconds with six decimals. */
function micros(out: ByteText, us: number): void {
  const seconds = Math.floor(us / 1e6);
  out.integer(seconds);
  out.raw(String(1e6 + (us - seconds * 1e6)).replace('1', '.'));
}

function cell(out: ByteText, text: string): void {
  out.raw('\t');
  out.raw(text);
}

function count(out: ByteText, value: number | null): void {
  out.raw('\t');
  if (value === null) out.raw(UNSET);
  else out.integer(value);
}

function member(out: ByteText, name: string, text: string): void {
  out.raw(`,"${name}":"`);
  out.raw(text);
  out.raw('"');
}

function number(out: ByteText, name: string, value: number | null): void {
  out.raw(`,"${name}":`);
  out.integer(value);
}
