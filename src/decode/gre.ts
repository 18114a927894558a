/** GRE (RFC 2784, RFC 2890), its PPTP variant (RFC 2637 §4.1) and ERSPAN (draft-foschiano-erspan). */

import { type Packet, STEP_ETHERNET, STEP_ETHERTYPE, STEP_IPV4, STEP_PPP } from './packet.ts';
import { TUNNEL_TRUNCATED, TUNNEL_UNSUPPORTED } from './reasons.ts';

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGMENT = 0x0080;
const VERSION = 0x0007;

const PPP = 0x880b;
const ERSPAN = 0x88be;
const WCCP = 0x883e;
const ERSPAN_III = 0x22eb;

/** Passes a GRE header to the EtherType within. */
export function stepGre(p: Packet): number {
  if (p.capturedEnd - p.at < 4) return ~TUNNEL_TRUNCATED;
  const flags = p.view.getUint16(p.at);
  const version = flags & VERSION;
  if (version > 1 || (flags & ROUTING) !== 0) return ~TUNNEL_UNSUPPORTED;
  p.protocol = p.view.getUint16(p.at + 2);
  p.at += 4;
  if ((flags & CHECKSUM) !== 0) p.at += 4;
  if ((flags & KEY) !== 0) p.at += 4;
  if ((flags & SEQUENCE) !== 0) p.at += 4;
  if (version === 1 && (flags & ACKNOWLEDGMENT) !== 0) p.at += 4;

  if (p.protocol === PPP) return STEP_PPP;
  // Type I has neither a sequence number nor a header of its own.
  if (p.protocol === ERSPAN) return passErspan(p, (flags & SEQUENCE) === 0 ? 0 : 8);
  if (p.protocol === ERSPAN_III) return stepErspan3(p);
  if (p.protocol === WCCP) {
    if (p.capturedEnd - p.at < 4) return ~TUNNEL_TRUNCATED;
    // Version 2 puts four bytes before the IPv4 header.
    if (p.view.getUint8(p.at) >> 4 !== 4) p.at += 4;
    return STEP_IPV4;
  }
  return STEP_ETHERTYPE;
}

function stepErspan3(p: Packet): number {
  if (p.capturedEnd - p.at < 12) return ~TUNNEL_TRUNCATED;
  const hasSubheader = (p.view.getUint8(p.at + 11) & 1) !== 0;
  return passErspan(p, hasSubheader ? 20 : 12);
}

function passErspan(p: Packet, headerLen: number): number {
  if (p.capturedEnd - p.at < headerLen) return ~TUNNEL_TRUNCATED;
  p.at += headerLen;
  return STEP_ETHERNET;
}
