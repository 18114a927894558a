/** Absolute times for people: in UTC, or in the zone of the machine on request. */

const RFC3339 = /^(\d{4,}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/;

export interface TimeOptions {
  /** Whether to show the machine's zone in place of UTC. */
  local: boolean;
}

/** `HH:MM:SS.mmm` of a record's time; the text itself where it is no such time. */
export function clockTime(utc: string, options: TimeOptions): string {
  const parts = split(utc, options);
  return parts === null ? utc : `${parts.clock}.${parts.fraction.slice(0, 3)}`;
}

/** `YYYY-MM-DD` of a record's time; empty where it is no such time. */
export function dayOf(utc: string, options: TimeOptions): string {
  return split(utc, options)?.date ?? '';
}

/** How many characters of `dayOf` go without saying between two times: all within one day, the year within one year; none where either is null. */
export function sameDayLen(start: string | null, end: string | null, options: TimeOptions): number {
  if (start === null || end === null) return 0;
  const [first, last] = [dayOf(start, options), dayOf(end, options)];
  if (first === last) return first.length;
  const yearLen = first.length - 'MM-DD'.length;
  return first.slice(0, yearLen) === last.slice(0, yearLen) ? yearLen : 0;
}

/** `YYYY-MM-DD HH:MM:SS.ffffff UTC`, or with the local offset. */
export function fullTime(utc: string, options: TimeOptions): string {
  const parts = split(utc, options);
  return parts === null
    ? utc
    : `${parts.date} ${parts.clock}.${parts.fraction.slice(0, 6)} ${parts.zone}`;
}

function split(
  utc: string,
  { local }: TimeOptions,
): { date: string; clock: string; fraction: string; zone: string } | null {
  const match = RFC3339.exec(utc);
  if (match === null) return null;
  const fraction = (match[3] ?? '').padEnd(9, '0');
  if (!local) return { date: match[1] ?? '', clock: match[2] ?? '', fraction, zone: 'UTC' };
  const at = new Date(`${match[1]}T${match[2]}Z`);
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = -at.getTimezoneOffset();
  const size = Math.abs(offset);
  return {
    date: `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    clock: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
    fraction,
    zone: `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`,
  };
}

/** Seconds between two RFC 3339 times, to the nanosecond. */
export function secondsBetween(start: string, end: string): number {
  const whole = (Date.parse(`${end.slice(0, 19)}Z`) - Date.parse(`${start.slice(0, 19)}Z`)) / 1000;
  const fraction = (text: string): number => Number(`0${/\.\d+/.exec(text)?.[0] ?? ''}`);
  return Math.max(0, whole + fraction(end) - fraction(start));
}
