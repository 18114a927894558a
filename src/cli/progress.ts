/** A bar of progress on a terminal, for whatever takes longer than a second. */

import { plural } from '../base/count.ts';
import { escapeTerminal } from '../report/escape.ts';
import { humanBytes } from '../report/units.ts';
import type { Context } from './context.ts';

const FIRST_AFTER_MS = 1000;
/** Ten times a second: more only costs. */
const EVERY_MS = 100;

/** How long the rate looks back: long enough to be steady, short enough to follow. */
const RATE_WINDOW_MS = 5000;

const MAX_BAR = 24;
const MIN_BAR = 8;
const MAX_NAME = 32;

/** How far a run is. */
export interface Reached {
  bytesRead: number;
  /** Null where nobody knows. */
  bytesTotal: number | null;
  connections: number;
}

export interface ProgressLine {
  /** Draws the line where it is due; `name` says what is being read. */
  show: (at: Reached, name?: string) => void;
  /** Takes the line away: before anything else is written to the terminal. */
  clear: () => void;
}

/** The line of a run; does nothing where standard error is no terminal, or with `quiet`. */
export function createProgress(
  ctx: Pick<Context, 'env' | 'status' | 'stderrIsTerminal' | 'width'>,
  name: string,
  quiet: boolean,
): ProgressLine {
  if (quiet || !ctx.stderrIsTerminal || ctx.env.TERM === 'dumb') return { show() {}, clear() {} };
  const began = performance.now();
  const rate = createRate(began);
  let next = began + FIRST_AFTER_MS;
  let drawn = 0;
  const erase = (): string => {
    // A terminal made narrower has broken the line: its first part stands some lines further up.
    const rows = Math.max(0, Math.ceil(drawn / Math.max(1, ctx.width)) - 1);
    return `${rows > 0 ? `\u001b[${rows}A` : ''}\r\u001b[J`;
  };
  return {
    show(at, title = name) {
      const now = performance.now();
      if (now < next) return;
      next = now + EVERY_MS;
      const perSecond = rate(now, at.bytesRead);
      const seconds = (now - began) / 1000;
      const line = progressLine({ ...at, name: title, perSecond, seconds }, ctx.width - 1);
      // No automatic line break: a name may be wider than it is long.
      ctx.status(`${erase()}\u001b[?7l${line}\u001b[?7h`);
      drawn = line.length;
    },
    clear() {
      if (drawn > 0) ctx.status(erase());
      drawn = 0;
    },
  };
}

/** Bytes a second over the last few seconds. */
function createRate(began: number): (now: number, bytes: number) => number {
  const samples = [{ at: began, bytes: 0 }];
  return (now, bytes) => {
    samples.push({ at: now, bytes });
    while (samples.length > 2 && now - (samples[1]?.at ?? now) >= RATE_WINDOW_MS) samples.shift();
    const [first = { at: now, bytes }] = samples;
    return now > first.at ? (1000 * Math.max(0, bytes - first.bytes)) / (now - first.at) : 0;
  };
}

/** What a line of progress tells. */
export interface ProgressState extends Reached {
  name: string;
  perSecond: number;
  /** Since the run began. */
  seconds: number;
}

/** The line in at most `width` columns: what matters least is left out first. */
export function progressLine(state: ProgressState, width: number): string {
  const { bytesRead, bytesTotal, connections, perSecond, seconds } = state;
  const isKnown = bytesTotal !== null && bytesTotal > 0;
  const share = isKnown ? Math.min(1, bytesRead / bytesTotal) : 0;
  const name = shorten(escapeTerminal(state.name), MAX_NAME);
  const left = isKnown && perSecond > 0 ? (bytesTotal - bytesRead) / perSecond : null;
  const time = left === null ? clock(seconds) : `${clock(Math.max(0, left))} left`;
  const rest = [
    ...(isKnown ? [`${Math.floor(100 * share)}%`.padStart(4)] : []),
    isKnown ? `${humanBytes(bytesRead)} of ${humanBytes(bytesTotal)}` : humanBytes(bytesRead),
    `${humanBytes(Math.round(perSecond))}/s`,
    plural(connections, 'connection'),
    time,
  ];
  const text = rest.join('  ');
  const room = width - name.length - text.length - 4;
  if (isKnown && room >= MIN_BAR) {
    return `${name}  ${bar(share, Math.min(MAX_BAR, room))}  ${text}`;
  }
  const [first = '', , ...others] = rest;
  const shorter = [`${name}  ${text}`, text, [first, ...others].join('  '), `${first}  ${time}`];
  return shorter.find((line) => line.length <= width) ?? '';
}

function bar(share: number, width: number): string {
  const full = Math.round(share * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** The end of a path tells more than its beginning. */
function shorten(text: string, most: number): string {
  return text.length <= most ? text : `…${text.slice(1 - most)}`;
}

/** `0:07`, `12:34`, `1:02:03`. */
function clock(seconds: number): string {
  const whole = Math.min(Math.round(seconds), 359_999);
  const two = (n: number): string => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
