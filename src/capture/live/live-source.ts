/** A capturing child process as a source of frames that can be woken while nothing arrives. */

import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Damage } from '../../base/errors.ts';
import type { CaptureFormat, CaptureInterface, FrameBatch, FrameSource } from '../source.ts';
import type { EngineName } from './engine.ts';
import { isInterfaceLost, lastWords, readCounters } from './trouble.ts';

/**
 * dumpcap takes frames from the kernel every 250 ms, tcpdump with whole frames every second, and when told to end they leave what
 * waits there: they are told a little later.
 */
const LAST_FRAMES_MS = { dumpcap: 350, tcpdump: 1100, cap: 0 } as const satisfies Record<
  EngineName,
  number
>;
/** How long a child may take to end after it was asked to, before it is killed. */
const STOP_GRACE_MS = 2000;
/** What is kept of its standard error: the end tells the most. */
const MAX_STDERR_CHARS = 64 * 1024;

export type CaptureChild = ChildProcessByStdio<null, Readable, Readable>;

/** A child that was started, what it says, and how it ended. */
export class Child {
  readonly engine: EngineName;
  readonly process: CaptureChild;
  stderr = '';
  /** Null while it runs. */
  exit: { code: number | null; signal: NodeJS.Signals | null } | null = null;
  /** Resolves when it has ended and all its output was taken; with the error where it could not be started. */
  readonly ended: Promise<Error | null>;

  constructor(engine: EngineName, process: CaptureChild) {
    this.engine = engine;
    this.process = process;
    process.stderr.setEncoding('utf8');
    process.stderr.on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-MAX_STDERR_CHARS);
    });
    this.ended = new Promise((resolve) => {
      process.on('error', (error) => resolve(error));
      process.on('exit', (code, signal) => {
        this.exit = { code, signal };
      });
      process.on('close', () => resolve(null));
    });
  }

  /** Asks it to end after `delayMs`; kills it where it doesn't. */
  stop(delayMs: number): void {
    if (this.exit !== null) return;
    const timers = [
      setTimeout(() => this.process.kill('SIGINT'), delayMs),
      setTimeout(() => this.process.kill('SIGKILL'), delayMs + STOP_GRACE_MS),
    ];
    this.ended
      .then(() => {
        for (const timer of timers) clearTimeout(timer);
      })
      .catch(() => {});
  }
}

/** The frames of a capture under way. `more` resolves when there are bytes, at the end, and on `wake`. */
export class LiveSource implements FrameSource {
  readonly name: string;
  readonly engine: EngineName;
  /** Whether the engine hands over each frame at once. */
  readonly isImmediate: boolean;
  damage: Damage | null = null;
  /** Warnings beside those of the reader. */
  readonly notes: string[] = [];
  readonly #inner: FrameSource;
  readonly #child: Child;
  #reading = false;
  #ended = false;
  #stopped = false;
  #maxFrames: number;
  #frames = 0;
  #resolve: ((goesOn: boolean) => void) | null = null;

  /** `maxFrames`: the capture ends after so many. */
  constructor(
    name: string,
    inner: FrameSource,
    child: Child,
    maxFrames: number,
    isImmediate: boolean,
  ) {
    this.isImmediate = isImmediate;
    this.name = name;
    this.engine = child.engine;
    this.#inner = inner;
    this.#child = child;
    this.#maxFrames = maxFrames;
  }

  get format(): CaptureFormat {
    return this.#inner.format;
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.#inner.interfaces;
  }

  get warnings(): readonly string[] {
    return [...this.notes, ...this.#inner.warnings];
  }

  get bytesRead(): number {
    return this.#inner.bytesRead;
  }

  readonly bytesTotal = null;

  /** Whether `stop` was called, or enough frames were taken. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  fill(batch: FrameBatch): number {
    const left = this.#maxFrames - this.#frames;
    // While a read is under way the window belongs to it.
    if (this.#reading || left <= 0) {
      batch.count = 0;
      return 0;
    }
    const count = Math.min(this.#inner.fill(batch), left);
    batch.count = count;
    this.#frames += count;
    return count;
  }

  /**
   * Waits for bytes or for `wake`: true, and there may be no new frame. False at the end.
   *
   * A read goes on over many calls, with one reaction to it: a race with it would add one at each call, for hours.
   */
  more(): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    if (this.#frames >= this.#maxFrames) return this.#finishEarly();
    if (!this.#reading) {
      this.#reading = true;
      this.#inner
        .more()
        .catch(() => false)
        .then(async (goesOn) => {
          // Woken meanwhile, `more` must go on waiting: why it ended is not known yet.
          if (!goesOn) await this.#end();
          this.#reading = false;
          this.#answer(goesOn);
        })
        .catch(() => this.#answer(false));
    }
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Ends a waiting `more`: time has passed. */
  wake(): void {
    this.#answer(true);
  }

  /** Asks the capture to end; the frames captured until then still come. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#child.stop(this.isImmediate ? 0 : LAST_FRAMES_MS[this.engine]);
  }

  /** Enough frames were taken: what else the child has is of no interest. */
  async #finishEarly(): Promise<boolean> {
    this.#stopped = true;
    this.#child.stop(0);
    await this.#inner.close();
    await this.#end();
    return false;
  }

  /** Asks for fresh drop counts where the engine tells them in between. */
  askCounters(): void {
    // tcpdump(8): SIGINFO, or SIGUSR1 where there is none, makes it print its counters.
    if (this.engine === 'tcpdump' && this.#child.exit === null) {
      this.#child.process.kill(process.platform === 'darwin' ? 'SIGINFO' : 'SIGUSR1');
    }
    this.#takeCounters();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#child.stop(0);
    await this.#inner.close();
    await this.#child.ended;
  }

  #answer(goesOn: boolean): void {
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.(goesOn);
  }

  #takeCounters(): void {
    const counters = readCounters(this.#child.stderr);
    const [first] = this.interfaces;
    if (counters === null || first === undefined) return;
    first.received = counters.received;
    first.dropped = counters.dropped;
  }

  /** The child's output has ended: waits for the child and finds out why. */
  async #end(): Promise<void> {
    await this.#child.ended;
    this.#takeCounters();
    if (!this.#stopped) this.damage = this.#whyEnded();
    this.#ended = true;
  }

  #whyEnded(): Damage {
    const { engine, exit, stderr } = this.#child;
    const words = lastWords(stderr);
    const because = words === '' ? '' : `: ${words}`;
    const offset = this.bytesRead;
    if (isInterfaceLost(stderr)) {
      const message = `the interface is gone, the capture has ended${because}`;
      return { code: 'interface-lost', offset, message };
    }
    if (exit?.signal) {
      const message = `${engine} was ended by ${exit.signal}${because}`;
      return { code: 'engine-killed', offset, message };
    }
    const message = `${engine} ended by itself with status ${exit?.code ?? 0}${because}`;
    return { code: 'engine-ended', offset, message };
  }
}
