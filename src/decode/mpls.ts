/** MPLS label stack (RFC 3032), and what is beneath it by its first four bits (RFC 4928, RFC 4385). */

import { type Packet, STEP_ETHERNET, STEP_IPV4, STEP_IPV6 } from './packet.ts';
import { LINK_TRUNCATED, TOO_MANY_HEADERS, UNKNOWN_PAYLOAD } from './reasons.ts';

const MAX_LABELS = 32;
const BOTTOM_OF_STACK = 0x100;

/** Passes the label stack, and the control word of an Ethernet pseudo-wire. */
export function stepMpls(p: Packet): number {
  const { view, capturedEnd } = p;
  for (let i = 0; i < MAX_LABELS; i++) {
    if (capturedEnd - p.at < 5) return ~LINK_TRUNCATED;
    const entry = view.getUint32(p.at);
    p.at += 4;
    if ((entry & BOTTOM_OF_STACK) === 0) continue;
    const nibble = view.getUint8(p.at) >> 4;
    if (nibble === 4) return STEP_IPV4;
    if (nibble === 6) return STEP_IPV6;
    if (nibble !== 0) return ~UNKNOWN_PAYLOAD;
    p.at += 4;
    return STEP_ETHERNET;
  }
  return ~TOO_MANY_HEADERS;
}
