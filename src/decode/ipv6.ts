/** IPv6 header and its extension headers (RFC 8200 §3 and §4, RFC 2675). */

import { endPacket, MAX_IP_HEADERS, type Packet, STEP_IP_PROTOCOL } from './packet.ts';
import { FRAGMENT_INCOMPLETE, IP_BAD_HEADER, IP_TRUNCATED, TOO_MANY_HEADERS } from './reasons.ts';
import { type Reassembly, reassemble } from './reassembly.ts';

const HEADER_LEN = 40;
const PAYLOAD_LEN = 4;
const NEXT_HEADER = 6;
const SRC = 8;
const DST = 24;

const HOP_BY_HOP = 0;
const PAD1 = 0;
const JUMBO_PAYLOAD = 194;
const FRAGMENT_HEADER_LEN = 8;

/** Passes an IPv6 header. A payload length of 0 is a jumbogram's or segmentation offload: the rest of the frame. */
export function stepIpv6(p: Packet): number {
  const { view, at } = p;
  if (p.capturedEnd - at < HEADER_LEN) return ~IP_TRUNCATED;
  if (view.getUint8(at) >> 4 !== 6) return ~IP_BAD_HEADER;
  if (++p.ipHeaders > MAX_IP_HEADERS) return ~TOO_MANY_HEADERS;

  p.ipAt = at;
  p.family = 6;
  p.protocol = view.getUint8(at + NEXT_HEADER);
  p.at = at + HEADER_LEN;
  const payloadLen = view.getUint16(at + PAYLOAD_LEN) || jumboLen(p);
  if (payloadLen !== 0) endPacket(p, p.at + payloadLen);
  return STEP_IP_PROTOCOL;
}

/** The length in the jumbo payload option of a hop-by-hop header at `p.at` (RFC 2675 §2), or 0. */
function jumboLen(p: Packet): number {
  const { view } = p;
  if (p.protocol !== HOP_BY_HOP || p.capturedEnd - p.at < 8) return 0;
  const headerEnd = p.at + 8 + view.getUint8(p.at + 1) * 8;
  const end = Math.min(headerEnd, p.capturedEnd);
  let at = p.at + 2;
  while (at + 1 < end) {
    const kind = view.getUint8(at);
    if (kind === PAD1) {
      at++;
      continue;
    }
    const len = view.getUint8(at + 1);
    if (kind === JUMBO_PAYLOAD && len === 4 && at + 6 <= end) return view.getUint32(at + 2);
    at += 2 + len;
  }
  return 0;
}

/** Passes an extension header whose second byte counts units of `unit` bytes above `fixed` bytes. */
export function passExtension(p: Packet, unit: number, fixed: number): number {
  if (p.capturedEnd - p.at < fixed) return ~IP_TRUNCATED;
  const len = fixed + p.view.getUint8(p.at + 1) * unit;
  if (p.capturedEnd - p.at < len) return ~IP_TRUNCATED;
  p.protocol = p.view.getUint8(p.at);
  p.at += len;
  return STEP_IP_PROTOCOL;
}

/** Passes a fragment header (RFC 8200 §4.5); an atomic fragment (RFC 6946) needs no other. */
export function stepIpv6Fragment(p: Packet, reassembly: Reassembly): number {
  const { view, at, ipAt } = p;
  if (p.capturedEnd - at < FRAGMENT_HEADER_LEN) return ~IP_TRUNCATED;
  p.protocol = view.getUint8(at);
  p.at = at + FRAGMENT_HEADER_LEN;
  const offsetAndMore = view.getUint16(at + 2);
  if ((offsetAndMore & 0xfff9) === 0) return STEP_IP_PROTOCOL;

  const offset = offsetAndMore & 0xfff8;
  if (p.capturedEnd < p.wireEnd || p.capturedEnd === p.at) {
    return offset === 0 ? STEP_IP_PROTOCOL : ~FRAGMENT_INCOMPLETE;
  }
  const { key } = reassembly.reassembler;
  for (let i = 0; i < 4; i++) {
    key[i] = view.getInt32(ipAt + SRC + 4 * i);
    key[4 + i] = view.getInt32(ipAt + DST + 4 * i);
  }
  key[8] = view.getInt32(at + 4);
  key[9] = 0;
  key[10] = 6 << 16;
  return reassemble(reassembly, p, HEADER_LEN, offset, (offsetAndMore & 1) !== 0);
}
