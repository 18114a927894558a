/** What is the same in every connection of one mold, written once, and the places of what differs. */

import type { FilledMold } from '../tcp/conclude.ts';
import type { Evidence } from '../tcp/verdicts.ts';
import type { ByteText, Fragment } from './byte-text.ts';

/** Takes text in pieces: `ByteText` writes them, a `TemplateRecorder` notes what they are made of. */
export interface Sink {
  put(piece: Fragment): void;
  /** ASCII as it is. */
  raw(text: string): void;
  /** ASCII that needs no escape, in quotes; or null. */
  word(text: string | null): void;
  /** The whole number, or null, that `of[key]` is by then. */
  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void;
  /** The seconds, or null, that `of[key]` is by then. */
  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void;
  /** A string that is the same in every connection of the mold; or null. */
  text(text: string | null): void;
  /** What a piece of evidence says by then, in quotes. */
  provesOf(evidence: Evidence): void;
  /** What `write` makes of `of`. */
  part<T>(of: T, write: (out: ByteText, of: T) => void): void;
}

/** What a place is filled from: a column of the story, or something else. */
export const FRAME = 0;
export const TIME = 1;
export const SEQ = 2;
export const ACK = 3;
export const LEN = 4;
const OTHER = 5;
/** Behind the last piece. */
export const END = 6;
/** From here on: numbers counted from the first one of an end; the place's entry is that entry · 2 + end. */
export const RELATIVE_SEQ = 7;
export const RELATIVE_ACK = 8;
/** Of the FIN in the segment. */
const RELATIVE_FIN = 9;

const RELATIVE = { seq: RELATIVE_SEQ, ack: RELATIVE_ACK, fin: RELATIVE_FIN } as const;

/** By the keys under which a step or a state shows them. */
const COLUMNS: Readonly<Record<string, number>> = {
  frame: FRAME,
  t: TIME,
  seq: SEQ,
  ack: ACK,
  len: LEN,
};

/** Eights behind the last piece, so that four can be read from anywhere. */
const PADDING = 4;
/** Bytes that a number takes at most. */
const MAX_NUMBER_BYTES = 24;

/** Pieces and places in turn, to be written again and again (`ByteText.template`). */
export interface Template {
  /** The pieces' bytes as fragments have them; piece k begins at `firstEight[k]`. */
  readonly eights: Float64Array;
  readonly firstEight: Int32Array;
  /** Bytes of each piece. */
  readonly lengths: Int32Array;
  /** What stands behind each piece: FRAME … RELATIVE_FIN, and the entry of the story that it comes from, as each kind has it. */
  readonly kinds: Uint8Array;
  readonly entries: Uint16Array;
  /** As in the mold. */
  readonly isnEntries: FilledMold['isnEntries'];
  /** What writes the other places. */
  readonly others: readonly ((out: ByteText) => void)[];
  /** Bytes of all pieces and numbers of the story, at most. */
  readonly maxBytes: number;
}

const NOTHING = (): void => {};

/** Notes what is written to it as a template. */
export class TemplateRecorder implements Sink {
  readonly #mold: FilledMold;
  readonly #fragment: (text: string) => Fragment;
  readonly #pieces: Fragment[] = [];
  readonly #kinds: number[] = [];
  readonly #entries: number[] = [];
  readonly #others: ((out: ByteText) => void)[] = [];
  #text = '';

  /** `mold`: that of the record which is written. */
  constructor(mold: FilledMold, toFragment: (text: string) => Fragment) {
    this.#mold = mold;
    this.#fragment = toFragment;
  }

  put({ text }: Fragment): void {
    this.#text += text;
  }

  raw(text: string): void {
    this.#text += text;
  }

  word(text: string | null): void {
    this.#text += text === null ? 'null' : `"${text}"`;
  }

  text(text: string | null): void {
    this.#text += JSON.stringify(text);
  }

  provesOf(evidence: Evidence): void {
    const words = this.#mold.wordsOf.get(evidence);
    if (words === undefined) throw new Error('expected evidence of the mold');
    this.#text += '"';
    for (const part of words.proves) {
      if (typeof part === 'string') this.#text += JSON.stringify(part).slice(1, -1);
      else this.#place(RELATIVE[part.of], part.entry * 2 + part.end, NOTHING);
    }
    this.#text += '"';
  }

  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.#number(of, key, (out) => out.integer(of[key]));
  }

  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.#number(of, key, (out) => out.seconds(of[key]));
  }

  part<T>(of: T, write: (out: ByteText, of: T) => void): void {
    this.#place(OTHER, 0, (out) => write(out, of));
  }

  /** What was written so far. */
  finish(): Template {
    this.#place(END, 0, NOTHING);
    const pieces = this.#pieces;
    const firstEight = new Int32Array(pieces.length + 1);
    for (const [k, { eights }] of pieces.entries())
      firstEight[k + 1] = firstEight[k]! + eights.length;
    const eights = new Float64Array(firstEight[pieces.length]! + PADDING);
    for (const [k, piece] of pieces.entries()) eights.set(piece.eights, firstEight[k]);
    return {
      eights,
      firstEight,
      lengths: Int32Array.from(pieces, ({ length }) => length),
      kinds: Uint8Array.from(this.#kinds),
      entries: Uint16Array.from(this.#entries),
      isnEntries: this.#mold.isnEntries,
      others: this.#others,
      maxBytes: eights.length * 8 + pieces.length * MAX_NUMBER_BYTES,
    };
  }

  #number<K extends string>(
    of: Readonly<Record<K, number | null>>,
    key: K,
    write: (out: ByteText) => void,
  ): void {
    const entry = this.#mold.entryOf.get(of);
    // What is not known of one connection is not known of any of the mold.
    if (of[key] === null) this.#text += 'null';
    else if (entry === undefined) this.#place(OTHER, 0, write);
    else this.#place(COLUMNS[key]!, entry, NOTHING);
  }

  #place(kind: number, entry: number, write: (out: ByteText) => void): void {
    this.#pieces.push(this.#fragment(this.#text));
    this.#kinds.push(kind);
    this.#entries.push(entry);
    this.#others.push(write);
    this.#text = '';
  }
}
