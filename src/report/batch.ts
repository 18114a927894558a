/** What a report says of many captures: each timeline's own figures, what could not be read, and the sum of all. */

import type { Damage } from '../base/errors.ts';
import { addFigures, createFigures, type Figures } from './figures.ts';
import type { CaptureSummary } from './record.ts';

/** One file of a timeline. */
export interface FileFigures {
  file: string;
  /** The number of its first frame in the timeline. */
  firstFrame: number;
  frames: number;
  frameBytes: number;
  /** Connections that began in it. */
  connections: number;
  start: string | null;
  end: string | null;
  damage: Damage | null;
}

/** A file, or the pieces of a rotated capture. */
export interface TimelineFigures {
  kind: 'read';
  files: FileFigures[];
  summary: CaptureSummary;
  figures: Figures;
}

/** A file that could not be read at all. */
export interface Unreadable {
  kind: 'unreadable';
  file: string;
  code: string;
  message: string;
  offset: number | null;
}

/** A file of a folder that is no capture. */
export interface NoCapture {
  kind: 'no-capture';
  file: string;
}

/** What became of one timeline, or of a file that is none. */
export type Outcome = TimelineFigures | Unreadable | NoCapture;

/** A file that is not, or not wholly, in the figures. */
export interface Problem {
  file: string;
  code: string;
  message: string;
  offset: number | null;
  /** Whether what stands before the damage is in the figures. */
  partial: boolean;
}

/** A timeline's line in the report: its figures without the tables, which are in the sum. */
export interface TimelineLine {
  files: FileFigures[];
  summary: CaptureSummary;
  total: Float64Array;
}

/** Everything that a report is written from. */
export interface Batch {
  timelines: TimelineLine[];
  problems: Problem[];
  /** Files of folders that are no captures, and what is no file. */
  skipped: number;
  /** Captures not read because the run was interrupted. */
  notReached: number;
  figures: Figures;
}

/** Nothing read yet. */
export function createBatch(): Batch {
  return { timelines: [], problems: [], skipped: 0, notReached: 0, figures: createFigures() };
}

/** Adds what became of a timeline: in the order of the inputs, so that the result does not depend on who was done first. */
export function addOutcome(batch: Batch, outcome: Outcome): void {
  if (outcome.kind === 'no-capture') {
    batch.skipped++;
    return;
  }
  if (outcome.kind === 'unreadable') {
    const { code, file, message, offset } = outcome;
    batch.problems.push({ file, code, message, offset, partial: false });
    return;
  }
  const { figures, files, summary } = outcome;
  batch.timelines.push({ files, summary, total: figures.total });
  addFigures(batch.figures, figures);
  for (const { damage, file } of files) {
    if (damage !== null) batch.problems.push({ file, ...damage, partial: true });
  }
}

/** The quality of captures: what lowers the trust in the figures. Names as in CaptureSummary. */
export const QUALITY = [
  'duplicateFrames',
  'droppedByInterface',
  'snappedFrames',
  'outOfOrderFrames',
  'begunBefore',
  'oneDirection',
  'strayFrames',
  'evicted',
] as const;

/** Figures of frames, added up over timelines. `notDecoded`: frames without TCP, by reason. */
export interface FrameTotals {
  files: number;
  frames: number;
  frameBytes: number;
  tcpFrames: number;
  start: string | null;
  end: string | null;
  quality: Record<(typeof QUALITY)[number], number>;
  notDecoded: Record<string, number>;
}

/** How a timeline is called: its file, or its first and last. */
export function timelineName({ files, summary }: TimelineLine): string {
  return summary.file ?? files[0]?.file ?? '';
}

/** Adds up the frames of `timelines`. RFC 3339 times of one form are in the order of their text. */
export function frameTotals(timelines: readonly TimelineLine[]): FrameTotals {
  const totals: FrameTotals = {
    files: 0,
    frames: 0,
    frameBytes: 0,
    tcpFrames: 0,
    start: null,
    end: null,
    quality: Object.fromEntries(QUALITY.map((name) => [name, 0])) as FrameTotals['quality'],
    notDecoded: {},
  };
  for (const { files, summary } of timelines) {
    totals.files += files.length;
    totals.frames += summary.frames;
    totals.frameBytes += summary.frameBytes;
    totals.tcpFrames += summary.tcpFrames;
    const { end, start } = summary;
    if (start !== null && (totals.start === null || start < totals.start)) totals.start = start;
    if (end !== null && (totals.end === null || end > totals.end)) totals.end = end;
    for (const name of QUALITY) totals.quality[name] += summary[name] ?? 0;
    for (const [reason, count] of Object.entries(summary.notDecoded)) {
      totals.notDecoded[reason] = (totals.notDecoded[reason] ?? 0) + count;
    }
  }
  return totals;
}
