/** Which files are pieces of one rotated capture (docs/reports.md): by name and folder, then by the times of their first frames. */

import { CaptureError } from '../base/errors.ts';
import { missingNumbers } from './missing-pieces.ts';
import { openCapture } from './open.ts';
import { isRegularFile } from './paths.ts';
import { namePattern } from './piece-names.ts';
import { createFrameBatch } from './source.ts';

/** How files become timelines: by name (`auto`), all of them one (`join`), or each on its own (`separate`). */
export type JoinMode = 'auto' | 'join' | 'separate';

/** A file of a timeline. */
export interface Piece {
  path: string;
  /** The time of its first frame; null where it has none. */
  first: { sec: number; ns: number } | null;
  /** What is missing between it and the piece before (missing-pieces.ts), in words; null where nothing is known to be. */
  missing: string | null;
}

/** The files of one timeline, in the order of their times: one file, or the pieces of a rotated capture. */
export interface Timeline {
  pieces: readonly Piece[];
  /** The user said that they belong together: their times are taken as they are. */
  forced: boolean;
}

/** Bytes of one read while looking for the first frame. */
const PEEK_BYTES = 64 * 1024;

/** A file as the user gave it, and its place among all. */
interface Given {
  path: string;
  place: number;
}
type Timed = Given & Pick<Piece, 'first'>;

/**
 * Groups `paths` into timelines, each in the place of the first of its files. A file that can't be opened, is no regular file or stands
 * alone is a timeline of one file, and so is one that was given before; only files that may belong together are opened.
 */
export async function findTimelines(paths: readonly string[], mode: JoinMode): Promise<Timeline[]> {
  const forced = mode === 'join';
  const series = new Map<string, Given[]>();
  const seen = new Set<string>();
  for (const [place, path] of paths.entries()) {
    const isAlone = mode === 'separate' || path === '-' || seen.has(path);
    seen.add(path);
    addTo(series, isAlone ? `\0${place}` : forced ? '' : namePattern(path).series, { path, place });
  }
  const found: { place: number; timeline: Timeline }[] = [];
  for (const members of series.values()) {
    const groups =
      members.length > 1 && (forced || isSeries(members))
        ? await joinMembers(members, forced)
        : members.map((member) => [{ ...member, first: null }]);
    const given = members.map(({ path }) => path);
    for (const group of groups) {
      const place = group.reduce((least, piece) => Math.min(least, piece.place), paths.length);
      const timed = group.filter(({ first }) => first !== null).map(({ path }) => path);
      const missing = new Map(missingNumbers(timed, given).map((text, i) => [timed[i], text]));
      const pieces = group.map(({ path, first }) => {
        return { path, first, missing: missing.get(path) ?? null };
      });
      found.push({ place, timeline: { pieces, forced } });
    }
  }
  return found.sort((a, b) => a.place - b.place).map(({ timeline }) => timeline);
}

/** `trace`, `trace1`, `trace2` are pieces; `web1`, `web2` are two captures: without an ending the first must be there. */
function isSeries(members: readonly Given[]): boolean {
  const patterns = members.map(({ path }) => namePattern(path));
  return (
    !patterns.some(({ isBareNumber }) => isBareNumber) ||
    patterns.some(({ number }) => /^0*$/.test(number))
  );
}

/** Opens each file; those that can't be opened, and those of another kind, stand alone. */
async function joinMembers(members: readonly Given[], forced: boolean): Promise<Timed[][]> {
  const kinds = new Map<string, Timed[]>();
  for (const member of members) {
    const peeked = isRegularFile(member.path) ? await peek(member.path) : null;
    const kind = peeked === null ? `\0${member.place}` : forced ? '' : peeked.kind;
    addTo(kinds, kind, { ...member, first: peeked?.first ?? null });
  }
  return [...kinds.values()].map((pieces) => pieces.sort(byTime));
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** In the order of their first frames; files without one last. */
function byTime(a: Timed, b: Timed): number {
  if (a.first === null || b.first === null) {
    return Number(a.first === null) - Number(b.first === null);
  }
  return a.first.sec - b.first.sec || a.first.ns - b.first.ns;
}

/** The first frame's time, and what must be the same in all pieces; null where the file can't be read as a capture. */
async function peek(path: string): Promise<{ first: Piece['first']; kind: string } | null> {
  try {
    const source = await openCapture(path, { chunkBytes: PEEK_BYTES });
    try {
      const batch = createFrameBatch();
      while (source.fill(batch) === 0) {
        if (await source.more()) continue;
        return { first: null, kind: `${source.format} ${source.interfaces[0]?.linkType}` };
      }
      const first = { sec: batch.tsSec[0] ?? 0, ns: batch.tsNs[0] ?? 0 };
      return { first, kind: `${source.format} ${batch.linkType[0]}` };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof CaptureError) return null;
    throw error;
  }
}
