/** What the decoding thread is told and what it answers (cli/decoded-input.ts, cli/decode-thread.ts). */

import type { CaptureError } from '../base/errors.ts';
import type { CaptureSource } from '../capture/source.ts';
import type { FrameTotals } from '../segments.ts';

/**
 * Bytes of a file from which on a thread that decodes pays: below, it takes longer to start than it saves (docs/performance.md). What comes through a pipe may be any
 * number, and for a summary is read by one from the beginning.
 */
export const DECODE_FROM_BYTES = 256 * 1024 * 1024;

export interface DecodeJob {
  /** `-`: standard input. */
  path: string;
  /** Of the keys (flow/keys.ts). */
  seed: number;
  /** The ring of columns (decode/columns.ts). */
  memory: SharedArrayBuffer;
  /** CONTROL_BYTES: the words and doubles below. */
  control: SharedArrayBuffer;
}

export const CONTROL_BYTES = 64;
// Words. Segments written and taken so far, modulo 2^32; 1: nothing more is written; 1: nothing more is wanted; 1: the thread waits until so many were taken;
// 1: the thread has begun to read.
export const WRITTEN = 0;
export const TAKEN = 1;
export const ENDED = 2;
export const STOPPED = 3;
export const WAITING = 4;
export const WANTED = 5;
export const BEGUN = 10;
// Doubles, for progress only.
export const FRAMES_READ = 3;
export const BYTES_READ = 4;

/** Segments between two looks at what the other thread has done. */
export const SEGMENTS_TOGETHER = 1024;

/** What is known of the input before the first frame is read. */
export type Opened = Pick<CaptureSource, 'bytesTotal' | 'format'>;

/** To the thread: nothing more is wanted. It is said here too, besides in the words above, for a thread that waits for a pipe. */
export type ToDecoding = 'stop';

/** From the thread: it is about to read; it can't; it has read all that it will. */
export type FromDecoding =
  | ({ kind: 'opened' } & Opened)
  | ({ kind: 'unreadable' } & Pick<CaptureError, 'code' | 'offset' | 'source' | 'what'>)
  | ({ kind: 'end'; totals: FrameTotals } & Pick<
      CaptureSource,
      'bytesRead' | 'damage' | 'warnings'
    >);
