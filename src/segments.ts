/** Where an analysis gets its segments from: frames decoded in this thread, or in another (cli/decoded-input.ts). */

import {
  type CaptureSource,
  createFrameBatch,
  type FrameBatch,
  type FrameSource,
} from './capture/source.ts';
import { createSegmentColumns, type SegmentColumns } from './decode/columns.ts';
import { addReasons, createDecodeContext, decodeBatch } from './decode/decode.ts';
import { FragmentReassembler } from './flow/fragments.ts';
import { writeKeys } from './flow/keys.ts';
import type { CaptureSummary } from './report/record.ts';
import { account, sumDrops, TimeSpan } from './report/totals.ts';

/** What is known of the frames once they were all read. */
export interface FrameTotals {
  figures: Pick<
    CaptureSummary,
    | 'droppedByInterface'
    | 'end'
    | 'frameBytes'
    | 'frames'
    | 'notDecoded'
    | 'outOfOrderFrames'
    | 'snappedFrames'
    | 'start'
    | 'unknownLinkTypes'
  >;
  /** The time of the frame read last. */
  lastSec: number;
  lastNs: number;
}

/** The segments of a capture in their order. */
export interface Segments {
  readonly columns: SegmentColumns;
  /** Of the keys of IPv4, which are there (flow/keys.ts). */
  readonly seed: number;
  /** Frames read so far. */
  readonly frames: number;
  /** Hands out the next segments, which stand in the columns from ring position `position` on: how many, at most 128. -1: there are none at hand. */
  next(position: number): number;
  /** Nothing more is read; what was has yet to be taken. */
  stop(): Promise<void>;
  /** Once all were taken. */
  totals(): FrameTotals;
}

/** A capture that comes as segments. */
export interface SegmentSource extends CaptureSource, Segments {}

/** For the hashes of keys, which nobody should foretell: V8 begins its random numbers with those of the system. */
export function randomSeed(): number {
  return (Math.random() * 2 ** 32) | 0;
}

/** Frames decoded as they are asked for. */
export class Decoding implements Segments {
  readonly columns: SegmentColumns;
  readonly seed: number;
  readonly batch: FrameBatch = createFrameBatch();
  frames = 0;
  readonly #source: FrameSource;
  readonly #context = createDecodeContext(new FragmentReassembler());
  readonly #times = new TimeSpan();
  readonly #sums = { frameBytes: 0 };

  constructor(source: FrameSource, columns = createSegmentColumns(), seed = randomSeed()) {
    this.#source = source;
    this.seed = seed;
    this.columns = columns;
  }

  /** Hot path: synchronous, batch after batch. */
  next(position: number): number {
    const { batch } = this;
    if (this.#source.fill(batch) === 0) return -1;
    account(batch, this.#sums, this.#times);
    const first = this.frames + 1;
    this.frames += batch.count;
    const count = decodeBatch(batch, first, this.columns, position, this.#context);
    writeKeys(this.columns, position, count, this.seed);
    return count;
  }

  async stop(): Promise<void> {}

  totals(): FrameTotals {
    const context = this.#context;
    const times = this.#times;
    return {
      figures: {
        frames: this.frames,
        frameBytes: this.#sums.frameBytes,
        snappedFrames: context.snappedFrames,
        notDecoded: addReasons(context),
        unknownLinkTypes: [...context.unknownLinkTypes].map(([linkType, frames]) => ({
          linkType,
          frames,
        })),
        outOfOrderFrames: times.backwards,
        droppedByInterface: sumDrops(this.#source),
        start: times.first,
        end: times.last,
      },
      lastSec: times.lastSec,
      lastNs: times.lastNs,
    };
  }
}
