/** The outline of an ordinary connection: everything its verdict depends on, in a few words without a single number of its own. */

import { FIN_TIMEOUT_S, LONG_CLOSE_WAIT_S } from './findings/close-wait-long.ts';
import { FROM_HIGH, PEER_DATA_LAST, PEER_LAST } from './story.ts';

/** Entries of the story that an outline has room for: long stories are rarely alike. */
export const MAX_ENTRIES = 30;

/** Not by the key's ends; what came last matters to a RST only. */
export const KEPT_MARKS = ~(FROM_HIGH | PEER_DATA_LAST | PEER_LAST);

// An entry's word: its flags and marks (16 bits), who sent it (the client: 0), and how it stands to the numbers of both ends.
export const FROM_SERVER = 1 << 16;
export const COVERS_SYN = 1 << 17;
/** Acknowledges the SYN and nothing behind it. */
export const COVERS_SYN_ONLY = 1 << 18;
export const COVERS_FIN = 1 << 19;
/** Its number is the first behind its sender's SYN. */
export const IS_FIRST_NUMBER = 1 << 20;
/** A FIN that acknowledges the other's and waited before it left. */
export const IS_DELAYED = 1 << 21;
/** A RST whose sender had got data last. */
export const IS_AFTER_DATA = 1 << 22;
/** A RST of an end that has no such connection. */
export const IS_ANSWER_OF_NONE = 1 << 23;

/** The connection's word: the SYN of another one took its ports less than 2·MSL after its first frame, and so within TIME_WAIT where it came to that. */
const REUSED = 1;
/** It was let go before the input ended. */
const EVICTED = 2;
/** An end sent payload from its first segment that acknowledged the other's FIN on. */
const SENDS_ON = 4;
/** From here on: how long an end waited behind a FIN until nobody watched any more, as `lengthOf` has it. */
const WAIT_SHIFT = 3;

/** Findings work in seconds, which are not exact to the nanosecond. */
const ROUNDING_NS = 1000;

/** Longer times, 11 days, aren't exact to the nanosecond in a record, which has them in seconds: what lies between two of them depends on how it is worked out. */
const EXACT_NS = 1e15;

/** The outline made last: `words` (one for the connection, and one for each entry), of which `count` are valid. Used again for each connection. */
export const outline = {
  words: new Int32Array(1 + MAX_ENTRIES),
  count: 0,
  /** Of one made of notes: which note each entry is. */
  notes: new Uint8Array(MAX_ENTRIES),
  /** When the first FIN came, from the first frame on; infinite: never. */
  firstFinNs: 0,
  /** When the last entry came; of no meaning without a FIN. */
  lastNs: 0,
  /** Payload that an end sent from its first segment that acknowledged the other's FIN on: the one number of the verdict that no entry has. */
  bytesAfterFin: 0,
};

/**
 * The connection's word of an outline whose entries are there, from how it left: `reusedNs` from its first frame to the SYN that took its ports, NaN where none did.
 * False where a very long life, or when that SYN came, makes it not ordinary; where an end waited long for the other's FIN, which came; where it can't be told here whether a
 * wait was long; or where 2 GiB or more were sent after a FIN.
 */
export function finishOutline(
  isEvicted: boolean,
  reusedNs: number,
  watchedNs: number,
  mslSec: number,
): boolean {
  const { bytesAfterFin, firstFinNs, lastNs } = outline;
  if (watchedNs >= EXACT_NS || bytesAfterFin < 0 || reusedNs >= 2e9 * mslSec) return false;
  // Whoever still waits has done so since one of the entries from the first FIN on; a wait that was over lies between two of them.
  const waited = lengthOf(watchedNs - firstFinNs + ROUNDING_NS);
  if (waited > 0) {
    if (lengthOf(watchedNs - lastNs - ROUNDING_NS) !== waited) return false;
    if (lengthOf(lastNs - firstFinNs + ROUNDING_NS) > 0) return false;
  }
  outline.words[0] =
    (isEvicted ? EVICTED : 0) |
    (Number.isNaN(reusedNs) ? 0 : REUSED) |
    (bytesAfterFin > 0 ? SENDS_ON : 0) |
    (waited << WAIT_SHIFT);
  return true;
}

/** Which of the findings on waits behind a FIN a wait of `ns` is long enough for. */
function lengthOf(ns: number): number {
  return (ns >= LONG_CLOSE_WAIT_S * 1e9 ? 1 : 0) | (ns >= FIN_TIMEOUT_S * 1e9 ? 2 : 0);
}

/** Outlines remembered, a power of two; a table of four places for each keeps the ways short. */
const MAX_OUTLINES = 1024;
const PLACES = 4 * MAX_OUTLINES;

/** What is remembered of outlines; each is looked up by the one that was made last. */
export class Outlines<T> {
  readonly #keys: (Int32Array | null)[] = new Array(PLACES).fill(null);
  readonly #values: (T | null)[] = new Array(PLACES).fill(null);
  #count = 0;

  /** No more may be added before `clear`. */
  get isFull(): boolean {
    return this.#count === MAX_OUTLINES;
  }

  /** Forgets all. */
  clear(): void {
    this.#keys.fill(null);
    this.#values.fill(null);
    this.#count = 0;
  }

  /** What is remembered of the outline made last, or null. Hot path, once a connection. */
  find(): T | null {
    return this.#values[this.#place(outline.words, outline.count)]!;
  }

  /** Remembers `value` for the outline in `words`, which must be new. */
  add(words: Int32Array, value: T): void {
    const at = this.#place(words, words.length);
    this.#keys[at] = words;
    this.#values[at] = value;
    this.#count++;
  }

  /** Where the outline is, or would be. */
  #place(words: Int32Array, count: number): number {
    let hash = count;
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ words[i]!, 0x9e37_79b1);
      hash ^= hash >>> 15;
    }
    let at = hash & (PLACES - 1);
    for (let key = this.#keys[at]; key; key = this.#keys[at]) {
      if (isSame(key, words, count)) break;
      at = (at + 1) & (PLACES - 1);
    }
    return at;
  }
}

function isSame(key: Int32Array, words: Int32Array, count: number): boolean {
  if (key.length !== count) return false;
  for (let i = 0; i < count; i++) if (key[i] !== words[i]) return false;
  return true;
}
