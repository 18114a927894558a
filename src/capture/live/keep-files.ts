/** Keeps what is captured: one pcapng, or a ring of them as dumpcap's -b has it (dumpcap(1)). */

import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { extname } from 'node:path';
import { reasonOf } from '../../base/system-error.ts';
import type { CaptureInterface, FrameBatch, FrameSource } from '../source.ts';
import { BlockWriter } from './block-writer.ts';
import { beginsFiles, type RingRules } from './ring-rules.ts';

/** Bytes gathered before a write; what is less is written by `tick`. */
const WRITE_BYTES = 256 * 1024;

/** Writes frames to files. An error of the file system ends the writing, not the program: `failure` has it. */
export class KeptFiles {
  /** What the file system said, with the file's name, or null. */
  failure: string | null = null;
  readonly #path: string;
  readonly #rules: RingRules;
  readonly #program: string;
  readonly #now: () => number;
  readonly #blocks = new BlockWriter();
  readonly #names: string[] = [];
  readonly #isRing: boolean;
  #fd: number | null = null;
  #number = 0;
  /** Bytes of the current file that are whole blocks on the disk. */
  #written = 0;
  #packets = 0;
  #openedMs = 0;
  #described = 0;

  /** Creates the first file; throws what the file system says where that can't be. */
  constructor(path: string, rules: RingRules, program: string, now: () => number = Date.now) {
    this.#path = path;
    this.#rules = rules;
    this.#program = program;
    this.#now = now;
    this.#isRing = beginsFiles(rules);
    this.#begin();
  }

  /** Names of the files that are there, the oldest first. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Takes the frames of a batch. */
  add(batch: FrameBatch, interfaces: readonly CaptureInterface[]): void {
    if (this.#fd === null) return;
    for (let i = 0; i < batch.count; i++) {
      if (this.#isFull()) this.#next(interfaces);
      this.#describe(interfaces);
      this.#blocks.packet(batch, i);
      this.#packets++;
      if (this.#blocks.used >= WRITE_BYTES) this.#write();
    }
  }

  /** Writes what was gathered, and begins the next file where its time has come. */
  tick(interfaces: readonly CaptureInterface[]): void {
    if (this.#fd === null) return;
    if (this.#isTime()) this.#next(interfaces);
    this.#write();
  }

  /** Ends the file with the counters of the interfaces. */
  finish(interfaces: readonly CaptureInterface[]): void {
    if (this.#fd === null) return;
    this.#describe(interfaces);
    for (const [i, one] of interfaces.entries()) this.#blocks.statistics(i, one, this.#now());
    this.#write();
    this.#close();
  }

  #isFull(): boolean {
    const { filesizeKb, packets } = this.#rules;
    if (packets !== null && this.#packets >= packets) return true;
    return filesizeKb !== null && this.#written + this.#blocks.used >= filesizeKb * 1000;
  }

  #isTime(): boolean {
    const { durationSec, intervalSec } = this.#rules;
    const ms = this.#now();
    if (durationSec !== null && ms - this.#openedMs >= durationSec * 1000) return true;
    if (intervalSec === null) return false;
    const every = intervalSec * 1000;
    return Math.floor(ms / every) !== Math.floor(this.#openedMs / every);
  }

  #next(interfaces: readonly CaptureInterface[]): void {
    this.finish(interfaces);
    if (this.failure !== null) return;
    try {
      this.#begin();
    } catch (error) {
      this.#fail(error);
    }
    const { files } = this.#rules;
    while (files !== null && this.#names.length > files) {
      const oldest = this.#names.shift();
      if (oldest !== undefined) rmSync(oldest, { force: true });
    }
  }

  #begin(): void {
    this.#openedMs = this.#now();
    this.#number++;
    const name = this.#isRing ? this.#ringName() : this.#path;
    this.#fd = openSync(name, 'w');
    this.#names.push(name);
    this.#written = 0;
    this.#packets = 0;
    this.#described = 0;
    this.#blocks.section(this.#program);
    this.#write();
  }

  /** As dumpcap's: the number and the local time before the ending. */
  #ringName(): string {
    const path = this.#path;
    const ending = extname(path);
    const time = new Date(this.#openedMs);
    const two = (n: number): string => String(n).padStart(2, '0');
    const day = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
    const clock = `${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`;
    const number = String(this.#number).padStart(5, '0');
    return `${path.slice(0, path.length - ending.length)}_${number}_${day}${clock}${ending}`;
  }

  #describe(interfaces: readonly CaptureInterface[]): void {
    for (; this.#described < interfaces.length; this.#described++) {
      const one = interfaces[this.#described];
      if (one !== undefined) this.#blocks.interface(one);
    }
  }

  #write(): void {
    if (this.#fd === null || this.#blocks.used === 0) return;
    const bytes = this.#blocks.take();
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
      this.#written += bytes.length;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The file ends with its last whole piece, so that every program can read it. */
  #fail(error: unknown): void {
    this.failure = `${this.#names.at(-1) ?? this.#path}: ${reasonOf(error)}`;
    if (this.#fd !== null) {
      try {
        ftruncateSync(this.#fd, this.#written);
      } catch {
        // Then it ends within a block, and readers say so.
      }
    }
    this.#close();
  }

  #close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** `source`, with every frame that is taken from it also kept. */
export function keeping(source: FrameSource, kept: KeptFiles): FrameSource {
  return {
    name: source.name,
    format: source.format,
    get interfaces() {
      return source.interfaces;
    },
    get damage() {
      return source.damage;
    },
    get warnings() {
      return source.warnings;
    },
    get bytesRead() {
      return source.bytesRead;
    },
    bytesTotal: source.bytesTotal,
    fill(batch) {
      const count = source.fill(batch);
      if (count > 0) kept.add(batch, source.interfaces);
      return count;
    },
    more: () => source.more(),
    close: () => source.close(),
  };
}
