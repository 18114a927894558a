/** The outline of a noted connection, out of its notes and out of the story that they make. */

import { expect } from 'vitest';
import { WINDOW_FULL } from '../../src/tcp/figures.ts';
import type { FinishedConnection } from '../../src/tcp/finished.ts';
import { fillNoted, noted, outlineOfUnread } from '../../src/tcp/noted-outline.ts';
import { readNotes, readTimes } from '../../src/tcp/notes.ts';
import { outlineOf } from '../../src/tcp/ordinary.ts';
import { outline } from '../../src/tcp/outline.ts';
import { type LeavingConnection, Unpacker } from '../../src/tcp/packed.ts';

const unpacker = new Unpacker();

/** Compares them; whether there is one. `mslSec` decides what was used again in TIME_WAIT. */
export function hasSameOutline(leaving: LeavingConnection, mslSec: number): boolean {
  const isOrdinary = leaving.outline(mslSec);
  const words = [...outline.words.subarray(0, outline.count)];
  const { bytesAfterFin } = outline;
  const { bytes, reusedPorts, windowFull } = noted;
  const finished = unpacker.read(leaving);
  const little = readLittle(finished, mslSec);
  expect(little?.words ?? null).toEqual(isOrdinary ? words : null);
  readNotes(finished);
  expect(outlineOf(finished, mslSec)).toBe(isOrdinary);
  if (!isOrdinary) return false;
  expect([...outline.words.subarray(0, outline.count)]).toEqual(words);
  expect(outline.bytesAfterFin).toBe(bytesAfterFin);
  const { story, transfer } = finished;
  const [low, high] = transfer;
  expect(little).toEqual({
    words,
    tNs: [...story.tNs.subarray(0, story.count)],
    figures: transfer.map(({ values }) => [...values]),
  });
  expect({ bytes, reusedPorts, windowFull }).toEqual({
    bytes: finished.bytes[0] + finished.bytes[1],
    reusedPorts: finished.reusedPorts,
    windowFull: low.values[WINDOW_FULL]! + high.values[WINDOW_FULL]!,
  });
  return true;
}

/** What a template needs, and the outline, of notes that stay unread; null where they have no outline. */
function readLittle(finished: FinishedConnection, mslSec: number) {
  const { story, transfer, unread } = finished;
  if (unread === null) throw new Error('expected notes');
  if (!outlineOfUnread(finished, unread, mslSec)) return null;
  const words = [...outline.words.subarray(0, outline.count)];
  const entries = outline.count - 1;
  fillNoted(finished);
  readTimes(finished, outline.notes, entries);
  return {
    words,
    tNs: [...story.tNs.subarray(0, entries)],
    figures: transfer.map(({ values }) => [...values]),
  };
}
