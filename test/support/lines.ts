/** The lines that data formats write of a record, without their line ends. */

import { ByteText } from '../../src/report/byte-text.ts';
import { csvBytes, rowWriter } from '../../src/report/csv.ts';
import { recordWriter } from '../../src/report/json.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';

/** Its line of JSON. */
export function jsonLine(record: ConnectionRecord): string {
  const out = new ByteText(4096);
  recordWriter(out)(record, null);
  return lineOf(out);
}

/** Its row of CSV. */
export function csvRow(record: ConnectionRecord): string {
  const out = csvBytes(1024);
  rowWriter(out)(record, null);
  return lineOf(out);
}

function lineOf(out: ByteText): string {
  return new TextDecoder().decode(out.take()).trimEnd();
}
