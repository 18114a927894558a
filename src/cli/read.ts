/** Runs one input through the analyzer: warnings, progress, interruption, and what the exit status becomes. */

import type { RunOptions } from '../analyze.ts';
import { CaptureError } from '../base/errors.ts';
import { escapeTerminal } from '../report/escape.ts';
import type { CaptureSummary } from '../report/record.ts';
import { type Context, EXIT } from './context.ts';
import { createProgress } from './progress.ts';

/** How long a run that was told to stop may take before its source is closed, and again before it is left behind. */
const GRACE_MS = 300;

export interface ReadOptions {
  msl?: number;
  maxConnections?: number;
  reader: 'native' | 'pcap-parser';
  quiet: boolean;
  /** Whether records get Zeek's view. */
  zeek?: boolean;
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
  on: Pick<RunOptions, 'onRecord' | 'payload' | 'takeFinished' | 'transient' | 'watch'> & {
    drain: (bytesRead: number) => Promise<boolean>;
  },
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
        zeek: options.zeek === true,
        ...(options.msl === undefined ? {} : { msl: options.msl }),
        ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
        ...(on.watch === undefined ? {} : { watch: on.watch }),
        ...(on.payload === undefined ? {} : { payload: on.payload }),
        onRecord: on.onRecord,
        ...(on.transient === undefined ? {} : { transient: on.transient }),
        ...(on.takeFinished === undefined ? {} : { takeFinished: on.takeFinished }),
        onChunk: async (at) => {
          progress.show(at);
          return (await on.drain(at.bytesRead)) && !ctx.interrupt.aborted;
        },
      });
      const summary = await untilInterrupted(run, ctx.interrupt, () => source.close());
      progress.clear();
      if (ctx.interrupt.aborted || summary === null) return { status: EXIT.interrupted, summary };
      return { status: report(summary, name, options.quiet, warn), summary };
    } finally {
      if (!ctx.interrupt.aborted) await source.close();
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

/**
 * The result of `run`; or null where it was told to stop and did not: it may wait for a pipe. Closing the source ends
 * that wait, so that `run` can hand out what it has.
 */
async function untilInterrupted<T>(
  run: Promise<T>,
  signal: AbortSignal,
  closeSource: () => Promise<void>,
): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => {};
  const stopped = new Promise<null>((resolve) => {
    const giveUp = (): void => {
      timer = setTimeout(() => resolve(null), GRACE_MS);
      // Only to wake a waiting read: whether it can be closed is of no interest by now.
      closeSource().catch(() => {});
    };
    stop = (): void => {
      timer = setTimeout(giveUp, GRACE_MS);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([run, stopped]);
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
  }
}
