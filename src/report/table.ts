/** The table of connections for a terminal, laid out to fit its width. */

import Table from 'cli-table3';
import { shortEndpoint } from './address.ts';
import { type Style, styleFor, visibleLength } from './style.ts';
import {
  CLOSED,
  COLUMNS,
  type Column,
  dayText,
  ENDED,
  KEEP,
  OPENED,
  START,
  type TableRow,
} from './table-columns.ts';

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
