/** The forms for programs: a record a line, written as connections finish. */

import type { ByteText } from '../report/byte-text.ts';
import type { ConnectionRecord } from '../report/record.ts';
import type { Writer } from './writer.ts';

/** Bytes gathered before a write. */
const CHUNK_BYTES = 256 * 1024;

export interface DataForm {
  /** What stands before the first record. */
  head: () => void;
  /** `mold`: number of the mold that the record's verdicts lie in, or 0 (tcp/molds.ts). */
  record: (record: ConnectionRecord, mold: number) => void;
  /** Hands what is held back for larger writes to the writer. */
  flush: () => void;
}

/** Writes records to `writer` as JSON Lines or CSV, in pieces of `chunkBytes` or (infinite) only on `flush`. */
export async function dataForm(
  format: 'jsonl' | 'csv',
  writer: Pick<Writer, 'write'>,
  chunkBytes = CHUNK_BYTES,
): Promise<DataForm> {
  const lines = await lineWriter(format);
  const { out } = lines;
  return {
    head: () => writer.write(lines.head),
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
  head: string;
  write: DataForm['record'];
}

async function lineWriter(format: 'jsonl' | 'csv'): Promise<LineWriter> {
  if (format === 'csv') {
    const { CSV_EOL, CSV_HEADER, csvBytes, writeRow } = await import('../report/csv.ts');
    const out = csvBytes(2 * CHUNK_BYTES);
    return { out, head: `${CSV_HEADER}${CSV_EOL}`, write: (record) => writeRow(out, record) };
  }
  const { recordWriter } = await import('../report/json.ts');
  const { ByteText } = await import('../report/byte-text.ts');
  const out = new ByteText(2 * CHUNK_BYTES);
  return { out, head: '', write: recordWriter(out) };
}
