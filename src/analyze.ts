/** Joins capture, decode, flow and tcp into one stream of finished connections. */

import type { Readable } from 'node:stream';
import { AnalysisRun, type AnalyzeOptions, type RunOptions } from './analysis-run.ts';
import { openCapture } from './capture/open.ts';
import type { FrameSource } from './capture/source.ts';
import type { CaptureSummary, ConnectionRecord } from './report/record.ts';
import type { SegmentSource } from './segments.ts';
import type { Filling } from './tcp/molds.ts';

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
  /**
   * The totals, once the records have all been taken. Where nobody takes any the input is read for the totals alone: when they are waited for
   * and no loop has begun by the next turn of the event loop. Rejects with the CaptureError of an input that can't be read, and with an
   * Error where the loop over the records was left before the end. Within the loop it can't be waited for: it comes after the last record.
   */
  readonly summary: Promise<CaptureSummary>;
}

/** Analyzes an opened source to its end. Connections still open then come last, in the order of their numbers. */
export async function runAnalysis(
  source: FrameSource | SegmentSource,
  options: RunOptions,
): Promise<CaptureSummary> {
  const run = new AnalysisRun(source, options);
  let goesOn = true;
  do {
    run.drain();
    if (options.onChunk !== undefined) goesOn = await options.onChunk(run.progress);
  } while (goesOn && !run.isDone && (await source.more()));
  if (run.isDone) return run.summarize();
  if (!goesOn) await run.stop();
  for (const _ of run.finishInParts()) {
    if (goesOn && options.onChunk !== undefined) goesOn = await options.onChunk(run.progress);
  }
  return run.summarize();
}

/** Like `runAnalysis`, but pauses after each chunk, and lets the rest of the process have its turn; returns the totals. */
export async function* runInParts(
  source: FrameSource,
  options: RunOptions,
): AsyncGenerator<void, CaptureSummary, undefined> {
  const run = new AnalysisRun(source, options);
  const turns = new Turns();
  do {
    run.drain();
    yield;
    await turns.due();
  } while (!run.isDone && (await source.more()));
  if (!run.isDone) {
    for (const _ of run.finishInParts()) {
      yield;
      await turns.due();
    }
  }
  return run.summarize();
}

/**
 * Reads a capture and yields a record for every TCP connection as it finishes; those still open at the end come last. A path or bytes are read
 * anew by each loop, a stream once. Throws a TypeError or RangeError for arguments that can't be.
 *
 * @example
 * for await (const record of analyze('web.pcapng')) console.log(record.client.ip, record.close.kind);
 */
export function analyze(input: CaptureInput, options: AnalyzeOptions = {}): Analysis {
  checkArguments(input, options);
  return new InputAnalysis(input, options);
}

/** Opens the input of the library's functions. */
export async function openInput(
  input: CaptureInput,
  file: string | null,
  { reader }: AnalyzeOptions,
): Promise<FrameSource> {
  return openCapture(input, {
    ...(file === null ? {} : { name: file }),
    ...(reader === undefined ? {} : { reader }),
  });
}

/** How long an analysis may go on before what else waits in the process has its turn. */
const TURN_EVERY_MS = 50;

/** Lets timers and sockets have their turn: files are read without waiting for anything. */
class Turns {
  #last = performance.now();

  /** What to wait for, or null while it is not time yet. */
  due(): Promise<void> | null {
    if (performance.now() - this.#last < TURN_EVERY_MS) return null;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#last = performance.now();
        resolve();
      });
    });
  }
}

/** What a record needs that is only counted. */
const COUNTED: Filling = { names: 'none', figures: false, steps: false, findings: false };

/** A promise that knows when somebody waits for it. */
class AskedPromise<T> extends Promise<T> {
  static override get [Symbol.species]() {
    return Promise;
  }

  onAsked = (): void => {};

