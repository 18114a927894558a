/** Instants as whole seconds and nanoseconds: an epoch in nanoseconds doesn't fit in a double. */

export const NS_PER_S = 1_000_000_000;

/** Maximum segment lifetime in seconds: Linux holds TIME_WAIT for 60 s (RFC 9293 §3.4.2 would say 120). */
export const DEFAULT_MSL_SEC = 30;

/** The second formatted last: records come by the thousand within one. */
let lastSec = -1;
let lastWhole = '';

/** Second `sec` (0 … 2^32-1) as RFC 3339 has it in UTC, without decimals and zone. */
export function formatWholeUtc(sec: number): string {
  return new Date(sec * 1000).toISOString().slice(0, -5);
}

/** `sec` (0 … 2^32-1) and `ns` (0 … 999999999) as RFC 3339 in UTC with nine decimals. */
export function formatUtc(sec: number, ns: number): string {
  if (sec !== lastSec) {
    lastSec = sec;
    lastWhole = formatWholeUtc(sec);
  }
  return `${lastWhole}.${String(ns + NS_PER_S).slice(1)}Z`;
}
