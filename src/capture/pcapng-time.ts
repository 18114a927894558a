/** Time stamps of pcapng: 64-bit counts of any unit to seconds and nanoseconds (draft-ietf-opsawg-pcapng §4.2, if_tsresol). */

import { NS_PER_S } from '../base/time.ts';
import { MAX_TS_SEC } from './source.ts';

const TWO_32 = 4294967296;
/** Up to here a remainder and a low word add up exactly in a double. */
const MAX_FAST_UNITS = 2 ** 52;
/** 10^9 without its factors of two. */
const NS_ODD_FACTOR = 1953125;

/** if_tsresol where the option is absent: microseconds. */
export const DEFAULT_TSRESOL = 6;

/**
 * Turns an interface's time stamps into seconds (clamped to 0 … MAX_TS_SEC) and nanoseconds (rounded down), exactly.
 *
 * The high word changes every 4295 s at microseconds and every 4.3 s at nanoseconds. So its share is worked out with
 * BigInt when it changes and kept, and a frame costs one division. Units finer than 2^-52 s or 10^-15 s, which no
 * clock has, take the BigInt path for each frame.
 */
export class TimeScale {
  /** Whole seconds of the last `convert`. */
  sec = 0;
  /** Nanoseconds of the last `convert`. */
  ns = 0;
  /**
   * Units since the whole second of the last `convert`, or -1 where `rest` · `nsPerUnit` isn't `ns`. With the same high
   * word and within the same second a caller can so do without another `convert`.
   */
  rest = -1;
  /** Units in a second. */
  readonly units: number;
  /** Nanoseconds in a unit where that is a whole number, else 0. */
  readonly nsPerUnit: number;
  readonly #offsetSec: number;
  readonly #exactUnits: bigint;
  readonly #isFast: boolean;
  readonly #isBinary: boolean;
  readonly #exponent: number;
  #high = -1;
  #baseSec = 0;
  #baseUnits = 0;

  /** `tsresol` as in the option: 10^-n, or 2^-n with the top bit set; `offsetSec` is if_tsoffset. */
  constructor(tsresol: number, offsetSec: bigint) {
    const exponent = tsresol & 0x7f;
    this.#exponent = exponent;
    this.#isBinary = (tsresol & 0x80) !== 0;
    this.#exactUnits = (this.#isBinary ? 2n : 10n) ** BigInt(exponent);
    this.units = Number(this.#exactUnits);
    this.nsPerUnit = !this.#isBinary && this.units <= NS_PER_S ? NS_PER_S / this.units : 0;
    this.#isFast = this.units <= MAX_FAST_UNITS;
    // Sums beyond 2^53 lose units only where the result is clamped anyway.
    this.#offsetSec = Number(offsetSec);
  }

  /** Sets `sec` and `ns` from the two 32-bit words of a time stamp. Hot path, once per frame. */
  convert(high: number, low: number): void {
    this.rest = -1;
    if (high !== this.#high) this.#rebase(high);
    if (!this.#isFast) {
      this.#convertExactly(high, low);
      return;
    }
    const { units } = this;
    const ticks = this.#baseUnits + low;
    // Exact: ticks < 2^53, and a quotient this far below 2^53 / units can't be rounded up to the next integer.
    const whole = Math.floor(ticks / units);
    const rest = ticks - whole * units;
    const sec = this.#baseSec + whole;
    if (sec < 0 || sec > MAX_TS_SEC) {
      this.#clamp(sec);
      return;
    }
    this.sec = sec;
    if (this.nsPerUnit > 0) {
      this.rest = rest;
      this.ns = rest * this.nsPerUnit;
    } else if (this.#isBinary) {
      this.ns = binaryFractionToNs(rest, this.#exponent);
    } else {
      this.ns = Math.floor(rest / (units / NS_PER_S));
    }
  }

  #rebase(high: number): void {
    const ticks = BigInt(high) * BigInt(TWO_32);
    this.#high = high;
    this.#baseSec = Number(ticks / this.#exactUnits) + this.#offsetSec;
    this.#baseUnits = Number(ticks % this.#exactUnits);
  }

  #convertExactly(high: number, low: number): void {
    const ticks = BigInt(high) * BigInt(TWO_32) + BigInt(low);
    const sec = Number(ticks / this.#exactUnits) + this.#offsetSec;
    if (sec < 0 || sec > MAX_TS_SEC) {
      this.#clamp(sec);
      return;
    }
    this.sec = sec;
    this.ns = Number(((ticks % this.#exactUnits) * BigInt(NS_PER_S)) / this.#exactUnits);
  }

  #clamp(sec: number): void {
    this.sec = sec < 0 ? 0 : MAX_TS_SEC;
    this.ns = sec < 0 ? 0 : NS_PER_S - 1;
  }
}

/**
 * `rest` / 2^exponent seconds in nanoseconds, rounded down; `rest` < 2^exponent ≤ 2^52.
 *
 * rest · 10^9 has up to 82 bits, so the product is made of two halves: 10^9 = 2^9 · 1953125, and each half of `rest`
 * (26 bits) times 1953125 (21 bits) is exact.
 */
function binaryFractionToNs(rest: number, exponent: number): number {
  const low = rest % 2 ** 26;
  const lowProduct = low * NS_ODD_FACTOR;
  const carry = Math.floor(lowProduct / 2 ** 26);
  const highProduct = ((rest - low) / 2 ** 26) * NS_ODD_FACTOR + carry;
  const shift = exponent - 9;
  if (shift >= 26) return Math.floor(highProduct / 2 ** (shift - 26));
  return highProduct * 2 ** (26 - shift) + Math.floor((lowProduct - carry * 2 ** 26) / 2 ** shift);
}
