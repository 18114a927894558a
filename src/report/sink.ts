/** What records are written to: a buffer, or a recorder that makes a template of them. */

import type { FilledMold } from '../tcp/conclude.ts';
import type { Evidence } from '../tcp/verdicts.ts';
import type { ByteText } from './byte-text.ts';
import type { Fragment } from './fragment.ts';

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
export type NameKey = 'communityId' | 'ip' | 'start';

/** What a place is filled from: a column of the story, the rest of the connection, or something else. */
export const PLACE_FRAME = 0;
export const PLACE_TIME = 1;
export const PLACE_SEQ = 2;
export const PLACE_ACK = 3;
export const PLACE_LEN = 4;
/** A number of the connection (report/record-numbers.ts), as it is or nanoseconds; the place's entry is its place. */
export const PLACE_WHOLE = 5;
export const PLACE_NS = 6;
/** The same of the figures of transfer. */
export const PLACE_FIGURE = 7;
export const PLACE_FIGURE_NS = 8;
/** The time from one entry of the story to another: the place's entry is both, the first shifted by SPAN_SHIFT. */
export const PLACE_SPAN = 9;
export const SPAN_SHIFT = 8;
/** The Community ID without its version, the start, an address (of the client, 0, or the server, 1: the place's entry). */
export const PLACE_HASH = 10;
export const PLACE_START = 11;
export const PLACE_ADDRESS = 12;
export const PLACE_OTHER = 13;
/** Behind the last piece. */
export const PLACE_END = 14;
/** From here on: numbers counted from the first one of an end; the place's entry is that entry · 2 + end. */
export const PLACE_RELATIVE_SEQ = 15;
export const PLACE_RELATIVE_ACK = 16;
/** Of the FIN in the segment. */
export const PLACE_RELATIVE_FIN = 17;

/** Pieces and places in turn, to be written again and again (`ByteText.template`). */
export interface Template {
  /** The pieces' bytes as fragments have them; piece k begins at `firstEight[k]`. */
  readonly eights: Float64Array;
  readonly firstEight: Int32Array;
  /** Bytes of each piece. */
  readonly lengths: Int32Array;
  /** What stands behind each piece: PLACE_FRAME … PLACE_RELATIVE_FIN, and the entry of the story that it comes from, as each kind has it. */
  readonly kinds: Uint8Array;
  readonly entries: Uint16Array;
  /** As in the mold. */
  readonly isnEntries: FilledMold['isnEntries'];
  /** What writes the other places. */
  readonly others: readonly ((out: ByteText) => void)[];
  /** Bytes of all pieces and numbers of the story, at most. */
  readonly maxBytes: number;
}
