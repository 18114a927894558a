/** How the program of the `cap` engine is started. */

import { fileURLToPath } from 'node:url';

/** What it is told: what to capture, or (`probe`) only to find out whether it could. */
export type CapJob =
  | { iface: string; filter: string; snapLen: number; bufferBytes: number }
  | { probe: true };

/** The command and its arguments. */
export function capCommand(job: CapJob): [command: string, args: string[]] {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./cap-child.${ending}`, import.meta.url));
  // The loader that runs this from its sources must run that as well.
  return [process.execPath, [...process.execArgv, program, JSON.stringify(job)]];
}
