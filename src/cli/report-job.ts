/** What the report thread is told and what it answers (cli/offload.ts, cli/report-thread.ts). */

import type { RecordCounts } from '../report/counts.ts';
import type { FailOn, Selection } from '../report/select.ts';
import type { Tally } from '../report/summary.ts';

export interface ReportJob {
  /** `summary`: records are only counted. */
  format: 'jsonl' | 'csv' | 'summary';
  /** Where the records go. */
  fd: number;
  file: string;
  mslSec: number;
  selection: Selection;
  failOn: FailOn[];
}

/** To the thread: packed connections (tcp/packed.ts), or null: that was all. */
export type ToReport = { buffer: ArrayBuffer; used: number } | null;

/** What was counted in the thread. */
export interface ReportResult {
  counts: RecordCounts;
  tally: Tally;
  matched: boolean;
}

/** From the thread: a buffer to use again (`gone`: nobody reads the result any more), or the result after the last one. */
export type FromReport = { buffer: ArrayBuffer; gone: boolean } | { result: ReportResult };
