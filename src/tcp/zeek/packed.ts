/** Zeek's view of a connection as plain words, beside the rest of it (tcp/packed.ts). */

import type { ZeekFacts } from './facts.ts';
import { MAX_HISTORY_LETTERS } from './memory.ts';
import { CONN_STATES } from './states.ts';

/** Six doubles, then three words. */
const DOUBLES = 6;
const FIXED_WORDS = DOUBLES * 2 + 3;

/** The most words that it takes: a letter of the history each, and one to end on an even word. */
export const MAX_ZEEK_WORDS = FIXED_WORDS + MAX_HISTORY_LETTERS + 1;

/** Writes `z` from word `start` (even) on; returns where the next may begin (even). */
export function packZeek(
  z: ZeekFacts,
  words: Int32Array,
  doubles: Float64Array,
  start: number,
): number {
  const d = start >> 1;
  doubles[d] = z.durationUs;
  doubles[d + 1] = z.bytes[0];
  doubles[d + 2] = z.bytes[1];
  doubles[d + 3] = z.ipBytes[0];
  doubles[d + 4] = z.ipBytes[1];
  doubles[d + 5] = z.missedBytes;
  let at = start + DOUBLES * 2;
  words[at++] = z.originEnd;
  words[at++] = CONN_STATES.indexOf(z.connState);
  words[at++] = z.history.length;
  for (let i = 0; i < z.history.length; i++) words[at++] = z.history.charCodeAt(i);
  return at + (at & 1);
}

/** Reads what `packZeek` wrote at `start` into `z`; returns the same position. */
export function unpackZeek(
  z: ZeekFacts,
  words: Int32Array,
  doubles: Float64Array,
  start: number,
): number {
  const d = start >> 1;
  z.durationUs = doubles[d]!;
  z.bytes[0] = doubles[d + 1]!;
  z.bytes[1] = doubles[d + 2]!;
  z.ipBytes[0] = doubles[d + 3]!;
  z.ipBytes[1] = doubles[d + 4]!;
  z.missedBytes = doubles[d + 5]!;
  let at = start + DOUBLES * 2;
  z.originEnd = words[at++] === 0 ? 0 : 1;
  z.connState = CONN_STATES[words[at++]!]!;
  const letters = words[at++]!;
  z.history = '';
  for (let i = 0; i < letters; i++) z.history += String.fromCharCode(words[at++]!);
  return at + (at & 1);
}
