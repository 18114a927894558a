/** Durations for people: three significant digits up to a minute, then the two units that matter. Machine formats never use these. */

/** Three significant digits of `value` (0 ≤ value < 1000), at most two decimals, without trailing zeros. */
export function threeDigits(value: number): string {
  const decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(decimals)));
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

function pad2(n: number): string {
  return String(n).padStart(2, '0');
}
