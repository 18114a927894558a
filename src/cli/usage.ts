/** Reading the values of options: what is wrong is said with what was meant and what is valid. */

import { existsSync } from 'node:fs';
import { type Network, parseNetwork } from '../report/address.ts';
import type { FailOn } from '../report/select.ts';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS } from '../tcp/verdicts.ts';

/** A wrong command line: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const FORMATS = ['table', 'jsonl', 'csv', 'zeek', 'zeek-json', 'summary'] as const;
export type Format = (typeof FORMATS)[number];
/** Formats for programs: a record a line. */
export type DataFormat = Exclude<Format, 'table' | 'summary'>;

/** Whether the format shows what Zeek's conn.log does, which has to be asked of the run. */
export function isZeek(format: Format): boolean {
  return format === 'zeek' || format === 'zeek-json';
}

/** Forms of `finwait report`, and the endings of files that have them. */
export const REPORT_FORMATS = ['md', 'csv', 'jsonl'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];
export const REPORT_ENDINGS: Readonly<Record<string, ReportFormat>> = {
  md: 'md',
  markdown: 'md',
  csv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
};

/** The form that the ending of `output` says; `usual` for standard output (null). */
export function formatByEnding<F extends string>(
  output: string | null,
  endings: Readonly<Record<string, F>>,
  usual: F,
): F {
  if (output === null) return usual;
  const ending = /\.([^./\\]+)$/.exec(output)?.[1]?.toLowerCase() ?? '';
  const found = endings[ending];
  if (found !== undefined && Object.hasOwn(endings, ending)) return found;
  const known = Object.keys(endings).map((name) => `.${name}`);
  const list = `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
  throw new UsageError(
    `-o ${output}: the ending says no format; expected ${list}, or give --format`,
  );
}

const FAIL_ON: readonly FailOn[] = [
  ...new Set<FailOn>([...CLOSE_KINDS, ...HANDSHAKE_KINDS, ...FINDING_CODES]),
];

/** One of `valid`, or a UsageError that guesses. */
export function oneOf<T extends string>(what: string, valid: readonly T[]): (text: string) => T {
  return (text) => {
    const found = valid.find((word) => word === text);
    if (found !== undefined) return found;
    const guess = nearest(text, valid);
    const meant = guess === null ? '' : ` — did you mean ${guess}?`;
    throw new UsageError(`unknown ${what} '${text}'${meant}\n  valid: ${valid.join(', ')}`);
  };
}

/** A list separated by commas; given again, it goes on. */
function listOf<T>(each: (text: string) => T): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [...before, ...text.split(',').map((part) => each(part.trim()))];
}

export const formatValue = oneOf('format', FORMATS);
export const reportFormatValue = oneOf('format', REPORT_FORMATS);
export const closeList = listOf(oneOf('close kind', CLOSE_KINDS));
export const handshakeList = listOf(oneOf('handshake kind', HANDSHAKE_KINDS));
export const findingList = listOf(oneOf('finding', FINDING_CODES));
export const failOnList = listOf(oneOf('kind or finding', FAIL_ON));
export const hostList = listOf(network);
export const portList = listOf((text) => whole('--port', text, 0, 65535));
export const streamList = listOf((text) => whole('--stream', text, 0, Number.MAX_SAFE_INTEGER));

/** A whole number between the limits, both included. */
export function whole(what: string, text: string, least: number, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `between ${least} and ${most}`;
  throw new UsageError(`${what}: expected a whole number ${range}, found '${text}'`);
}

/** Seconds, more than 0 and at most a day. */
export function mslValue(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= 86_400) return value;
  throw new UsageError(`--msl: expected seconds, more than 0 and at most 86400, found '${text}'`);
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed !== null) return parsed;
  throw new UsageError(
    `--host: expected an IPv4 or IPv6 address or a network such as 10.0.0.0/8 or 2001:db8::/32, found '${text}'`,
  );
}

/** `finwait shwo FILE 1`: the first of several files is none, and nearly a command; `finwait help`. */
export function refuseMistypedCommand(files: readonly string[], commands: readonly string[]): void {
  const [first, ...others] = files;
  if (first === undefined || existsSync(first)) return;
  if (first === 'help') throw new UsageError('help: no such file; finwait --help is the help');
  if (others.length === 0) return;
  const guess = /^[a-z]+$/.test(first) ? nearest(first, commands) : null;
  if (guess !== null) throw new UsageError(`${first}: no such file — did you mean ${guess}?`);
}

/** The word of `valid` that is at most two or a third of its letters away; null where none is. */
function nearest<T extends string>(text: string, valid: readonly T[]): T | null {
  if (text === '' || text.length > 64) return null;
  let best: T | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const word of valid) {
    const distance = editDistance(text.toLowerCase(), word.toLowerCase());
    const close = distance <= Math.max(2, Math.floor(word.length / 3)) && distance < word.length;
    if (close && distance < least) {
      best = word;
      least = distance;
    }
  }
  if (best !== null) return best;
  return valid.find((word) => word.startsWith(text) || word.includes(text)) ?? null;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
