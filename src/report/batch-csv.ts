/** A report as one table of CSV (RFC 4180): the first column says what a row is about (docs/reports.md). */

import { type Batch, frameTotals, QUALITY, timelineName } from './batch.ts';
import { CSV_EOL, csvCell } from './csv.ts';
import { FIGURES, HOST_FIGURES, hostText, serviceText } from './figures.ts';
import { type RowKey, sortedRows, type TopTable } from './top-table.ts';

const FRAME_COLUMNS = ['files', 'format', 'frames', 'frameBytes', 'tcpFrames', 'start', 'end'];
const PROBLEM_COLUMNS = ['problem', 'offset', 'message', 'rows'];

/** The columns. Absent is an empty cell; figures are named as in JSON Lines, the keys joined by dots. */
export const BATCH_CSV_COLUMNS: readonly string[] = [
  ...['scope', 'name', ...FRAME_COLUMNS, ...QUALITY],
  ...[...FIGURES, ...HOST_FIGURES, ...PROBLEM_COLUMNS],
];

type Cells = Record<string, string | number | null>;

/** The whole report, a row at a time, each with its line end. */
export function* batchCsv(batch: Batch): Generator<string> {
  const { figures, problems, timelines } = batch;
  yield BATCH_CSV_COLUMNS.join(',') + CSV_EOL;
  for (const line of timelines) {
    const { files, summary, total } = line;
    const { end, format, frameBytes, frames, start, tcpFrames } = summary;
    yield row('timeline', timelineName(line), {
      ...{ files: files.length, format, frames, frameBytes, tcpFrames, start, end },
      ...Object.fromEntries(QUALITY.map((name) => [name, summary[name]])),
      ...cells(FIGURES, total),
    });
    for (const { connections, damage, file, frameBytes, frames, ...times } of files) {
      yield row('file', file, {
        ...{ frames, frameBytes, start: times.start, end: times.end, connections },
        ...{ problem: damage?.code ?? null, offset: damage?.offset ?? null },
        message: damage?.message ?? null,
      });
    }
    for (const message of summary.warnings) yield row('warning', timelineName(line), { message });
  }
  for (const { code, file, message, offset, partial } of problems) {
    if (!partial) yield row('unreadable', file, { problem: code, offset, message });
  }
  const { notDecoded, quality, ...sums } = frameTotals(timelines);
  yield row('total', '', { ...sums, ...quality, ...cells(FIGURES, figures.total) });
  yield row('skipped', '', { rows: batch.skipped });
  if (batch.notReached > 0) yield row('not-reached', '', { rows: batch.notReached });
  yield* table('service', figures.services, FIGURES, serviceText);
  yield* table('port', figures.ports, FIGURES, String);
  yield* table('host', figures.hosts, HOST_FIGURES, hostText);
}

function* table(
  scope: string,
  rows: TopTable,
  names: readonly string[],
  text: (key: RowKey) => string,
): Generator<string> {
  for (const [key, figures] of sortedRows(rows)) yield row(scope, text(key), cells(names, figures));
  if (rows.fellOff > 0) {
    yield row(`${scope}-beyond`, '', { ...cells(names, rows.beyond), rows: rows.fellOff });
  }
}

function cells(names: readonly string[], figures: Float64Array): Cells {
  return Object.fromEntries(names.map((name, i) => [name, figures[i] ?? 0]));
}

function row(scope: string, name: string, values: Cells): string {
  const all: Cells = { ...values, scope, name };
  const texts = BATCH_CSV_COLUMNS.map((column) => {
    const value = all[column] ?? null;
    return typeof value === 'number' ? String(value) : csvCell(value);
  });
  return texts.join(',') + CSV_EOL;
}
