/** A large file, or a pipe, that another thread reads and decodes, so that this one only follows connections. */

import type { Damage } from '../base/errors.ts';
import { type CaptureFormat, FRAMES_PER_BATCH } from '../capture/source.ts';
import { createSegmentColumns, type SegmentColumns } from '../decode/columns.ts';
import type { FrameTotals, SegmentSource } from '../segments.ts';
import {
  BYTES_READ,
  ENDED,
  FRAMES_READ,
  type Opened,
  SEGMENTS_TOGETHER,
  STOPPED,
  TAKEN,
  type ToDecoding,
  WAITING,
  WANTED,
  WRITTEN,
} from './decode-job.ts';
import type { DecodeThread } from './start-decoding.ts';

/** Segments taken between two chances for the rest of the process. */
const SEGMENTS_A_TURN = 8192;
/** How long this thread waits for the other before it sees what else goes on. */
const PATIENCE_MS = 20;
/** And how long it goes on waiting while the rest of the process can run. */
const LONG_PATIENCE_MS = 100;

/** The end of the thread that takes the segments. */
export class DecodedInput implements SegmentSource {
  readonly name: string;
  readonly format: CaptureFormat;
  readonly bytesTotal: number | null;
  readonly columns: SegmentColumns;
  readonly seed: number;
  readonly #thread: DecodeThread;
  readonly #control: Int32Array;
  readonly #figures: Float64Array;
  #isClosed = false;
  /** Segments handed out, and those of them that the tracker has taken for certain and the thread was told of. */
  #handedOut = 0;
  #told = 0;
  /** Segments before the rest of the process has its chance; infinite once all that is left has to be taken. */
  #left = SEGMENTS_A_TURN;

  /** `opened`: what the thread has found. */
  constructor(thread: DecodeThread, { bytesTotal, format }: Opened) {
    this.name = thread.job.path;
    this.seed = thread.job.seed;
    this.format = format;
    this.bytesTotal = bytesTotal;
    this.columns = createSegmentColumns(thread.job.memory);
    this.#control = new Int32Array(thread.job.control);
    this.#figures = new Float64Array(thread.job.control);
    this.#thread = thread;
  }

  get damage(): Damage | null {
    return this.#thread.end?.damage ?? null;
  }

  get warnings(): readonly string[] {
    return this.#thread.end?.warnings ?? [];
  }

  get frames(): number {
    return this.#figures[FRAMES_READ] ?? 0;
  }

  get bytesRead(): number {
    return this.#thread.end?.bytesRead ?? this.#figures[BYTES_READ] ?? 0;
  }

  /** Hot path, once a batch. What the call before handed out has been taken by now. */
  next(): number {
    const control = this.#control;
    const taken = this.#handedOut;
    if (((taken - this.#told) | 0) >= SEGMENTS_TOGETHER) this.#tell();
    if (this.#left <= 0) {
      this.#left = SEGMENTS_A_TURN;
      return -1;
    }
    let written = Atomics.load(control, WRITTEN);
    if (written === taken) {
      this.#tell();
      if (Atomics.load(control, ENDED) === 1) return -1;
      Atomics.wait(control, WRITTEN, taken, PATIENCE_MS);
      written = Atomics.load(control, WRITTEN);
      if (written === taken) return -1;
    }
    const count = Math.min((written - taken) | 0, FRAMES_PER_BATCH);
    this.#handedOut = (taken + count) | 0;
    this.#left -= count;
    return count;
  }

  async more(): Promise<boolean> {
    if (this.#thread.failure !== null) throw this.#thread.failure;
    // In this order: what was written last was written before the end.
    const isEnded = Atomics.load(this.#control, ENDED) === 1;
    const all = this.#handedOut;
    if (Atomics.load(this.#control, WRITTEN) !== all) return true;
    if (!isEnded && !this.#isClosed) {
      // A pipe may be silent for hours, and is looked at now and then for whoever wants to end that.
      await Atomics.waitAsync(this.#control, WRITTEN, all, LONG_PATIENCE_MS).value;
      return true;
    }
    await this.#ended();
    return false;
  }

  async stop(): Promise<void> {
    this.#left = Number.POSITIVE_INFINITY;
    Atomics.store(this.#control, STOPPED, 1);
    this.#thread.worker.postMessage('stop' satisfies ToDecoding);
    this.#wakeThread();
    await this.#ended();
  }

  /** Throws where the thread was ended before it could say. */
  totals(): FrameTotals {
    const { end } = this.#thread;
    if (end === null) throw new Error('closed before its end');
    return end.totals;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#thread.wake();
    await this.#thread.worker.terminate();
  }

  /** Lets the thread write over what was taken. */
  #tell(): void {
    const control = this.#control;
    this.#told = this.#handedOut;
    Atomics.store(control, TAKEN, this.#told);
    if (Atomics.load(control, WAITING) === 0) return;
    if (((this.#told - Atomics.load(control, WANTED)) | 0) >= 0) this.#wakeThread();
  }

  #wakeThread(): void {
    Atomics.store(this.#control, WAITING, 0);
    Atomics.notify(this.#control, WAITING);
  }

  /** Waits for the totals, which come when all is written. */
  async #ended(): Promise<void> {
    const thread = this.#thread;
    while (thread.end === null && !this.#isClosed) {
      if (thread.failure !== null) throw thread.failure;
      await new Promise<void>((resolve) => {
        thread.wake = resolve;
      });
    }
  }
}
