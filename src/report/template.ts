/** Makes templates: what is the same in all records of one mold, written once, and the places of what differs. */

import type { FilledMold } from '../tcp/conclude.ts';
import type { Span, Spans } from '../tcp/spans.ts';
import type { Evidence } from '../tcp/verdicts.ts';
import type { ByteText } from './byte-text.ts';
import { COMMUNITY_ID_VERSION } from './community-id.ts';
import { type Fragment, fragment, isPlain } from './fragment.ts';
import type { ConnectionRecord } from './record.ts';
import { FIGURES_FROM, placesOf, SAME } from './record-numbers.ts';
import {
  type NameKey,
  PLACE_ACK,
  PLACE_ADDRESS,
  PLACE_END,
  PLACE_FIGURE,
  PLACE_FIGURE_NS,
  PLACE_FRAME,
  PLACE_HASH,
  PLACE_LEN,
  PLACE_NS,
  PLACE_OTHER,
  PLACE_RELATIVE_ACK,
  PLACE_RELATIVE_FIN,
  PLACE_RELATIVE_SEQ,
  PLACE_SEQ,
  PLACE_SPAN,
  PLACE_START,
  PLACE_TIME,
  PLACE_WHOLE,
  type Sink,
  SPAN_SHIFT,
  type Template,
} from './sink.ts';

const RELATIVE = {
  seq: PLACE_RELATIVE_SEQ,
  ack: PLACE_RELATIVE_ACK,
  fin: PLACE_RELATIVE_FIN,
} as const;

const FIGURE_KINDS = { [PLACE_WHOLE]: PLACE_FIGURE, [PLACE_NS]: PLACE_FIGURE_NS } as const;

/** By the keys under which a step or a state shows them. */
const COLUMNS: Readonly<Record<string, number>> = {
  frame: PLACE_FRAME,
  t: PLACE_TIME,
  seq: PLACE_SEQ,
  ack: PLACE_ACK,
  len: PLACE_LEN,
};

/** Bytes that a number, or a hash, takes at most. */
const MAX_NUMBER_BYTES = 32;

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

  /** `record`: that which is written; `mold`: its own; `parts`: those of the connection (report/record-numbers.ts); `nullText`: what stands for null. */
  constructor(record: ConnectionRecord, mold: FilledMold, parts: number, nullText: string) {
    this.#record = record;
    this.#mold = mold;
    this.#nullText = nullText;
    this.#places = placesOf(record, parts);
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
    const quoted = text === null ? this.#nullText : JSON.stringify(text);
    if (isPlain(quoted)) this.#text += quoted;
    else this.#place(PLACE_OTHER, 0, (out) => out.utf8(quoted));
  }

  integer(value: number | null): void {
    this.#text += value ?? this.#nullText;
  }

  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    const isn = of === this.#record.handshake.isn ? this.#isnEntry(key) : -1;
    if (isn >= 0) this.#place(PLACE_SEQ, isn, NOTHING);
    else this.#number(PLACE_WHOLE, of, key, (out) => out.integer(of[key]));
  }

  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    const { close, handshake } = this.#record;
    if (of === handshake || of === close) this.#span(this.#mold.spans[key as keyof Spans]);
    else this.#number(PLACE_NS, of, key, (out) => out.seconds(of[key]));
  }

  nameOf<K extends NameKey>(of: Readonly<Record<K, string>>, key: K): void {
    if (key === 'communityId') {
      this.raw(COMMUNITY_ID_VERSION);
      this.#place(PLACE_HASH, 0, NOTHING);
    } else if (key === 'start') this.#place(PLACE_START, 0, NOTHING);
    else this.#place(PLACE_ADDRESS, of === this.#record.client ? 0 : 1, NOTHING);
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
    this.#place(PLACE_OTHER, 0, (out) => write(out, of));
  }

  /** What was written so far. */
  finish(): Template {
    this.#place(PLACE_END, 0, NOTHING);
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

  /** Which entry of the story begins the numbers of side `key`, -1: none. */
  #isnEntry(key: string): number {
    const [client, server] = this.#mold.isnEntries;
    return key === 'client' ? client : server;
  }

  #span(span: Span): void {
    if (span === null) this.#text += this.#nullText;
    else this.#place(PLACE_SPAN, (span[0] << SPAN_SHIFT) | span[1], NOTHING);
  }

  #number<K extends string>(
    kind: typeof PLACE_WHOLE | typeof PLACE_NS,
    of: Readonly<Record<K, number | null>>,
    key: K,
    write: (out: ByteText) => void,
  ): void {
    const entry = this.#mold.entryOf.get(of);
    const place = this.#places.get(of)?.[key];
    // What is not known of one connection is not known of any of the template.
    if (of[key] === null) this.#text += this.#nullText;
    else if (entry !== undefined) this.#place(COLUMNS[key]!, entry, NOTHING);
    else if (place === SAME) this.#text += of[key];
    else if (place === undefined) this.#place(PLACE_OTHER, 0, write);
    else if (place < FIGURES_FROM) this.#place(kind, place, NOTHING);
    else this.#place(FIGURE_KINDS[kind], place - FIGURES_FROM, NOTHING);
  }

  #place(kind: number, entry: number, write: (out: ByteText) => void): void {
    this.#pieces.push(fragment(this.#text));
    this.#kinds.push(kind);
    this.#entries.push(entry);
    this.#others.push(write);
    this.#text = '';
  }
}
