/** The live screen as lines of styled text, for a width and a height: pure, so that it is tested without a terminal. */

import { humanCount, plural } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import { CLOSE_KINDS, HANDSHAKE_KINDS } from '../tcp/verdicts.ts';
import { endpointText, shortEndpoint } from './address.ts';
import { escapeTerminal } from './escape.ts';
import type { LiveConnection, LiveEvents } from './live-events.ts';
import type { LiveRates } from './live-rates.ts';
import { clockTime } from './time.ts';
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
  /** Times in the zone of this machine. */
  local: boolean;
  /** The latest line about the capture itself. */
  notice: string;
}

/** Lines above and below the table. */
const FRAME_LINES = 9;
const FINDINGS_SHOWN = 2;

/** Hosts named in a line. */
const MAX_HOSTS = 8;

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
  lines.push([{ text: model.notice, style: 'dim' }], keyLine(model, width));
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

function findingLine({ local, rates }: ScreenModel, i: number): Line {
  const one = rates.findings[i];
  const label: Span = { text: (i === 0 ? 'findings' : '').padEnd(12), style: 'accent' };
  if (one === undefined) return [label, { text: i === 0 ? 'none yet' : '', style: 'dim' }];
  return [
    label,
    plain(`${clockTime(one.time, { local }).slice(0, 8)}  ${one.code}  #${one.stream}  ${one.who}`),
  ];
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
/** An endpoint is cut to this where the terminal is narrow, and has this where the last event is shown. */
const MIN_ENDPOINT = 13;
const MAX_ENDPOINT = 23;
/** Least room that the last event is worth showing in. */
const MIN_LAST = 12;
/** With age and bytes from this width on. */
const WIDE_FROM = 112;
const WIDE = [7, MAX_ENDPOINT, MAX_ENDPOINT, 12, 12, 9, 8];
const NARROW = [6, MIN_ENDPOINT, MIN_ENDPOINT, 12, 12, 0, 0];

/** Widths of the columns, the last taking the rest; 0 where there is no room for one. */
function columnsFor(width: number): readonly number[] {
  const room = (columns: readonly number[]): number =>
    columns.reduce((left, column) => left - (column === 0 ? 0 : column + 1), width);
  if (width >= WIDE_FROM) return [...WIDE, room(WIDE)];
  const spare = room(NARROW);
  const last = spare - 2 * (MAX_ENDPOINT - MIN_ENDPOINT);
  const hasLast = last >= MIN_LAST;
  const endpoint = MIN_ENDPOINT + (Math.max(0, spare + 1) >> 1);
  const columns = [...NARROW, hasLast ? last : 0];
  columns[1] = columns[2] = hasLast ? MAX_ENDPOINT : endpoint;
  return columns;
}

function rowText(cells: readonly string[], columns: readonly number[]): string {
  const shown = cells.flatMap((cell, i) => {
    const column = columns[i] ?? 0;
    const text = i === 1 || i === 2 ? shortEndpoint(cell, column) : clip(cell, column);
    return column === 0 ? [] : [text.padEnd(column)];
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

const KEYS = [
  'q quit  p pause  s sort  / filter  ↑↓ choose  Enter ladder',
  'q quit  s sort  / filter  Enter ladder',
  'q quit  Enter ladder',
  'q quit',
];

function keyLine(
  { filter, first, isTyping, matching, rows, sort }: ScreenModel,
  width: number,
): Line {
  if (isTyping)
    return [{ text: `filter: ${filter}_`, style: 'bold' }, plain('   Enter keeps, Esc clears')];
  const shown = rows.length === 0 ? '0' : `${first + 1}–${first + rows.length}`;
  const filtered = filter === '' ? '' : `  filter '${filter}'`;
  const what = `${shown} of ${humanCount(matching)}, ${sort}${filtered}`;
  const keys = KEYS.find((text) => what.length + 3 + text.length <= width) ?? '';
  return [{ text: what, style: 'bold' }, plain(`   ${keys}`)];
}

function plain(text: string): Span {
  return { text, style: 'plain' };
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** A line in the width, with a sign where it was cut, and without what a terminal would obey. */
export function fitTo(line: Line, width: number): Line {
  const spans = line.map(({ style, text }) => ({ style, text: escapeTerminal(text) }));
  const length = spans.reduce((sum, { text }) => sum + text.length, 0);
  const isCut =
    length > width &&
    spans
      .map(({ text }) => text)
      .join('')
      .trimEnd().length > width;
  const out: Line = [];
  let left = isCut ? width - 1 : width;
  for (const { style, text } of spans) {
    const shown = text.slice(0, Math.max(0, left));
    if (shown !== '') out.push({ text: shown, style });
    left -= shown.length;
  }
  if (isCut) out.push({ text: '…', style: out.at(-1)?.style ?? 'plain' });
  return out;
}
