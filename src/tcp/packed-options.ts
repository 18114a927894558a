/** The options of a SYN in one 32-bit word, so that an open connection needs no object for them. */

import type { TcpOptions } from './verdicts.ts';

const PRESENT = 1 << 31;
const HAS_MSS = 1 << 16;
/** Four bits from 17 on: the shift count, 15 for none. */
const SCALE_SHIFT = 17;
const NO_SCALE = 15;
const MAX_SCALE = 14;
const SACK_PERMITTED = 1 << 21;
const TIMESTAMPS = 1 << 22;
const MPTCP = 1 << 23;
const COOKIE = 1 << 24;

/** Never 0. The cookie itself is kept elsewhere (`hasCookie`). A shift above 14 counts as 14 (RFC 7323 §2.3). */
export function packOptions(options: TcpOptions): number {
  let word = PRESENT;
  if (options.mss !== null) word |= HAS_MSS | options.mss;
  const scale = options.windowScale === null ? NO_SCALE : Math.min(options.windowScale, MAX_SCALE);
  word |= scale << SCALE_SHIFT;
  if (options.sackPermitted) word |= SACK_PERMITTED;
  if (options.timestamps) word |= TIMESTAMPS;
  if (options.mptcp) word |= MPTCP;
  if (options.fastOpenCookie !== null) word |= COOKIE;
  return word;
}

/** Whether the packed options had a Fast Open cookie or asked for one. */
export function hasCookie(word: number): boolean {
  return (word & COOKIE) !== 0;
}

/** The shift count of the window scale option, or -1 where there was none or no SYN. Hot path. */
export function windowShift(word: number): number {
  const scale = (word >>> SCALE_SHIFT) & 15;
  return word === 0 || scale === NO_SCALE ? -1 : scale;
}

/** The options again; null where `word` is 0 (no SYN seen). `cookie` is the hex of the cookie where there is one. */
export function unpackOptions(word: number, cookie: string): TcpOptions | null {
  if (word === 0) return null;
  const scale = (word >>> SCALE_SHIFT) & 15;
  return {
    mss: (word & HAS_MSS) === 0 ? null : word & 0xffff,
    windowScale: scale === NO_SCALE ? null : scale,
    sackPermitted: (word & SACK_PERMITTED) !== 0,
    timestamps: (word & TIMESTAMPS) !== 0,
    fastOpenCookie: hasCookie(word) ? cookie : null,
    mptcp: (word & MPTCP) !== 0,
  };
}
