/** The table of connections for a terminal, laid out to fit its width. */

import Table from 'cli-table3';
import { humanSeconds } from '../base/duration.ts';
import type { CloseKind, HandshakeKind, RstPhase } from '../tcp/verdicts.ts';
import { endpointText, shortEndpoint } from './address.ts';
import { escapeTerminal } from './escape.ts';
import type { ConnectionRecord } from './record.ts';
import { closePaint, type Paint, type Style, styleFor, visibleLength } from './style.ts';
import { clockTime, dayOf, type TimeOptions } from './time.ts';
import { humanBytes, humanCount } from './units.ts';

export interface TableOptions {
  /** Columns of the terminal; less than MIN_WIDTH counts as MIN_WIDTH. */
  width: number;
  color: boolean;
  /** Characters of the date that the starts go without: what is the same in all of them (report/time.ts). */
  sameDay: number;
}

const MIN_WIDTH = 60;

/** Rows of a page: cli-table3 takes 0.5 ms a row and more the longer a table gets (1.4 ms at 1000 rows). */
const ROWS_PER_PAGE = 100;

/** Rows laid out by cli-table3; the rest, whose widths are settled by then, by padding alone. */
const CLI_TABLE_ROWS = 1000;

const GAP = 2;

interface Column {
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

const KEEP = Number.POSITIVE_INFINITY;

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

const COLUMNS: readonly Column[] = [
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
const START = placeOf('start');
const OPENED = placeOf('opened');
const CLOSED = placeOf('closed');
const ENDED = CLOSED + 1;

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

/** The table with a header line and the rows in the order given; lines end in a newline. Empty without rows. */
export function* tableChunks(
  all: readonly TableRow[],
  options: TableOptions,
  cliTableRows: number = CLI_TABLE_ROWS,
): Generator<string> {
  if (all.length === 0) return;
  const style = styleFor(options.color);
  const natural = naturalWidths(all, options.sameDay);
  const layout = fitColumns(natural, Math.max(options.width, MIN_WIDTH));
  const names = layout.map(({ column }) => style.bold(column.name));
  const rule = layout.map(({ width }) => style.dim('─'.repeat(width)));
  yield render(layout, [names, rule]);
  for (let at = 0; at < all.length; at += ROWS_PER_PAGE) {
    const rows = all
      .slice(at, at + ROWS_PER_PAGE)
      .map((row) => layout.map((placed) => cellText(row, placed, options.sameDay, style)));
    yield at < cliTableRows ? render(layout, rows) : padRows(layout, rows);
  }
}

interface Placed {
  column: Column;
  /** Where in COLUMNS. */
  place: number;
  width: number;
}

function cellText(
  row: TableRow,
  { column, place, width }: Placed,
  sameDay: number,
  style: Style,
): string {
  const cell = row.cells[place] ?? '';
  const text = shorten(
    place === START ? `${dayText(row, sameDay)}${cell}` : cell,
    width,
    column.name,
  );
  return column.paint ? column.paint(row, style)(text) : text;
}

/** What of its day stands before the time of a start. */
function dayText({ day }: TableRow, sameDay: number): string {
  return day.length <= sameDay ? '' : `${day.slice(sameDay)} `;
}

function naturalWidths(rows: readonly TableRow[], sameDay: number): Placed[] {
  const layout = COLUMNS.map((column, place) => ({ column, place, width: column.name.length }));
  for (const row of rows) {
    for (const placed of layout) {
      const before = placed.place === START ? dayText(row, sameDay).length : 0;
      placed.width = Math.max(placed.width, before + (row.cells[placed.place]?.length ?? 0));
    }
  }
  // A column without a word in it says nothing.
  return layout.filter(
    ({ column, place }) => column.name !== 'notes' || rows.some(({ cells }) => cells[place] !== ''),
  );
}

/** As many columns as `width` has room for, the telling ones first; addresses and notes are cut for that. */
function fitColumns(natural: readonly Placed[], width: number): Placed[] {
  const least = (layout: readonly Placed[]): number =>
    lineWidth(layout.map((one) => ({ ...one, width: Math.min(one.width, one.column.min) })));
  const isKept = ({ column, place }: Placed): boolean => column.rank === KEEP && place !== CLOSED;
  const others = natural.filter(({ column }) => column.rank !== KEEP);
  let layout = natural.filter(isKept);
  for (const one of others.sort((a, b) => b.column.rank - a.column.rank)) {
    const more =
      one.place === OPENED
        ? [...layout, one, ...natural.filter(({ place }) => place === CLOSED)].filter(
            ({ place }) => place !== ENDED,
          )
        : [...layout, one];
    if (least(more) <= width) layout = more;
  }
  layout.sort((a, b) => a.place - b.place);
  return cutTo(layout, width, least(layout) <= width);
}

/** Takes what is too long from the columns that may be cut, in turn: the notes, the two addresses evenly, how it was opened. */
function cutTo(layout: readonly Placed[], width: number, isEnough: boolean): Placed[] {
  const out = layout.map((placed) => ({ ...placed }));
  let left = lineWidth(out) - width;
  for (const names of [['notes'], ['client', 'server'], ['opened']]) {
    const group = out.filter(({ column }) => names.includes(column.name));
    while (left > 0 && group.length > 0) {
      const widest = group.reduce((a, b) => (b.width > a.width ? b : a));
      if (widest.width <= (isEnough ? widest.column.min : widest.column.least)) break;
      widest.width -= 1;
      left -= 1;
    }
  }
  return out;
}

function lineWidth(layout: readonly Placed[]): number {
  return layout.reduce((sum, { width }) => sum + width, 0) + GAP * (layout.length - 1);
}

/** Cuts to `width`. */
function shorten(text: string, width: number, column: string): string {
  if (column === 'client' || column === 'server') return shortEndpoint(text, width);
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
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

/** The same text as `render`, without its cost: cells are never longer than their column. */
function padRows(layout: readonly Placed[], rows: string[][]): string {
  let out = '';
  for (const row of rows) {
    let text = '';
    for (const [i, { column, width }] of layout.entries()) {
      const cell = row[i] ?? '';
      const space = ' '.repeat(Math.max(0, width - visibleLength(cell)));
      const gap = i === layout.length - 1 ? '' : ' '.repeat(GAP);
      text += column.right ? `${space}${cell}${gap}` : `${cell}${space}${gap}`;
    }
    out += `${text.trimEnd()}\n`;
  }
  return out;
}

function render(layout: readonly Placed[], rows: string[][]): string {
  const none = '';
  const table = new Table({
    colWidths: layout.map(({ width }, i) => width + (i === layout.length - 1 ? 0 : GAP)),
    colAligns: layout.map(({ column }) => (column.right ? 'right' : 'left')),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    // biome-ignore format: the frame has no character at all
    chars: { top: none, 'top-mid': none, 'top-left': none, 'top-right': none, bottom: none, 'bottom-mid': none,
      'bottom-left': none, 'bottom-right': none, left: none, 'left-mid': none, mid: none, 'mid-mid': none,
      right: none, 'right-mid': none, middle: none },
  });
  const last = layout.length - 1;
  for (const row of rows) {
    table.push(row.map((cell, i) => (layout[i]?.column.right && i !== last ? `${cell}  ` : cell)));
  }
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}
