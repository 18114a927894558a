/** The figures of a capture that come from its frames: totals, times, drops. */

import { formatUtc } from '../base/time.ts';
import type { CaptureSource, FrameBatch, FrameSource } from '../capture/source.ts';
import { createCounts } from './counts.ts';
import type { CaptureSummary } from './record.ts';

/** A summary of nothing read yet. */
export function emptySummary(file: string | null, source: CaptureSource): CaptureSummary {
  return {
    file,
    format: source.format,
    frames: 0,
    frameBytes: 0,
    tcpFrames: 0,
    start: null,
    end: null,
    connections: 0,
    ...createCounts(),
    duplicateFrames: 0,
    strayFrames: 0,
    evicted: 0,
    snappedFrames: 0,
    notDecoded: {},
    unknownLinkTypes: [],
    outOfOrderFrames: 0,
    droppedByInterface: null,
    warnings: [],
    damage: null,
  };
}

/** The first and last time of a capture, and how often time went back. */
export class TimeSpan {
  minSec = Number.POSITIVE_INFINITY;
  minNs = 0;
  maxSec = -1;
  maxNs = 0;
  lastSec = -1;
  lastNs = 0;
  backwards = 0;

  /** A time of the capture: of those in order the first and the last are enough. */
  add(sec: number, ns: number): void {
    if (sec > this.maxSec || (sec === this.maxSec && ns > this.maxNs)) {
      this.maxSec = sec;
      this.maxNs = ns;
    }
    if (sec < this.minSec || (sec === this.minSec && ns < this.minNs)) {
      this.minSec = sec;
      this.minNs = ns;
    }
  }

  get first(): string | null {
    return this.maxSec < 0 ? null : formatUtc(this.minSec, this.minNs);
  }

  get last(): string | null {
    return this.maxSec < 0 ? null : formatUtc(this.maxSec, this.maxNs);
  }
}

/** Adds a batch to the totals. Hot path: one loop over three columns, which leaves it only where time goes back. */
export function account(
  batch: FrameBatch,
  sums: Pick<CaptureSummary, 'frameBytes'>,
  times: TimeSpan,
): void {
  const { tsSec, tsNs, capturedLen, count } = batch;
  if (count === 0) return;
  let bytes = 0;
  let { lastSec, lastNs } = times;
  if (lastSec < 0) times.add(tsSec[0] as number, tsNs[0] as number);
  for (let i = 0; i < count; i++) {
    const sec = tsSec[i] as number;
    const ns = tsNs[i] as number;
    bytes += capturedLen[i] as number;
    if (sec < lastSec || (sec === lastSec && ns < lastNs)) {
      times.backwards++;
      times.add(lastSec, lastNs);
      times.add(sec, ns);
    }
    lastSec = sec;
    lastNs = ns;
  }
  times.add(lastSec, lastNs);
  times.lastSec = lastSec;
  times.lastNs = lastNs;
  sums.frameBytes += bytes;
}

/** Frames that the interfaces say they dropped, or null where none says. */
export function sumDrops(source: FrameSource): number | null {
  let sum: number | null = null;
  for (const { dropped } of source.interfaces) if (dropped !== null) sum = (sum ?? 0) + dropped;
  return sum;
}
