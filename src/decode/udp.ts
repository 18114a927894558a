/** Tunnels over UDP, by port: VXLAN (RFC 7348), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380), L2TP (RFC 2661). */

import { stepNextProtocol, stepNsh } from './ethernet.ts';
import {
  endPacket,
  type Packet,
  STEP_ETHERNET,
  STEP_ETHERTYPE,
  STEP_IP,
  STEP_MPLS,
  STEP_PPP,
} from './packet.ts';
import { TUNNEL_TRUNCATED, TUNNEL_UNSUPPORTED, UDP } from './reasons.ts';

const HEADER_LEN = 8;
const VXLAN_LEN = 8;
const LISP_LEN = 8;
const GENEVE_LEN = 8;
const GTP_LEN = 8;
const GTP_T_PDU = 255;
/** Extension headers of one GTP-U packet: three kinds are defined for a T-PDU. */
const MAX_GTP_EXTENSIONS = 8;

/** Passes a UDP header and the tunnel's where one of its ports, the lower first, is a tunnel's. */
export function stepUdp(p: Packet): number {
  if (p.capturedEnd - p.at < HEADER_LEN) return ~UDP;
  const src = p.view.getUint16(p.at);
  const dst = p.view.getUint16(p.at + 2);
  // 0 in a jumbogram (RFC 2675 §4): as long as the packet.
  const len = p.view.getUint16(p.at + 4);
  if (len >= HEADER_LEN) endPacket(p, p.at + len);
  p.at += HEADER_LEN;
  const step = stepTunnel(p, Math.min(src, dst));
  return step === ~UDP ? stepTunnel(p, Math.max(src, dst)) : step;
}

function stepTunnel(p: Packet, port: number): number {
  switch (port) {
    case 1701:
      return stepL2tp(p);
    case 2152:
      return stepGtp(p);
    case 3544:
      return stepTeredo(p);
    case 4789:
      if (p.capturedEnd - p.at < VXLAN_LEN) return ~TUNNEL_TRUNCATED;
      p.at += VXLAN_LEN;
      return STEP_ETHERNET;
    case 4341: // LISP (RFC 9300)
      if (p.capturedEnd - p.at < LISP_LEN) return ~TUNNEL_TRUNCATED;
      p.at += LISP_LEN;
      return STEP_IP;
    case 4790: {
      // VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe)
      if (p.capturedEnd - p.at < VXLAN_LEN) return ~TUNNEL_TRUNCATED;
      const next = p.view.getUint8(p.at + 3);
      p.at += VXLAN_LEN;
      return next === 4 ? stepNsh(p) : stepNextProtocol(next);
    }
    case 6081:
      return stepGeneve(p);
    case 6635: // MPLS in UDP (RFC 7510)
      return STEP_MPLS;
    default:
      return ~UDP;
  }
}

function stepGeneve(p: Packet): number {
  if (p.capturedEnd - p.at < GENEVE_LEN) return ~TUNNEL_TRUNCATED;
  const first = p.view.getUint8(p.at);
  if (first >> 6 !== 0) return ~TUNNEL_UNSUPPORTED;
  p.protocol = p.view.getUint16(p.at + 2);
  p.at += GENEVE_LEN + (first & 0x3f) * 4;
  return STEP_ETHERTYPE;
}

function stepGtp(p: Packet): number {
  const { view, capturedEnd } = p;
  let at = p.at;
  if (capturedEnd - at < GTP_LEN) return ~TUNNEL_TRUNCATED;
  const flags = view.getUint8(at);
  // Version 1, and GTP rather than GTP'.
  if (flags >> 4 !== 3 || view.getUint8(at + 1) !== GTP_T_PDU) return ~TUNNEL_UNSUPPORTED;
  at += GTP_LEN;
  if ((flags & 7) !== 0) {
    if (capturedEnd - at < 4) return ~TUNNEL_TRUNCATED;
    let next = (flags & 4) === 0 ? 0 : view.getUint8(at + 3);
    at += 4;
    for (let i = 0; next !== 0; i++) {
      if (i === MAX_GTP_EXTENSIONS) return ~TUNNEL_UNSUPPORTED;
      if (at >= capturedEnd) return ~TUNNEL_TRUNCATED;
      const len = view.getUint8(at) * 4;
      if (len === 0) return ~TUNNEL_UNSUPPORTED;
      if (at + len > capturedEnd) return ~TUNNEL_TRUNCATED;
      next = view.getUint8(at + len - 1);
      at += len;
    }
  }
  p.at = at;
  return STEP_IP;
}

/** An authentication and an origin indication may stand before the IPv6 header (RFC 4380 §5.1.1). */
function stepTeredo(p: Packet): number {
  const { view, capturedEnd } = p;
  let at = p.at;
  if (capturedEnd - at < 4) return ~TUNNEL_TRUNCATED;
  if (view.getUint16(at) === 1) {
    at += 13 + view.getUint8(at + 2) + view.getUint8(at + 3);
    if (capturedEnd - at < 4) return ~TUNNEL_TRUNCATED;
  }
  if (view.getUint16(at) === 0) at += 8;
  p.at = at;
  return STEP_IP;
}

/** An L2TPv2 data message; control messages carry no packet. */
function stepL2tp(p: Packet): number {
  const { view, capturedEnd } = p;
  if (capturedEnd - p.at < 8) return ~TUNNEL_TRUNCATED;
  const flags = view.getUint16(p.at);
  if ((flags & 0x800f) !== 2) return ~TUNNEL_UNSUPPORTED;
  let at = p.at + 6;
  if ((flags & 0x4000) !== 0) at += 2; // length
  if ((flags & 0x0800) !== 0) at += 4; // Ns, Nr
  if ((flags & 0x0200) !== 0) {
    if (capturedEnd - at < 2) return ~TUNNEL_TRUNCATED;
    at += 2 + view.getUint16(at); // offset size, padding
  }
  p.at = at;
  return STEP_PPP;
}
