/** Whether a result would take the place of what it is made from. */

import { fstatSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from './usage.ts';

const STDIN_FD = 0;

/** Throws `UsageError` where a result at `output` would overwrite one of `inputs` (`-`: standard input), by whatever name or link. */
export function guardInputs(output: string | null, inputs: readonly string[]): void {
  if (output === null) return;
  const target = realOf(output);
  for (const input of inputs) {
    if (input === '-' ? isStdin(target) : realOf(input) === target) {
      throw new UsageError(`-o ${output}: is one of the inputs, and would be overwritten`);
    }
  }
}

/** Its path without links; as it is where nothing is there. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function isStdin(path: string): boolean {
  try {
    const stdin = fstatSync(STDIN_FD, { bigint: true });
    const own = statSync(path, { bigint: true });
    return stdin.isFile() && stdin.dev === own.dev && stdin.ino === own.ino;
  } catch {
    return false;
  }
}
