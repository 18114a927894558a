/** The program as it is published, built from the sources into a folder of its own: its threads run only there. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, ROOT } from './command.ts';

export type Traced = Outcome & { modules: string[] };

export interface Built {
  /** The folder of its modules. */
  dist: string;
  /** Runs a shell command in the project's folder; `finwait` in it is the built program, which other commands start as `"$node" "$main"`. */
  shell: (command: string) => Outcome;
  /** Runs it and tells which modules the main thread loaded: those of the program by their path in dist/. */
  traced: (...args: string[]) => Traced;
  /** The same for a shell command with `finwait` in it. */
  tracedShell: (command: string) => Traced;
  remove: () => void;
}

/** Writes the address of each module that is loaded to standard error. */
const TRACE = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  import { isMainThread } from 'node:worker_threads';
  const hook = "import { writeSync } from 'node:fs';" +
    "export async function load(url, context, next) { writeSync(2, 'loads ' + url + '\\\\n'); return next(url, context); }";
  if (isMainThread) register('data:text/javascript,' + encodeURIComponent(hook));
`)}`;

function readTrace({ stderr, ...rest }: Outcome): Traced {
  const modules = [...stderr.matchAll(/^loads (.*)\n/gm)].map(([, url = '']) =>
    url.replace(/^.*\/dist\//, '').replace(/^.*\/node_modules\//, 'package '),
  );
  return { ...rest, stderr: stderr.replace(/^loads .*\n/gm, ''), modules };
}

/** Builds the program into `folder`, which takes a second; returns the path of its main module. */
export function buildInto(folder: string): string {
  const dist = join(folder, 'dist');
  const bundler = join(ROOT, 'node_modules/rolldown/bin/cli.mjs');
  const args = [bundler, '-c', '--dir', dist, '--log-level', 'warn'];
  execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  symlinkSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return join(dist, 'cli/main.js');
}

/** Builds it into a folder of its own. */
export function buildProgram(): Built {
  const folder = mkdtempSync(join(tmpdir(), 'finwait-built-'));
  const main = buildInto(folder);
  const start = (command: string, ...args: string[]): Outcome => {
    const env = { ...process.env, node: process.execPath, main };
    const options = { cwd: ROOT, encoding: 'utf8', env, maxBuffer: 1 << 28 } as const;
    const { status, stderr, stdout } = spawnSync(command, args, options);
    return { status: status ?? -1, stderr, stdout };
  };
  return {
    dist: join(folder, 'dist'),
    shell: (command) => start('sh', '-c', `finwait() { "$node" "$main" "$@"; }\n${command}`),
    traced: (...args) => readTrace(start(process.execPath, '--import', TRACE, main, ...args)),
    tracedShell(command) {
      const script = `trace=$0; finwait() { "$node" --import "$trace" "$main" "$@"; }\n${command}`;
      return readTrace(start('sh', '-c', script, TRACE));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
