/** What the report threads are told and what they answer (cli/offload.ts, cli/report-thread.ts). */

import type { FileStart } from '../base/files.ts';
import type { RecordCounts } from '../report/counts.ts';
import type { FailOn, Selection } from '../report/select.ts';
import type { Tally } from '../report/summary.ts';
import type { DataFormat } from './usage.ts';

/**
 * Connections from which on more threads pay: each must start (50 ms) and compile the same code again, which below took longer than it saved
 * (docs/performance.md).
 */
export const COUNT_FROM_CONNECTIONS = 50_000;
/** The same where they write records, which takes longer than to count; and of a large file, of which many more are to come. */
export const WRITE_FROM_CONNECTIONS = 20_000;
export const WRITE_FROM_CONNECTIONS_OF_LARGE = 2_000;

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
  /** Shared, not transferred: once anything was transferred, V8 checks every access to any typed array. */
  memory: SharedArrayBuffer;
  /** Words. */
  used: number;
  files: readonly FileStart[];
} | null;

/** What was counted in a thread. */
export interface ReportResult {
  counts: RecordCounts;
  tally: Tally;
  matched: boolean;
}

/** From a thread: memory to use again (`gone`: nobody reads the result any more), or its result after the last one. */
export type FromReport = { memory: SharedArrayBuffer; gone: boolean } | { result: ReportResult };
