/** Text as UTF-8 bytes in one growing buffer: the values of JSON (RFC 8259) and the cells of CSV. */

/** Room that every value leaves for the next few short ones. */
const SLACK = 64;
const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const POINT = 0x2e;
const MINUS = 0x2d;
const NS_PER_S = 1_000_000_000;
/** Below this many nanoseconds a time has at most 15 digits, and its shortest decimal is the one with nine places. */
const MAX_EXACT_NS = 1e15;
/** From this value on numbers have no exponent in JavaScript's own form. */
const MIN_PLAIN = 1e-6;

const encoder = new TextEncoder();

/** ASCII text as bytes: keys and words that are appended again and again. */
export function fragment(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A fragment for each of `words`, made by `shape`. */
export function fragments<K extends string>(
  words: readonly K[],
  shape: (word: K) => string,
): Readonly<Record<K, Uint8Array>> {
  const entries = words.map((word) => [word, fragment(shape(word))]);
  return Object.fromEntries(entries) as Record<K, Uint8Array>;
}

/** A buffer that values are appended to; `take` hands over what is in it. */
export class ByteText {
  #bytes: Uint8Array;
  #at = 0;
  readonly #nullText: string;

  /** `nullText`: what stands for null. */
  constructor(capacity: number, nullText = 'null') {
    this.#bytes = new Uint8Array(capacity + SLACK);
    this.#nullText = nullText;
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

  /** A fragment as it is: about 20 ns whatever its length, so worth it from ten characters on. */
  put(bytes: Uint8Array): void {
    const n = bytes.length;
    if (this.#at + n + SLACK > this.#bytes.length) this.#grow(n);
    this.#bytes.set(bytes, this.#at);
    this.#at += n;
  }

  /** Any text as it is. */
  utf8(text: string): void {
    // At most three bytes for each UTF-16 unit.
    if (this.#at + text.length * 3 + SLACK > this.#bytes.length) this.#grow(text.length * 3);
    this.#at += encoder.encodeInto(text, this.#bytes.subarray(this.#at)).written;
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
      this.raw(this.#nullText);
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
      this.raw(this.#nullText);
      return;
    }
    const n = text.length;
    if (this.#at + n + SLACK > this.#bytes.length) this.#grow(n);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = QUOTE;
    for (let i = 0; i < n; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
        this.#escaped(text);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#at = at;
  }

  boolean(value: boolean): void {
    this.raw(value ? 'true' : 'false');
  }

  /** A number that is usually whole; or null, also for what JSON has no number for. */
  integer(value: number | null): void {
    if (value === null) {
      this.raw(this.#nullText);
    } else if (value >= 0 && value <= 0xffff_ffff && Math.floor(value) === value) {
      this.#digits(value);
    } else {
      this.#number(value);
    }
  }

  /** Seconds that are usually whole nanoseconds; or null. */
  seconds(value: number | null): void {
    if (value === null) {
      this.raw(this.#nullText);
      return;
    }
    const size = value < 0 ? -value : value;
    const ns = Math.round(size * NS_PER_S);
    if (value === 0) {
      this.raw('0');
    } else if (size < MIN_PLAIN || ns >= MAX_EXACT_NS || ns / NS_PER_S !== size) {
      this.#number(value);
    } else {
      if (value < 0) this.#bytes[this.#at++] = MINUS;
      const whole = Math.floor(ns / NS_PER_S);
      this.#digits(whole);
      this.#fraction(ns - whole * NS_PER_S);
    }
  }

  /** A whole number, 0 … 2^32-1. */
  #digits(value: number): void {
    const bytes = this.#bytes;
    let n = 1;
    for (let limit = 10; n < 10 && value >= limit; limit *= 10) n++;
    let at = this.#at + n;
    this.#at = at;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      const next = Math.floor(rest / 10);
      bytes[--at] = ZERO + (rest - next * 10);
      rest = next;
    }
    let small = rest | 0;
    do {
      const next = (small / 10) | 0;
      bytes[--at] = ZERO + small - next * 10;
      small = next;
    } while (small !== 0);
    if (this.#at + SLACK > bytes.length) this.#grow(0);
  }

  /** A point and up to nine places without zeros at the end; nothing for 0. */
  #fraction(ns: number): void {
    if (ns === 0) return;
    let digits = ns | 0;
    let places = 9;
    while (digits % 10 === 0) {
      digits = (digits / 10) | 0;
      places--;
    }
    const bytes = this.#bytes;
    bytes[this.#at] = POINT;
    let at = this.#at + places + 1;
    this.#at = at;
    for (let i = 0; i < places; i++) {
      const next = (digits / 10) | 0;
      bytes[--at] = ZERO + digits - next * 10;
      digits = next;
    }
    if (this.#at + SLACK > bytes.length) this.#grow(0);
  }

  #number(value: number): void {
    this.raw(Number.isFinite(value) ? String(value) : this.#nullText);
  }

  #escaped(text: string): void {
    this.utf8(JSON.stringify(text));
  }

  #grow(more: number): void {
    const bytes = new Uint8Array((this.#at + more + SLACK) * 2);
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
  }
}
