/** One piece of a report's work: a timeline is read and counted, here or in a thread. */

import { setImmediate } from 'node:timers/promises';
import { runAnalysis } from '../analyze.ts';
import { CaptureError } from '../base/errors.ts';
import { fileIndexOfFrame } from '../base/files.ts';
import { DEFAULT_MSL_SEC } from '../base/time.ts';
import { type JoinedSource, openJoined } from '../capture/joined.ts';
import { openCapture, type ReaderName, startsLikeCapture } from '../capture/open.ts';
import type { Timeline } from '../capture/rotation.ts';
import type { FrameSource } from '../capture/source.ts';
import type { FileFigures, Outcome, TimelineFigures } from '../report/batch.ts';
import { Census } from '../report/census.ts';
import { addCounts, countRecord } from '../report/counts.ts';
import { countConnection, countsOf, createFigures } from '../report/figures.ts';
import type { SegmentSource } from '../segments.ts';
import { createTransfer, fillTransfer } from '../tcp/figures.ts';
import { createFinished, type Ends } from '../tcp/finished.ts';
import { Molds } from '../tcp/molds.ts';
import { Unpacker } from '../tcp/packed.ts';
import { fillingOf } from './data-form.ts';
import { decodeElsewhere } from './decode-elsewhere.ts';
import type { DecodeThread } from './start-decoding.ts';

export interface BatchJob {
  timeline: Timeline;
  /** Given by name: that it is no capture is an error. */
  isNamed: boolean;
  reader: ReaderName;
  msl: number | null;
  maxConnections: number | null;
  /** A core has nothing else to do: another thread may decode it. */
  hasSpareCore: boolean;
}

/** Told how far a job is; says whether it goes on. */
export type OnProgress = (bytesRead: number, connections: number) => boolean;

/** How often a run lets the thread see what else goes on. */
const TURN_EVERY_MS = 50;

/** Errors of a file that is no capture, as folders hold them. */
const NO_CAPTURE: ReadonlySet<string> = new Set([
  'empty',
  'not-a-capture',
  'unsupported-compression',
  'unsupported-format',
]);

/**
 * Reads and counts `job`'s timeline. More than one outcome where the times of its files do not go on from each other; null where
 * `onProgress` stopped it.
 */
export async function runJob(job: BatchJob, onProgress: OnProgress): Promise<Outcome[] | null> {
  const outcomes: Outcome[] = [];
  let bytesBefore = 0;
  let connectionsBefore = 0;
  for (let next: Timeline | null = job.timeline; next !== null; ) {
    const timeline: Timeline = next;
    const path = timeline.pieces[0]?.path ?? '';
    next = null;
    let thread: DecodeThread | null = null;
    try {
      const { hasSpareCore, reader } = job;
      let joined: JoinedSource | null = null;
      if (timeline.pieces.length > 1) joined = await openJoined(timeline, { reader });
      else if (hasSpareCore && reader === 'native') thread = await decodeElsewhere(path, 'pipes');
      const source =
        joined ?? (await thread?.opened) ?? (await openCapture(path, { name: path, reader }));
      try {
        const outcome = await readSource(source, joined, job, (bytes, connections) =>
          onProgress(bytesBefore + bytes, connectionsBefore + connections),
        );
        if (outcome === null) return null;
        bytesBefore += source.bytesRead;
        connectionsBefore += outcome.summary.connections;
        outcomes.push(outcome);
        next = joined?.rest ?? null;
      } finally {
        await source.close();
      }
    } catch (error) {
      await thread?.worker.terminate();
      if (!(error instanceof CaptureError)) throw error;
      const { code, offset, what } = error;
      if (!job.isNamed && NO_CAPTURE.has(code) && !startsLikeCapture(path)) {
        outcomes.push({ kind: 'no-capture', file: path });
      } else {
        outcomes.push({ kind: 'unreadable', file: path, code, offset, message: what });
      }
    }
  }
  return outcomes;
}

async function readSource(
  source: FrameSource | SegmentSource,
  joined: JoinedSource | null,
  job: BatchJob,
  onProgress: OnProgress,
): Promise<TimelineFigures | null> {
  const mslSec = job.msl ?? DEFAULT_MSL_SEC;
  const molds = new Molds(mslSec, fillingOf('summary'));
  const unpacker = new Unpacker();
  const transfer = createTransfer();
  const figures = createFigures();
  const begun: number[] = [];
  const ends = createFinished();
  const census = new Census(
    mslSec,
    () => false,
    (conclusion) => {
      const counted = countsOf(conclusion);
      return (leaving) => {
        leaving.ends(ends);
        countConnection(figures, ends, counted);
        if (joined !== null) countBegun(begun, joined, ends);
      };
    },
  );
  let turned = performance.now();
  let goesOn = true;
  const summary = await runAnalysis(source, {
    file: source.name,
    msl: mslSec,
    ...(job.maxConnections === null ? {} : { maxConnections: job.maxConnections }),
    // Figures only: a record is not needed, and would take longer to build than to judge.
    takeFinished(leaving) {
      if (census.take(leaving)) return true;
      const finished = unpacker.read(leaving);
      const conclusion = molds.conclude(finished);
      const { close, handshake } = conclusion;
      const client = finished.clientEnd;
      const bytes = sides(finished.bytes, client);
      fillTransfer(transfer, finished, client);
      countRecord(census.counts, {
        bytes,
        packets: sides(finished.packets, client),
        close,
        handshake,
        transfer,
      });
      countConnection(figures, finished, countsOf(conclusion));
      if (joined !== null) countBegun(begun, joined, finished);
      return true;
    },
    onRecord() {},
    async onChunk(at) {
      goesOn = onProgress(at.bytesRead, at.connections);
      if (performance.now() - turned >= TURN_EVERY_MS) {
        await setImmediate();
        turned = performance.now();
      }
      return goesOn;
    },
  });
  if (!goesOn) return null;
  census.settle();
  addCounts(summary, census.counts);
  const files = joined === null ? [ofWhole(summary)] : joined.files.map(ofFile);
  return { kind: 'read', files, summary, figures };

  function ofFile(file: JoinedSource['files'][number], i: number): FileFigures {
    const { damage, end, firstFrame, frameBytes, frames, start } = file;
    const connections = begun[i] ?? 0;
    return { file: file.file, firstFrame, frames, frameBytes, connections, start, end, damage };
  }
}

function sides(pair: readonly [number, number], client: 0 | 1): { client: number; server: number } {
  return { client: pair[client], server: pair[client === 0 ? 1 : 0] };
}

/** Counts a connection for the file in which it began. */
function countBegun(begun: number[], { files }: JoinedSource, { firstFrame }: Ends): void {
  const i = fileIndexOfFrame(files, firstFrame);
  begun[i] = (begun[i] ?? 0) + 1;
}

function ofWhole(summary: TimelineFigures['summary']): FileFigures {
  const { connections, damage, end, file, frameBytes, frames, start } = summary;
  return {
    ...{ file: file ?? '', firstFrame: 1, frames, frameBytes, connections },
    ...{ start, end, damage },
  };
}
