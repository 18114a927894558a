/** What is remembered of each open connection for Zeek's view of it: a packed record, and the letters of its history. */

import { alignedWords, bytesOf, doublesOf } from '../../flow/memory.ts';
import type { Moves } from '../../flow/moves.ts';

/** Words of a connection's record: two ends, then what both share, then the first letters of the history. */
export const RECORD_WORDS = 80;
/** The words of end `d` begin at d * END_WORDS. */
export const END_WORDS = 28;

// Doubles of an end, by their offset in words. Positions count from the end's first number: its SYN is 0, its first byte 1.
/** Behind the last segment, and the greatest acknowledgement that the other end sent for it. */
export const LAST = 0;
export const ACKED = 2;
/** Behind the FIN. */
export const FIN_END = 4;
/** Where its last SYN, FIN and RST stood. */
export const SYN_AT = 6;
export const FIN_AT = 8;
export const RST_AT = 10;
/** Reassembly: everything below has been delivered or given up; below is acknowledged; the greatest end of a segment. */
export const DELIVERED = 12;
export const TRIMMED = 14;
export const UPPER = 16;
/** Sum of the IP lengths. */
export const IP_BYTES = 18;
/** Bytes of content gaps. */
export const MISSED = 20;
// Words of an end.
/** The first number as on the wire. */
export const START = 22;
/** The state, and shifted left by PREVIOUS the state before it (states.ts). */
export const STATE = 23;
export const PREVIOUS = 4;
export const STATE_MASK = 15;
/** Counts behind the letters T, W and G. */
export const RETRANSMITTED = 24;
export const ZERO_WINDOWS = 25;
export const GAPS = 26;
export const END_BITS = 27;
export const FIN_SEEN = 1;
export const DID_CLOSE = 2;
export const DID_EOF = 4;
/** Reassembly was given up. */
export const SKIPPING = 8;
/** There are pieces behind a hole. */
export const HAS_PIECES = 16;

// What both share.
/** Which letters were seen: of the originator in the lower half, of the responder in the upper one. */
export const SEEN = 56;
export const BITS = 57;
/** Which end is the originator (its number). */
export const ORIGINATOR = 1;
export const IS_PARTIAL = 2;
export const ORIG_SPOKE = 4;
export const RESP_SPOKE = 8;
export const CLOSE_DEFERRED = 16;
const LETTERS = 58;
/** A double: the time of the last segment that counts, in microseconds since 1970. */
export const LAST_US = 60;
const INLINE = 64;
const INLINE_LETTERS = (RECORD_WORDS - INLINE) * 4;

/** Letters of a history beyond which no more are added; Zeek knows no limit. */
export const MAX_HISTORY_LETTERS = 1000;

const LOWER = 0x20;
/** `^`, which has no case. */
export const LETTER_FLIPPED = 0x5e;

/** The packed records, one at each index of the flow table. */
export class ZeekMemory {
  protected words = new Int32Array(0);
  protected doubles = new Float64Array(0);
  #bytes = new Uint8Array(0);
  /** Letters that found no room in the record. */
  readonly #more = new Map<number, string>();

  /** Makes room for `capacity` records. */
  grow(capacity: number): void {
    const words = alignedWords(capacity * RECORD_WORDS);
    words.set(this.words);
    this.words = words;
    this.doubles = doublesOf(words);
    this.#bytes = bytesOf(words);
  }

  /** Records have moved. */
  compact(moves: Moves): void {
    this.words = moves.gather(this.words, RECORD_WORDS);
    this.doubles = doublesOf(this.words);
    this.#bytes = bytesOf(this.words);
    moves.renameKeys(this.#more, 1);
  }

  /** Adds `code` to the history: a capital for the originator, small for the responder. */
  protected addLetter(index: number, code: number, isOrig: boolean): void {
    const at = index * RECORD_WORDS + LETTERS;
    const count = this.words[at]!;
    if (count >= MAX_HISTORY_LETTERS) return;
    this.words[at] = count + 1;
    const letter = isOrig ? code : code | LOWER;
    if (count < INLINE_LETTERS) {
      this.#bytes[(index * RECORD_WORDS + INLINE) * 4 + count] = letter;
    } else {
      this.#more.set(index, (this.#more.get(index) ?? '') + String.fromCharCode(letter));
    }
  }

  /** Adds `code` where this is the first, the tenth, the hundredth … time. */
  protected countLetter(index: number, at: number, code: number, isOrig: boolean): void {
    const count = this.words[at]! + 1;
    this.words[at] = count;
    let power = 1;
    while (power < count) power *= 10;
    if (power === count) this.addLetter(index, code, isOrig);
  }

  /** The history so far, empty where nothing had a letter. */
  protected history(index: number): string {
    const count = this.words[index * RECORD_WORDS + LETTERS]!;
    const start = (index * RECORD_WORDS + INLINE) * 4;
    let text = '';
    for (let i = 0; i < count && i < INLINE_LETTERS; i++) {
      text += String.fromCharCode(this.#bytes[start + i]!);
    }
    return count > INLINE_LETTERS ? text + (this.#more.get(index) ?? '') : text;
  }

  /** Forgets what a record holds beside its words. */
  protected forget(index: number): void {
    if (this.words[index * RECORD_WORDS + LETTERS]! > INLINE_LETTERS) this.#more.delete(index);
  }
}
