/** Runs one program and measures its wall time, CPU time and peak memory. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface Measurement {
  seconds: number;
  /** User and system together; null where GNU time is missing. */
  cpuSeconds: number | null;
  /** Largest resident set in bytes; null where it could not be read. */
  peakRss: number | null;
  exitCode: number | null;
  /** True when it was stopped at the time limit. */
  timedOut: boolean;
  /** The first bytes of each stream. */
  stdout: string;
  stderr: string;
}

export interface MeasureOptions {
  limitMs: number;
  /** Where the report of GNU time may be put for a moment. */
  scratchFolder: string;
  /** False sends standard output to the null device, as for every measured run. */
  keepsStdout: boolean;
}

const GNU_TIME = '/usr/bin/time';
const MAX_KEPT_CHARS = 4096;
const RSS_POLL_MS = 10;

/** Without certificates that Node would read whenever it starts: a proxy's, not finwait's (50 ms where they were measured). */
const { NODE_EXTRA_CA_CERTS: _, ...ENVIRONMENT } = process.env;

/** GNU time reads the kernel's own account (`ru_maxrss`), which no short peak escapes. */
export const hasGnuTime = spawnSync(GNU_TIME, ['--version']).status === 0;

/** Processes under way: what `killRunning` ends. */
const running = new Set<ChildProcess>();

/** Ends what is being measured, with all its children: for an interrupted benchmark. */
export function killRunning(): void {
  for (const child of running) killGroup(child);
}

export async function measure(
  command: readonly string[],
  options: MeasureOptions,
): Promise<Measurement> {
  const timeReport = join(options.scratchFolder, `time-${process.pid}.txt`);
  const wrapper = hasGnuTime ? [GNU_TIME, '-o', timeReport, '-f', '%U %S %M'] : [];
  const [program = '', ...args] = [...wrapper, ...command];
  const startedMs = performance.now();
  // A process group of its own, so that the limit ends the program and not only GNU time.
  const child = spawn(program, args, {
    detached: true,
    env: ENVIRONMENT,
    stdio: ['ignore', options.keepsStdout ? 'pipe' : 'ignore', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  let peakRss: number | null = null;
  let timedOut = false;
  child.stdout?.on('data', (bytes: Buffer) => {
    if (stdout.length < MAX_KEPT_CHARS) stdout += bytes.toString('latin1');
  });
  child.stderr?.on('data', (bytes: Buffer) => {
    if (stderr.length < MAX_KEPT_CHARS) stderr += bytes.toString('latin1');
  });
  const limit = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, options.limitMs);
  const poll = hasGnuTime
    ? null
    : setInterval(() => {
        peakRss = Math.max(peakRss ?? 0, readPeakRss(child.pid) ?? 0) || null;
      }, RSS_POLL_MS);

  let exitMs = startedMs;
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      stderr += error.message;
      resolve(null);
    });
    child.once('exit', () => {
      exitMs = performance.now();
    });
    child.once('close', (code) => resolve(code));
  });
  clearTimeout(limit);
  if (poll !== null) clearInterval(poll);
  running.delete(child);

  let cpuSeconds: number | null = null;
  if (hasGnuTime && existsSync(timeReport)) {
    const line = readFileSync(timeReport, 'latin1').trim().split('\n').at(-1) ?? '';
    const [user, system, kilobytes] = line.split(' ').map(Number);
    if (user !== undefined && system !== undefined && kilobytes !== undefined) {
      cpuSeconds = user + system;
      peakRss = kilobytes * 1024;
    }
    rmSync(timeReport);
  }
  const seconds = (exitMs - startedMs) / 1000;
  return { seconds, cpuSeconds, peakRss, exitCode, timedOut, stdout, stderr };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** `VmHWM` of Linux' /proc (proc_pid_status(5)) in bytes; null elsewhere, or when it has ended. */
function readPeakRss(pid: number | undefined): number | null {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match === null ? null : Number(match[1]) * 1024;
  } catch {
    return null;
  }
}
