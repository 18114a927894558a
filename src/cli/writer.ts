/** Result text on its way to a file or a pipe: gathered into large chunks, written with back-pressure. */

import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { outputError, writing } from './output-error.ts';
import { addTemporary, forgetTemporary } from './temporary.ts';

/** Characters gathered before a write. */
const CHUNK_CHARS = 256 * 1024;

/** Pauses while a pipe is full: whoever reads it empties it in less than a timer can wait, or does something else for long. */
const SHORTEST_PAUSE_MS = 0.125;
const LONGEST_PAUSE_MS = 20;
const NAP = new Int32Array(new SharedArrayBuffer(4));

export interface Writer {
  /** The file descriptor that it writes to. */
  readonly fd: number;
  /** Takes text, or bytes that hold only during the call; written at the latest by `drain`. */
  write(data: string | Uint8Array): void;
  /** Writes what was gathered, waiting while a pipe is full. False once the reader has gone away. */
  drain(): Promise<boolean>;
  /** Drains and makes the result visible under its name. */
  finish(): Promise<boolean>;
  /** Throws away a file that was begun. */
  discard(): void;
}

/** A writer to an open file descriptor, which stays open. */
export function fdWriter(fd: number): Writer {
  let gathered = '';
  let pending: Buffer | null = null;
  let gone = false;

  /** Writes as much as goes without waiting; true when nothing is left. */
  const push = (): boolean => {
    for (;;) {
      if (gone) {
        gathered = '';
        pending = null;
        return true;
      }
      if (pending === null) {
        if (gathered === '') return true;
        pending = Buffer.from(gathered, 'utf8');
        gathered = '';
      }
      try {
        const written = fs.writeSync(fd, pending);
        pending = written < pending.length ? pending.subarray(written) : null;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : null;
        if (code === 'EAGAIN') return false;
        if (code !== 'EPIPE') throw error;
        gone = true;
      }
    }
  };

  const drain = async (): Promise<boolean> => {
    let pauseMs = SHORTEST_PAUSE_MS;
    for (let before = pending; !push(); before = pending) {
      if (pending !== before) pauseMs = SHORTEST_PAUSE_MS;
      if (pauseMs >= 1) await wait(pauseMs);
      else {
        Atomics.wait(NAP, 0, 0, pauseMs);
        await setImmediate();
      }
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
    return !gone;
  };

  return {
    fd,
    write(data) {
      if (gone) return;
      if (typeof data === 'string') {
        gathered += data;
        if (gathered.length >= CHUNK_CHARS && pending === null) push();
      } else if (push()) {
        pending = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        // What the pipe doesn't take now outlives the call.
        if (!push() && pending !== null) pending = Buffer.from(pending);
      } else if (pending !== null) {
        pending = Buffer.concat([pending, Buffer.from(gathered, 'utf8'), data]);
        gathered = '';
      }
    },
    drain,
    finish: drain,
    discard() {},
  };
}

/**
 * A writer to the file at `path`: written beside it under another name and renamed when finished, so that the name
 * never shows a part of a result. What is no regular file (a device, a named pipe) is written to directly.
 */
export function fileWriter(path: string): Writer {
  const target = fs.existsSync(path) ? fs.realpathSync(path) : path;
  const old = fs.statSync(target, { throwIfNoEntry: false });
  const direct = old !== undefined && !old.isFile();
  const temporary = join(
    dirname(target),
    `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  const mode = old === undefined ? 0o666 : old.mode & 0o777;
  const fd = writing('-o', path, () =>
    direct ? fs.openSync(target, 'w') : fs.openSync(temporary, 'wx', mode),
  );
  if (!direct) addTemporary(temporary);
  const inner = fdWriter(fd);
  let open = true;
  const close = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };
  const drain = (): Promise<boolean> =>
    inner.drain().catch((error: unknown) => {
      throw outputError('-o', path, error);
    });
  return {
    fd,
    write: (data) => writing('-o', path, () => inner.write(data)),
    drain,
    async finish() {
      const whole = await drain();
      writing('-o', path, () => {
        close();
        if (!direct) fs.renameSync(temporary, target);
      });
      if (!direct) forgetTemporary(temporary);
      return whole;
    },
    discard() {
      if (!open) return;
      close();
      if (direct) return;
      fs.rmSync(temporary, { force: true });
      forgetTemporary(temporary);
    },
  };
}
