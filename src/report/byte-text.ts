/** Text as UTF-8 bytes in one growing buffer: the values of JSON (RFC 8259) and the cells of CSV. */

import { formatWholeUtc } from '../base/time.ts';
import { FIGURES_OF_END } from '../tcp/figures.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import type { Evidence } from '../tcp/verdicts.ts';
import { writeDigest } from './base64.ts';
import { writeDigits, writeNineDigits, writeNs, writeOctet } from './digits.ts';
import { type Fragment, fragment, isPlain } from './fragment.ts';
import { addressOf, hashNames } from './names.ts';
import { digest } from './sha1.ts';
import {
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

/** Room that every value leaves for the next few short ones. */
const SLACK = 64;
/** Of a UTF-16 unit. */
const MAX_UTF8_BYTES = 3;
/** Phrases kept. */
const MAX_PHRASES = 256;
/** Seconds kept, a power of two. */
const UTC_SECONDS = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const POINT = 0x2e;
/** The zone of UTC. */
const ZULU = 0x5a;
const NS_PER_S = 1_000_000_000;
/** Below this many nanoseconds a time has at most 15 digits, and its shortest decimal is the one with nine places. */
const MAX_EXACT_NS = 1e15;
/** Below, JavaScript's own form has an exponent. */
const MIN_PLAIN_NS = 1000;
const SPAN_MASK = (1 << SPAN_SHIFT) - 1;

/**
 * A buffer that values are appended to; `take` hands over what is in it.
 *
 * Hot path: bytes go out eight and digits four at a time, through a DataView, which needs no alignment. (Copying with `set` costs
 * 23 ns a fragment, byte by byte 60, in eights 12; a number digit by digit 19 ns, by the table 9.)
 */
export class ByteText implements Sink {
  #bytes: Buffer;
  #view: DataView;
  #at = 0;
  /** What stands for null. */
  readonly nullText: string;
  readonly #phrases = new Map<string, Fragment>();
  /** Seconds written of late, and how, by their lowest bits: records come by the thousand within one, but of long and short connections in turn. */
  readonly #utcSecs = new Float64Array(UTC_SECONDS).fill(-1);
  readonly #utcWholes: Fragment[] = Array.from({ length: UTC_SECONDS }, () => fragment(''));

  constructor(capacity: number, nullText = 'null') {
    this.#bytes = Buffer.alloc(capacity + SLACK);
    this.#view = new DataView(this.#bytes.buffer);
    this.nullText = nullText;
  }

  /** Bytes appended since the last `take`. */
  get length(): number {
    return this.#at;
  }

  /** What was appended; a view that holds until the next value. The buffer is empty afterwards. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    return taken;
  }

  /** A fragment as it is. */
  put({ eights, length }: Fragment): void {
    const at = this.#at;
    if (at + length + SLACK > this.#bytes.length) this.#grow(length);
    const view = this.#view;
    view.setFloat64(at, eights[0]!, true);
    view.setFloat64(at + 8, eights[1]!, true);
    for (let i = 2; i < eights.length; i += 2) {
      view.setFloat64(at + i * 8, eights[i]!, true);
      view.setFloat64(at + i * 8 + 8, eights[i + 1]!, true);
    }
    this.#at = at + length;
  }

  /** Any text as it is. */
  utf8(text: string): void {
    const at = this.#roomFor(text.length * MAX_UTF8_BYTES);
    this.#at = at + this.#bytes.write(text, at);
  }

  /** ASCII text as it is. */
  raw(text: string): void {
    const n = text.length;
    if (this.#at + n + SLACK > this.#bytes.length) this.#grow(n);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < n; i++) bytes[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  /** A string of ASCII that needs no escape, in quotes; or null. */
  word(text: string | null): void {
    if (text === null) {
      this.raw(this.nullText);
      return;
    }
    const n = text.length;
    if (this.#at + n + SLACK > this.#bytes.length) this.#grow(n);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < n; i++) bytes[at++] = text.charCodeAt(i);
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  /** Any string; or null. */
  text(text: string | null): void {
    if (text === null) {
      this.raw(this.nullText);
      return;
    }
    const at = this.#roomFor(text.length * MAX_UTF8_BYTES);
    const bytes = this.#bytes;
    bytes[at] = QUOTE;
    // A sentence was put together from pieces: to look at its characters takes longer than to copy them.
    const end = at + 1 + bytes.write(text, at + 1);
    for (let i = at + 1; i < end; i++) {
      const byte = bytes[i]!;
      if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
        this.utf8(JSON.stringify(text));
        return;
      }
    }
    bytes[end] = QUOTE;
    this.#at = end + 1;
  }

  /** A string of which there are only a few: its bytes are kept for the next time. */
  phrase(text: string): void {
    const known = this.#phrases.get(text);
    if (known !== undefined) {
      this.put(known);
      return;
    }
    const quoted = JSON.stringify(text);
    if (this.#phrases.size < MAX_PHRASES && isPlain(quoted)) {
      this.#phrases.set(text, fragment(quoted));
    }
    this.text(text);
  }

  integerOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.integer(of[key]);
  }

  secondsOf<K extends string>(of: Readonly<Record<K, number | null>>, key: K): void {
    this.seconds(of[key]);
  }

  nameOf<K extends string>(of: Readonly<Record<K, string>>, key: K): void {
    this.raw(of[key]);
  }

  provesOf({ proves }: Evidence): void {
    this.text(proves);
  }

  part<T>(of: T, write: (out: ByteText, of: T) => void): void {
    write(this, of);
  }

  boolean(value: boolean): void {
    this.raw(value ? 'true' : 'false');
  }

  /** A number that is usually whole; or null, also for what JSON has no number for. */
  integer(value: number | null): void {
    if (value === null) {
      this.raw(this.nullText);
    } else if (value >= 0 && value <= 0xffff_ffff && Math.floor(value) === value) {
      this.#digits(value);
    } else {
      this.#number(value);
    }
  }

  /** Seconds that are usually whole nanoseconds; or null. */
  seconds(value: number | null): void {
    if (value === null) {
      this.raw(this.nullText);
      return;
    }
    const size = value < 0 ? -value : value;
    const ns = Math.round(size * NS_PER_S);
    if (value === 0) {
      this.raw('0');
    } else if (ns < MIN_PLAIN_NS || ns >= MAX_EXACT_NS || ns / NS_PER_S !== size) {
      this.#number(value);
    } else {
      if (value < 0) this.#bytes[this.#at++] = MINUS;
      this.#at = writeNs(this.#view, this.#at, ns);
      if (this.#at + SLACK > this.#bytes.length) this.#grow(0);
    }
  }

  /** An IPv4 address from its 32-bit pattern. */
  ipv4(word: number): void {
    let at = this.#roomFor(0);
    const view = this.#view;
    at = writeOctet(view, at, word >>> 24, POINT);
    at = writeOctet(view, at, (word >>> 16) & 0xff, POINT);
    at = writeOctet(view, at, (word >>> 8) & 0xff, POINT);
    this.#at = writeDigits(view, at, word & 0xff);
  }

  /** An instant as `formatUtc` writes it. */
  utc(sec: number, ns: number): void {
    const place = sec & (UTC_SECONDS - 1);
    if (sec !== this.#utcSecs[place]) {
      this.#utcSecs[place] = sec;
      this.#utcWholes[place] = fragment(`${formatWholeUtc(sec)}.`);
    }
    this.put(this.#utcWholes[place]!);
    this.#at = writeNineDigits(this.#view, this.#at, ns);
    this.#bytes[this.#at++] = ZULU;
  }

  /** What is the same in all records of a template, and what `finished` and `numbers` (report/record-numbers.ts) of one connection have in its places. Hot path, once a connection. */
  template(t: Template, finished: FinishedConnection, numbers: Float64Array): void {
    const { eights, firstEight, lengths, kinds, entries } = t;
    const { clientEnd, figures, story } = finished;
    const { frame, tNs, seq, ack, len } = story;
    // In the template the client's come first.
    const flip = clientEnd * FIGURES_OF_END;
    const [clientIsn, serverIsn] = t.isnEntries;
    const clientSeq = seq[clientIsn]!;
    const serverSeq = serverIsn < 0 ? 0 : seq[serverIsn]!;
    let at = this.#roomFor(t.maxBytes);
    let view = this.#view;
    for (let k = 0; k < kinds.length; k++) {
      const first = firstEight[k]!;
      const length = lengths[k]!;
      view.setFloat64(at, eights[first]!, true);
      for (let done = 8, i = first + 1; done < length; done += 8, i++) {
        view.setFloat64(at + done, eights[i]!, true);
      }
      at += length;
      const entry = entries[k]!;
      const kind = kinds[k]!;
      let ns = -1;
      if (kind === PLACE_WHOLE || kind === PLACE_FIGURE) {
        const value = kind === PLACE_WHOLE ? numbers[entry]! : figures[entry ^ flip]!;
        if (value <= 0xffff_ffff) {
          at = writeDigits(view, at, value >>> 0);
          continue;
        }
      } else if (kind === PLACE_SPAN) {
        ns = tNs[entry & SPAN_MASK]! - tNs[entry >> SPAN_SHIFT]!;
      } else if (kind === PLACE_NS) {
        ns = numbers[entry]!;
      } else if (kind === PLACE_FIGURE_NS) {
        ns = figures[entry ^ flip]!;
      } else if (kind === PLACE_TIME) {
        ns = tNs[entry]!;
      } else if (kind === PLACE_SEQ) {
        at = writeDigits(view, at, seq[entry]! >>> 0);
        continue;
      } else if (kind === PLACE_ACK) {
        at = writeDigits(view, at, ack[entry]! >>> 0);
        continue;
      } else if (kind === PLACE_LEN) {
        at = writeDigits(view, at, len[entry]!);
        continue;
      } else if (kind === PLACE_HASH) {
        hashNames(finished);
        at = writeDigest(view, at, digest);
        continue;
      } else if (kind === PLACE_FRAME && frame[entry]! <= 0xffff_ffff) {
        at = writeDigits(view, at, frame[entry]! >>> 0);
        continue;
      } else if (kind > PLACE_END) {
        const i = entry >> 1;
        const number =
          kind === PLACE_RELATIVE_ACK
            ? ack[i]!
            : kind === PLACE_RELATIVE_SEQ
              ? seq[i]!
              : seq[i]! + len[i]!;
        at = writeDigits(view, at, (number - ((entry & 1) === 0 ? clientSeq : serverSeq)) >>> 0);
        continue;
      }
      if (ns === 0 || (ns >= MIN_PLAIN_NS && ns < MAX_EXACT_NS)) {
        at = writeNs(view, at, ns);
        continue;
      }
      this.#at = at;
      if (kind === PLACE_END) return;
      if (kind === PLACE_FRAME) this.integer(frame[entry]!);
      else if (kind === PLACE_WHOLE) this.integer(numbers[entry]!);
      else if (kind === PLACE_FIGURE) this.integer(figures[entry ^ flip]!);
      else if (kind === PLACE_START) this.utc(finished.startSec, finished.startNs);
      else if (kind === PLACE_ADDRESS) this.#address(finished, entry);
      else if (kind !== PLACE_OTHER) this.seconds(ns / NS_PER_S);
      else t.others[k]!(this);
      at = this.#roomFor(t.maxBytes);
      view = this.#view;
    }
  }

  /** That of side `side`, 0 the client. */
  #address(finished: FinishedConnection, side: number): void {
    const end = (finished.clientEnd ^ side) === 0 ? 0 : 1;
    if (finished.family === 4) this.ipv4(finished.address[end][0]!);
    else this.raw(addressOf(finished, end));
  }

  /** Makes room for `count` bytes and a little more: where they go. */
  #roomFor(count: number): number {
    if (this.#at + count + SLACK > this.#bytes.length) this.#grow(count);
    return this.#at;
  }

  /** A whole number, 0 … 2^32-1. */
  #digits(value: number): void {
    this.#at = writeDigits(this.#view, this.#at, value);
    if (this.#at + SLACK > this.#bytes.length) this.#grow(0);
  }

  #number(value: number): void {
    this.raw(Number.isFinite(value) ? String(value) : this.nullText);
  }

  #grow(more: number): void {
    const bytes = Buffer.alloc((this.#at + more + SLACK) * 2);
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
