/** The table of connections for a terminal, laid out to fit its width. */

import Table from 'cli-table3';
import { humanCount } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import type { CloseKind } from '../tcp/verdicts.ts';
import { endpointText } from './address.ts';
import { escapeTerminal } from './escape.ts';
import type { ConnectionRecord } from './record.ts';
import { closePaint, type Paint, type Style, styleFor } from './style.ts';
import { clockTime } from './time.ts';
import { humanBytes } from './units.ts';

export interface TableOptions {
  /** Columns of the terminal; less than MIN_WIDTH counts as MIN_WIDTH. */
  width: number;
  color: boolean;
  local: boolean;
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
  /** Columns leave in ascending order; Infinity never. */
  leavesAt: number;
  /** Shortest width it may be cut to before any column leaves, and at the very end. */
  min: number;
  least: number;
  cell: (record: ConnectionRecord, options: Pick<TableOptions, 'local'>) => string;
  paint?: (row: TableRow, style: Style) => Paint;
}

/** What the table shows of a record: less to hold until all widths are known. */
export interface TableRow {
  stream: number;
  kind: CloseKind;
  /** In the order of COLUMNS. */
  cells: string[];
}

const KEEP = Number.POSITIVE_INFINITY;

/** A column that is never cut. */
function whole(
  name: string,
  right: boolean,
  leavesAt: number,
  cell: Column['cell'],
  paint?: Column['paint'],
): Column {
  return { name, right, leavesAt, min: KEEP, least: KEEP, cell, ...(paint ? { paint } : {}) };
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
  whole('duration', true, 3, (r) => humanSeconds(r.duration)),
  whole('packets', true, 2, (r) => humanCount(r.packets.client + r.packets.server)),
  whole('bytes', true, 6, (r) => humanBytes(r.bytes.client + r.bytes.server)),
  whole('opened', false, 4, openedText),
  whole('closed', false, KEEP, closedText, (r, s) => closePaint(s, r.kind)),
  whole('by', false, 7, (r) => r.close.initiator ?? r.close.resetBy ?? '–'),
  whole('TIME_WAIT', false, 5, (r) => r.close.timeWait ?? '–'),
  {
    ...whole('notes', false, 0, notesText, (_r, s) => s.dim),
    min: 16,
    least: 16,
  },
];

/** The row of `record`. */
export function tableRow(record: ConnectionRecord, options: Pick<TableOptions, 'local'>): TableRow {
  const { close, stream } = record;
  return { stream, kind: close.kind, cells: COLUMNS.map(({ cell }) => cell(record, options)) };
}

/** The table with a header line and the rows in the order given; lines end in a newline. Empty without rows. */
export function* tableChunks(
  all: readonly TableRow[],
  options: TableOptions,
  cliTableRows: number = CLI_TABLE_ROWS,
): Generator<string> {
  if (all.length === 0) return;
  const style = styleFor(options.color);
  const layout = fitColumns(naturalWidths(all), Math.max(options.width, MIN_WIDTH));
  const names = layout.map(({ column }) => style.bold(column.name));
  const rule = layout.map(({ width }) => style.dim('─'.repeat(width)));
  yield render(layout, [names, rule]);
  for (let at = 0; at < all.length; at += ROWS_PER_PAGE) {
    const rows = all
      .slice(at, at + ROWS_PER_PAGE)
      .map((row) => layout.map((placed) => cellText(row, placed, style)));
    yield at < cliTableRows ? render(layout, rows) : padRows(layout, rows);
  }
}

interface Placed {
  column: Column;
  /** Where in COLUMNS. */
  place: number;
  width: number;
}

function cellText(row: TableRow, { column, place, width }: Placed, style: Style): string {
  const text = shorten(row.cells[place] ?? '', width, column.name);
  return column.paint ? column.paint(row, style)(text) : text;
}

function naturalWidths(rows: readonly TableRow[]): Placed[] {
  const layout = COLUMNS.map((column, place) => ({ column, place, width: column.name.length }));
  for (const { cells } of rows) {
    for (const placed of layout) {
      placed.width = Math.max(placed.width, cells[placed.place]?.length ?? 0);
    }
  }
  // A column without a word in it says nothing.
  return layout.filter(
    ({ column, place }) => column.name !== 'notes' || rows.some(({ cells }) => cells[place] !== ''),
  );
}

/** Cuts and drops columns until the line fits `width`. */
function fitColumns(natural: Placed[], width: number): Placed[] {
  let layout = natural;
  for (;;) {
    const over = lineWidth(layout) - width;
    if (over <= 0) return layout;
    const cut = cutBy(layout, over, (column) => column.min);
    if (lineWidth(cut) <= width) return cut;
    const next = Math.min(...layout.map(({ column }) => column.leavesAt));
    if (next === KEEP) return cutBy(layout, over, (column) => column.least);
    layout = layout.filter(({ column }) => column.leavesAt !== next);
  }
}

/** Takes `over` characters from the columns that may be cut: the last first, the two addresses evenly. */
function cutBy(layout: Placed[], over: number, floor: (column: Column) => number): Placed[] {
  const out = layout.map((placed) => ({ ...placed }));
  let left = over;
  const notes = out.find(({ column }) => column.name === 'notes');
  if (notes) {
    const take = Math.min(left, Math.max(0, notes.width - floor(notes.column)));
    notes.width -= take;
    left -= take;
  }
  const addresses = out.filter(
    ({ column }) => column.name === 'client' || column.name === 'server',
  );
  while (left > 0) {
    const widest = addresses.reduce((a, b) => (b.width > a.width ? b : a));
    if (widest.width <= floor(widest.column)) break;
    widest.width -= 1;
    left -= 1;
  }
  return out;
}

function lineWidth(layout: readonly Placed[]): number {
  return layout.reduce((sum, { width }) => sum + width, 0) + GAP * (layout.length - 1);
}

/** Cuts to `width`: an endpoint in its address, keeping the port; anything else at its end. */
function shorten(text: string, width: number, column: string): string {
  if (text.length <= width) return text;
  if (column !== 'client' && column !== 'server') return `${text.slice(0, width - 1)}…`;
  const port = text.slice(text.lastIndexOf(':'));
  return `${text.slice(0, Math.max(0, width - port.length - 1))}…${port}`;
}

function openedText({ handshake }: ConnectionRecord): string {
  return handshake.fastOpen ? `${handshake.kind} TFO` : handshake.kind;
}

function closedText({ close }: ConnectionRecord): string {
  return close.phase === null ? close.kind : `${close.kind} ${close.phase}`;
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

/** Length without colours, which are the only escape sequences a cell can hold. */
function visibleLength(cell: string): number {
  let length = cell.length;
  for (let at = cell.indexOf('\u001b['); at >= 0; at = cell.indexOf('\u001b[', at + 1)) {
    length -= cell.indexOf('m', at) - at + 1;
  }
  return length;
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
