/** The pieces of a rotated capture, one behind the other, as one source: frame numbers run on as in `mergecap -a`. */

import { CaptureError, type Damage } from '../base/errors.ts';
import type { FileStart } from '../base/files.ts';
import { formatUtc } from '../base/time.ts';
import { missingPeriods, type ReadPiece } from './missing-pieces.ts';
import { type OpenOptions, openCapture } from './open.ts';
import { sizeOf } from './paths.ts';
import type { Piece, Timeline } from './rotation.ts';
import type { CaptureFormat, CaptureInterface, FrameBatch, FrameSource } from './source.ts';

/**
 * How far a piece may begin before the end of the one before it: frames of several interfaces are written a little out of order. Two
 * captures made at the same time overlap by more, and are two timelines.
 */
const MAX_OVERLAP_SEC = 1;

/** How long after the end of a piece the next may begin: an idle link makes gaps, a day of it makes another capture. */
const MAX_GAP_SEC = 86_400;

/** What was read of one file. */
export interface JoinedFile extends FileStart {
  frames: number;
  frameBytes: number;
  /** RFC 3339 of its first and last frame in time order, or null without frames. */
  start: string | null;
  end: string | null;
  damage: Damage | null;
}

/**
 * Opens the files of a timeline of more than one. A file that can't be read is damage, and the next is read; throws `CaptureError` where
 * none can be.
 */
export async function openJoined(
  { pieces, forced }: Timeline,
  options: Omit<OpenOptions, 'name'> = {},
): Promise<JoinedSource> {
  const failed: CaptureError[] = [];
  for (const { path } of pieces) {
    try {
      const source = await openCapture(path, { ...options, name: path });
      return new JoinedSource(source, failed, pieces, forced, options);
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      failed.push(error);
    }
  }
  throw failed[0] ?? new Error('a timeline has at least one file');
}

/** A timeline's files as one source; see `openJoined`. */
export class JoinedSource implements FrameSource {
  readonly format: CaptureFormat;
  /** The files begun so far. */
  readonly files: JoinedFile[] = [];
  readonly bytesTotal: number;
  #warnings: string[] = [];
  /** What is missing between files. */
  readonly #missing: string[] = [];
  /** The files with frames, as far as they were read to the end. */
  readonly #read: ReadPiece[] = [];
  #interfaces: CaptureInterface[] = [];
  #bytesBefore = 0;
  #frames = 0;
  /** The first and last time of the file at hand, and the last of the files before it; -1: none. */
  #minSec = -1;
  #minNs = 0;
  #maxSec = -1;
  #maxNs = 0;
  #endSec = -1;
  #endNs = 0;
  #current: FrameSource;
  #closed = false;
  /** There is nothing more to read: what waits, if anything, is another timeline. */
  #ended = false;
  readonly #waiting: Piece[];
  readonly #forced: boolean;
  readonly #options: Omit<OpenOptions, 'name'>;

  constructor(
    first: FrameSource,
    failed: readonly CaptureError[],
    pieces: readonly Piece[],
    forced: boolean,
    options: Omit<OpenOptions, 'name'>,
  ) {
    this.format = first.format;
    this.bytesTotal = pieces.reduce((sum, { path }) => sum + sizeOf(path), 0);
    this.#current = first;
    this.#waiting = pieces.slice(failed.length + 1);
    this.#forced = forced;
    this.#options = options;
    for (const error of failed) this.#fail(error);
    for (const piece of pieces.slice(0, failed.length + 1)) this.#note(piece);
    this.#begin(first.name);
  }

  /** The first and the last file. */
  get name(): string {
    const ahead = this.#ended ? [] : this.#waiting;
    const last = ahead.at(-1)?.path ?? this.files.at(-1)?.file;
    const count = this.files.length + ahead.length;
    return count === 1 ? String(last) : `${this.files[0]?.file} … ${last} (${count} files)`;
  }

