/** Ethernet and the tags between it and IP (IEEE 802.3, 802.1Q, 802.2 with SNAP; NSH, RFC 8300). */

import {
  endPacket,
  type Packet,
  STEP_ETHERNET,
  STEP_ETHERTYPE,
  STEP_IPV4,
  STEP_IPV6,
  STEP_LLC,
  STEP_MPLS,
} from './packet.ts';
import { stepPppoe } from './ppp.ts';
import {
  ARP,
  LINK_TRUNCATED,
  TUNNEL_TRUNCATED,
  TUNNEL_UNSUPPORTED,
  UNKNOWN_ETHERTYPE,
  UNKNOWN_PAYLOAD,
} from './reasons.ts';

const HEADER_LEN = 14;
const ETHERTYPE = 12;
/** Up to here the field is the length of an 802.3 frame. */
const MAX_LENGTH = 1500;

const LLC_SNAP = 0xaaaa;
const LLC_IP = 0x0606;
const UNNUMBERED = 3;
const SNAP_LEN = 8;

/** Passes the addresses and the EtherType. */
export function stepEthernet(p: Packet): number {
  if (p.capturedEnd - p.at < HEADER_LEN) return ~LINK_TRUNCATED;
  p.protocol = p.view.getUint16(p.at + ETHERTYPE);
  p.at += HEADER_LEN;
  return STEP_ETHERTYPE;
}

/** The step for `p.protocol`; passes tags. */
export function stepEthertype(p: Packet): number {
  switch (p.protocol) {
    case 0x0800:
      return STEP_IPV4;
    case 0x86dd:
      return STEP_IPV6;
    case 0x8100:
    case 0x88a8:
    case 0x9100:
      if (p.capturedEnd - p.at < 4) return ~LINK_TRUNCATED;
      p.vlan = p.view.getUint16(p.at) & 0xfff;
      return passTag(p, 4);
    case 0x8926: // VN-Tag
    case 0x892f: // HSR
      return passTag(p, 6);
    case 0x8909: // Cisco MetaData
      return passTag(p, 8);
    case 0x894f:
      return stepNsh(p);
    case 0x8870: // a jumbo frame of 802.3
      return STEP_LLC;
    case 0x8847:
    case 0x8848:
      return STEP_MPLS;
    case 0x8864:
      return stepPppoe(p);
    case 0x6558: // transparent Ethernet bridging
      return STEP_ETHERNET;
    case 0x0806:
    case 0x8035:
      return ~ARP;
    default:
      if (p.protocol > MAX_LENGTH) return ~UNKNOWN_ETHERTYPE;
      endPacket(p, p.at + p.protocol);
      return STEP_LLC;
  }
}

/** Passes a tag of `len` bytes, the last two of which are an EtherType. */
function passTag(p: Packet, len: number): number {
  if (p.capturedEnd - p.at < len) return ~LINK_TRUNCATED;
  p.protocol = p.view.getUint16(p.at + len - 2);
  p.at += len;
  return STEP_ETHERTYPE;
}

/** Passes a network service header (RFC 8300 §2.2). */
export function stepNsh(p: Packet): number {
  const { view, at } = p;
  if (p.capturedEnd - at < 8) return ~TUNNEL_TRUNCATED;
  const len = (view.getUint8(at + 1) & 0x3f) * 4;
  if (len < 8) return ~TUNNEL_UNSUPPORTED;
  p.at = at + len;
  return stepNextProtocol(view.getUint8(at + 3));
}

/** The step by a next protocol number of NSH, which VXLAN-GPE shares. */
export function stepNextProtocol(next: number): number {
  switch (next) {
    case 1:
      return STEP_IPV4;
    case 2:
      return STEP_IPV6;
    case 3:
      return STEP_ETHERNET;
    case 5:
      return STEP_MPLS;
    default:
      return ~TUNNEL_UNSUPPORTED;
  }
}

/** Passes an 802.2 header, with SNAP to an EtherType. */
export function stepLlc(p: Packet): number {
  const { view, at } = p;
  if (p.capturedEnd - at < 3) return ~LINK_TRUNCATED;
  const saps = view.getUint16(at);
  if (view.getUint8(at + 2) !== UNNUMBERED) return ~UNKNOWN_PAYLOAD;
  if (saps === LLC_IP) {
    p.at = at + 3;
    return STEP_IPV4;
  }
  if (saps !== LLC_SNAP) return ~UNKNOWN_PAYLOAD;
  if (p.capturedEnd - at < SNAP_LEN) return ~LINK_TRUNCATED;
  const organization = (view.getUint8(at + 3) << 16) | view.getUint16(at + 4);
  // Encapsulated Ethernet, and the number that bridges of 802.1H use for it.
  if (organization !== 0 && organization !== 0xf8) return ~UNKNOWN_PAYLOAD;
  p.protocol = view.getUint16(at + 6);
  p.at = at + SNAP_LEN;
  return p.protocol <= MAX_LENGTH ? ~UNKNOWN_PAYLOAD : STEP_ETHERTYPE;
}
