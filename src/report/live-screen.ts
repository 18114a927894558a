/** The live screen as lines of styled text, for a width and a height: pure, so that it is tested without a terminal. */

import { humanCount, plural } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import { CLOSE_KINDS, HANDSHAKE_KINDS } from '../tcp/verdicts.ts';
import { endpointText } from './address.ts';
import { escapeTerminal } from './escape.ts';
import type { LiveConnection, LiveEvents } from './live-events.ts';
import type { LiveRates } from './live-rates.ts';
import { humanBytes } from './units.ts';

export type SpanStyle = 'plain' | 'bold' | 'dim' | 'good' | 'warn' | 'bad' | 'accent' | 'selected';

export interface Span {
  text: string;
  style: SpanStyle;
}

export type Line = Span[];

export const SORTS = ['newest', 'oldest', 'latest event', 'bytes', 'state'] as const;
export type Sort = (typeof SORTS)[number];

/** What the screen shows. */
export interface ScreenModel {
  title: string;
  seconds: number;
  frames: number;
  /** Null while the engine doesn't tell. */
  dropped: number | null;
  nowSec: number;
  live: Pick<LiveEvents, 'open' | 'hosts' | 'sockets'>;
  rates: LiveRates;
  /** Rows of the table, chosen and sorted, from `first` on. */
  rows: readonly LiveConnection[];
  /** How many connections match the filter. */
  matching: number;
  first: number;
  selected: number;
  sort: Sort;
  filter: string;
  /** Whether the filter is being typed. */
  isTyping: boolean;
  isPaused: boolean;
  /** The latest line about the capture itself. */
  notice: string;
}

/** Lines above and below the table. */
const FRAME_LINES = 9;
const FINDINGS_SHOWN = 2;

/** How many rows of the table fit. */
export function tableHeight(height: number): number {
  return Math.max(1, height - FRAME_LINES - FINDINGS_SHOWN);
}

/** The connections that match `filter`, sorted, the first `count` from `first` on; and how many match. */
export function chooseRows(
  open: Iterable<LiveConnection>,
  filter: string,
  sort: Sort,
  first: number,
  count: number,
): { rows: LiveConnection[]; matching: number } {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const found: LiveConnection[] = [];
  for (const one of open) if (matches(one, words)) found.push(one);
  found.sort(ORDERS[sort]);
  return { rows: found.slice(first, first + count), matching: found.length };
}

const ORDERS: Record<Sort, (a: LiveConnection, b: LiveConnection) => number> = {
  newest: (a, b) => b.stream - a.stream,
  oldest: (a, b) => a.stream - b.stream,
  'latest event': (a, b) => b.lastSec - a.lastSec || b.stream - a.stream,
  bytes: (a, b) => b.bytes - a.bytes || b.stream - a.stream,
  state: (a, b) => stateText(a).localeCompare(stateText(b)) || b.stream - a.stream,
};

