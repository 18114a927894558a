/** Which of the files given are one timeline: pieces of a rotated capture, or joined by the user. */

import type { JoinMode, Timeline } from '../capture/rotation.ts';
import { UsageError } from './usage.ts';

export interface JoinOptions {
  join: JoinMode;
}

/** The timelines of `files`, in the order given. */
export async function timelinesOf(
  files: readonly string[],
  { join }: JoinOptions,
): Promise<Timeline[]> {
  if (join === 'join' && files.includes('-')) {
    throw new UsageError('--join: the times of standard input (-) can’t be known beforehand');
  }
  if (files.length === 1) {
    return files.map((path) => ({ pieces: [{ path, first: null, missing: null }], forced: false }));
  }
  const { findTimelines } = await import('../capture/rotation.ts');
  return findTimelines(files, join);
}

/** What is said of a `file` that by its name is a piece of the capture `before` (capture/rotation.ts), and by its times is not. */
export function notContinued(file: string, before: string): string {
  return `${file}: named as a continuation of ${before}, but begins before that ends, or more than a day after: analyzed on its own; --join takes both as one capture`;
}

/** How messages call a timeline: its file, or its first and how many follow. */
export function nameOf({ pieces }: Timeline): string {
  const [first] = pieces;
  const more = pieces.length > 1 ? ` and ${pieces.length - 1} more` : '';
  return `${first?.path ?? ''}${more}`;
}
