/** What the report threads are told and what they answer (cli/offload.ts, cli/report-thread.ts). */

import type { FileStart } from '../base/files.ts';
import type { RecordCounts } from '../report/counts.ts';
import type { FailOn, Selection } from '../report/select.ts';
import type { Tally } from '../report/summary.ts';
import type { DataFormat } from './usage.ts';

export interface ReportJob {
  /** `summary`: records are only counted. */
  format: DataFormat | 'summary';
  /** Where the records go. */
  fd: number;
  mslSec: number;
  selection: Selection;
  failOn: FailOn[];
  /** One word: the number of the message whose records are to be written next. */
  turn: SharedArrayBuffer;
}

/** To a thread: packed connections (tcp/packed.ts), numbered over all threads from 0, and the files begun; or null: that was all. */
export type ToReport = {
  number: number;
  buffer: ArrayBuffer;
  used: number;
  files: readonly FileStart[];
} | null;

/** What was counted in a thread. */
export interface ReportResult {
  counts: RecordCounts;
  tally: Tally;
  matched: boolean;
}

/** From a thread: a buffer to use again (`gone`: nobody reads the result any more), or its result after the last one. */
export type FromReport = { buffer: ArrayBuffer; gone: boolean } | { result: ReportResult };
