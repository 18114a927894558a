/** The outline of a noted connection, out of its notes and out of the story that they make. */

import { expect } from 'vitest';
import { WINDOW_FULL } from '../../src/tcp/figures.ts';
import { noted } from '../../src/tcp/noted-outline.ts';
import { readNotes } from '../../src/tcp/notes.ts';
import { outlineOf } from '../../src/tcp/ordinary.ts';
import { outline } from '../../src/tcp/outline.ts';
import { type LeavingConnection, Unpacker } from '../../src/tcp/packed.ts';

const unpacker = new Unpacker();

/** Compares them; whether there is one. `mslSec` decides what was used again in TIME_WAIT. */
export function hasSameOutline(leaving: LeavingConnection, mslSec: number): boolean {
  const isOrdinary = leaving.outline(mslSec);
  const words = [...outline.words.subarray(0, outline.count)];
  const { bytes, reusedPorts, windowFull } = noted;
  const finished = unpacker.read(leaving);
  readNotes(finished);
  expect(outlineOf(finished, mslSec)).toBe(isOrdinary);
  if (!isOrdinary) return false;
  expect([...outline.words.subarray(0, outline.count)]).toEqual(words);
  const [low, high] = finished.transfer;
  expect({ bytes, reusedPorts, windowFull }).toEqual({
    bytes: finished.bytes[0] + finished.bytes[1],
    reusedPorts: finished.reusedPorts,
    windowFull: low.values[WINDOW_FULL]! + high.values[WINDOW_FULL]!,
  });
  return true;
}
