/** Runs `finwait` with arguments inside the test's own process, or as a process of its own from the sources. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { main } from '../../src/cli/program.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

/** The command line without a process around it: quick enough to be run hundreds of times. */
export function finwait(...args: string[]): Promise<Outcome> {
  return finwaitIn({}, ...args);
}

/** The same in an environment; without one it is empty. */
export async function finwaitIn(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Outcome> {
  const written: Buffer[] = [];
  let stderr = '';
  const status = await main(
    args,
    {
      engine: async () => ({ openCapture, runAnalysis }),
      stdout: {
        fd: -1,
        write: (data) => void written.push(Buffer.from(data)),
        drain: async () => true,
        finish: async () => true,
        discard() {},
      },
      warn: (line) => {
        stderr += `${line}\n`;
      },
      status: () => {},
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      width: 80,
      env,
      interrupt: new AbortController().signal,
    },
    '0.0.0',
  );
  return { status, stdout: Buffer.concat(written).toString(), stderr };
}

/** The records of `--format jsonl --sort`. */
export function recordsOf(outcome: Outcome): ConnectionRecord[] {
  const lines = outcome.stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
}

/** A shell command in the project's folder; `finwait` in it is the program, from its sources. */
export function shell(command: string, input?: Uint8Array): Outcome {
  const script = `finwait() { node --import tsx src/cli/main.ts "$@"; }\n${command}`;
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const run = spawnSync('sh', ['-c', script], { ...options, ...(input && { input }) });
  return { status: run.status ?? -1, stdout: run.stdout, stderr: run.stderr };
}
