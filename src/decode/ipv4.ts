/** IPv4 header (RFC 791 §3.1), and IP by its version. */

import {
  endPacket,
  MAX_IP_HEADERS,
  type Packet,
  STEP_IP_PROTOCOL,
  STEP_IPV4,
  STEP_IPV6,
} from './packet.ts';
import {
  FRAGMENT_INCOMPLETE,
  IP_BAD_HEADER,
  IP_TRUNCATED,
  TOO_MANY_HEADERS,
  UNKNOWN_PAYLOAD,
} from './reasons.ts';
import { type Reassembly, reassemble } from './reassembly.ts';

const MIN_HEADER_LEN = 20;
const TOTAL_LEN = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 6;
const PROTOCOL = 9;
const SRC = 12;
const DST = 16;

const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;

/** IPv4 or IPv6 by the first four bits. */
export function stepIp(p: Packet): number {
  if (p.at >= p.capturedEnd) return ~IP_TRUNCATED;
  const version = p.view.getUint8(p.at) >> 4;
  if (version === 4) return STEP_IPV4;
  return version === 6 ? STEP_IPV6 : ~UNKNOWN_PAYLOAD;
}

/**
 * Passes an IPv4 header. The packet ends where its total length says, but never behind the frame's own end, as in
 * Wireshark; a total length of 0 comes from segmentation offload and means the rest of the frame.
 */
export function stepIpv4(p: Packet, reassembly: Reassembly): number {
  const { view, at } = p;
  if (p.capturedEnd - at < MIN_HEADER_LEN) return ~IP_TRUNCATED;
  const first = view.getUint8(at);
  // The frame calls it IPv4 and it is IPv6: Wireshark reads it as such, and so does this.
  if (first >> 4 === 6) return STEP_IPV6;
  const headerLen = (first & 15) * 4;
  const totalLen = view.getUint16(at + TOTAL_LEN);
  if (first >> 4 !== 4 || headerLen < MIN_HEADER_LEN) return ~IP_BAD_HEADER;
  if (totalLen !== 0 && totalLen < headerLen) return ~IP_BAD_HEADER;
  if (++p.ipHeaders > MAX_IP_HEADERS) return ~TOO_MANY_HEADERS;
  if (totalLen !== 0) endPacket(p, at + totalLen);
  if (p.capturedEnd - at < headerLen) return ~IP_TRUNCATED;

  p.ipAt = at;
  p.family = 4;
  p.protocol = view.getUint8(at + PROTOCOL);
  p.at = at + headerLen;
  const fragment = view.getUint16(at + FRAGMENT);
  if ((fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) === 0) return STEP_IP_PROTOCOL;

  const offset = (fragment & FRAGMENT_OFFSET) * 8;
  if (p.capturedEnd < at + totalLen || totalLen <= headerLen) {
    // Not whole, so it can't be put together; but the first one still shows the TCP header.
    return offset === 0 ? STEP_IP_PROTOCOL : ~FRAGMENT_INCOMPLETE;
  }
  const { key } = reassembly.reassembler;
  key.fill(0);
  key[0] = view.getInt32(at + SRC);
  key[4] = view.getInt32(at + DST);
  key[8] = view.getUint16(at + IDENTIFICATION);
  key[9] = p.protocol;
  key[10] = (4 << 16) | p.vlan;
  return reassemble(reassembly, p, MIN_HEADER_LEN, offset, (fragment & MORE_FRAGMENTS) !== 0);
}
