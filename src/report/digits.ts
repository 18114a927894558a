/** Whole numbers and nanoseconds as decimal digits, written four at a time. */

import { NS_PER_S } from '../base/time.ts';

const ZERO = 0x30;
const POINT = 0x2e;

/** Four digits a word, the first in its lowest byte: 0000 … 9999. */
const FOUR_DIGITS = fourDigits();

/** Of 1 … 9999: zeros at the end. */
const ZEROS_AT_END = Uint8Array.from({ length: 10_000 }, (_, i) => {
  return i % 10 !== 0 ? 0 : i % 100 !== 0 ? 1 : i % 1000 !== 0 ? 2 : 3;
});

function fourDigits(): Uint32Array {
  const table = new Uint32Array(10_000);
  for (let i = 0; i < 10_000; i++) {
    const thousands = ZERO + Math.floor(i / 1000);
    const hundreds = ZERO + (Math.floor(i / 100) % 10);
    const tens = ZERO + (Math.floor(i / 10) % 10);
    table[i] = thousands | (hundreds << 8) | (tens << 16) | ((ZERO + (i % 10)) << 24);
  }
  return table;
}

/** Writes `value`, a whole number from 0 to 2^32-1, at `at`: where the next byte goes. Up to ten bytes, and three more are touched. Hot path. */
export function writeDigits(view: DataView, at: number, value: number): number {
  if (value < 10_000) return writeUpToFour(view, at, value);
  if (value < 100_000_000) {
    const high = (value / 10_000) | 0;
    const to = writeUpToFour(view, at, high);
    view.setUint32(to, FOUR_DIGITS[value - high * 10_000]!, true);
    return to + 4;
  }
  const top = (value / 100_000_000) | 0;
  const rest = (value - top * 100_000_000) | 0;
  const high = (rest / 10_000) | 0;
  const to = writeUpToFour(view, at, top);
  view.setUint32(to, FOUR_DIGITS[high]!, true);
  view.setUint32(to + 4, FOUR_DIGITS[rest - high * 10_000]!, true);
  return to + 8;
}

/** `value`, 0 … 9999, in as many digits as it has. */
function writeUpToFour(view: DataView, at: number, value: number): number {
  const skipped = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;
  view.setUint32(at, FOUR_DIGITS[value]! >>> (skipped * 8), true);
  return at + 4 - skipped;
}

/** Writes `ns`, whole nanoseconds from 0 to below 2^32 seconds, as seconds without zeros at the end, at `at`: where the next byte goes. Hot path. */
export function writeNs(view: DataView, at: number, ns: number): number {
  const whole = ns < NS_PER_S ? 0 : Math.floor(ns / NS_PER_S);
  const rest = (ns - whole * NS_PER_S) | 0;
  let to = at + 1;
  if (whole < 10) view.setUint8(at, ZERO + whole);
  else to = writeDigits(view, at, whole);
  if (rest === 0) return to;
  view.setUint8(to, POINT);
  const us = (rest / 1000) | 0;
  const high = (us / 100) | 0;
  const low = us - high * 100;
  view.setUint32(to + 1, FOUR_DIGITS[high]!, true);
  // Captures have whole microseconds more often than not.
  if (us * 1000 === rest) {
    if (low === 0) return to + 5 - ZEROS_AT_END[high]!;
    view.setUint16(to + 5, FOUR_DIGITS[low]! >>> 16, true);
    return to + 7 - ZEROS_AT_END[low]!;
  }
  const last = rest - high * 100_000;
  const four = (last / 10) | 0;
  view.setUint32(to + 5, FOUR_DIGITS[four]!, true);
  if (last === four * 10) return to + 9 - ZEROS_AT_END[four]!;
  view.setUint8(to + 9, ZERO + last - four * 10);
  return to + 10;
}

/** Writes `value`, 0 … 255, and the byte `then` behind it at `at`: where the next byte goes. Hot path. */
export function writeOctet(view: DataView, at: number, value: number, then: number): number {
  const to = writeUpToFour(view, at, value);
  view.setUint8(to, then);
  return to + 1;
}

/** Writes `value`, 0 … 999999999, with all nine digits at `at`: where the next byte goes. Hot path. */
export function writeNineDigits(view: DataView, at: number, value: number): number {
  const high = (value / 100_000) | 0;
  const low = value - high * 100_000;
  const middle = (low / 10) | 0;
  view.setUint32(at, FOUR_DIGITS[high]!, true);
  view.setUint32(at + 4, FOUR_DIGITS[middle]!, true);
  view.setUint8(at + 8, ZERO + low - middle * 10);
  return at + 9;
}
