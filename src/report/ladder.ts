/** The ladder diagram of one connection: client left, server right, time downwards, and what it means in words. */

import { humanCount, plural } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import type { Severity, Side, StateEntry } from '../tcp/verdicts.ts';
import { endpointText } from './address.ts';
import { escapeTerminal } from './escape.ts';
import { explain } from './explain.ts';
import { type Fold, foldRows, type LadderRow } from './ladder-rows.ts';
import type { ConnectionRecord, SegmentView } from './record.ts';
import { type Paint, type Style, styleFor } from './style.ts';
import { fullTime } from './time.ts';
import { humanBytes } from './units.ts';
import { wrap } from './wrap.ts';

export interface LadderOptions {
  /** Columns of the terminal; less than 60 counts as 60. */
  width: number;
  color: boolean;
  local: boolean;
  /** Sequence numbers as on the wire, in place of relative to the initial ones. */
  absolute: boolean;
  /** Every segment on a line of its own. */
  all: boolean;
}

const MIN_WIDTH = 60;
const MAX_LANE = 64;
const STATE_WIDTH = 12;
/** Below this width the frame numbers leave. */
const FRAMES_FROM_WIDTH = 72;

const GLYPHS = { line: '─', dashed: '┄', right: '▶', left: '◀', post: '│', gap: '┊' };

interface Frame {
  options: LadderOptions;
  style: Style;
  record: ConnectionRecord;
  lane: number;
  frameWidth: number;
  timeWidth: number;
  decimals: number;
  base: Record<Side, number>;
  states: Record<Side, Map<number, StateEntry[]>>;
}

