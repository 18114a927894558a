/** What is the same in every connection of one mold, written once, and the places of what differs. */

import type { FilledMold } from '../tcp/conclude.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import type { Evidence } from '../tcp/verdicts.ts';
import type { ByteText } from './byte-text.ts';
import { COMMUNITY_ID_VERSION } from './community-id.ts';
import { type Fragment, fragment, isPlain } from './fragment.ts';
import { addressOf, hashOf } from './names.ts';
import type { ConnectionRecord } from './record.ts';
import { placesOf } from './record-numbers.ts';

/** Takes text in pieces: `ByteText` writes them, a `TemplateRecorder` notes what they are made of. */
export interface Sink {
  put(piece: Fragment): void;
  /** ASCII as it is. */
  raw(text: string): void;
  // What is the same in all records of a template:
  /** ASCII that needs no escape, in quotes; or null. */
  word(text: string | null): void;
  /** A string of JSON, or null. */
  text(text: string | null): void;
  /** Any text as it is. */
  utf8(text: string): void;
  integer(value: number | null): void;
  // And what differs:
  /** The whole number, or null, that `of[key]` is by then. */
  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void;
  /** The seconds, or null, that `of[key]` is by then. */
  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void;
  /** The name of the connection that `of[key]` is by then, as it is. */
  nameOf<K extends NameKey>(of: Readonly<Record<K, string>>, key: K): void;
  /** What a piece of evidence says by then, in quotes. */
  provesOf(evidence: Evidence): void;
  /** What `write` makes of `of`. */
  part<T>(of: T, write: (out: ByteText, of: T) => void): void;
}

/** The names of a connection, by their keys in a record. */
type NameKey = 'communityId' | 'ip' | 'start';

/** What a place is filled from: a column of the story, a number of the record, or something else. */
export const FRAME = 0;
export const TIME = 1;
export const SEQ = 2;
export const ACK = 3;
export const LEN = 4;
/** A number of the record (report/record-numbers.ts): one that is usually whole, or seconds; the place's entry is its place. */
export const WHOLE = 5;
export const SECONDS = 6;
const OTHER = 7;
/** Behind the last piece. */
export const END = 8;
/** From here on: numbers counted from the first one of an end; the place's entry is that entry · 2 + end. */
export const RELATIVE_SEQ = 9;
export const RELATIVE_ACK = 10;
/** Of the FIN in the segment. */
const RELATIVE_FIN = 11;

const RELATIVE = { seq: RELATIVE_SEQ, ack: RELATIVE_ACK, fin: RELATIVE_FIN } as const;

/** By the keys under which a step or a state shows them. */
const COLUMNS: Readonly<Record<string, number>> = {
  frame: FRAME,
  t: TIME,
  seq: SEQ,
  ack: ACK,
  len: LEN,
};

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
  readonly #record: ConnectionRecord;
  readonly #mold: FilledMold;
  readonly #nullText: string;
  readonly #places: ReturnType<typeof placesOf>;
  readonly #pieces: Fragment[] = [];
  readonly #kinds: number[] = [];
  readonly #entries: number[] = [];
  readonly #others: ((out: ByteText) => void)[] = [];
  #text = '';

  /** `record`: that which is written; `mold`: its own; `nullText`: what stands for null. */
  constructor(record: ConnectionRecord, mold: FilledMold, nullText: string) {
    this.#record = record;
    this.#mold = mold;
    this.#nullText = nullText;
    this.#places = placesOf(record);
  }

  put({ text }: Fragment): void {
    this.#text += text;
  }

  raw(text: string): void {
    this.#text += text;
  }

  word(text: string | null): void {
    this.#text += text === null ? this.#nullText : `"${text}"`;
  }

  text(text: string | null): void {
    this.utf8(text === null ? this.#nullText : JSON.stringify(text));
  }

  utf8(text: string): void {
    if (isPlain(text)) this.#text += text;
    else this.#place(OTHER, 0, (out) => out.utf8(text));
  }

  integer(value: number | null): void {
    this.#text += value ?? this.#nullText;
  }

  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.#number(WHOLE, of, key, (out) => out.integer(of[key]));
  }

  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.#number(SECONDS, of, key, (out) => out.seconds(of[key]));
  }

  nameOf<K extends NameKey>(of: Readonly<Record<K, string>>, key: K): void {
    const mold = this.#mold;
    if (key === 'communityId') {
      this.raw(COMMUNITY_ID_VERSION);
      this.#place(OTHER, 0, (out) => out.raw(hashOf(mold.finished)));
    } else if (key === 'start') this.#place(OTHER, 0, (out) => writeStart(out, mold.finished));
    else if (of === this.#record.client)
      this.#place(OTHER, 0, (out) => writeAddress(out, mold.finished, mold.finished.clientEnd));
    else
      this.#place(OTHER, 0, (out) =>
        writeAddress(out, mold.finished, mold.finished.clientEnd === 0 ? 1 : 0),
      );
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
    const eights = new Float64Array(firstEight[pieces.length]!);
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
    kind: typeof WHOLE | typeof SECONDS,
    of: Readonly<Record<K, number | null>>,
    key: K,
    write: (out: ByteText) => void,
  ): void {
    const entry = this.#mold.entryOf.get(of);
    const place = this.#places.get(of)?.[key];
    // What is not known of one connection is not known of any of the template.
    if (of[key] === null) this.#text += this.#nullText;
    else if (entry !== undefined) this.#place(COLUMNS[key]!, entry, NOTHING);
    else if (place !== undefined) this.#place(kind, place, NOTHING);
    else this.#place(OTHER, 0, write);
  }

  #place(kind: number, entry: number, write: (out: ByteText) => void): void {
    this.#pieces.push(fragment(this.#text));
    this.#kinds.push(kind);
    this.#entries.push(entry);
    this.#others.push(write);
    this.#text = '';
  }
}

function writeStart(out: ByteText, { startSec, startNs }: FinishedConnection): void {
  out.utc(startSec, startNs);
}

function writeAddress(out: ByteText, finished: FinishedConnection, end: 0 | 1): void {
  if (finished.family === 4) out.ipv4(finished.address[end][0] ?? 0);
  else out.raw(addressOf(finished, end));
}
