/** Opens a path, or standard input, in the way that suits what is behind it. */

import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  open,
  openSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { CaptureError } from '../base/errors.ts';
import { reasonOf } from '../base/system-error.ts';
import { FileInput, type OpenedInput, StreamInput } from './inputs.ts';
import { PipeInput } from './pipe-input.ts';
import type { ByteInput } from './window.ts';

const STDIN = '-';
const STDIN_FD = 0;

/** Opens `path`; throws `CaptureError` where there is nothing to read. */
export async function openPath(
  path: string,
  name: string,
  chunkBytes: number,
): Promise<OpenedInput> {
  try {
    const stats = path === STDIN ? fstatSync(STDIN_FD) : statSync(path);
    if (stats.isDirectory()) {
      throw new CaptureError('is-a-folder', name, 'expected a capture file, found a folder');
    }
    if (path === STDIN) {
      return openStdin(name, stats, chunkBytes);
    }
    if (stats.isFile()) {
      const reopen = () => new FileInput(openSync(path, 'r'), stats.size, chunkBytes);
      return { input: reopen(), reopen, path, descriptor: null };
    }
    const input = await openSpecial(path, stats, chunkBytes);
    return { input, reopen: null, path: null, descriptor: null };
  } catch (error) {
    throw error instanceof CaptureError ? error : explain(error, name);
  }
}

/** Whether `path` is a regular file; false where that can't be told. */
export function isRegularFile(path: string | Buffer): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Bytes of the regular file at `path`; 0 for anything else. */
export function sizeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.size : 0;
}

/** The first `count` bytes of the regular file at `path`; null where there are fewer, or none can be read. */
export function readStart(path: string | Buffer, count: number): Buffer | null {
  if (!isRegularFile(path)) return null;
  let fd: number | null = null;
  try {
    fd = openSync(path, 'r');
    const start = Buffer.alloc(count);
    return readSync(fd, start, 0, count, 0) === count ? start : null;
  } catch {
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** A file may stand behind standard input too (`< a.pcap`), and is then read like one. */
function openStdin(name: string, stats: Stats, chunkBytes: number): OpenedInput {
  if (stats.isFile()) {
    const from = positionOf(STDIN_FD);
    const open = () => new FileInput(STDIN_FD, stats.size, chunkBytes, from);
    const descriptor = { fd: STDIN_FD, isPipe: false, from };
    return { input: open(), reopen: from === null ? null : open, path: null, descriptor };
  }
  if (isatty(STDIN_FD)) {
    throw new CaptureError(
      'not-a-capture',
      name,
      'expected a capture on standard input, found a terminal; redirect a file or a pipe to it',
    );
  }
  const isPipe = stats.isFIFO();
  return {
    input: isPipe
      ? new PipeInput(STDIN_FD, chunkBytes)
      : new StreamInput(process.stdin, chunkBytes),
    reopen: null,
    path: null,
    descriptor: isPipe ? { fd: STDIN_FD, isPipe, from: null } : null,
  };
}

/** Where the next read of a regular file would begin, as Linux tells it; null elsewhere. */
function positionOf(fd: number): number | null {
  try {
    const [, position] =
      /^pos:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
    return position === undefined ? null : Number(position);
  } catch {
    return null;
  }
}

async function openSpecial(path: string, stats: Stats, chunkBytes: number): Promise<ByteInput> {
  if (!stats.isFIFO()) return new StreamInput(createReadStream(path), chunkBytes);
  // Linux opens a FIFO at once and lets it be polled for its first writer; where that isn't sure a thread waits for one.
  const fd =
    process.platform === 'linux'
      ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      : await promisify(open)(path, 'r');
  return new PipeInput(fd, chunkBytes);
}

/** Node makes U+FFFD of what is not UTF-8 in a name, and then finds nothing. */
function nothing(name: string): string {
  const hint = '; if its name is not UTF-8, give it another one';
  return `no such file${name.includes('\ufffd') ? hint : ''}`;
}

function explain(error: unknown, name: string): CaptureError {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new CaptureError('not-found', name, `expected a capture file, found ${nothing(name)}`);
    case 'EACCES':
    case 'EPERM':
      return new CaptureError(
        'no-permission',
        name,
        'expected a readable file, found one without permission to read it',
      );
    default: {
      const what = `expected a readable file, found: ${reasonOf(error)}`;
      return new CaptureError('read-failed', name, what);
    }
  }
}