/** The diagram and the words under it, lines ending in a newline. `rows` as `collectRows` gathered them. */
export function formatLadder(
  record: ConnectionRecord,
  rows: readonly LadderRow[],
  options: LadderOptions,
): string {
  const f = frameFor(record, rows, options);
  const lines = [...title(f), '', ...head(f)];
  for (const row of options.all ? rows : foldRows(rows, record)) {
    lines.push(...(row.kind === 'fold' ? foldLines(f, row) : segmentLines(f, row)));
  }
  lines.push(...projectionLines(f), '', ...words(f));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function frameFor(
  record: ConnectionRecord,
  rows: readonly LadderRow[],
  options: LadderOptions,
): Frame {
  const width = Math.max(MIN_WIDTH, options.width);
  const decimals = width < 80 ? 3 : 6;
  const timeWidth = Math.max(4, lastTime(record).toFixed(decimals).length);
  const frameWidth = width < FRAMES_FROM_WIDTH ? 0 : `#${record.lastFrame}`.length + 2;
  const beside = frameWidth + timeWidth + 2 + STATE_WIDTH + 1 + 2 + 1 + STATE_WIDTH;
  return {
    options,
    style: styleFor(options.color),
    record,
    lane: Math.max(12, Math.min(MAX_LANE, width - beside)),
    frameWidth,
    timeWidth,
    decimals,
    base: options.absolute ? { client: 0, server: 0 } : basesOf(record, rows),
    states: { client: byFrame(record.states.client), server: byFrame(record.states.server) },
  };
}

function lastTime({ duration, states }: ConnectionRecord): number {
  const ends = [states.client.at(-1)?.t ?? 0, states.server.at(-1)?.t ?? 0];
  return Math.max(duration, ...ends);
}

/** What relative numbers count from: the initial sequence number, or else the first number seen of that side. */
function basesOf(record: ConnectionRecord, rows: readonly LadderRow[]): Record<Side, number> {
  const base = (side: Side): number => {
    const isn = record.handshake.isn[side];
    if (isn !== null) return isn;
    for (const row of rows) {
      if (row.kind !== 'segment') continue;
      // One less, so that the first byte is number 1, as in Wireshark.
      if (row.segment.from === side) return (row.segment.seq - 1) >>> 0;
      if (row.segment.ack !== null) return (row.segment.ack - 1) >>> 0;
    }
    return 0;
  };
  return { client: base('client'), server: base('server') };
}

function byFrame(entries: readonly StateEntry[]): Map<number, StateEntry[]> {
  const map = new Map<number, StateEntry[]>();
  for (const entry of entries) {
    if (entry.frame === null) continue;
    const at = map.get(entry.frame);
    if (at === undefined) map.set(entry.frame, [entry]);
    else at.push(entry);
  }
  return map;
}

function title({ options, record, style }: Frame): string[] {
  const { client, server, stream } = record;
  const file = record.file === null ? '' : `  ${escapeTerminal(record.file)}`;
  const packets = record.packets.client + record.packets.server;
  const bytes = record.bytes.client + record.bytes.server;
  const width = Math.max(MIN_WIDTH, options.width);
  const facts = `${fullTime(record.start, options)} · ${humanSeconds(record.duration)} · ${plural(packets, 'frame')} · ${humanBytes(bytes)}`;
  const ends = `${escapeTerminal(endpointText(client))} → ${escapeTerminal(endpointText(server))}`;
  return [
    `${style.bold(`Connection ${stream}`)}${file}`,
    ...wrap(ends, width),
    ...wrap(facts, width).map(style.dim),
  ];
}

function head(f: Frame): string[] {
  const { lane, record, style } = f;
  const client = `${GLYPHS.post} client`;
  const server = `server ${GLYPHS.post}`;
  const middle = ' '.repeat(Math.max(1, lane + 2 - client.length - server.length));
  const first = { client: before(record.states.client), server: before(record.states.server) };
  const space = ' '.repeat(f.frameWidth + f.timeWidth + 2);
  return [
    `${space}${style.dim(first.client.padStart(STATE_WIDTH))} ${style.bold(`${client}${middle}${server}`)} ${style.dim(first.server)}`,
  ];
}

/** The state an endpoint was in before the first frame. */
function before(entries: readonly StateEntry[]): string {
  const [first] = entries;
  if (first === undefined) return '';
  return first.frame === null ? first.state : first.state === 'SYN_SENT' ? 'CLOSED' : '';
}

function segmentLines(f: Frame, row: LadderRow & { kind: 'segment' }): string[] {
  const { again, segment } = row;
  const states = {
    client: f.states.client.get(segment.frame) ?? [],
    server: f.states.server.get(segment.frame) ?? [],
  };
  const arrow = arrowFor(f, segment, again);
  const lines = [
    line(f, segment.frame, segment.t, states.client[0]?.state, arrow, states.server[0]?.state),
  ];
  const blank = `${GLYPHS.post}${' '.repeat(f.lane)}${GLYPHS.post}`;
  const more = Math.max(states.client.length, states.server.length);
  for (let i = 1; i < more; i += 1) {
    lines.push(line(f, null, null, states.client[i]?.state, blank, states.server[i]?.state));
  }
  return lines;
}

function line(
  f: Frame,
  frame: number | null,
  t: number | null,
  client: string | undefined,
  middle: string,
  server: string | undefined,
): string {
  const number = frame === null ? '' : `#${frame}`;
  const left = f.frameWidth === 0 ? '' : `${number.padStart(f.frameWidth - 2)}  `;
  const time = (t === null ? '' : t.toFixed(f.decimals)).padStart(f.timeWidth);
  const { bold, dim } = f.style;
  return `${dim(left)}${dim(time)}  ${bold((client ?? '').padStart(STATE_WIDTH))} ${middle} ${bold(server ?? '')}`;
}

function arrowFor(f: Frame, segment: SegmentView, again: boolean): string {
  const { lane } = f;
  const label = labelFor(f, segment, again, lane - 6);
  const line = again || segment.duplicate ? GLYPHS.dashed : GLYPHS.line;
  const rest = lane - label.length - 3;
  const near = Math.max(1, Math.min(3, rest - 1));
  const far = Math.max(0, rest - near);
  const shaft =
    segment.from === 'client'
      ? `${line.repeat(near)} ${label} ${line.repeat(far)}${GLYPHS.right}`
      : `${GLYPHS.left}${line.repeat(near)} ${label} ${line.repeat(far)}`;
  return `${GLYPHS.post}${paintFor(f.style, segment)(shaft)}${GLYPHS.post}`;
}

function paintFor(style: Style, { duplicate, flags }: SegmentView): Paint {
  if (duplicate) return style.dim;
  if (flags.includes('RST')) return style.bad;
  if (flags.includes('FIN')) return style.warn;
  if (flags.includes('SYN')) return style.good;
  return style.accent;
}

/** The longest description that fits `room`: what leaves first is what the reader can do without. */
function labelFor(f: Frame, segment: SegmentView, again: boolean, room: number): string {
  const peer: Side = segment.from === 'client' ? 'server' : 'client';
  const flags = escapeTerminal(segment.flags);
  const seq = (segment.seq - f.base[segment.from]) >>> 0;
  const ack = segment.ack === null ? '' : ` ack ${(segment.ack - f.base[peer]) >>> 0}`;
  const len = segment.len > 0 ? ` len ${segment.len}` : '';
  const mark = segment.duplicate ? ' (duplicate)' : again ? ' (again)' : '';
  const shortMark = segment.duplicate ? ' dup' : again ? ' again' : '';
  const candidates = [
    `${flags} seq ${seq}${ack}${len}${mark}`,
    `${flags} seq ${seq}${ack}${len}${shortMark}`,
    `${flags} ${seq}${ack}${len}${shortMark}`,
    `${flags} ${seq}${ack}${shortMark}`,
    `${flags}${ack}${shortMark}`,
    `${flags}${shortMark}`,
  ];
  return candidates.find((text) => text.length <= room) ?? flags.slice(0, Math.max(1, room));
}

/** What `from` sent: the bytes are those of all segments together. */
function foldText({ acks, bytes, segments }: Fold, from: Side): string {
  if (segments[from] === 0) return '';
  if (acks[from] === segments[from]) return plural(acks[from], 'ACK');
  const count = plural(segments[from], 'segment');
  return bytes[from] === 0 ? count : `${count}, ${humanBytes(bytes[from])}`;
}

function foldLines(f: Frame, fold: Fold): string[] {
  const { lane } = f;
  const both = (side: (from: Side) => string): string[] => {
    const [client, server] = [side('client'), side('server')];
    return [client && `${client} ${GLYPHS.right}`, server && `${GLYPHS.left} ${server}`];
  };
  const whole = both((from) => foldText(fold, from));
  const bytes = both((from) =>
    fold.bytes[from] > 0 ? humanBytes(fold.bytes[from]) : foldText(fold, from),
  );
  const again = fold.again > 0 ? `${humanCount(fold.again)} again` : '';
  const total = fold.segments.client + fold.segments.server;
  // A clock set back must not make it negative.
  const span = total > 1 ? `in ${humanSeconds(Math.max(0, fold.lastT - fold.t))}` : '';
  const choices = [
    [...whole, again, span],
    [...bytes, again, span],
    [...bytes, span],
    bytes,
    [plural(total, 'segment')],
  ].map((parts) => parts.filter((part) => part !== '').join('  '));
  const text = (choices.find((choice) => choice.length <= lane - 2) ?? choices.at(-1) ?? '').slice(
    0,
    lane,
  );
  const space = lane - text.length;
  const before = Math.floor(space / 2);
  const middle = `${GLYPHS.gap}${' '.repeat(before)}${f.style.dim(text)}${' '.repeat(space - before)}${GLYPHS.gap}`;
  return [line(f, null, fold.t, undefined, middle, undefined)];
}

/** Transitions that come from a timer, after the last frame. */
function projectionLines(f: Frame): string[] {
  const { lane, record } = f;
  const timers = (['client', 'server'] as const).flatMap((side) =>
    record.states[side]
      .slice(1)
      .filter((entry) => entry.frame === null)
      .map((entry) => ({ side, entry })),
  );
  timers.sort((a, b) => a.entry.t - b.entry.t);
  return timers.map(({ entry, side }) => {
    const text = (lane >= 24 ? '2·MSL over (projected)' : '2·MSL').slice(0, lane);
    const space = lane - text.length;
    const before = Math.floor(space / 2);
    const middle = `${GLYPHS.gap}${' '.repeat(before)}${f.style.dim(text)}${' '.repeat(space - before)}${GLYPHS.gap}`;
    const client = side === 'client' ? entry.state : undefined;
    const server = side === 'server' ? entry.state : undefined;
    return line(f, null, entry.t, client, middle, server);
  });
}

const LABEL = 12;

const SEVERITY_PAINT: Record<Severity, keyof Style> = {
  note: 'accent',
  warning: 'warn',
  problem: 'bad',
};

function words({ options, record, style }: Frame): string[] {
  const width = Math.min(100, Math.max(MIN_WIDTH, options.width));
  const out: string[] = [];
  const say = (name: string, sentences: readonly string[], paint: Paint): void => {
    for (const [i, text] of sentences.entries()) {
      const label = i === 0 ? paint(name.padEnd(LABEL)) : ' '.repeat(LABEL);
      for (const [j, part] of wrap(text, width - LABEL).entries()) {
        out.push(`${j === 0 ? label : ' '.repeat(LABEL)}${part}`);
      }
    }
  };
  for (const { sentences, title } of explain(record)) {
    const listed = title === 'Why' ? sentences : [sentences.join(' ')];
    say(title, listed, style.bold);
  }
  for (const finding of record.findings) {
    const frames = finding.frames.slice(0, 5).map((frame) => `#${frame}`);
    if (finding.frames.length > 5) frames.push(`and ${finding.frames.length - 5} more`);
    out.push('');
    say(
      finding.severity,
      [
        `${finding.code}${frames.length > 0 ? ` (${frames.join(', ')})` : ''}: ${escapeTerminal(finding.what)}`,
        escapeTerminal(finding.advice),
      ],
      style[SEVERITY_PAINT[finding.severity]],
    );
  }
  return out;
}
