/** The forms for programs: a record a line, written as connections finish. */

import { ByteText } from '../report/byte-text.ts';
import { CSV_EOL, CSV_HEADER, csvBytes, rowWriter } from '../report/csv.ts';
import { recordWriter } from '../report/json.ts';
import type { ConnectionRecord } from '../report/record.ts';
import type { Selection } from '../report/select.ts';
import type { FilledMold } from '../tcp/conclude.ts';
import type { Filling } from '../tcp/molds.ts';
import type { DataFormat, Format } from './usage.ts';
import type { Writer } from './writer.ts';

/** Bytes gathered before a write. */
const CHUNK_BYTES = 256 * 1024;

export interface DataForm {
  /** What stands before the first record. */
  head: () => void;
  /** `mold`: the mold that the record's verdicts lie in, if any (tcp/molds.ts). */
  record: (record: ConnectionRecord, mold: FilledMold | null) => void;
  /** What stands behind the last record. */
  foot: () => void;
  /** Hands what is held back for larger writes to the writer. */
  flush: () => void;
}

/** What a record must have for that format: templates take names and numbers from the connection, times, steps and evidence from its story (report/template.ts). */
export function fillingOf(format: Format, selection: Selection = {}): Filling {
  return {
    names: namesOf(format, selection),
    figures: format !== 'summary' && format !== 'csv',
    steps: false,
    findings: format === 'jsonl',
  };
}

function namesOf(format: Format, selection: Selection): Filling['names'] {
  if (selection.host !== undefined) return 'all';
  if (format === 'summary') return 'none';
  return format === 'jsonl' || format === 'csv' ? 'judged' : 'all';
}

/**
 * Writes records to `writer` in a format for programs, in pieces of `chunkBytes` or (infinite) only on `flush`. `local`: the time of day
 * that a Zeek log begins and ends with is in the zone of this machine.
 */
export async function dataForm(
  format: DataFormat,
  writer: Pick<Writer, 'write'>,
  { chunkBytes = CHUNK_BYTES, local = false } = {},
): Promise<DataForm> {
  const lines = await lineWriter(format, local);
  const { out } = lines;
  return {
    head: () => writer.write(lines.head?.() ?? ''),
    foot: () => writer.write(lines.foot?.() ?? ''),
    record(record, mold) {
      lines.write(record, mold);
      if (out.length >= chunkBytes) writer.write(out.take());
    },
    flush() {
      if (out.length > 0) writer.write(out.take());
    },
  };
}

interface LineWriter {
  out: ByteText;
  head?: () => string;
  foot?: () => string;
  write: DataForm['record'];
}

async function lineWriter(format: DataFormat, local: boolean): Promise<LineWriter> {
  if (format === 'csv') {
    const out = csvBytes(2 * CHUNK_BYTES);
    return { out, head: () => `${CSV_HEADER}${CSV_EOL}`, write: rowWriter(out) };
  }
  const out = new ByteText(2 * CHUNK_BYTES);
  if (format === 'jsonl') return { out, write: recordWriter(out) };
  const zeek = await import('../report/zeek.ts');
  if (format === 'zeek-json') return { out, write: (record) => zeek.writeZeekJson(out, record) };
  return {
    out,
    head: () => zeek.zeekHeader(clockTime(local)),
    foot: () => zeek.zeekFooter(clockTime(local)),
    write: (record) => zeek.writeZeekRow(out, record),
  };
}

/** The time of day as the header of a Zeek log has it: 2026-01-31-23-59-59. */
function clockTime(local: boolean): string {
  const now = new Date();
  const shifted = local ? now.getTime() - now.getTimezoneOffset() * 60_000 : now.getTime();
  return new Date(shifted).toISOString().slice(0, 19).replace(/[T:]/g, '-');
}
