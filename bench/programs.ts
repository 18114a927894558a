/** The programs that the benchmark compares, and the targets that finwait is held to. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROGRAM_NAMES = [
  'cat',
  'c-flags',
  'c-table',
  'finwait-summary',
  'finwait-csv',
  'finwait-jsonl',
  'tcptrace',
  'tshark',
] as const;
export type ProgramName = (typeof PROGRAM_NAMES)[number];

export interface Program {
  name: ProgramName;
  /** Much slower than the rest: measured once, whatever the number of rounds. */
  isSlow: boolean;
  command: (capture: string, output: string) => string[];
}

export interface Programs {
  found: Program[];
  /** One line for each that can't be run, with the reason. */
  missing: string[];
}

/** finwait may take so many times what the program takes; below 1 it has to be faster. */
export interface Target {
  program: ProgramName;
  against: ProgramName;
  ratio: number;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FINWAIT = join(ROOT, 'dist', 'cli', 'main.js');
const C_SOURCE = join(ROOT, 'bench', 'c', 'flowtable.c');

/** What writes records: CSV a row of each, JSON Lines all of it. */
export const RECORDS = ['finwait-csv', 'finwait-jsonl'] as const;

/** Whole process, for the captures of the same names. */
export const TARGETS: Readonly<Record<string, readonly Target[]>> = {
  bulk: targets(1.5, 1 / 3, 1 / 60),
  web: targets(2, 1 / 10, 1 / 40),
  flood: targets(1, 1 / 15, 1 / 30),
};

/** Bytes that finwait may hold at most. */
export const MEMORY_TARGETS: Readonly<Record<string, number>> = {
  bulk: 150e6,
  web: 200e6,
  flood: 300e6,
};

function targets(cTable: number, tcptrace: number, tshark: number): Target[] {
  return [
    { program: 'finwait-summary', against: 'c-table', ratio: 1 },
    ...RECORDS.flatMap((program): Target[] => [
      { program, against: 'c-table', ratio: cTable },
      { program, against: 'tcptrace', ratio: tcptrace },
      { program, against: 'tshark', ratio: tshark },
    ]),
  ];
}

/** Finds what is installed and compiles the C loops into `folder`. */
export function findPrograms(wanted: ReadonlySet<ProgramName>, folder: string): Programs {
  const found: Program[] = [];
  const missing: string[] = [];
  const add = (name: ProgramName, isSlow: boolean, command: Program['command']): void => {
    if (wanted.has(name)) found.push({ name, isSlow, command });
  };

  add('cat', false, (capture) => ['cat', capture]);
  if (wanted.has('c-flags') || wanted.has('c-table')) {
    const binary = join(folder, 'flowtable');
    const reason = compileC(binary);
    if (reason === null) {
      add('c-flags', false, (capture) => [binary, '-f', capture]);
      add('c-table', false, (capture) => [binary, capture]);
    } else {
      missing.push(`c-flags, c-table: ${reason}`);
    }
  }
  if (PROGRAM_NAMES.some((name) => name.startsWith('finwait') && wanted.has(name))) {
    if (existsSync(FINWAIT)) {
      const node = process.execPath;
      add('finwait-summary', false, (capture) => [node, FINWAIT, capture, '--format', 'summary']);
      for (const format of ['csv', 'jsonl'] as const) {
        add(`finwait-${format}`, false, (capture, output) => [
          ...[node, FINWAIT, capture, '--format', format, '-o', output],
        ]);
      }
    } else {
      missing.push('finwait: dist/cli/main.js is not there; run "npm run build" first');
    }
  }
  if (wanted.has('tcptrace')) {
    if (isInstalled('tcptrace')) add('tcptrace', true, (capture) => ['tcptrace', '-n', capture]);
    else missing.push('tcptrace: not installed');
  }
  if (wanted.has('tshark')) {
    if (isInstalled('tshark')) {
      const args = ['-n', '-q', '-z', 'conv,tcp', '-r'];
      add('tshark', true, (capture) => ['tshark', ...args, capture]);
    } else {
      missing.push('tshark: not installed');
    }
  }
  return { found, missing };
}

/** The command that writes a CPU profile of finwait on `capture` into `folder`. */
export function profileCommand(command: readonly string[], folder: string): string[] {
  const [node = '', ...rest] = command;
  return [node, '--cpu-prof', `--cpu-prof-dir=${folder}`, ...rest];
}

/** Returns null, or why there is no C loop to measure against. */
function compileC(binary: string): string | null {
  if (!isInstalled('cc')) return 'no C compiler (cc)';
  const run = spawnSync('cc', ['-O2', '-o', binary, C_SOURCE, '-lpcap'], { encoding: 'utf8' });
  if (run.status === 0) return null;
  if (run.stderr.includes('pcap.h') || run.stderr.includes('-lpcap')) {
    return 'the headers of libpcap are missing (Debian: libpcap-dev)';
  }
  return `cc failed: ${run.stderr.split('\n')[0]}`;
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
