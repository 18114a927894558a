/** Runs one input through the analyzer: warnings, progress, interruption, and what the exit status becomes. */

import type { RunOptions } from '../analyze.ts';
import { CaptureError } from '../base/errors.ts';
import { escapeTerminal } from '../report/escape.ts';
import type { CaptureSummary } from '../report/record.ts';
import { type Context, EXIT } from './context.ts';
import { createProgress } from './progress.ts';

/** How long a run that was told to stop may take before it is left behind: it may wait for a pipe. */
const GRACE_MS = 500;

export interface ReadOptions {
  msl?: number;
  maxConnections?: number;
  reader: 'native' | 'pcap-parser';
  quiet: boolean;
}

export interface ReadOutcome {
  status: number;
  /** Null where the input could not be read, or the run was left behind. */
  summary: CaptureSummary | null;
}

/** Analyzes `input`. Resolves with a status; rejects only on a bug or where the output fails. */
export async function readInput(
  ctx: Context,
  input: string,
  options: ReadOptions,
  on: Pick<RunOptions, 'onRecord' | 'watch'> & { drain: () => Promise<boolean> },
): Promise<ReadOutcome> {
  const name = input === '-' ? 'standard input' : input;
  const warn = (text: string): void => ctx.warn(`finwait: ${escapeTerminal(text)}`);
  const progress = createProgress(ctx, name, options.quiet);
  try {
    const { openCapture, runAnalysis } = await ctx.engine();
    const source = await openCapture(input, { name: input, reader: options.reader });
    try {
      const run = runAnalysis(source, {
        file: input,
        reader: options.reader,
        ...(options.msl === undefined ? {} : { msl: options.msl }),
        ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
        ...(on.watch === undefined ? {} : { watch: on.watch }),
        onRecord: on.onRecord,
        onChunk: async (at) => {
          progress.show(at);
          return (await on.drain()) && !ctx.interrupt.aborted;
        },
      });
      const summary = await Promise.race([run, afterInterrupt(ctx.interrupt)]);
      progress.clear();
      if (ctx.interrupt.aborted || summary === null) return { status: EXIT.interrupted, summary };
      return { status: report(summary, name, options.quiet, warn), summary };
    } finally {
      await source.close();
    }
  } catch (error) {
    progress.clear();
    if (!(error instanceof CaptureError)) throw error;
    warn(error.message);
    return { status: EXIT.unusable, summary: null };
  }
}

/** Says what a run has to say; damage is said even with --quiet. */
function report(
  summary: CaptureSummary,
  name: string,
  quiet: boolean,
  warn: (text: string) => void,
): number {
  if (!quiet) {
    for (const warning of summary.warnings) warn(`${name}: ${warning}`);
    for (const { linkType, frames } of summary.unknownLinkTypes)
      warn(`${name}: link type ${linkType} is not known; frames not decoded: ${frames}`);
  }
  if (summary.damage === null) return EXIT.done;
  const { message, offset } = summary.damage;
  warn(`${name}: ${message} (at byte ${offset}); the result holds everything before it`);
  return EXIT.damaged;
}

function afterInterrupt(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    const stop = (): void => {
      setTimeout(() => resolve(null), GRACE_MS);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
