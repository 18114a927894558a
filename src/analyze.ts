/** Joins capture, decode, flow and tcp into one stream of finished connections. */

import type { Readable } from 'node:stream';
import type { FrameSource } from './capture/source.ts';
import type { CaptureSummary, ConnectionRecord } from './report/record.ts';
import type { Side } from './tcp/verdicts.ts';

/** A path (`-`: standard input), a stream of bytes, or the bytes of a capture. */
export type CaptureInput = string | Readable | Uint8Array;

export interface AnalyzeOptions {
  /** Name for the records' `file`; default: the path, or null. */
  file?: string | null;
  /** Maximum segment lifetime in seconds, default 30: TIME_WAIT lasts twice as long. */
  msl?: number;
  /** Connections held at once before the longest idle one is written out, default 4 million. */
  maxConnections?: number;
  /** Which reader takes the file apart, default `native`. */
  reader?: 'native' | 'pcap-parser';
}

export interface RunOptions extends AnalyzeOptions {
  /** Called with each finished connection, in the order in which they finish. */
  onRecord: (record: ConnectionRecord) => void;
  /** Awaited between chunks, never between frames: a writer's back-pressure. False stops the run early. */
  onChunk?: (progress: Progress) => Promise<boolean> | boolean;
  /** Called with every segment of the connection with this number, duplicates included. */
  watch?: { stream: number; onSegment: (segment: SegmentView) => void };
}

export interface Progress {
  frames: number;
  bytesRead: number;
  bytesTotal: number | null;
  connections: number;
}

/** One segment of a watched connection. */
export interface SegmentView {
  frame: number;
  /** Seconds since the connection's first frame. */
  t: number;
  from: Side;
  /** Names joined by commas. */
  flags: string;
  seq: number;
  ack: number | null;
  len: number;
  window: number;
  duplicate: boolean;
}

/** Analyzes an opened source to its end. */
export type RunAnalysis = (source: FrameSource, options: RunOptions) => Promise<CaptureSummary>;

/** What the library's `analyze` returns: records as they finish, and the totals once they are all out. */
export interface Analysis extends AsyncIterable<ConnectionRecord> {
  readonly summary: Promise<CaptureSummary>;
}
