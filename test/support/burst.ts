/** More connections at once than stay in memory afterwards. */

import { KEPT_RECORDS } from '../../src/tcp/shrink.ts';
import type { TestFrame } from './pcap.ts';

/** Connections of a burst. */
export const BURST = KEPT_RECORDS + 20_000;

const SOURCE_V4 = 26;
/** The last four bytes of an IPv6 address. */
const SOURCE_V6 = 34;

/** The n-th of many frames like `frame`, which is Ethernet without a tag: each from another address. */
export function fromAnother(frame: TestFrame, n: number): TestFrame {
  const bytes = new Uint8Array(frame.bytes);
  const isV4 = (bytes[14] ?? 0) >> 4 === 4;
  new DataView(bytes.buffer).setUint32(isV4 ? SOURCE_V4 : SOURCE_V6, 0x0b00_0000 + n);
  return { ...frame, bytes };
}
