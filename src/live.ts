/** Runs an analysis of a live capture: the same as of a file, but time passes while nothing arrives. */

import { AnalysisRun, type RunOptions } from './analysis-run.ts';
import type { FrameSource } from './capture/source.ts';
import type { CaptureSummary } from './report/record.ts';

/** Silence after which the clock on the wall is believed: until then frames may be under way from the kernel. */
const QUIET_MS = 2000;
/** Between two looks for connections of which nothing was heard for long. */
const SWEEP_MS = 5000;

export interface LiveRunOptions extends RunOptions {
  /** Awaited after each chunk of frames and each time the source was woken. */
  onTick: (run: AnalysisRun) => Promise<void> | void;
  /** Milliseconds since 1970; for tests. */
  nowMs?: () => number;
}

/**
 * Analyzes `source` until it ends: `more` may resolve to true without a new frame, which lets time pass. Connections still open at
 * the end come last.
 */
export async function runLive(
  source: FrameSource,
  options: LiveRunOptions,
): Promise<CaptureSummary> {
  const now = options.nowMs ?? Date.now;
  const run = new AnalysisRun(source, { ...options, isLive: true });
  let frames = 0;
  let quietSince = now();
  let nextSweep = quietSince + SWEEP_MS;
  do {
    run.drain();
    const ms = now();
    const sec = Math.floor((ms - QUIET_MS) / 1000);
    if (run.progress.frames !== frames) {
      frames = run.progress.frames;
      quietSince = ms;
    } else if (ms - quietSince > QUIET_MS) {
      run.advanceTo(sec);
    }
    if (ms >= nextSweep) {
      nextSweep = ms + SWEEP_MS;
      run.finishIdle(sec);
    }
    await options.onTick(run);
  } while (await source.more());
  run.drain();
  for (const _ of run.finishInParts()) await options.onTick(run);
  return run.summarize();
}
