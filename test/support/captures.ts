/** The captures that tests find: the project's own fixtures, and those under FINWAIT_CAPTURES. */

import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './command.ts';

const ENDINGS = /\.(pcap|pcapng|cap)(\.gz|\.zst|\.lz4)?$/;

export interface CaptureFile {
  /** For titles: relative to the project, or to FINWAIT_CAPTURES. */
  title: string;
  path: string;
}

/** The folder of captures that are not the project's, or null. */
export const CAPTURES_FOLDER = process.env.FINWAIT_CAPTURES || null;

/** Every capture in a folder and below it, by name. */
function capturesIn(folder: string, base = folder): CaptureFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ENDINGS.test(name))
    .sort()
    .map((name) => ({ title: relative(base, join(folder, name)), path: join(folder, name) }));
}

export const FIXTURES = capturesIn(join(ROOT, 'fixtures'), ROOT);

/** Captures of public test suites and of the kernel; none where FINWAIT_CAPTURES is unset. */
export const OTHER_CAPTURES =
  CAPTURES_FOLDER === null
    ? []
    : ['real', 'kernel'].flatMap((part) =>
        capturesIn(join(CAPTURES_FOLDER, part), CAPTURES_FOLDER),
      );

/** The sum of what `count` says of every fixture and every other capture; what can't be read is tested elsewhere. */
export async function sumOverCaptures(count: (path: string) => Promise<number>): Promise<number> {
  let sum = 0;
  for (const { path } of [...FIXTURES, ...OTHER_CAPTURES]) {
    sum += await count(path).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'CaptureError') return 0;
      throw error;
    });
  }
  return sum;
}
