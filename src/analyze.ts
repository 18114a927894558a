/** Joins capture, decode, flow and tcp into one stream of finished connections. */

import type { Readable } from 'node:stream';
import { AnalysisRun, type AnalyzeOptions, type RunOptions } from './analysis-run.ts';
import { openCapture } from './capture/open.ts';
import type { FrameSource } from './capture/source.ts';
import type { CaptureSummary, ConnectionRecord } from './report/record.ts';

export type {
  AnalyzeOptions,
  PayloadListener,
  PayloadSegment,
  Progress,
  RunOptions,
} from './analysis-run.ts';

/** A path (`-`: standard input), a stream of bytes, or the bytes of a capture. */
export type CaptureInput = string | Readable | Uint8Array;

/** What the library's `analyze` returns: records as they finish, and the totals once they are all out. */
export interface Analysis extends AsyncIterable<ConnectionRecord> {
  /** Resolves when the records have all been taken; rejects with the CaptureError of an input that can't be read. */
  readonly summary: Promise<CaptureSummary>;
}

/** Analyzes an opened source to its end. Connections still open then come last, in the order of their numbers. */
export async function runAnalysis(
  source: FrameSource,
  options: RunOptions,
): Promise<CaptureSummary> {
  const run = new AnalysisRun(source, options);
  let goesOn = true;
  do {
    run.drain();
    if (options.onChunk !== undefined) goesOn = await options.onChunk(run.progress);
  } while (goesOn && !run.isDone && (await source.more()));
  if (run.isDone) return run.summarize();
  for (const _ of run.finishInParts()) {
    if (options.onChunk !== undefined && !goesOn) continue;
    if (options.onChunk !== undefined) goesOn = await options.onChunk(run.progress);
  }
  return run.summarize();
}

/** Like `runAnalysis`, but pauses after each chunk; returns the totals. */
export async function* runInParts(
  source: FrameSource,
  options: RunOptions,
): AsyncGenerator<void, CaptureSummary, undefined> {
  const run = new AnalysisRun(source, options);
  do {
    run.drain();
    yield;
  } while (!run.isDone && (await source.more()));
  if (!run.isDone) for (const _ of run.finishInParts()) yield;
  return run.summarize();
}

/**
 * Reads a capture and yields a record for every TCP connection as it finishes; those still open at the end come last.
 *
 * @example
 * for await (const record of analyze('web.pcapng')) console.log(record.client.ip, record.close.kind);
 */
export function analyze(input: CaptureInput, options: AnalyzeOptions = {}): Analysis {
  const file = options.file ?? (typeof input === 'string' ? input : null);
  let settle: (summary: CaptureSummary) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const summary = new Promise<CaptureSummary>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  // Who only iterates gets the error from the iteration; the promise alone must not end the process.
  summary.catch(() => {});
  async function* records(): AsyncGenerator<ConnectionRecord, void, undefined> {
    let source: FrameSource | null = null;
    try {
      source = await openCapture(input, {
        ...(file === null ? {} : { name: file }),
        ...(options.reader === undefined ? {} : { reader: options.reader }),
      });
      let ready: ConnectionRecord[] = [];
      const onRecord = (record: ConnectionRecord): void => {
        ready.push(record);
      };
      const run = new AnalysisRun(source, { ...options, file, onRecord });
      do {
        run.drain();
        const part = ready;
        ready = [];
        yield* part;
      } while (await source.more());
      for (const _ of run.finishInParts()) {
        const part = ready;
        ready = [];
        yield* part;
      }
      const result = run.summarize();
      yield* ready;
      settle(result);
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      await source?.close();
    }
  }
  return { summary, [Symbol.asyncIterator]: records };
}
