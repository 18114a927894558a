/** `finwait FILE…`: the connections of each file as a table, JSON Lines, CSV or a summary. */

import { resolve } from 'node:path';
import type { CaptureSummary, ConnectionRecord } from '../report/record.ts';
import { compileFailOn, compileSelection, type FailOn, type Selection } from '../report/select.ts';
import { type Context, EXIT, wantsColor } from './context.ts';
import { type ReadOptions, readInput } from './read.ts';
import { type Format, UsageError } from './usage.ts';
import { fileWriter, type Writer } from './writer.ts';

export interface AnalyzeCommandOptions extends ReadOptions {
  format: Format | null;
  output: string | null;
  sort: boolean;
  selection: Selection;
  failOn: FailOn[];
  local: boolean;
  color: 'auto' | 'always' | 'never';
}

/** What a form does with the records of one file. */
interface Form {
  begin: () => void;
  record: (record: ConnectionRecord) => void;
  end: (summary: CaptureSummary | null, file: string) => void;
  /** Hands what is held back for larger writes to the writer. */
  flush: () => void;
}

/** Bytes of JSON Lines gathered before a write. */
const CHUNK_BYTES = 256 * 1024;

/** Columns of a table that goes to a file or a pipe. */
const FILE_WIDTH = 200;

/** Runs the command; resolves with the exit status. */
export async function analyzeCommand(
  ctx: Context,
  files: readonly string[],
  options: AnalyzeCommandOptions,
): Promise<number> {
  checkInputs(files, options.output);
  const format = formatFor(options);
  const writer = options.output === null ? ctx.stdout : fileWriter(options.output);
  try {
    const status = await runFiles(ctx, files, options, format, writer);
    const whole = await writer.finish();
    return whole || status !== EXIT.matched ? status : EXIT.done;
  } catch (error) {
    writer.discard();
    throw error;
  }
}

async function runFiles(
  ctx: Context,
  files: readonly string[],
  options: AnalyzeCommandOptions,
  format: Format,
  writer: Writer,
): Promise<number> {
  const form = await formFor(ctx, format, options, writer, files.length > 1);
  const selected = compileSelection(options.selection);
  const fails = compileFailOn(options.failOn);
  const statuses = new Set<number>();
  let readable = true;
  const drain = async (): Promise<boolean> => {
    form.flush();
    readable = await writer.drain();
    return readable;
  };
  for (const file of files) {
    const held: ConnectionRecord[] = [];
    form.begin();
    const outcome = await readInput(ctx, file, options, {
      drain,
      onRecord: (record) => {
        if (!selected(record)) return;
        if (options.failOn.length > 0 && fails(record)) statuses.add(EXIT.matched);
        if (options.sort) held.push(record);
        else form.record(record);
      },
    });
    held.sort((a, b) => a.stream - b.stream);
    for (const record of held) form.record(record);
    statuses.add(outcome.status);
    if (outcome.status !== EXIT.unusable) form.end(outcome.summary, file);
    await drain();
    if (!readable) return EXIT.done;
    if (ctx.interrupt.aborted) return EXIT.interrupted;
  }
  return worst(statuses);
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
    case 'jsonl': {
      const { writeRecord } = await import('../report/json.ts');
      const { JsonBytes } = await import('../report/json-bytes.ts');
      const lines = new JsonBytes(2 * CHUNK_BYTES);
      return {
        begin: nothing,
        record(record) {
          writeRecord(lines, record);
          if (lines.length >= CHUNK_BYTES) writer.write(lines.take());
        },
        end: nothing,
        flush() {
          if (lines.length > 0) writer.write(lines.take());
        },
      };
    }
    case 'csv': {
      const { CSV_EOL, CSV_HEADER, csvRow } = await import('../report/csv.ts');
      writer.write(`${CSV_HEADER}${CSV_EOL}`);
      return {
        begin: nothing,
        record: (r) => writer.write(`${csvRow(r)}${CSV_EOL}`),
        end: nothing,
        flush: nothing,
      };
    }
    default:
      return peopleForm(ctx, format === 'table', options, writer, several);
  }
}

async function peopleForm(
  ctx: Context,
  withTable: boolean,
  options: AnalyzeCommandOptions,
  writer: Writer,
  several: boolean,
): Promise<Form> {
  const { createTally, formatSummary, tallyRecord } = await import('../report/summary.ts');
  const { escapeTerminal } = await import('../report/escape.ts');
  const table = withTable ? await import('../report/table.ts') : null;
  const toFile = options.output !== null;
  const look = { color: wantsColor(options.color, ctx, toFile), local: options.local };
  const width = ctx.stdoutIsTerminal && !toFile ? ctx.width : widthOf(ctx);
  let tally = createTally();
  let rows: ConnectionRecord[] = [];
  let first = true;
  return {
    begin() {
      tally = createTally();
      rows = [];
    },
    record(record) {
      tallyRecord(tally, record);
      if (table !== null) rows.push(record);
    },
    end(summary, file) {
      if (!first) writer.write('\n');
      first = false;
      if (several) writer.write(`${escapeTerminal(file)}\n`);
      rows.sort((a, b) => a.stream - b.stream);
      if (table !== null) {
        for (const chunk of table.tableChunks(rows, { ...look, width })) writer.write(chunk);
        if (rows.length > 0) writer.write('\n');
      }
      rows = [];
      if (summary !== null) writer.write(formatSummary(tally, summary, look));
    },
    flush() {},
  };
}

/** COLUMNS where set, as other tools take it; otherwise room for every column. */
function widthOf(ctx: Context): number {
  const columns = Number(ctx.env.COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? columns : FILE_WIDTH;
}

const ENDINGS: Readonly<Record<string, Format>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  txt: 'table',
};

function formatFor({ format, output }: AnalyzeCommandOptions): Format {
  if (format !== null) return format;
  if (output === null) return 'table';
  const ending = /\.([^./\\]+)$/.exec(output)?.[1]?.toLowerCase() ?? '';
  const found = ENDINGS[ending];
  if (found !== undefined && Object.hasOwn(ENDINGS, ending)) return found;
  throw new UsageError(
    `-o ${output}: the ending says no format; expected .jsonl, .ndjson, .csv or .txt, or give --format`,
  );
}

function checkInputs(files: readonly string[], output: string | null): void {
  if (files.filter((file) => file === '-').length > 1) {
    throw new UsageError('standard input (-) can be read only once');
  }
  if (output === null) return;
  if (files.some((file) => file !== '-' && resolve(file) === resolve(output))) {
    throw new UsageError(`-o ${output}: is one of the inputs, and would be overwritten`);
  }
}
