/** What a command takes from the world around it, so that tests can put their own in its place. */

import type { RunOptions } from '../analyze.ts';
import type { ReaderName } from '../capture/open.ts';
import type { FrameSource } from '../capture/source.ts';
import type { CaptureSummary } from '../report/record.ts';
import type { ColorChoice } from './shared-options.ts';
import type { Writer } from './writer.ts';

/** Exit statuses of docs/specification.md §8. */
export const EXIT = { done: 0, matched: 1, unusable: 2, damaged: 3, interrupted: 130 } as const;

/** Analyzes an opened source to its end. */
export type RunAnalysis = (source: FrameSource, options: RunOptions) => Promise<CaptureSummary>;

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

/** Whether to colour: the option, then NO_COLOR (no-color.org), then whether a terminal reads it. */
export function wantsColor(choice: ColorChoice, ctx: Context, toFile: boolean): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (ctx.env.NO_COLOR) return false;
  return ctx.stdoutIsTerminal && !toFile && ctx.env.TERM !== 'dumb';
}

/** Whether the locale (POSIX: LC_ALL, then LC_CTYPE, then LANG) can show more than ASCII; true where none is set. */
export function localeIsUtf8(env: Context['env']): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return locale === '' || /utf-?8/i.test(locale);
}
