/** What is the same in every connection of one mold, written once, and the places of what differs. */

import { type ByteText, type Fragment, fragment } from './byte-text.ts';

/** Takes text in pieces: `ByteText` writes them, a `TemplateRecorder` notes what they are made of. */
export interface Sink {
  put(piece: Fragment): void;
  /** ASCII as it is. */
  raw(text: string): void;
  /** ASCII that needs no escape, in quotes; or null. */
  word(text: string | null): void;
  /** Any string; or null. */
  text(text: string | null): void;
  /** The whole number, or null, that `of[key]` is by then. */
  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void;
  /** The seconds, or null, that `of[key]` is by then. */
  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void;
  /** What `write` makes of `of`. */
  part<T>(of: T, write: (out: ByteText, of: T) => void): void;
}

const INTEGER = 0;
const SECONDS = 1;
const PART = 2;

/** A place of a template: the piece before it, and where its value is found. */
interface Hole {
  before: Fragment;
  kind: typeof INTEGER | typeof SECONDS | typeof PART;
  of: Readonly<Record<string, number | null>>;
  key: string;
  write: (out: ByteText, of: unknown) => void;
}

const NO_WRITE = (): void => {};

/** Pieces and places, to be written again and again with the values that the noted objects have by then. */
export class Template {
  readonly #holes: readonly Hole[];
  readonly #end: Fragment;

  constructor(holes: readonly Hole[], end: Fragment) {
    this.#holes = holes;
    this.#end = end;
  }

  /** Hot path, once a connection. */
  write(out: ByteText): void {
    for (const hole of this.#holes) {
      out.put(hole.before);
      if (hole.kind === INTEGER) out.integer(hole.of[hole.key] as number | null);
      else if (hole.kind === SECONDS) out.seconds(hole.of[hole.key] as number | null);
      else hole.write(out, hole.of);
    }
    out.put(this.#end);
  }
}

/** Notes what is written to it as a template. */
export class TemplateRecorder implements Sink {
  readonly #holes: Hole[] = [];
  #text = '';

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
    this.part(text, (out, same) => out.text(same));
  }

  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.#number(INTEGER, of, key);
  }

  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.#number(SECONDS, of, key);
  }

  part<T>(of: T, write: (out: ByteText, of: T) => void): void {
    this.#hole(PART, of as Hole['of'], '', write as Hole['write']);
  }

  /** What was written so far. */
  finish(): Template {
    return new Template(this.#holes, fragment(this.#text));
  }

  #number(kind: Hole['kind'], of: Hole['of'], key: string): void {
    // What is not known of one connection is not known of any of the mold.
    if (of[key] === null) this.#text += 'null';
    else this.#hole(kind, of, key, NO_WRITE);
  }

  #hole(kind: Hole['kind'], of: Hole['of'], key: string, write: Hole['write']): void {
    this.#holes.push({ before: fragment(this.#text), kind, of, key, write });
    this.#text = '';
  }
}
