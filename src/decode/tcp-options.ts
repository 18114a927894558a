/** TCP options (RFC 9293 §3.2; RFC 7323, RFC 2018, RFC 7413, RFC 6994, RFC 8684). */

/** What a SYN or SYN-ACK offered (RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 7413, RFC 8684). */
export interface TcpOptions {
  /** Bytes, or null. */
  mss: number | null;
  /** Shift count 0 … 14 (RFC 7323 §2.3: greater ones count as 14), or null. */
  windowScale: number | null;
  sackPermitted: boolean;
  timestamps: boolean;
  /** Hex of the cookie; the empty string is a request for one; null: no option. */
  fastOpenCookie: string | null;
  mptcp: boolean;
}

export const END_OF_LIST = 0;
const NO_OPERATION = 1;
export const MSS = 2;
export const WINDOW_SCALE = 3;
export const SACK_PERMITTED = 4;
const SACK = 5;
export const TIMESTAMPS = 8;
export const MPTCP = 30;
export const FAST_OPEN = 34;
/** Shared by experiments, told apart by the two bytes after the length (RFC 6994). */
export const EXPERIMENT = 254;
export const FAST_OPEN_EXPERIMENT = 0xf989;

export const MAX_SACK_BLOCKS = 4;

/** NOP NOP and the beginning of a timestamps option, as nearly every segment has it (RFC 7323 appendix A). */
export const NOP_NOP_TIMESTAMPS = 0x0101080a;

/**
 * Reads the blocks of the first SACK option into `out` from `to` on: left and right edge in turn, as 32-bit patterns.
 * Returns how many blocks it wrote, 0 … MAX_SACK_BLOCKS.
 */
export function readSackBlocks(
  view: DataView,
  offset: number,
  len: number,
  out: Int32Array,
  to: number,
): number {
  const end = optionsEnd(view, offset, len);
  const option = findOption(view, offset, end, SACK);
  if (option < 0) return 0;
  const inOption = (view.getUint8(option + 1) - 2) >> 3;
  const blocks = Math.min(inOption, MAX_SACK_BLOCKS);
  for (let i = 0; i < blocks; i++) {
    out[to + 2 * i] = view.getInt32(option + 2 + 8 * i);
    out[to + 2 * i + 1] = view.getInt32(option + 6 + 8 * i);
  }
  return blocks;
}

/** Where the value of a timestamps option of the `len` bytes from `offset` begins, or -1. Hot path. */
export function findTimestamps(view: DataView, offset: number, len: number): number {
  const end = optionsEnd(view, offset, len);
  const option = findOption(view, offset, end, TIMESTAMPS);
  return option >= 0 && view.getUint8(option + 1) === 10 ? option + 2 : -1;
}

/** Where the first whole option of the kind begins, or -1. */
function findOption(view: DataView, offset: number, end: number, wanted: number): number {
  let at = offset;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === END_OF_LIST) return -1;
    const size = optionSize(view, at, end, kind);
    if (size === 0) return -1;
    if (kind === wanted) return at;
    at += size;
  }
  return -1;
}

/** Bytes of the option at `at`, or 0 where it is damaged or ends beyond `end`. */
export function optionSize(view: DataView, at: number, end: number, kind: number): number {
  if (kind === NO_OPERATION) return 1;
  if (at + 2 > end) return 0;
  const size = view.getUint8(at + 1);
  return size < 2 || at + size > end ? 0 : size;
}

/** One beyond the last byte that may be read: never beyond the view. */
export function optionsEnd(view: DataView, offset: number, len: number): number {
  return Math.min(offset + len, view.byteLength);
}
