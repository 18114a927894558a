/** `finwait FILE…`: the connections of each file as a table, JSON Lines, CSV or a summary. */

import type { FileStart } from '../base/files.ts';
import { DEFAULT_MSL_SEC } from '../base/time.ts';
import type { CaptureSource } from '../capture/source.ts';
import { Census } from '../report/census.ts';
import { addCounts } from '../report/counts.ts';
import { escapeTerminal } from '../report/escape.ts';
import type { CaptureSummary, ConnectionRecord } from '../report/record.ts';
import { compileFailOn, compileSelection, type FailOn, type Selection } from '../report/select.ts';
import {
  addTally,
  createTally,
  formatSummary,
  type Tally,
  tallyRecord,
} from '../report/summary.ts';
import type { TableRow } from '../report/table-columns.ts';
import { sameDayLen } from '../report/time.ts';
import type { FilledMold } from '../tcp/conclude.ts';
import { type Context, columnsFor, EXIT, localeText, wantsColor } from './context.ts';
import { dataForm, fillingOf } from './data-form.ts';
import type { Elsewhere } from './decode-elsewhere.ts';
import { DECODE_FROM_BYTES } from './decode-job.ts';
import type { Offload } from './offload.ts';
import { writeError } from './output-error.ts';
import { type ReadOptions, readInput } from './read.ts';
import {
  COUNT_FROM_CONNECTIONS,
  WRITE_FROM_CONNECTIONS,
  WRITE_FROM_CONNECTIONS_OF_LARGE,
} from './report-job.ts';
import { guardInputs } from './same-file.ts';
import type { ColorChoice } from './shared-options.ts';
import { type JoinOptions, timelinesOf } from './timelines.ts';
import { type Format, formatByEnding, isZeek, UsageError } from './usage.ts';
import { fileWriter, type Writer } from './writer.ts';

export interface AnalyzeCommandOptions extends ReadOptions, JoinOptions {
  format: Format | null;
  output: string | null;
  sort: boolean;
  selection: Selection;
  failOn: FailOn[];
  local: boolean;
  color: ColorChoice;
}

/** What a form does with the records of one file. */
interface Form {
  begin: () => void;
  record: (record: ConnectionRecord, mold: FilledMold | null) => void;
  end: (summary: CaptureSummary | null) => void;
  /** Hands what is held back for larger writes to the writer. */
  flush: () => void;
  /** What stands at the end of it all. */
  finish: () => void;
  /** Adds what another thread counted. */
  add: (tally: Tally) => void;
}

/** Columns of a table that goes to a file or a pipe. */
const FILE_WIDTH = 200;

/** Runs the command; resolves with the exit status. */
export async function analyzeCommand(
  ctx: Context,
  files: readonly string[],
  options: AnalyzeCommandOptions,
): Promise<number> {
  checkInputs(files, options.output);
  const format = options.format ?? formatByEnding(options.output, ENDINGS, 'table');
  const writer = options.output === null ? ctx.stdout : fileWriter(options.output);
  try {
    const { status, isNothing } = await runFiles(ctx, files, options, format, writer);
    if (isNothing) {
      // What stands under the name is better than nothing.
      writer.discard();
      return status;
    }
    const whole = await writer.finish();
    return whole || status !== EXIT.matched ? status : EXIT.done;
  } catch (error) {
    writer.discard();
    throw options.output === null ? error : writeError('-o', options.output, error);
  }
}

/** `isNothing`: there is a file to write and no input could be read. */
async function runFiles(
  ctx: Context,
  files: readonly string[],
  options: AnalyzeCommandOptions,
  format: Format,
  writer: Writer,
): Promise<{ status: number; isNothing: boolean }> {
  const timelines = await timelinesOf(files, options);
  const form = await formFor(ctx, format, options, writer, files.length > 1);
  const selected = compileSelection(options.selection);
  const fails = compileFailOn(options.failOn);
  const reading = { ...options, zeek: isZeek(format) };
  const mslSec = options.msl ?? DEFAULT_MSL_SEC;
  const statuses = new Set<number>();
  // Who shows no connection and counts them all need not look at each.
  const countsOnly = format === 'summary' && Object.keys(options.selection).length === 0;
  let readable = true;
  let offload: Offload | null = null;
  const drain = async (): Promise<boolean> => {
    form.flush();
    readable = offload === null ? await writer.drain() : await offload.drain();
    return readable;
  };
  for (let next = timelines.shift(); next !== undefined; next = timelines.shift()) {
    let source: CaptureSource | null = null;
    const census = countsOnly ? new Census(mslSec, fails) : null;
    /** Connections that the census did not take. */
    let judged = 0;
    const start = async (connections: number): Promise<void> => {
      const toJudge = census === null ? connections : judged;
      if (offload !== null || toJudge < offloadFrom(format, source)) return;
      if (format === 'table' || options.sort) return;
      const { startOffload } = await import('./offload.ts');
      const { fd } = writer;
      const { selection, failOn } = options;
      const files = (): readonly FileStart[] =>
        source?.files ?? [{ file: source?.name ?? '', firstFrame: 1 }];
      offload = startOffload({ format, fd, mslSec, selection, failOn }, files);
    };
    const held: ConnectionRecord[] = [];
    form.begin();
    const outcome = await readInput(ctx, next, reading, {
      writesToTerminal: ctx.stdoutIsTerminal && options.output === null && isStreamed(format),
      decodesElsewhere: decodedElsewhere(format, options, countsOnly),
      opened(found) {
        source = found;
      },
      async drain(connections) {
        const goesOn = await drain();
        if (goesOn) await start(connections);
        return goesOn;
      },
      takeFinished(leaving) {
        if (census?.take(leaving)) return true;
        judged++;
        if (offload === null) return false;
        offload.take(leaving);
        return true;
      },
      ...(options.sort ? {} : { transient: fillingOf(format, options.selection) }),
      onRecord: (record, mold) => {
        if (!selected(record)) return;
        if (options.failOn.length > 0 && fails(record)) statuses.add(EXIT.matched);
        if (options.sort) held.push(record);
        else form.record(record, mold);
      },
    });
    census?.settle();
    const elsewhere = offload === null ? [] : await (offload as Offload).finish();
    offload = null;
    for (const { counts, tally, matched } of census === null ? elsewhere : [...elsewhere, census]) {
      if (outcome.summary !== null) addCounts(outcome.summary, counts);
      form.add(tally);
      if (matched) statuses.add(EXIT.matched);
    }
    held.sort((a, b) => a.stream - b.stream);
    for (const record of held) form.record(record, null);
    statuses.add(outcome.status);
    if (outcome.status !== EXIT.unusable) form.end(outcome.summary);
    if (outcome.rest !== null) timelines.unshift(outcome.rest);
    await drain();
    if (!readable) return { status: EXIT.done, isNothing: false };
    if (ctx.interrupt.aborted) {
      statuses.add(EXIT.interrupted);
      break;
    }
  }
  form.finish();
  const isNothing = options.output !== null && statuses.size === 1 && statuses.has(EXIT.unusable);
  return { status: worst(statuses), isNothing };
}

