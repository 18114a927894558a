/** The columns of the table of connections: what each says, and which give way where the terminal is narrow. */

import { humanCount } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import type { CloseKind, HandshakeKind, RstPhase } from '../tcp/verdicts.ts';
import { endpointText } from './address.ts';
import { escapeTerminal } from './escape.ts';
import type { ConnectionRecord } from './record.ts';
import { closePaint, type Paint, type Style } from './style.ts';
import { clockTime, dayOf, type TimeOptions } from './time.ts';
import { humanBytes } from './units.ts';

export interface Column {
  name: string;
  right: boolean;
  /** Where there is no room for all, the highest are shown first; Infinity always. */
  rank: number;
  /** Shortest width it may be cut to so that more columns fit, and so that the line does. */
  min: number;
  least: number;
  cell: (record: ConnectionRecord, options: TimeOptions) => string;
  paint?: (row: TableRow, style: Style) => Paint;
}

/** What the table shows of a record: less to hold until all widths are known. */
export interface TableRow {
  stream: number;
  kind: CloseKind;
  /** Of the start; in its cell is the time of day. */
  day: string;
  /** In the order of COLUMNS. */
  cells: string[];
}

/** The rank of what is always shown. */
export const KEEP = Number.POSITIVE_INFINITY;

/** A column that is never cut. */
function whole(
  name: string,
  right: boolean,
  rank: number,
  cell: Column['cell'],
  paint?: Column['paint'],
): Column {
  return { name, right, rank, min: KEEP, least: KEEP, cell, ...(paint ? { paint } : {}) };
}

/** All of them, in the order in which they are shown. */
export const COLUMNS: readonly Column[] = [
  whole('#', true, KEEP, (r) => String(r.stream)),
  {
    ...whole('client', false, KEEP, (r) => escapeTerminal(endpointText(r.client))),
    min: 21,
    least: 13,
  },
  {
    ...whole('server', false, KEEP, (r) => escapeTerminal(endpointText(r.server))),
    min: 21,
    least: 13,
  },
  whole('start', false, 1, (r, o) => clockTime(r.start, o)),
  whole('duration', true, 4, (r) => humanSeconds(r.duration)),
  whole('packets', true, 0, (r) => humanCount(r.packets.client + r.packets.server)),
  whole('bytes', true, 5, (r) => humanBytes(r.bytes.client + r.bytes.server)),
  { ...whole('opened', false, 6, openedText), min: 10 },
  whole('closed', false, KEEP, closedText, paintClose),
  // In the place of that where there is no room for `opened`.
  whole('closed', false, KEEP, endedText, paintClose),
  whole('by', false, 7, (r) => r.close.initiator ?? r.close.resetBy ?? '–'),
  whole('TIME_WAIT', false, 3, (r) => r.close.timeWait ?? '–'),
  {
    ...whole('notes', false, 2, notesText, (_r, s) => s.dim),
    min: 16,
    least: 16,
  },
];

const placeOf = (name: string): number => COLUMNS.findIndex((column) => column.name === name);
/** Where some of them stand in it; `ENDED` takes the place of `CLOSED` where there is no room for `OPENED`. */
export const START = placeOf('start');
export const OPENED = placeOf('opened');
export const CLOSED = placeOf('closed');
export const ENDED = CLOSED + 1;

/** The row of `record`. */
export function tableRow(record: ConnectionRecord, options: TimeOptions): TableRow {
  const { close, start, stream } = record;
  const cells = COLUMNS.map(({ cell }) => cell(record, options));
  return { stream, kind: close.kind, day: sharedDay(dayOf(start, options)), cells };
}

let lastDay = '';

/** One text for all rows of a day. */
function sharedDay(day: string): string {
  if (day !== lastDay) lastDay = day;
  return lastDay;
}

/** What of its day stands before the time of a start. */
export function dayText({ day }: TableRow, sameDay: number): string {
  return day.length <= sameDay ? '' : `${day.slice(sameDay)} `;
}

function openedText({ handshake }: ConnectionRecord): string {
  return handshake.fastOpen ? `${handshake.kind} TFO` : handshake.kind;
}

/** Made once: a row holds it, and there are rows by the hundred thousand. */
const RST_TEXT: Record<RstPhase, string> = {
  handshake: 'rst handshake',
  established: 'rst established',
  'after-fin': 'rst after-fin',
  closing: 'rst closing',
};

function closedText({ close }: ConnectionRecord): string {
  return close.phase === null ? close.kind : RST_TEXT[close.phase];
}

/** Openings that came to nothing, and say so without the close. */
const NEVER_OPENED: ReadonlySet<HandshakeKind> = new Set<HandshakeKind>([
  'unanswered',
  'refused',
  'aborted',
]);

/** How it ended where how it was opened is not told: of what never was open, why. */
function endedText(record: ConnectionRecord): string {
  const { kind } = record.handshake;
  const isStuck = kind === 'half-open' && record.close.kind === 'open';
  return isStuck || NEVER_OPENED.has(kind) ? kind : closedText(record);
}

function paintClose(row: TableRow, style: Style): Paint {
  return closePaint(style, row.kind);
}

function notesText({ close, findings }: ConnectionRecord): string {
  const notes: string[] = [];
  if (!close.complete && isFinClose(close.kind)) notes.push('last ACK missing');
  if (close.certainty === 'likely') notes.push('likely');
  for (const finding of findings) notes.push(finding.code);
  return notes.join(', ');
}

function isFinClose(kind: ConnectionRecord['close']['kind']): boolean {
  return kind === '4-way' || kind === '3-way-merged' || kind === 'simultaneous';
}
