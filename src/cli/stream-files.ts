/** The files of extracted streams: gathered in memory; a large one is written beside its name, and renamed when finished. */

import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { writing } from './output-error.ts';
import { addTemporary, forgetTemporary } from './temporary.ts';

/** Files open at once; the one not written to for the longest time is closed and opened again when needed. */
const MAX_OPEN_FILES = 128;

/** Bytes gathered for one file, and for all, before they are written. */
const MAX_GATHERED_BYTES_PER_FILE = 64 * 1024;
const MAX_GATHERED_BYTES = 64 * 1024 * 1024;

interface StreamFile {
  parts: Uint8Array[];
  gathered: number;
  /** Null until something was written. */
  path: string | null;
  fd: number | null;
}

/** Makes `folder` and those above it, level by level: Node's own way turns for ever where a file system refuses (/proc). */
function makeFolder(folder: string): void {
  if (fs.existsSync(folder) && fs.statSync(folder).isDirectory()) return;
  const parent = dirname(resolve(folder));
  writing('-d', folder, () => {
    if (parent !== resolve(folder)) makeFolder(parent);
    fs.mkdirSync(folder);
  });
}

/** Files by a number of the caller's; names are given to them at the end. */
export class StreamFiles {
  readonly #folder: string;
  readonly #files = new Map<number, StreamFile>();
  /** In the order of their last use. */
  readonly #open = new Set<StreamFile>();
  #gathered = 0;

  /** Files go to `folder`, which is made if it is not there. */
  constructor(folder: string) {
    makeFolder(folder);
    this.#folder = folder;
  }

  /** Adds bytes, which must not change afterwards. */
  append(key: number, bytes: Uint8Array): void {
    let file = this.#files.get(key);
    if (file === undefined) {
      file = { parts: [], gathered: 0, path: null, fd: null };
      this.#files.set(key, file);
    }
    file.parts.push(bytes);
    file.gathered += bytes.length;
    this.#gathered += bytes.length;
    if (file.gathered >= MAX_GATHERED_BYTES_PER_FILE) this.#writeAll([file]);
    if (this.#gathered >= MAX_GATHERED_BYTES) this.#writeAll(this.#files.values());
  }

  #writeAll(files: Iterable<StreamFile>): void {
    writing('-d', this.#folder, () => {
      for (const file of files) this.#write(file);
    });
  }

  /** Whether anything was added under `key`. */
  has(key: number): boolean {
    return this.#files.has(key);
  }

  /** Finishes a file under `name`; false where a file of that name is there and `mayReplace` is not set: it is left as it was. */
  finish(key: number, name: string, mayReplace: boolean): boolean {
    const file = this.#files.get(key);
    if (file === undefined) return true;
    const target = join(this.#folder, name);
    return writing('-d', target, () => this.#finish(key, file, target, mayReplace));
  }

  #finish(key: number, file: StreamFile, target: string, mayReplace: boolean): boolean {
    if (file.path === null && file.gathered > 0 && this.#writeAtOnce(file, target)) {
      this.#files.delete(key);
      return true;
    }
    if (!mayReplace && fs.lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
      this.drop(key);
      return false;
    }
    this.#write(file);
    this.#close(file);
    if (file.path !== null) {
      fs.renameSync(file.path, target);
      forgetTemporary(file.path);
    }
    this.#files.delete(key);
    return true;
  }

  /**
   * Writes a file of which nothing was written so far under its name; false where that name is taken. Nobody sees it unfinished for
   * longer than one write takes, and each of a flood's many small files costs three system calls in place of six.
   */
  #writeAtOnce(file: StreamFile, target: string): boolean {
    let fd: number;
    try {
      fd = fs.openSync(target, 'wx');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    }
    try {
      this.#put(file, fd);
    } catch (error) {
      fs.rmSync(target, { force: true });
      throw error;
    } finally {
      fs.closeSync(fd);
    }
    return true;
  }

  /** Throws a file away. */
  drop(key: number): void {
    const file = this.#files.get(key);
    if (file === undefined) return;
    this.#gathered -= file.gathered;
    this.#close(file);
    if (file.path !== null) {
      fs.rmSync(file.path, { force: true });
      forgetTemporary(file.path);
    }
    this.#files.delete(key);
  }

  /** Throws away what is not finished. */
  discard(): void {
    for (const key of [...this.#files.keys()]) this.drop(key);
  }

  #write(file: StreamFile): void {
    if (file.gathered > 0) this.#put(file, this.#opened(file));
  }

  /** Writes what was gathered. */
  #put(file: StreamFile, fd: number): void {
    const bytes = Buffer.concat(file.parts, file.gathered);
    this.#gathered -= file.gathered;
    file.parts = [];
    file.gathered = 0;
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
  }

  #opened(file: StreamFile): number {
    this.#open.delete(file);
    this.#open.add(file);
    if (file.fd !== null) return file.fd;
    for (const oldest of this.#open) {
      if (this.#open.size <= MAX_OPEN_FILES) break;
      this.#close(oldest);
    }
    const isNew = file.path === null;
    if (file.path === null) {
      file.path = join(this.#folder, `.finwait-${randomBytes(8).toString('hex')}.part`);
      addTemporary(file.path);
    }
    file.fd = fs.openSync(file.path, isNew ? 'wx' : 'a');
    return file.fd;
  }

  #close(file: StreamFile): void {
    this.#open.delete(file);
    if (file.fd !== null) fs.closeSync(file.fd);
    file.fd = null;
  }
}
