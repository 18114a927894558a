/** Whether pieces of a rotated capture are missing, as far as their names and times tell (docs/reports.md). */

import { humanSeconds } from '../base/duration.ts';
import { namePattern } from './piece-names.ts';

/** What is known of a piece that was read. Seconds since 1970 of its first and last frame in time order. */
export interface ReadPiece {
  path: string;
  startSec: number;
  endSec: number;
}

/**
 * Says of each of `paths`, pieces in the order of their times, which numbers are missing between it and the one before, or null. `given`: all
 * files with such names, read or not.
 *
 * tcpdump and dumpcap leave no number out. Where a number is less than the one before, a ring is full or the program was started anew, and names
 * don't tell what was there; a number that any of the files has is not missing, wherever that one stands.
 */
export function missingNumbers(
  paths: readonly string[],
  given: readonly string[],
): (string | null)[] {
  const numbers = new Map<string, Set<number>>();
  for (const path of given) {
    const { group, number } = numberOf(path);
    numbers.set(group, (numbers.get(group) ?? new Set()).add(number));
  }
  return paths.map((path, i) => {
    const before = numberOf(paths[i - 1] ?? path);
    const { group, number } = numberOf(path);
    if (before.group !== group || number <= before.number + 1) return null;
    const there = numbers.get(group) ?? new Set();
    let first = before.number + 1;
    while (there.has(first)) first++;
    let count = number - first;
    if (count <= 0) return null;
    for (const other of there) if (other > first && other < number) count--;
    return count === 1
      ? `the piece before it, number ${first}, is missing: its packets count as lost`
      : `${count} pieces before it, from number ${first} on, are missing: their packets count as lost`;
  });
}

/** Pieces are numbered anew with each time in their names (tcpdump -G with -C); no number is the first (tcpdump -C). */
function numberOf(path: string): { group: string; number: number } {
  const { date, number, series } = namePattern(path);
  return { group: `${series}\0${date}`, number: Number(number) };
}

/** Fewer pieces than this tell no period. */
const MIN_PERIODIC_PIECES = 4;
/** Shares of the period: what a full piece lasts at least, and what lies between two of a busy capture at most. */
const FULL = 0.9;
const AT_ONCE = 0.1;

/**
 * Says where whole periods are missing between pieces that have a time in their names and no number (tcpdump -G), by the path of the piece
 * behind. Certain it is not: on a link that falls silent just when a piece is full nothing is missing. It is said where all others follow at
 * once, and the piece before the hole is full.
 */
export function missingPeriods(pieces: readonly ReadPiece[]): string[] {
  const [first] = pieces;
  if (first === undefined || pieces.length < MIN_PERIODIC_PIECES) return [];
  const { series } = namePattern(first.path);
  for (const { path } of pieces) {
    const { date, isDumpcap, number, series: own } = namePattern(path);
    if (date === '' || isDumpcap || number !== '' || own !== series) return [];
  }
  const pairs = pieces.slice(1).map((piece, i) => {
    const before = pieces[i] ?? first;
    const lastedSec = before.endSec - before.startSec;
    const gapSec = piece.startSec - before.endSec;
    return { before, piece, lastedSec, gapSec, stepSec: lastedSec + gapSec };
  });
  const steps = pairs.map(({ stepSec }) => stepSec).sort((a, b) => a - b);
  const periodSec = steps[Math.floor(steps.length / 2)] ?? 0;
  if (periodSec <= 0) return [];
  const others = pairs.filter(({ gapSec }) => gapSec > AT_ONCE * periodSec);
  const isHole = (one: (typeof pairs)[number]): boolean =>
    one.gapSec >= FULL * periodSec && one.lastedSec >= FULL * periodSec;
  if (!others.every(isHole)) return [];
  return others.map(
    ({ before, gapSec, piece }) =>
      `${piece.path}: begins ${humanSeconds(gapSec)} after the end of ${before.path}, where the other pieces follow at once: one may be missing`,
  );
}
