/** Decompressed bytes from a thread of their own, so that reading them costs the reader a copy and nothing else. */

import { Worker } from 'node:worker_threads';
import { copyBytes } from './copy.ts';
import {
  type DecompressJob,
  type FromDecompress,
  type PackedSource,
  SLOT_BYTES,
  SLOTS,
} from './decompress-job.ts';
import type { Compression } from './formats.ts';
import type { ByteInput, InputDamage } from './window.ts';

/**
 * Starts a thread that decompresses `source`; null where none can be started: run from TypeScript, or bundled into somebody else's program.
 * From then on nobody else may read from it.
 */
export async function startThreadInput(
  kind: Compression,
  source: PackedSource,
): Promise<ByteInput | null> {
  const memory = new SharedArrayBuffer(SLOTS * SLOT_BYTES);
  const workerData: DecompressJob = { kind, source, memory };
  try {
    const worker = new Worker(new URL('./decompress-thread.js', import.meta.url), { workerData });
    const input = new ThreadInput(worker, memory, source.bytesTotal);
    return (await input.started) ? input : null;
  } catch {
    return null;
  }
}

/** The reader's end. */
class ThreadInput implements ByteInput {
  bytesRead = 0;
  readonly bytesTotal: number | null;
  damage: InputDamage | null = null;
  warnings: readonly string[] = [];
  /** Resolves to whether the thread runs. */
  readonly started: Promise<boolean>;
  readonly #worker: Worker;
  readonly #memory: Uint8Array;
  /** Slots with bytes, in order; `at` is how many of the first were taken. */
  readonly #filled: { slot: number; count: number; bytesRead: number }[] = [];
  #at = 0;
  #isEnded = false;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(worker: Worker, memory: SharedArrayBuffer, bytesTotal: number | null) {
    this.#worker = worker;
    this.#memory = new Uint8Array(memory);
    this.bytesTotal = bytesTotal;
    this.started = new Promise((resolve) => {
      worker.on('message', (message: FromDecompress) => {
        if (message.kind === 'ready') resolve(true);
        else this.#receive(message);
      });
      worker.on('error', (error) => {
        this.#failure = error;
        resolve(false);
        this.#wake();
      });
    });
  }

  read(into: Uint8Array, at: number): number | Promise<number> {
    return this.#filled.length > 0 ? this.#take(into, at) : this.#wait(into, at);
  }

  async close(): Promise<void> {
    this.#isEnded = true;
    this.#wake();
    await this.#worker.terminate();
  }

  #receive(message: Exclude<FromDecompress, { kind: 'ready' }>): void {
    if (message.kind === 'bytes') {
      this.#filled.push(message);
    } else {
      this.#isEnded = true;
      this.damage = message.damage;
      this.warnings = message.warnings;
      this.bytesRead = message.bytesRead;
    }
    this.#wake();
  }

  async #wait(into: Uint8Array, at: number): Promise<number> {
    while (this.#filled.length === 0 && !this.#isEnded) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#take(into, at);
  }

  #take(into: Uint8Array, at: number): number {
    const [first] = this.#filled;
    if (first === undefined) return 0;
    const { slot, bytesRead } = first;
    const count = Math.min(into.length - at, first.count - this.#at);
    const start = slot * SLOT_BYTES + this.#at;
    copyBytes(this.#memory.subarray(start, start + count), into, at);
    this.bytesRead = Math.max(this.bytesRead, bytesRead);
    this.#at += count;
    if (this.#at === first.count) {
      this.#filled.shift();
      this.#at = 0;
      this.#worker.postMessage(slot);
    }
    return count;
  }
}
