/** What the benchmark measured: medians, ratios, and the targets met or missed, as Markdown tables. */

import { DEFAULTS, KINDS } from './generate/index.ts';
import type { Measurement } from './measure.ts';
import { MEMORY_TARGETS, type Program, type ProgramName, RECORDS, TARGETS } from './programs.ts';

export interface ProgramResult {
  program: ProgramName;
  /** Wall seconds of every run, in order. */
  runs: number[];
  medianSeconds: number | null;
  medianCpuSeconds: number | null;
  /** Bytes: the greatest of all runs. */
  peakRss: number | null;
  framesPerSecond: number | null;
  bytesPerSecond: number | null;
  /** Times the C loop with a flow table. */
  ratioToC: number | null;
  failed: boolean;
}

export interface TargetResult {
  text: string;
  /** The ratio of times, or the bytes, that were measured. */
  measured: number;
  isMet: boolean;
}

export interface Result {
  capture: string;
  bytes: number;
  frames: number | null;
  programs: ProgramResult[];
  targets: TargetResult[];
}

export function summarize(
  capture: string,
  bytes: number,
  frames: number | null,
  runs: ReadonlyMap<Program, readonly Measurement[]>,
): Result {
  const programs: ProgramResult[] = [];
  for (const [{ name }, measurements] of runs) {
    const failed = measurements.some(({ exitCode, timedOut }) => exitCode !== 0 || timedOut);
    const seconds = measurements.map((measured) => measured.seconds);
    const medianSeconds = failed ? null : median(seconds);
    const cpu = measurements.map(({ cpuSeconds }) => cpuSeconds).filter((s) => s !== null);
    const rss = measurements.map(({ peakRss }) => peakRss).filter((b) => b !== null);
    programs.push({
      program: name,
      runs: seconds,
      medianSeconds,
      medianCpuSeconds: failed ? null : median(cpu),
      peakRss: rss.length === 0 ? null : Math.max(...rss),
      framesPerSecond: medianSeconds && frames ? frames / medianSeconds : null,
      bytesPerSecond: medianSeconds ? bytes / medianSeconds : null,
      ratioToC: null,
      failed,
    });
  }
  const secondsOf = (name: ProgramName): number | null =>
    programs.find(({ program }) => program === name)?.medianSeconds ?? null;
  const ofC = secondsOf('c-table');
  for (const result of programs) {
    if (ofC !== null && result.medianSeconds !== null) result.ratioToC = result.medianSeconds / ofC;
  }

  const targets: TargetResult[] = [];
  if (!isFullSize(capture, frames)) return { capture, bytes, frames, programs, targets };
  for (const { program, against, ratio } of TARGETS[capture] ?? []) {
    const own = secondsOf(program);
    const peer = secondsOf(against);
    if (own === null || peer === null) continue;
    const measured = own / peer;
    const text =
      ratio < 1
        ? `${program} is ${Math.round(1 / ratio)} times faster than ${against}`
        : `${program} takes at most ${ratio} times as long as ${against}`;
    targets.push({ text, measured, isMet: measured <= ratio });
  }
  const memory = MEMORY_TARGETS[capture];
  for (const name of RECORDS) {
    const held = programs.find(({ program }) => program === name)?.peakRss ?? null;
    if (memory === undefined || held === null) continue;
    const text = `${name} holds at most ${memory / 1e6} MB`;
    targets.push({ text, measured: held, isMet: held <= memory });
  }
  return { capture, bytes, frames, programs, targets };
}

/** The targets are meant for these: on a small capture the start of Node is what counts. */
function isFullSize(capture: string, frames: number | null): boolean {
  const kind = KINDS.find((name) => name === capture);
  return kind !== undefined && frames !== null && frames >= 0.9 * DEFAULTS[kind].fullFrames;
}

export function printMarkdown(
  machine: Readonly<Record<string, string>>,
  rounds: number,
  results: readonly Result[],
): void {
  console.log(`${Object.values(machine).join(', ')}; medians of ${rounds} rounds`);
  for (const { capture, bytes, frames, programs, targets } of results) {
    const size = `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(`\n**${capture}**: ${size}${frames === null ? '' : `, ${frames} frames`}\n`);
    const rows = [['program', 'seconds', 'CPU s', 'x C loop', 'M frames/s', 'MB/s', 'peak MB']];
    for (const result of programs) {
      rows.push([
        result.program,
        result.failed ? 'failed' : fixed(result.medianSeconds, 1, 2),
        fixed(result.medianCpuSeconds, 1, 2),
        fixed(result.ratioToC, 1, 2),
        fixed(result.framesPerSecond, 1e6, 2),
        fixed(result.bytesPerSecond, 1e6, 0),
        fixed(result.peakRss, 1e6, 0),
      ]);
    }
    printRows(rows);
    if (targets.length > 0) console.log('');
    for (const { text, measured, isMet } of targets) {
      const value = measured > 1e6 ? fixed(measured, 1e6, 0) : `x ${measured.toPrecision(2)}`;
      console.log(`- ${isMet ? 'met' : 'MISSED'}: ${text} (${value})`);
    }
  }
}

function printRows(rows: readonly string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const [index, row] of rows.entries()) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(`| ${cells.join(' | ')} |`);
    if (index > 0) continue;
    const rules = widths.map((width, column) =>
      column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
    );
    console.log(`| ${rules.join(' | ')} |`);
  }
}

function fixed(value: number | null, unit: number, digits: number): string {
  return value === null ? '-' : (value / unit).toFixed(digits);
}

/** Null for no values. */
function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 || lower === undefined ? upper : (upper + lower) / 2;
}
