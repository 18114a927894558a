/** `finwait report PATH…`: many captures, files and folders, in one report. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { humanCount, plural } from '../base/count.ts';
import { addOutcome, type Batch, createBatch, type Outcome } from '../report/batch.ts';
import { batchCsv } from '../report/batch-csv.ts';
import { batchJsonl } from '../report/batch-jsonl.ts';
import { batchMarkdown } from '../report/batch-markdown.ts';
import { escapeTerminal } from '../report/escape.ts';
import { type BatchPool, startBatchPool } from './batch-pool.ts';
import { type Context, EXIT, localeText } from './context.ts';
import { CAPTURE_NAME, type FoundFile, findFiles } from './find-files.ts';
import { createProgress } from './progress.ts';
import type { ReadOptions } from './read.ts';
import { runInOrder } from './run-in-order.ts';
import { guardInputs } from './same-file.ts';
import { type JoinOptions, notContinued, timelinesOf } from './timelines.ts';
import { formatByEnding, REPORT_ENDINGS, type ReportFormat } from './usage.ts';
import { fileWriter } from './writer.ts';

export interface ReportCommandOptions extends ReadOptions, JoinOptions {
  format: ReportFormat | null;
  output: string | null;
  /** Captures read at once; null: as many as there are processors. */
  jobs: number | null;
  local: boolean;
}

/** How often progress is looked at while threads do the work. */
const LOOK_EVERY_MS = 100;

/** How long a job that was told to stop may take before it is left behind. */
const GRACE_MS = 600;

/** Runs the command; resolves with the exit status. */
export async function reportCommand(
  ctx: Context,
  paths: readonly string[],
  options: ReportCommandOptions,
): Promise<number> {
  const { output } = options;
  const format = options.format ?? formatByEnding(output, REPORT_ENDINGS, 'md');
  const found = findFiles(paths, output === null ? null : resolve(output));
  const inputs = found.files.map(({ path }) => path);
  guardInputs(output, inputs);
  const writer = output === null ? ctx.stdout : fileWriter(output);
  try {
    const warn = (text: string): void => ctx.warn(`finwait: ${escapeTerminal(text)}`);
    const batch = createBatch();
    batch.skipped = found.skipped;
    for (const outcome of found.unreadable) addOutcome(batch, outcome);
    await readAll(ctx, found.files, options, batch, warn);
    if (batch.timelines.length + batch.problems.length + batch.notReached === 0) {
      warn(`${paths.join(', ')}: expected captures, found none; other files: ${batch.skipped}`);
      writer.discard();
      return EXIT.unusable;
    }
    for (const { file, message, offset } of batch.problems) {
      warn(`${file}: ${message}${offset === null ? '' : ` (at byte ${offset})`}`);
    }
    if (output !== null && batch.timelines.length === 0 && batch.notReached === 0) {
      // What stands under the name is better than nothing.
      writer.discard();
      return EXIT.unusable;
    }
    const inLocale = format === 'md' ? localeText(ctx.env) : (text: string) => text;
    for (const text of textOf(batch, format, options)) {
      writer.write(inLocale(text));
      if (!(await writer.drain())) return EXIT.done;
    }
    await writer.finish();
    if (ctx.interrupt.aborted) return EXIT.interrupted;
    if (batch.problems.some(({ partial }) => !partial)) return EXIT.unusable;
    return batch.problems.length > 0 ? EXIT.damaged : EXIT.done;
  } catch (error) {
    writer.discard();
    throw error;
  }
}

function textOf(batch: Batch, format: ReportFormat, { local }: { local: boolean }) {
  switch (format) {
    case 'md':
      return batchMarkdown(batch, { local });
    case 'csv':
      return batchCsv(batch);
    case 'jsonl':
      return batchJsonl(batch);
  }
}

