/** Compares finwait with its peers on the benchmark captures: `npm run bench -- --help`. */

import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULTS, generateFile, KINDS } from './generate.ts';
import { hasGnuTime, killRunning, type Measurement, measure } from './measure.ts';
import { findPrograms, PROGRAM_NAMES, type Program, profileCommand } from './programs.ts';
import { printMarkdown, type Result, summarize } from './results.ts';

const USAGE = `usage: npm run bench -- [options] [FILE...]

Measures finwait (built: dist/) and the peers that are installed, in turn, and prints medians.
Makes its captures in bench/captures, or takes the FILEs given.

  --only NAME,...    captures: ${KINDS.join(', ')} (default: all three)
  --scale X          size of the captures, 1 is the full size (default 0.1)
  --full             the same as --scale 1; only then the targets are checked
  --rounds N         runs of each program (default 5); tcptrace and tshark run once
  --programs NAME,.. of ${PROGRAM_NAMES.join(', ')}
  --no-peers         finwait and the C loops alone, without tcptrace and tshark
  --json             print one JSON document instead of the tables
  --cpu-prof         afterwards run finwait once more on each capture, with a CPU profile
`;

const FOLDER = fileURLToPath(new URL('captures', import.meta.url));
const LIMIT_MS = 20 * 60_000;

interface Capture {
  name: string;
  path: string;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      scale: { type: 'string', default: '0.1' },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      programs: { type: 'string' },
      'no-peers': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'cpu-prof': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const scale = values.full ? 1 : Number(values.scale);
  const rounds = Number(values.rounds);
  const kinds = chooseFrom(KINDS, values.only);
  let programNames = chooseFrom(PROGRAM_NAMES, values.programs);
  if (values['no-peers']) {
    programNames = programNames?.filter((name) => name !== 'tshark' && name !== 'tcptrace') ?? null;
  }
  const isUsable =
    kinds !== null && programNames !== null && scale > 0 && Number.isInteger(rounds) && rounds > 0;
  if (values.help || !isUsable) {
    process.stderr.write(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  mkdirSync(FOLDER, { recursive: true });
  process.once('SIGINT', () => {
    killRunning();
    process.exit(130);
  });

  const { found, missing } = findPrograms(new Set(programNames), FOLDER);
  for (const line of missing) log(`skipped: ${line}`);
  if (!hasGnuTime) log('GNU time is not installed: peak memory is polled, CPU time is not known');
  let captures: Capture[] = positionals.map((path) => ({ name: nameOf(path), path }));
  if (captures.length === 0) {
    captures = [];
    for (const kind of kinds) captures.push(await makeCapture(kind, scale));
  }

  const results: Result[] = [];
  for (const capture of captures) results.push(await compare(capture, found, rounds));
  if (values['cpu-prof']) for (const capture of captures) await profile(capture, found);

  const cpu = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  const machine = { cpu, node: process.version, platform: `${process.platform} ${process.arch}` };
  if (values.json) console.log(JSON.stringify({ machine, rounds, results }, null, 2));
  else printMarkdown(machine, rounds, results);
}

/** The captures are kept: the second run of the benchmark finds them. */
async function makeCapture(kind: (typeof KINDS)[number], scale: number): Promise<Capture> {
  const frames = Math.max(1, Math.round(DEFAULTS[kind].fullFrames * scale));
  const path = join(FOLDER, `${kind}-${frames}.pcap`);
  if (!existsSync(path)) {
    log(`making ${basename(path)}`);
    const unfinished = `${path}.part`;
    await generateFile(
      {
        kind,
        frames,
        container: 'pcap',
        ipVersion: 4,
        vlan: false,
        seed: 1,
        maxBytes: Infinity,
        deadlineMs: Infinity,
        concurrency: null,
        gapNs: null,
        allClose: false,
      },
      unfinished,
      false,
    );
    renameSync(unfinished, path);
  }
  return { name: kind, path };
}

/** Programs take turns within a round, so that a slow minute of the machine hits them all alike. */
async function compare(capture: Capture, programs: Program[], rounds: number): Promise<Result> {
  const bytes = statSync(capture.path).size;
  const runs = new Map<Program, Measurement[]>(programs.map((program) => [program, []]));
  await run(['cat', capture.path]); // into the page cache
  const frames = await countFrames(capture, programs);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index] of programs.entries()) {
      const program = programs[(index + round) % programs.length];
      if (program === undefined) continue;
      const measurements = runs.get(program) ?? [];
      if (program.isSlow && measurements.length > 0) continue;
      if (measurements.some(hasFailed)) continue;
      const output = outputPath();
      const measured = await run(program.command(capture.path, output));
      rmSync(output, { force: true });
      measurements.push(measured);
      if (hasFailed(measured)) log(`${program.name} on ${capture.name}: ${failureOf(measured)}`);
    }
    log(`${capture.name}: round ${round + 1} of ${rounds}`);
  }
  return summarize(capture.name, bytes, frames, runs);
}

async function profile(capture: Capture, programs: Program[]): Promise<void> {
  const folder = join(FOLDER, 'profiles');
  const program = programs.find(({ name }) => name === 'finwait-jsonl');
  if (program === undefined) return;
  const output = outputPath();
  await run(profileCommand(program.command(capture.path, output), folder));
  rmSync(output, { force: true });
  log(`${capture.name}: CPU profile in bench/captures/profiles`);
}

/** The C loop counts them; null without it. */
async function countFrames(capture: Capture, programs: Program[]): Promise<number | null> {
  const counter = programs.find(({ name }) => name === 'c-flags' || name === 'c-table');
  if (counter === undefined) return null;
  const { stdout } = await run(counter.command(capture.path, ''), true);
  const match = /^frames (\d+)/.exec(stdout);
  return match === null ? null : Number(match[1]);
}

function run(command: readonly string[], keepsStdout = false): Promise<Measurement> {
  return measure(command, { limitMs: LIMIT_MS, scratchFolder: FOLDER, keepsStdout });
}

function hasFailed(measured: Measurement): boolean {
  return measured.exitCode !== 0 || measured.timedOut;
}

function failureOf({ timedOut, exitCode, stderr }: Measurement): string {
  if (timedOut) return `stopped after ${LIMIT_MS / 60_000} minutes`;
  return `failed with exit status ${exitCode}: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}

function outputPath(): string {
  return join(FOLDER, `out-${process.pid}.jsonl`);
}

/** `flood` for `…/flood-995000.pcap`: what the targets are looked up by. */
function nameOf(path: string): string {
  const name = basename(path);
  return KINDS.find((kind) => name.startsWith(kind)) ?? name;
}

/** The names in a comma-separated list, all for undefined, null where one is not known. */
function chooseFrom<Name extends string>(
  names: readonly Name[],
  list: string | undefined,
): Name[] | null {
  if (list === undefined) return [...names];
  const chosen: Name[] = [];
  for (const word of list.split(',')) {
    const name = names.find((known) => known === word);
    if (name === undefined) return null;
    chosen.push(name);
  }
  return chosen;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
