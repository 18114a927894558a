/** The section header of pcapng, which tells the byte order of all that follows it (draft-ietf-opsawg-pcapng §4.1). */

import { CaptureError } from '../base/errors.ts';
import type { BlockDamage } from './pcapng-damage.ts';
import type { Window } from './window.ts';

/** The block type of a section header; it reads the same in both byte orders. */
export const SECTION_HEADER = 0x0a0d0d0a;
/** Type, length, byte-order magic, version, section length, and the length again. */
export const MIN_SECTION_BYTES = 28;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
export const BYTE_ORDER_MAGIC_SWAPPED = 0x4d3c2b1a;

/** What is wrong with the section header at `start` (12 bytes are there, or 28 where the magic is right), or null. */
export function checkSection(view: DataView, start: number): BlockDamage | null {
  const order = view.getUint32(start + 8, true);
  if (order !== BYTE_ORDER_MAGIC && order !== BYTE_ORDER_MAGIC_SWAPPED) {
    return {
      code: 'bad-byte-order',
      message: `expected the byte-order magic 1a2b3c4d of a pcapng section, found ${hex(order)}`,
    };
  }
  const littleEndian = order === BYTE_ORDER_MAGIC;
  const major = view.getUint16(start + 12, littleEndian);
  const minor = view.getUint16(start + 14, littleEndian);
  if (major === 1) return null;
  return {
    code: 'unsupported-version',
    message: `expected pcapng version 1.x, found ${major}.${minor}`,
  };
}

/** Waits for the section header at the start of `window`; throws `CaptureError` where there is none that can be read. */
export async function needSection(name: string, window: Window): Promise<void> {
  if (!(await window.need(MIN_SECTION_BYTES))) {
    throw window.tooShort(name, `a pcapng section header of at least ${MIN_SECTION_BYTES} bytes`);
  }
  const trouble = checkSection(window.view, window.start);
  if (trouble === null) return;
  const code = trouble.code === 'unsupported-version' ? 'unsupported-version' : 'not-a-capture';
  throw new CaptureError(code, name, trouble.message, 0);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