  // biome-ignore lint/suspicious/noThenProperty: a promise has one
  override then<A = T, B = never>(
    onDone?: ((value: T) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.onAsked();
    return super.then(onDone, onFailed);
  }
}

/** One input, read by each loop over it, or for its totals. */
class InputAnalysis implements Analysis {
  readonly summary: AskedPromise<CaptureSummary>;
  readonly #input: CaptureInput;
  readonly #options: AnalyzeOptions;
  readonly #file: string | null;
  #settle: (summary: CaptureSummary) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #isAsked = false;
  /** Readings begun, and those under way. */
  #begun = 0;
  #open = 0;

  constructor(input: CaptureInput, options: AnalyzeOptions) {
    this.#input = input;
    this.#options = options;
    this.#file = options.file ?? (typeof input === 'string' ? input : null);
    this.summary = new AskedPromise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    // Who only iterates gets the error from the iteration; the promise alone must not end the process.
    this.summary.catch(() => {});
    this.summary.onAsked = () => {
      if (!this.#isAsked) this.#lookSoon();
      this.#isAsked = true;
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ConnectionRecord, void, undefined> {
    const source = await this.#begin();
    try {
      let ready: ConnectionRecord[] = [];
      const onRecord = (record: ConnectionRecord): void => {
        ready.push(record);
      };
      const parts = runInParts(source, { ...this.#options, file: this.#file, onRecord });
      let part = await parts.next();
      for (; part.done !== true; part = await parts.next()) {
        const records = ready;
        ready = [];
        yield* records;
      }
      yield* ready;
      this.#settle(part.value);
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      await this.#end(source);
    }
  }

  async #begin(): Promise<FrameSource> {
    this.#begun++;
    if (this.#begun > 1 && (this.#input === '-' || isStream(this.#input))) {
      throw new Error(
        'expected a stream not read before, found one that was: by an earlier loop, or for the summary',
      );
    }
    this.#open++;
    try {
      return await openInput(this.#input, this.#file, this.#options);
    } catch (error) {
      this.#open--;
      this.#fail(error);
      throw error;
    }
  }

  async #end(source: FrameSource): Promise<void> {
    this.#open--;
    if (this.#isAsked) this.#lookSoon();
    await source.close();
  }

  /** Once those who are about to begin a loop have done so: without one the totals have to be read, or will never be there. */
  #lookSoon(): void {
    setImmediate(() => {
      if (this.#open > 0) return;
      if (this.#begun === 0) {
        this.#count().catch(this.#fail);
      } else {
        this.#fail(
          new Error('there are no totals: the loop over the records was left before the end'),
        );
      }
    });
  }

  /** Reads the input for its totals alone. */
  async #count(): Promise<void> {
    const source = await this.#begin();
    try {
      const turns = new Turns();
      const summary = await runAnalysis(source, {
        ...this.#options,
        file: this.#file,
        transient: COUNTED,
        onRecord() {},
        async onChunk() {
          await turns.due();
          return true;
        },
      });
      this.#settle(summary);
    } finally {
      await this.#end(source);
    }
  }
}

function isStream(input: unknown): boolean {
  return (
    typeof input === 'object' &&
    input !== null &&
    Symbol.asyncIterator in input &&
    'destroy' in input
  );
}

/** Throws for arguments that can't be, before anything is read. */
export function checkArguments(input: CaptureInput, options: AnalyzeOptions): void {
  if (!(typeof input === 'string' || input instanceof Uint8Array || isStream(input))) {
    const what = Object.prototype.toString.call(input).slice('[object '.length, -1);
    throw new TypeError(`expected a path, a Readable or a Uint8Array, found ${what}`);
  }
  const { maxConnections = 1, msl = 0, reader = 'native' } = options;
  if (!(Number.isFinite(msl) && msl >= 0)) {
    throw new RangeError(`msl: expected seconds, 0 or more, found ${msl}`);
  }
  if (!(Number.isSafeInteger(maxConnections) && maxConnections > 0)) {
    throw new RangeError(`maxConnections: expected a number from 1 on, found ${maxConnections}`);
  }
  if (reader !== 'native' && reader !== 'pcap-parser') {
    throw new RangeError(`reader: expected native or pcap-parser, found ${reader}`);
  }
}
