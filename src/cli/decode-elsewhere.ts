/** Whether an input is decoded by a thread of its own. */

import { fstatSync, statSync } from 'node:fs';
import { DECODE_FROM_BYTES } from './decode-job.ts';
import type { DecodeThread } from './start-decoding.ts';

/** What may be decoded elsewhere: large files, or pipes as well. */
export type Elsewhere = 'files' | 'pipes';

/** A thread that decodes the input at `path` (`-`: standard input), where it is of `what`; else null, or where no thread can be had. */
export async function decodeElsewhere(path: string, what: Elsewhere): Promise<DecodeThread | null> {
  if (!mayBeLarge(path, what === 'pipes')) return null;
  const { startDecoding } = await import('./start-decoding.ts');
  return startDecoding(path);
}

/** Whether it may well take longer to read than a thread takes to start; of a pipe nobody knows. */
function mayBeLarge(path: string, isPipeToo: boolean): boolean {
  try {
    const stats = path === '-' ? fstatSync(0) : statSync(path);
    return (isPipeToo && stats.isFIFO()) || (stats.isFile() && stats.size >= DECODE_FROM_BYTES);
  } catch {
    // Whoever opens it says why.
    return false;
  }
}
