/** Runs one input through the analyzer: warnings, progress, interruption, and what the exit status becomes. */

import { setImmediate } from 'node:timers/promises';
import type { RunOptions } from '../analyze.ts';
import { CaptureError, type Damage } from '../base/errors.ts';
import type { JoinedSource } from '../capture/joined.ts';
import type { ReaderName } from '../capture/open.ts';
import type { Timeline } from '../capture/rotation.ts';
import type { CaptureSource, FrameSource } from '../capture/source.ts';
import { escapeTerminal } from '../report/escape.ts';
import type { CaptureSummary } from '../report/record.ts';
import type { SegmentSource } from '../segments.ts';
import { type Context, EXIT } from './context.ts';
import { decodeElsewhere, type Elsewhere } from './decode-elsewhere.ts';
import { createProgress } from './progress.ts';
import type { DecodeThread } from './start-decoding.ts';
import { notContinued } from './timelines.ts';

/** How often a run lets the process see what else goes on: Ctrl-C, a window made wider. */
const TURN_EVERY_MS = 50;

/** How long a run that was told to stop may take before its source is closed, and again before it is left behind. */
const GRACE_MS = 300;

export interface ReadOptions {
  msl?: number;
  maxConnections?: number;
  reader: ReaderName;
  quiet: boolean;
  /** Whether records get Zeek's view. */
  zeek?: boolean;
}

export interface ReadOutcome {
  status: number;
  /** Null where the input could not be read, or the run was left behind. */
  summary: CaptureSummary | null;
  /** Files of the timeline whose times did not go on from those before: a timeline of their own, yet to be read. */
  rest: Timeline | null;
}

/** Analyzes `input`, a name or several files as one timeline. Resolves with a status; rejects only on a bug or where the output fails. */
export async function readInput(
  ctx: Context,
  input: string | Timeline,
  options: ReadOptions,
  on: Pick<RunOptions, 'onRecord' | 'only' | 'payload' | 'takeFinished' | 'transient' | 'watch'> & {
    /** Told how many connections have begun so far. */
    drain: (connections: number) => Promise<boolean>;
    /** `drain` writes results to the terminal: no line of progress may stand between them. */
    writesToTerminal?: boolean;
    /** What another thread may decode, where nobody wants the frames and that core has time for it: a large file, or a pipe as well. */
    decodesElsewhere?: Elsewhere | null;
    /** Told the source before the first frame is read. */
    opened?: (source: CaptureSource) => void;
  },
): Promise<ReadOutcome> {
  const first = typeof input === 'string' ? input : (input.pieces[0]?.path ?? '');
  const name = first === '-' ? 'standard input' : first;
  const warn = (text: string): void => ctx.warn(`finwait: ${escapeTerminal(text)}`);
  const progress = createProgress(ctx, name, options.quiet || on.writesToTerminal === true);
  let turned = performance.now();
  let thread: DecodeThread | null = null;
  try {
    const { reader } = options;
    const isOne = typeof input === 'string' || input.pieces.length === 1;
    const { decodesElsewhere: what = null } = on;
    if (what !== null && isOne && reader === 'native') thread = await decodeElsewhere(first, what);
    const { openCapture, runAnalysis } = await ctx.engine();
    let joined: JoinedSource | null = null;
    if (typeof input !== 'string' && input.pieces.length > 1) {
      const { openJoined } = await import('../capture/joined.ts');
      joined = await openJoined(input, { reader });
    }
    const open = async (): Promise<FrameSource | SegmentSource> =>
      (await thread?.opened) ?? joined ?? openCapture(first, { name: first, reader });
    const source = await untilInterrupted(open(), ctx.interrupt, async () => {});
    if (source === null) {
      await thread?.worker.terminate();
      return { status: EXIT.interrupted, summary: null, rest: null };
    }
    thread = null;
    on.opened?.(source);
    try {
      const run = runAnalysis(source, {
        ...(joined === null ? { file: first } : {}),
        zeek: options.zeek === true,
        ...(options.msl === undefined ? {} : { msl: options.msl }),
        ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
        ...(on.only === undefined ? {} : { only: on.only }),
        ...(on.watch === undefined ? {} : { watch: on.watch }),
        ...(on.payload === undefined ? {} : { payload: on.payload }),
        onRecord: on.onRecord,
        ...(on.transient === undefined ? {} : { transient: on.transient }),
        ...(on.takeFinished === undefined ? {} : { takeFinished: on.takeFinished }),
        onChunk: async (at) => {
          progress.show(at);
          if (performance.now() - turned >= TURN_EVERY_MS) {
            await setImmediate();
            turned = performance.now();
          }
          return (await on.drain(at.connections)) && !ctx.interrupt.aborted;
        },
      });
      const summary = await untilInterrupted(run, ctx.interrupt, () => source.close());
      progress.clear();
      if (ctx.interrupt.aborted || summary === null) {
        const { bytesRead, bytesTotal } = source;
        // A pipe from a capture under way is ended like that; of a file there is more.
        if (!options.quiet && bytesTotal !== null && bytesRead < bytesTotal) {
          const share = Math.floor((100 * bytesRead) / bytesTotal);
          warn(`${name}: interrupted at ${share} %; the result holds what was read before`);
        }
        return { status: EXIT.interrupted, summary, rest: null };
      }
      const label = joined === null ? name : joined.name;
      const status = report(summary, label, joined, options.quiet, warn);
      return { status, summary, rest: joined?.rest ?? null };
    } finally {
      if (!ctx.interrupt.aborted) await source.close();
    }
  } catch (error) {
    progress.clear();
    if (thread !== null) await thread.worker.terminate();
    if (!(error instanceof CaptureError)) throw error;
    const hint = error.code === 'is-a-folder' ? '; `finwait report` reads folders' : '';
    warn(`${error.message.replace(/^-: /, `${name}: `)}${hint}`);
    return { status: EXIT.unusable, summary: null, rest: null };
  }
}

/** Says what a run has to say; damage is said even with --quiet. */
function report(
  summary: CaptureSummary,
  name: string,
  joined: JoinedSource | null,
  quiet: boolean,
  warn: (text: string) => void,
): number {
  if (!quiet) {
    for (const warning of summary.warnings) warn(joined ? warning : `${name}: ${warning}`);
    for (const { linkType, frames } of summary.unknownLinkTypes)
      warn(`${name}: link type ${linkType} is not known; frames not decoded: ${frames}`);
    const next = joined?.rest?.pieces[0];
    if (next !== undefined) {
      warn(notContinued(next.path, name));
    }
  }
  if (summary.damage === null) return EXIT.done;
  const damaged: readonly { file: string; damage: Damage | null }[] = joined?.files ?? [
    { file: name, damage: summary.damage },
  ];
  for (const [i, { file, damage }] of damaged.entries()) {
    if (damage === null) continue;
    const isLast = i === damaged.length - 1;
    const what = isLast ? 'the result holds everything before it' : 'the next file is read on';
    warn(`${file}: ${damage.message} (at byte ${damage.offset}); ${what}`);
  }
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