  /** The files not read, because their times don't follow on; null where there are none; known at the end. */
  get rest(): Timeline | null {
    return !this.#ended || this.#waiting.length === 0
      ? null
      : { pieces: this.#waiting, forced: this.#forced };
  }

  get interfaces(): readonly CaptureInterface[] {
    return [...this.#interfaces, ...this.#current.interfaces];
  }

  get warnings(): readonly string[] {
    return [...this.#ofFiles(), ...this.#missing];
  }

  #ofFiles(): string[] {
    const { name, warnings } = this.#current;
    return [...this.#warnings, ...warnings.map((text) => `${name}: ${text}`)];
  }

  /** The first damage; each file's own is in `files`. */
  get damage(): Damage | null {
    for (const { file, damage } of this.files) {
      if (damage !== null) return { ...damage, message: `${file}: ${damage.message}` };
    }
    return null;
  }

  get bytesRead(): number {
    return this.#bytesBefore + this.#current.bytesRead;
  }

  /** Hot path: one more loop over the columns of a batch. */
  fill(batch: FrameBatch): number {
    const count = this.#current.fill(batch);
    const file = this.files[this.files.length - 1] as JoinedFile;
    const firstInterface = this.#interfaces.length;
    const { capturedLen, iface, tsNs, tsSec } = batch;
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const sec = tsSec[i] as number;
      const ns = tsNs[i] as number;
      bytes += capturedLen[i] as number;
      iface[i] = (iface[i] as number) + firstInterface;
      if (this.#minSec < 0 || sec < this.#minSec || (sec === this.#minSec && ns < this.#minNs)) {
        this.#minSec = sec;
        this.#minNs = ns;
      }
      if (sec > this.#maxSec || (sec === this.#maxSec && ns > this.#maxNs)) {
        this.#maxSec = sec;
        this.#maxNs = ns;
      }
    }
    this.#frames += count;
    file.frames += count;
    file.frameBytes += bytes;
    return count;
  }

  async more(): Promise<boolean> {
    if (this.#closed) return false;
    if (await this.#current.more()) return true;
    if (this.#closed) return false;
    this.#end();
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || !(this.#forced || this.#follows(next))) {
        this.#ended = true;
        this.#missing.push(...missingPeriods(this.#read));
        return false;
      }
      this.#waiting.shift();
      this.#note(next);
      if (await this.#open(next.path)) return !this.#closed;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#current.close();
  }

  /** Whether the times of `next` go on from those of the files before. */
  #follows({ first }: Piece): boolean {
    if (first === null || this.#endSec < 0) return true;
    const gap = first.sec - this.#endSec + (first.ns - this.#endNs) / 1e9;
    return gap >= -MAX_OVERLAP_SEC && gap <= MAX_GAP_SEC;
  }

  async #open(path: string): Promise<boolean> {
    const { interfaces, bytesRead } = this;
    const warnings = this.#ofFiles();
    await this.#current.close();
    try {
      const source = await openCapture(path, { ...this.#options, name: path });
      this.#interfaces = [...interfaces];
      this.#warnings = warnings;
      this.#bytesBefore = bytesRead;
      this.#current = source;
      this.#begin(path);
      return true;
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      this.#fail(error);
      return false;
    }
  }

  /** It could be opened a moment ago: a ring that is still written to removes its oldest file. */
  #fail({ code, offset, source, what }: CaptureError): void {
    this.#begin(source).damage = { code, offset: offset ?? 0, message: what };
  }

  #note({ missing, path }: Piece): void {
    if (missing !== null) this.#missing.push(`${path}: ${missing}`);
  }

  #begin(file: string): JoinedFile {
    this.#minSec = -1;
    this.#maxSec = -1;
    const begun = {
      file,
      firstFrame: this.#frames + 1,
      frames: 0,
      frameBytes: 0,
      start: null,
      end: null,
      damage: null,
    };
    this.files.push(begun);
    return begun;
  }

  /** Notes what is known of a file once it has been read. */
  #end(): void {
    const file = this.files[this.files.length - 1] as JoinedFile;
    file.damage ??= this.#current.damage;
    if (file.frames === 0) return;
    const startSec = this.#minSec + this.#minNs / 1e9;
    this.#read.push({ path: file.file, startSec, endSec: this.#maxSec + this.#maxNs / 1e9 });
    file.start = formatUtc(this.#minSec, this.#minNs);
    file.end = formatUtc(this.#maxSec, this.#maxNs);
    this.#endSec = this.#maxSec;
    this.#endNs = this.#maxNs;
  }
}
