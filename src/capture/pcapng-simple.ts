/** Simple packets of pcapng: no time, no captured length and no interface of their own (draft-ietf-opsawg-pcapng §4.4). */

import type { SectionInterface } from './pcapng-blocks.ts';
import { type BlockDamage, badBody, badCapturedLength, unknownInterface } from './pcapng-damage.ts';
import { type FrameBatch, MAX_FRAME_BYTES, MAX_ORIGINAL_LEN } from './source.ts';

export const SIMPLE_PACKET = 3;

/** Type, length and the length on the wire; the frame comes behind them. */
const HEADER_BYTES = 12;
const MIN_BYTES = 16;

/**
 * Puts the packet of the block at `start`, `length` bytes long, at `count` of the batch; returns what is wrong with it, or null. It is
 * of interface 0 (`described`), and cut by its snap length. Its time is the caller's to fill in.
 */
export function readSimplePacket(
  view: DataView,
  start: number,
  length: number,
  littleEndian: boolean,
  described: SectionInterface | undefined,
  batch: FrameBatch,
  count: number,
): BlockDamage | null {
  if (length < MIN_BYTES) return badBody(SIMPLE_PACKET, MIN_BYTES, length);
  if (described === undefined) return unknownInterface(0, 0);
  const original = view.getUint32(start + HEADER_BYTES - 4, littleEndian);
  const snapLen = described.snapLen === 0 ? original : described.snapLen;
  const captured = Math.min(original, snapLen);
  const limit = Math.min(length - MIN_BYTES, Math.max(described.snapLen, MAX_FRAME_BYTES));
  if (captured > limit) return badCapturedLength(limit, captured);

  batch.offset[count] = start + HEADER_BYTES;
  batch.capturedLen[count] = captured;
  batch.originalLen[count] = Math.min(original, MAX_ORIGINAL_LEN);
  batch.iface[count] = described.index;
  batch.linkType[count] = described.linkType;
  return null;
}
