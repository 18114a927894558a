/** What a command takes from the world around it, so that tests can put their own in its place. */

import type { RunOptions } from '../analyze.ts';
import type { ReaderName } from '../capture/open.ts';
import type { FrameSource } from '../capture/source.ts';
import { toAscii } from '../report/ascii.ts';
import type { CaptureSummary } from '../report/record.ts';
import type { SegmentSource } from '../segments.ts';
import type { ColorChoice } from './shared-options.ts';
import type { Writer } from './writer.ts';

/** Exit statuses of docs/specification.md §8. */
export const EXIT = { done: 0, matched: 1, unusable: 2, damaged: 3, interrupted: 130 } as const;

/** Analyzes an opened source to its end. */
export type RunAnalysis = (
  source: FrameSource | SegmentSource,
  options: RunOptions,
) => Promise<CaptureSummary>;

/** Opens a capture by its name. */
export type OpenSource = (
  input: string,
  options: { name: string; reader: ReaderName },
) => Promise<FrameSource>;

/** The world: where output goes, what stands there, and what the user wants. */
export interface Context {
  /** The reader and the analyzer, loaded when first needed. */
  engine: () => Promise<{ openCapture: OpenSource; runAnalysis: RunAnalysis }>;
  stdout: Writer;
  /** One line to standard error, without its line end. */
  warn: (line: string) => void;
  /** Writes as is to standard error: progress. */
  status: (text: string) => void;
  stdoutIsTerminal: boolean;
  stderrIsTerminal: boolean;
  /** Columns of the terminal. */
  width: number;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted once the user has pressed Ctrl-C. */
  interrupt: AbortSignal;
}

/** Columns to fill: those of the terminal; elsewhere COLUMNS where it is set, as other tools take it, or `otherwise`. */
export function columnsFor(
  { env, stdoutIsTerminal, width }: Pick<Context, 'env' | 'stdoutIsTerminal' | 'width'>,
  toFile: boolean,
  otherwise: number,
): number {
  if (stdoutIsTerminal && !toFile) return width;
  const columns = Number(env.COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? columns : otherwise;
}

/** Whether to colour: the option, then NO_COLOR (no-color.org), then whether a terminal reads it. */
export function wantsColor(choice: ColorChoice, ctx: Context, toFile: boolean): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (ctx.env.NO_COLOR) return false;
  return ctx.stdoutIsTerminal && !toFile && ctx.env.TERM !== 'dumb';
}

/**
 * What turns text for people into what the locale can show (POSIX, XBD §8.2: LC_ALL, then LC_CTYPE, then LANG): ASCII where that is not
 * UTF-8. Where none is set it would be C, but containers and services set none, and what reads their output takes UTF-8. Windows has no such
 * variables of its own: there Node writes to the console in Unicode.
 */
export function localeText(
  env: Context['env'],
  platform: NodeJS.Platform = process.platform,
): (text: string) => string {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  const isUtf8 = platform === 'win32' || locale === '' || /utf-?8/i.test(locale);
  return isUtf8 ? (text) => text : toAscii;
}
