/** The figures of a capture that come from its frames: totals, times, drops. */

import { formatUtc } from '../base/time.ts';
import type { FrameBatch, FrameSource } from '../capture/source.ts';
import { createCounts } from './counts.ts';
import type { CaptureSummary } from './record.ts';

/** A summary of nothing read yet. */
export function emptySummary(file: string | null, source: FrameSource): CaptureSummary {
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

  get first(): string | null {
    return this.maxSec < 0 ? null : formatUtc(this.minSec, this.minNs);
  }

  get last(): string | null {
    return this.maxSec < 0 ? null : formatUtc(this.maxSec, this.maxNs);
  }
}

/** Adds a batch to the totals. Hot path: one loop over two columns. */
export function account(batch: FrameBatch, summary: CaptureSummary, times: TimeSpan): void {
  const { tsSec, tsNs, capturedLen } = batch;
  let bytes = 0;
  let { lastSec, lastNs } = times;
  for (let i = 0; i < batch.count; i++) {
    const sec = tsSec[i] as number;
    const ns = tsNs[i] as number;
    bytes += capturedLen[i] as number;
    if (sec < lastSec || (sec === lastSec && ns < lastNs)) times.backwards++;
    lastSec = sec;
    lastNs = ns;
    if (sec > times.maxSec || (sec === times.maxSec && ns > times.maxNs)) {
      times.maxSec = sec;
      times.maxNs = ns;
    }
    if (sec < times.minSec || (sec === times.minSec && ns < times.minNs)) {
      times.minSec = sec;
      times.minNs = ns;
    }
  }
  times.lastSec = lastSec;
  times.lastNs = lastNs;
  summary.frameBytes += bytes;
}

/** Frames that the interfaces say they dropped, or null where none says. */
export function sumDrops(source: FrameSource): number | null {
  let sum: number | null = null;
  for (const { dropped } of source.interfaces) if (dropped !== null) sum = (sum ?? 0) + dropped;
  return sum;
}
