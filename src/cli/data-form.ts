/** The forms for programs: a record a line, written as connections finish. */

import type { ConnectionRecord } from '../report/record.ts';
import type { Writer } from './writer.ts';

/** Bytes of JSON Lines gathered before a write. */
const CHUNK_BYTES = 256 * 1024;

export interface DataForm {
  /** What stands before the first record. */
  head: () => void;
  record: (record: ConnectionRecord) => void;
  /** Hands what is held back for larger writes to the writer. */
  flush: () => void;
}

/** Writes records to `writer` as JSON Lines or CSV. */
export async function dataForm(
  format: 'jsonl' | 'csv',
  writer: Pick<Writer, 'write'>,
): Promise<DataForm> {
  const nothing = (): void => {};
  if (format === 'csv') {
    const { CSV_EOL, CSV_HEADER, csvRow } = await import('../report/csv.ts');
    return {
      head: () => writer.write(`${CSV_HEADER}${CSV_EOL}`),
      record: (record) => writer.write(`${csvRow(record)}${CSV_EOL}`),
      flush: nothing,
    };
  }
  const { writeRecord } = await import('../report/json.ts');
  const { JsonBytes } = await import('../report/json-bytes.ts');
  const lines = new JsonBytes(2 * CHUNK_BYTES);
  return {
    head: nothing,
    record(record) {
      writeRecord(lines, record);
      if (lines.length >= CHUNK_BYTES) writer.write(lines.take());
    },
    flush() {
      if (lines.length > 0) writer.write(lines.take());
    },
  };
}
