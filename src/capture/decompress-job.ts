/** What a decompressing thread is told and what it answers (capture/thread-input.ts, capture/decompress-thread.ts). */

import type { Compression } from './formats.ts';
import type { OpenDescriptor } from './inputs.ts';
import type { InputDamage } from './window.ts';

/** Decompressed bytes at hand between the two threads: slots of one shared memory, used in turn. */
export const SLOTS = 4;
export const SLOT_BYTES = 1024 * 1024;

/** Compressed bytes that another thread can read: a regular file from its beginning, or the rest of what stands behind a descriptor. */
export type PackedSource =
  | { path: string; bytesTotal: number }
  | (OpenDescriptor & {
      bytesTotal: number | null;
      /** What was read of it already. */
      head: Uint8Array;
    });

export interface DecompressJob {
  kind: Compression;
  source: PackedSource;
  memory: SharedArrayBuffer;
}

/** From the thread: that it runs; a slot with bytes in it; or that there are no more. */
export type FromDecompress =
  | { kind: 'ready' }
  | { kind: 'bytes'; slot: number; count: number; bytesRead: number }
  | { kind: 'end'; damage: InputDamage | null; warnings: readonly string[]; bytesRead: number };
