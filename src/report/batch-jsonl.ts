/** A report as JSON Lines: one object a line, its `kind` says of what (docs/reports.md). */

import { type Batch, frameTotals, QUALITY, type TimelineLine } from './batch.ts';
import { FIGURES, HOST_FIGURES, hostText, serviceText } from './figures.ts';
import { type RowKey, sortedRows, type TopTable } from './top-table.ts';

/** The whole report, a line at a time, each with its line end. */
export function* batchJsonl(batch: Batch): Generator<string> {
  const { figures, notReached, problems, skipped, timelines } = batch;
  for (const timeline of timelines) yield line('timeline', timelineObject(timeline));
  for (const { code, file, message, offset, partial } of problems) {
    yield line('problem', { file, code, message, offset, partial });
  }
  yield line('total', {
    timelines: timelines.length,
    skipped,
    notReached,
    ...frameTotals(timelines),
    ...nested(FIGURES, figures.total),
  });
  yield* table('service', 'services', figures.services, FIGURES, serviceText);
  yield* table('port', 'ports', figures.ports, FIGURES, Number);
  yield* table('host', 'hosts', figures.hosts, HOST_FIGURES, hostText);
}

function timelineObject({ files, summary, total }: TimelineLine): object {
  const { end, format, frameBytes, frames, notDecoded, start, tcpFrames } = summary;
  const quality = Object.fromEntries(QUALITY.map((name) => [name, summary[name]]));
  return {
    ...{ file: summary.file, format, files, frames, frameBytes, tcpFrames, start, end },
    ...{ quality, notDecoded, warnings: summary.warnings, ...nested(FIGURES, total) },
  };
}

function* table(
  kind: string,
  tables: string,
  rows: TopTable,
  names: readonly string[],
  text: (key: RowKey) => string | number,
): Generator<string> {
  for (const [key, row] of sortedRows(rows)) {
    yield line(kind, { [kind]: text(key), ...nested(names, row) });
  }
  if (rows.fellOff > 0) {
    yield line('beyond', { of: tables, rows: rows.fellOff, ...nested(names, rows.beyond) });
  }
}

function line(kind: string, value: object): string {
  return `${JSON.stringify({ schema: 1, kind, ...value })}\n`;
}

/** `a.b` becomes a key `b` in an object `a`. */
function nested(names: readonly string[], row: Float64Array): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [i, name] of names.entries()) {
    const parts = name.split('.');
    let at = result;
    for (const part of parts.slice(0, -1)) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
    at[parts.at(-1) ?? ''] = row[i] ?? 0;
  }
  return result;
}