/** What can't be trusted weighs more than what was found. */
function worst(statuses: ReadonlySet<number>): number {
  for (const status of [EXIT.interrupted, EXIT.unusable, EXIT.damaged, EXIT.matched]) {
    if (statuses.has(status)) return status;
  }
  return EXIT.done;
}

async function formFor(
  ctx: Context,
  format: Format,
  options: AnalyzeCommandOptions,
  writer: Writer,
  several: boolean,
): Promise<Form> {
  const nothing = (): void => {};
  switch (format) {
    case 'table':
    case 'summary':
      return peopleForm(ctx, format === 'table', options, writer, several);
    default: {
      const { foot, head, record, flush } = await dataForm(format, writer, {
        local: options.local,
      });
      head();
      return { begin: nothing, record, end: nothing, flush, finish: foot, add: nothing };
    }
  }
}

async function peopleForm(
  ctx: Context,
  withTable: boolean,
  options: AnalyzeCommandOptions,
  writer: Writer,
  several: boolean,
): Promise<Form> {
  const table = withTable
    ? { ...(await import('../report/table.ts')), ...(await import('../report/table-columns.ts')) }
    : null;
  const toFile = options.output !== null;
  const look = { color: wantsColor(options.color, ctx, toFile), local: options.local };
  const width = columnsFor(ctx, toFile, FILE_WIDTH);
  const summaryLook = { ...look, width: columnsFor(ctx, toFile, Number.POSITIVE_INFINITY) };
  const inLocale = localeText(ctx.env);
  const write = (text: string): void => writer.write(inLocale(text));
  let tally = createTally();
  let rows: TableRow[] = [];
  let first = true;
  return {
    begin() {
      tally = createTally();
      rows = [];
    },
    record(record) {
      tallyRecord(tally, record);
      if (table !== null) rows.push(table.tableRow(record, look));
    },
    end(summary) {
      if (!first) write('\n');
      first = false;
      if (several && summary !== null) write(`${escapeTerminal(summary.file ?? '')}\n`);
      rows.sort((a, b) => a.stream - b.stream);
      if (table !== null) {
        const sameDay = sameDayLen(summary?.start ?? null, summary?.end ?? null, look);
        for (const chunk of table.tableChunks(rows, { ...look, sameDay, width })) {
          write(chunk);
        }
        if (rows.length > 0) write('\n');
      }
      rows = [];
      if (summary !== null) write(formatSummary(tally, summary, summaryLook));
    },
    flush() {},
    finish() {},
    add: (more) => addTally(tally, more),
  };
}

const ENDINGS: Readonly<Record<string, Format>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  log: 'zeek',
  txt: 'table',
};

/** What another thread may decode: most forms keep that core busy with what they write; CSV leaves it time, but not where somebody fills a pipe. */
function decodedElsewhere(
  format: Format,
  { sort }: AnalyzeCommandOptions,
  countsOnly: boolean,
): Elsewhere | null {
  if (countsOnly) return 'pipes';
  return format === 'csv' && !sort ? 'files' : null;
}

/** Connections to be judged from which on other threads do it. */
function offloadFrom(format: Format, source: CaptureSource | null): number {
  if (format === 'summary') return COUNT_FROM_CONNECTIONS;
  const isLarge = (source?.bytesTotal ?? 0) >= DECODE_FROM_BYTES;
  return isLarge ? WRITE_FROM_CONNECTIONS_OF_LARGE : WRITE_FROM_CONNECTIONS;
}

/** Whether records are written while the capture is read. */
function isStreamed(format: Format): boolean {
  return format !== 'table' && format !== 'summary';
}

function checkInputs(files: readonly string[], output: string | null): void {
  if (files.filter((file) => file === '-').length > 1) {
    throw new UsageError('standard input (-) can be read only once');
  }
  guardInputs(output, files);
}
