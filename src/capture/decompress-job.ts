/** What a decompressing thread is told and what it answers (capture/thread-input.ts, capture/decompress-thread.ts). */

import type { Compression } from './formats.ts';
import type { InputDamage } from './window.ts';

/** Decompressed bytes at hand between the two threads: slots of one shared memory, used in turn. */
export const SLOTS = 4;
export const SLOT_BYTES = 1024 * 1024;

export interface DecompressJob {
  kind: Compression;
  /** Of the regular file to read from its beginning. */
  path: string;
  /** Its size. */
  bytesTotal: number;
  memory: SharedArrayBuffer;
}

/** From the thread: that it runs; a slot with bytes in it; or that there are no more. */
export type FromDecompress =
  | { kind: 'ready' }
  | { kind: 'bytes'; slot: number; count: number; bytesRead: number }
  | { kind: 'end'; damage: InputDamage | null; warnings: readonly string[]; bytesRead: number };
