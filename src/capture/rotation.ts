/** Which files are pieces of one rotated capture (docs/reports.md): by name and folder, then by the times of their first frames. */

import { basename, dirname } from 'node:path';
import { CaptureError } from '../base/errors.ts';
import { openCapture } from './open.ts';
import { isRegularFile } from './paths.ts';
import { createFrameBatch } from './source.ts';

/** How files become timelines: by name (`auto`), all of them one (`join`), or each on its own (`separate`). */
export type JoinMode = 'auto' | 'join' | 'separate';

/** A file of a timeline, and the time of its first frame; null where it has none. */
export interface Piece {
  path: string;
  first: { sec: number; ns: number } | null;
}

/** The files of one timeline, in the order of their times: one file, or the pieces of a rotated capture. */
export interface Timeline {
  pieces: readonly Piece[];
  /** The user said that they belong together: their times are taken as they are. */
  forced: boolean;
}

/** Bytes of one read while looking for the first frame. */
const PEEK_BYTES = 64 * 1024;

const COMPRESSION = /\.(?:gz|zst|lz4)$/i;
/** dumpcap -b: name_00001_20260101000000.pcapng, or (nametimenum) name_20260101000000_00001.pcapng. */
const DUMPCAP = /^(.*)_(?:\d{5}_\d{14}|\d{14}_\d{5})(\.[^.]*)?$/;
/** tcpdump -C and -W: a number behind the whole name. */
const NUMBERED = /^(.*?\D)(\d{0,6})$/s;
const EXTENSION = /\.[A-Za-z]+$/;

/** tcpdump -G: what strftime makes of a date with or without a time, of a time with seconds, and of %s. */
const STRFTIME = [
  /(?<!\d)(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?:[-_.T ]?(?:[01]\d|2[0-3])(?:[-_.:h]?[0-5]\d(?:[-_.:m]?[0-6]\d)?)?)?(?!\d)/g,
  /(?<!\d)1\d{9}(?!\d)/g,
  /(?<!\d)(?:[01]\d|2[0-3])[-_.:]?[0-5]\d[-_.:]?[0-6]\d(?!\d)/g,
];

/** A name taken apart: pieces of one capture have the same series. */
interface NamePattern {
  series: string;
  /** The name would be plain without its number, and has no ending that makes the number one of tcpdump's. */
  isBareNumber: boolean;
  /** `''` where there is none. */
  number: string;
}

/** What is common to the names of all pieces of the capture that `path` may be a piece of. */
export function namePattern(path: string): NamePattern {
  const folder = dirname(path);
  const name = basename(path).replace(COMPRESSION, '');
  const dumpcap = DUMPCAP.exec(name);
  if (dumpcap !== null) {
    return {
      series: `${folder}/${dumpcap[1]}_*${dumpcap[2] ?? ''}`,
      isBareNumber: false,
      number: '',
    };
  }
  let dated = name;
  for (const pattern of STRFTIME) {
    dated = name.replace(pattern, '*');
    if (dated !== name) break;
  }
  const [, stem = dated, number = ''] = NUMBERED.exec(dated) ?? [];
  return {
    series: `${folder}/${stem}#`,
    isBareNumber: dated === name && !EXTENSION.test(stem),
    number,
  };
}

/** A file as the user gave it, and its place among all. */
interface Given {
  path: string;
  place: number;
}

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
    for (const pieces of groups) {
      const place = Math.min(...pieces.map((piece) => piece.place));
      const timeline = { pieces: pieces.map(({ path, first }) => ({ path, first })), forced };
      found.push({ place, timeline });
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
async function joinMembers(
  members: readonly Given[],
  forced: boolean,
): Promise<(Piece & Given)[][]> {
  const kinds = new Map<string, (Piece & Given)[]>();
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
function byTime(a: Piece, b: Piece): number {
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
