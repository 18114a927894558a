/** Files under a name that is not theirs yet: whatever ends the process, none of them stays behind. */

import { rmSync } from 'node:fs';

const paths = new Set<string>();
let watchesExit = false;

/** Remembers a file that is to go when the process ends before it was renamed or removed. */
export function addTemporary(path: string): void {
  paths.add(path);
  if (watchesExit) return;
  watchesExit = true;
  process.on('exit', () => {
    for (const left of paths) rmSync(left, { force: true });
  });
}

/** The file has its name now, or is gone. */
export function forgetTemporary(path: string): void {
  paths.delete(path);
}
