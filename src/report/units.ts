/**
 * Figures for people: decimal units (1 kB is 1000 B, as in ISO 80000-13), three significant digits, a space before the unit.
 * Machine formats never use these.
 */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Three significant digits of `value` (0 ≤ value < 1000), at most two decimals, without trailing zeros. */
function threeDigits(value: number): string {
  const decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(decimals)));
}

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

/** Seconds as `850 µs`, `12.3 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`; `0 s` for zero. */
export function humanSeconds(seconds: number): string {
  if (seconds < 0) return `-${humanSeconds(-seconds)}`;
  if (seconds === 0) return '0 s';
  if (seconds < 999.5e-9) return `${threeDigits(seconds * 1e9)} ns`;
  if (seconds < 999.5e-6) return `${threeDigits(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${threeDigits(seconds * 1e3)} ms`;
  if (seconds < 59.95) return `${threeDigits(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad2(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${pad2(minutes % 60)} min`;
  return `${threeDigits(Math.min(seconds / 86400, 99999))} d`;
}

/** `1234567` as `1,234,567`. */
export function humanCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 frame`, `2 frames`. */
export function plural(count: number, noun: string): string {
  return `${humanCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The share of `part` in `whole` as `12.3%`; empty where `whole` is 0. */
export function humanShare(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)}%`;
}

function pad2(n: number): string {
  return String(n).padStart(2, '0');
}