function matches(one: LiveConnection, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text =
    `#${one.stream} ${endpointText(one.client)} ${endpointText(one.server)} ${stateText(one)} ${one.handshake ?? ''} ${one.close ?? ''} ${one.lastEvent}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function stateText({ states }: LiveConnection): string {
  return `${states.client ?? '?'} ${states.server ?? '?'}`;
}

/** All lines of the screen: as many as it is high, none wider than it is. */
export function drawLive(model: ScreenModel, width: number, height: number): Line[] {
  const lines: Line[] = [
    titleLine(model),
    rateLine('opened/s', model.rates.opened.perSecond(model.nowSec), HANDSHAKE_KINDS),
    rateLine('closed/s', model.rates.closed.perSecond(model.nowSec), CLOSE_KINDS),
    hostLine('TIME_WAIT', model),
    hostLine('CLOSE_WAIT', model),
  ];
  for (let i = 0; i < FINDINGS_SHOWN; i++) lines.push(findingLine(model, i));
  lines.push([]);
  const columns = columnsFor(width);
  lines.push([{ text: rowText(HEADS, columns), style: 'bold' }]);
  const rows = tableHeight(height);
  for (let i = 0; i < rows; i++) {
    const one = model.rows[i];
    lines.push(one === undefined ? [] : rowLine(one, model, columns, model.first + i));
  }
  while (lines.length < height - 2) lines.push([]);
  lines.push([{ text: model.notice, style: 'dim' }], keyLine(model));
  return lines.slice(-height).map((line) => fitTo(line, width));
}

function titleLine(model: ScreenModel): Line {
  const { dropped, frames, isPaused, live, seconds, title } = model;
  const drops: Span =
    dropped === null
      ? { text: 'drops told at the end', style: 'dim' }
      : { text: `${humanCount(dropped)} dropped`, style: dropped > 0 ? 'bad' : 'plain' };
  return [
    { text: title, style: 'bold' },
    plain(`  ${humanSeconds(Math.floor(seconds))}  ${plural(frames, 'frame')}  `),
    drops,
    plain(`  ${plural(live.open.size, 'connection')}`),
    ...(isPaused ? [plain('  '), { text: 'PAUSED', style: 'warn' as const }] : []),
  ];
}

function rateLine(label: string, rates: Map<string, number>, kinds: readonly string[]): Line {
  const parts = kinds.flatMap((kind) => {
    const rate = rates.get(kind);
    return rate === undefined || rate === 0 ? [] : [`${kind} ${rate.toFixed(1)}`];
  });
  return [{ text: label.padEnd(12), style: 'accent' }, plain(parts.join('  ') || '0')];
}

function hostLine(state: 'TIME_WAIT' | 'CLOSE_WAIT', { live }: ScreenModel): Line {
  const hosts = [...live.hosts].filter(([, counts]) => counts[state] > 0);
  hosts.sort((a, b) => b[1][state] - a[1][state] || (a[0] < b[0] ? -1 : 1));
  const parts = hosts
    .slice(0, MAX_HOSTS)
    .map(([ip, counts]) => `${ip} ${humanCount(counts[state])}`);
  const more = hosts.length > MAX_HOSTS ? `  and ${plural(hosts.length - MAX_HOSTS, 'host')}` : '';
  return [
    { text: state.padEnd(12), style: 'accent' },
    { text: humanCount(live.sockets[state]), style: 'bold' },
    plain(parts.length === 0 ? '' : `  ${parts.join('  ')}${more}`),
  ];
}

/** Hosts named in a line. */
const MAX_HOSTS = 8;

function findingLine({ rates }: ScreenModel, i: number): Line {
  const one = rates.findings[i];
  const label: Span = { text: (i === 0 ? 'findings' : '').padEnd(12), style: 'accent' };
  if (one === undefined) return [label, { text: i === 0 ? 'none yet' : '', style: 'dim' }];
  return [label, plain(`${one.time.slice(11, 19)}  ${one.code}  #${one.stream}  ${one.who}`)];
}

const HEADS = [
  '#',
  'client',
  'server',
  'client state',
  'server state',
  'age',
  'bytes',
  'last event',
];
/** Widths of the columns; the last takes the rest. */
const WIDE = [7, 23, 23, 12, 12, 9, 8];
/** Without its own column for the state of the server below this width. */
const NARROW_BELOW = 112;
const NARROW = [6, 21, 21, 12, 12, 0, 0];

function columnsFor(width: number): readonly number[] {
  return width >= NARROW_BELOW ? WIDE : NARROW;
}

function rowText(cells: readonly string[], columns: readonly number[]): string {
  const shown = cells.flatMap((cell, i) => {
    const column = columns[i];
    if (column === undefined) return [cell];
    return column === 0 ? [] : [clip(cell, column).padEnd(column)];
  });
  return shown.join(' ');
}

function rowLine(
  one: LiveConnection,
  model: ScreenModel,
  columns: readonly number[],
  position: number,
): Line {
  const age = Math.max(0, model.nowSec - one.startSec);
  const cells = [
    String(one.stream),
    endpointText(one.client),
    endpointText(one.server),
    one.states.client ?? '?',
    one.states.server ?? '?',
    humanSeconds(age),
    humanBytes(one.bytes),
    one.lastEvent,
  ];
  return [{ text: rowText(cells, columns), style: styleOf(one, position === model.selected) }];
}

function styleOf(one: LiveConnection, isSelected: boolean): SpanStyle {
  if (isSelected) return 'selected';
  if (one.close === 'rst') return 'bad';
  if (one.states.client === 'CLOSE_WAIT' || one.states.server === 'CLOSE_WAIT') return 'warn';
  return one.close !== null && one.closeComplete ? 'dim' : 'plain';
}

function keyLine({ filter, first, isTyping, matching, rows, sort }: ScreenModel): Line {
  if (isTyping)
    return [{ text: `filter: ${filter}_`, style: 'bold' }, plain('   Enter keeps, Esc clears')];
  const shown = rows.length === 0 ? '0' : `${first + 1}–${first + rows.length}`;
  const filtered = filter === '' ? '' : `  filter '${filter}'`;
  return [
    { text: `${shown} of ${humanCount(matching)}, ${sort}${filtered}`, style: 'bold' },
    plain('   q quit  p pause  s sort  / filter  ↑↓ choose  Enter ladder'),
  ];
}

function plain(text: string): Span {
  return { text, style: 'plain' };
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Cuts a line to the width and takes away what a terminal would obey. */
function fitTo(line: Line, width: number): Line {
  const out: Line = [];
  let left = width;
  for (const { style, text } of line) {
    const shown = escapeTerminal(text).slice(0, left);
    if (shown !== '') out.push({ text: shown, style });
    left -= shown.length;
  }
  return out;
}