/** Reads all files into `batch`, in the order of `files` whoever is done first. */
async function readAll(
  ctx: Context,
  files: readonly FoundFile[],
  options: ReportCommandOptions,
  batch: Batch,
  warn: (text: string) => void,
): Promise<void> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const timelines = await timelinesOf([...byPath.keys()], options);
  // Of more than one, each takes a core.
  const hasSpareCore = timelines.length === 1 && options.jobs === null;
  const tasks = timelines.map((timeline) => {
    const members = timeline.pieces.flatMap(({ path }) => byPath.get(path) ?? []);
    const { maxConnections = null, msl = null, reader } = options;
    const isNamed = members.some((file) => file.isNamed);
    const size = members.reduce((sum, file) => sum + file.size, 0);
    return { job: { timeline, isNamed, reader, msl, maxConnections, hasSpareCore }, size };
  });
  const bytesTotal = tasks.reduce((sum, { size }) => sum + size, 0);
  const progress = createProgress(ctx, '', options.quiet);
  const done = { jobs: 0, bytes: 0, connections: 0 };
  const look = (): void => {
    if (ctx.interrupt.aborted) pool.stop();
    const { bytesRead, connections } = pool.underWay();
    const reached = {
      bytesRead: done.bytes + bytesRead,
      bytesTotal,
      connections: done.connections + connections,
    };
    progress.show(reached, `${humanCount(done.jobs)} of ${plural(tasks.length, 'capture')}`);
  };
  const threads = Math.min(options.jobs ?? availableParallelism(), tasks.length);
  const pool: BatchPool = await startBatchPool(threads, look);
  const timer = setInterval(look, LOOK_EVERY_MS);
  const given = giveUpAfter(ctx.interrupt);
  const seen = new Map<string, string>();
  const add = (outcome: Outcome, i: number, all: readonly Outcome[]): void => {
    noteRepeated(outcome, seen);
    addOutcome(batch, outcome);
    if (options.quiet) return;
    sayWarnings(outcome, warn);
    const before = all[i - 1];
    if (outcome.kind === 'read' && before?.kind === 'read') {
      warn(notContinued(outcome.files[0]?.file ?? '', before.summary.file ?? ''));
    }
  };
  try {
    await runInOrder(tasks, {
      slots: pool.size,
      isStopped: () => ctx.interrupt.aborted,
      async run({ job, size }) {
        const outcomes = await Promise.race([pool.run(job), given.up]);
        done.jobs++;
        done.bytes += size;
        for (const outcome of outcomes ?? []) {
          if (outcome.kind === 'read') done.connections += outcome.summary.connections;
        }
        return outcomes;
      },
      onResult(outcomes) {
        if (outcomes === null) batch.notReached++;
        else outcomes.forEach(add);
      },
    });
  } finally {
    clearInterval(timer);
    given.forget();
    progress.clear();
    await pool.close();
  }
}

/** `up` resolves some time after Ctrl-C: a job may wait for a pipe that never ends. */
function giveUpAfter(interrupt: AbortSignal): { up: Promise<null>; forget: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let start = (): void => {};
  const up = new Promise<null>((done) => {
    start = () => {
      timer = setTimeout(() => done(null), GRACE_MS);
    };
    if (interrupt.aborted) start();
    else interrupt.addEventListener('abort', start, { once: true });
  });
  return {
    up,
    forget() {
      clearTimeout(timer);
      interrupt.removeEventListener('abort', start);
    },
  };
}

/** Adds a warning to a timeline that seems to be an earlier one over again: a copy, or the same compressed. `seen`: what they look like, and their names. */
function noteRepeated(outcome: Outcome, seen: Map<string, string>): void {
  if (outcome.kind !== 'read' || outcome.summary.frames === 0) return;
  const { figures, files, summary } = outcome;
  const { end, file, frameBytes, frames, notDecoded, start } = summary;
  const look = JSON.stringify([frames, frameBytes, start, end, notDecoded, ...figures.total]);
  const name = file ?? '';
  const first = seen.get(look);
  if (first === undefined) {
    seen.set(look, name);
    return;
  }
  const text = `looks like ${first} again (as many frames and bytes, the same times and figures): counted twice`;
  summary.warnings.push(files.length > 1 ? `${name}: ${text}` : text);
}

/** What stops nothing, once it is a capture's turn. */
function sayWarnings(outcome: Outcome, warn: (text: string) => void): void {
  if (outcome.kind === 'no-capture' && CAPTURE_NAME.test(outcome.file)) {
    warn(`${outcome.file}: named as a capture and is none; skipped`);
  }
  if (outcome.kind !== 'read') return;
  const { files, summary } = outcome;
  const [first] = files;
  for (const text of summary.warnings) warn(files.length > 1 ? text : `${first?.file}: ${text}`);
  for (const { frames, linkType } of summary.unknownLinkTypes) {
    warn(`${summary.file}: link type ${linkType} is not known; frames not decoded: ${frames}`);
  }
}
