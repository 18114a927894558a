/** The files that a report reads: those named, and those in folders and below, each once. */

import { type BigIntStats, type Dirent, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { reasonOf } from '../base/system-error.ts';
import { startsLikeCapture } from '../capture/open.ts';
import type { Unreadable } from '../report/batch.ts';

/** A name like a capture's: where such a file is none, that is worth a word. */
export const CAPTURE_NAME = /\.(?:p?cap|pcapng|dmp)\d*(?:\.(?:gz|zst|lz4))?$/i;

export interface FoundFile {
  path: string;
  /** Given by name: it must be a capture. A file of a folder may be anything. */
  isNamed: boolean;
  /** Bytes, 0 where that isn't known. */
  size: number;
}

export interface FoundFiles {
  files: FoundFile[];
  /** Folders that could not be read, and captures that can't be. */
  unreadable: Unreadable[];
  /** Entries of folders that are neither files nor folders. */
  skipped: number;
}

/**
 * Walks `paths`: entries of a folder in the order of their names, by code unit, so that the result is the same everywhere. Links are
 * followed; what was found before, by whatever path, is not taken again, so that loops of links end. `except` is left out of folders: the
 * report itself.
 */
export function findFiles(paths: readonly string[], except: string | null): FoundFiles {
  const found: FoundFiles = { files: [], unreadable: [], skipped: 0 };
  const files = new Map<string, FoundFile>();
  const folders = new Set<string>();
  for (const path of paths) {
    const stats = path === '-' ? null : statsOf(path);
    if (stats === null || !stats.isDirectory()) {
      addNamed(found, files, path, stats);
      continue;
    }
    // A stack and not recursion: links may make paths as long as the system allows. Links come last, so that a file has its own name.
    const waiting = [path];
    const links: string[] = [];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop() ?? links.shift()) {
      const inside = visit(found, files, folders, at, except);
      for (const entry of inside.reverse()) {
        if (entry.isLink) links.push(entry.path);
        else waiting.push(entry.path);
      }
    }
  }
  return found;
}

function addNamed(
  found: FoundFiles,
  files: Map<string, FoundFile>,
  path: string,
  stats: BigIntStats | null,
): void {
  const size = stats?.isFile() ? Number(stats.size) : 0;
  const before = stats?.isFile() ? files.get(identity(stats)) : undefined;
  if (before !== undefined) {
    before.isNamed = true;
    return;
  }
  const file = { path, isNamed: true, size };
  found.files.push(file);
  if (stats?.isFile()) files.set(identity(stats), file);
}

/** Takes the file at `path`, or the files directly in the folder there; returns what is to be visited next. */
function visit(
  found: FoundFiles,
  files: Map<string, FoundFile>,
  folders: Set<string>,
  path: string,
  except: string | null,
): Entry[] {
  const stats = statsOf(path);
  if (stats?.isDirectory()) {
    if (folders.has(identity(stats))) return [];
    folders.add(identity(stats));
    return entriesOf(found, path);
  }
  if (stats === null || !stats.isFile()) {
    if (stats === null && path.includes(NOT_UTF_8) && isWanted(path)) {
      const message = 'expected a name in UTF-8, found another: give it a new one';
      found.unreadable.push({
        kind: 'unreadable',
        file: path,
        code: 'not-found',
        message,
        offset: null,
      });
    } else {
      found.skipped++;
    }
    return [];
  }
  if (files.has(identity(stats)) || resolve(path) === except) return [];
  const file = { path, isNamed: false, size: Number(stats.size) };
  files.set(identity(stats), file);
  found.files.push(file);
  return [];
}

/** What Node makes of bytes of a name that are not UTF-8; what it stands for can't be opened by such a name. */
const NOT_UTF_8 = '\ufffd';

/** Whether what bears this name, as far as it can be told, is a folder or looks like a capture. */
function isWanted(path: string): boolean {
  const folder = dirname(path);
  const name = basename(path);
  for (const bytes of readdirSync(folder, { encoding: 'buffer' })) {
    if (bytes.toString() !== name) continue;
    const real = Buffer.concat([Buffer.from(join(folder, '/')), bytes]);
    if (statSync(real, { throwIfNoEntry: false })?.isDirectory()) return true;
    if (CAPTURE_NAME.test(name) || startsLikeCapture(real)) return true;
  }
  return false;
}

interface Entry {
  path: string;
  isLink: boolean;
}

function entriesOf(found: FoundFiles, folder: string): Entry[] {
  try {
    const entries: Dirent[] = readdirSync(folder, { withFileTypes: true });
    return entries
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => ({ path: join(folder, entry.name), isLink: entry.isSymbolicLink() }));
  } catch (error) {
    const message = `expected a readable folder, found: ${reasonOf(error)}`;
    const isDenied = error instanceof Error && 'code' in error && error.code === 'EACCES';
    const code = isDenied ? 'no-permission' : 'read-failed';
    found.unreadable.push({ kind: 'unreadable', file: folder, code, message, offset: null });
    return [];
  }
}

/** Null where there is nothing, or a link that leads nowhere or round in a circle. */
function statsOf(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}

function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
