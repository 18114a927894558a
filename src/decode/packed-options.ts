/** The options of a SYN in one 32-bit word, so that an open connection needs no object for them. */

import {
  END_OF_LIST,
  EXPERIMENT,
  FAST_OPEN,
  FAST_OPEN_EXPERIMENT,
  MPTCP,
  MSS,
  optionSize,
  optionsEnd,
  SACK_PERMITTED,
  type TcpOptions,
  TIMESTAMPS,
  WINDOW_SCALE,
} from './tcp-options.ts';

const PRESENT = 1 << 31;
const HAS_MSS = 1 << 16;
/** Four bits from 17 on: the shift count, 15 for none. */
const SCALE_SHIFT = 17;
const NO_SCALE = 15;
const MAX_SCALE = 14;
const OFFERS_SACK = 1 << 21;
const OFFERS_TIMESTAMPS = 1 << 22;
const OFFERS_MPTCP = 1 << 23;
const COOKIE = 1 << 24;

/** Words that `packSynOptions` writes at most: the packed options; bytes of the Fast Open cookie, and up to 16 of them, four a word. */
export const SYN_OPTION_WORDS = 6;
/** RFC 7413 §4.1.1. */
const MAX_COOKIE_BYTES = 16;

/**
 * Reads the options of a SYN, `len` bytes from `offset`, into `words` from `at` on; the first is never 0. An option that ends beyond them ends the list;
 * one whose length isn't that of its kind is passed over. A shift above 14 counts as 14 (RFC 7323 §2.3); of a cookie that is too long the beginning counts.
 *
 * Hot path, once a SYN.
 */
export function packSynOptions(
  view: DataView,
  offset: number,
  len: number,
  words: Int32Array,
  at: number,
): void {
  const end = optionsEnd(view, offset, len);
  let word = PRESENT;
  let scale = NO_SCALE;
  for (let option = offset; option < end; ) {
    const kind = view.getUint8(option);
    if (kind === END_OF_LIST) break;
    const size = optionSize(view, option, end, kind);
    if (size === 0) break;
    if (kind === MSS && size === 4) {
      word = (word & ~0xffff) | HAS_MSS | view.getUint16(option + 2);
    } else if (kind === WINDOW_SCALE && size === 3) {
      scale = Math.min(view.getUint8(option + 2), MAX_SCALE);
    } else if (kind === SACK_PERMITTED && size === 2) word |= OFFERS_SACK;
    else if (kind === TIMESTAMPS && size === 10) word |= OFFERS_TIMESTAMPS;
    else if (kind === MPTCP && size >= 3) word |= OFFERS_MPTCP;
    else if (kind === FAST_OPEN) {
      word |= COOKIE;
      putCookie(view, option + 2, option + size, words, at + 1);
    } else if (
      kind === EXPERIMENT &&
      size >= 4 &&
      view.getUint16(option + 2) === FAST_OPEN_EXPERIMENT
    ) {
      word |= COOKIE;
      putCookie(view, option + 4, option + size, words, at + 1);
    }
    option += size;
  }
  words[at] = word | (scale << SCALE_SHIFT);
}

function putCookie(
  view: DataView,
  start: number,
  end: number,
  words: Int32Array,
  at: number,
): void {
  const count = Math.min(end - start, MAX_COOKIE_BYTES);
  words[at] = count;
  words.fill(0, at + 1, at + 1 + MAX_COOKIE_BYTES / 4);
  for (let i = 0; i < count; i++) {
    words[at + 1 + (i >> 2)]! |= view.getUint8(start + i) << (24 - 8 * (i & 3));
  }
}

/** The cookie that `packSynOptions` wrote from `at` on, in hex; only where the packed options have one. */
export function cookieText(words: Int32Array, at: number): string {
  let text = '';
  for (let i = 0; i < words[at + 1]!; i++) {
    const byte = (words[at + 2 + (i >> 2)]! >>> (24 - 8 * (i & 3))) & 0xff;
    text += byte.toString(16).padStart(2, '0');
  }
  return text;
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
    sackPermitted: (word & OFFERS_SACK) !== 0,
    timestamps: (word & OFFERS_TIMESTAMPS) !== 0,
    fastOpenCookie: hasCookie(word) ? cookie : null,
    mptcp: (word & OFFERS_MPTCP) !== 0,
  };
}
