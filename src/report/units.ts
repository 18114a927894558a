/**
 * Figures for people: decimal units (1 kB is 1000 B, as in ISO 80000-13), three significant digits, a space before the unit.
 * Machine formats never use these.
 */

import { threeDigits } from '../base/duration.ts';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `1234` as `1.23 kB`; below 1000 exact. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${threeDigits(value)} ${BYTE_UNITS[unit]}`;
}

/** The share of `part` in `whole` as `12.3%`; empty where `whole` is 0. */
export function humanShare(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)}%`;
}
