/** Link layers by LINKTYPE_ number (draft-ietf-opsawg-pcaplinktype, tcpdump.org/linktypes.html). */

import { step80211, stepPrism, stepRadiotap } from './ieee80211.ts';
import {
  type Packet,
  STEP_80211,
  STEP_ETHERNET,
  STEP_ETHERTYPE,
  STEP_IP,
  STEP_IPV4,
  STEP_IPV6,
  STEP_LLC,
} from './packet.ts';
import { stepCiscoHdlc, stepPpp, stepPppoe } from './ppp.ts';
import { LINK_TRUNCATED, UNKNOWN_LINK_TYPE, UNKNOWN_PAYLOAD } from './reasons.ts';

export const LINKTYPE_ETHERNET = 1;

const SLL_LEN = 16;
const SLL2_LEN = 20;
/** Of the protocol field in a cooked header. */
const SLL_802_2 = 4;
const ARPHRD_NETLINK = 824;

const MPACKET_PREAMBLE_LEN = 8;
const NFLOG_PAYLOAD = 9;
/** Attributes an NFLOG frame may have before its payload: nineteen kinds exist. */
const MAX_NFLOG_ATTRIBUTES = 64;

/** The step after the link layer's own header, which it passes. */
export function stepLink(p: Packet, linkType: number): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return STEP_ETHERNET;
    case 12: // the numbers that systems use for raw IP beside the official one
    case 14:
    case 101:
      return STEP_IP;
    case 228:
      return STEP_IPV4;
    case 229:
      return STEP_IPV6;
    case 0:
    case 108:
      return stepNull(p);
    case 113:
      return stepSll(p, SLL_LEN, 14, 2);
    case 276:
      return stepSll(p, SLL2_LEN, 0, 8);
    case 9:
    case 50:
    case 104:
      return stepPppOrHdlc(p);
    case 51:
      return stepPppoe(p);
    case 100: // RFC 2684
      return STEP_LLC;
    case 105:
      return step80211(p);
    case 127:
      return stepRadiotap(p);
    case 119:
    case 163:
      return stepPrism(p);
    case 192:
      return stepPpi(p);
    case 239:
      return stepNflog(p);
    case 274:
      return stepMpacket(p);
    default:
      return ~UNKNOWN_LINK_TYPE;
  }
}

/** The address family in the byte order of the machine that captured, or (LOOP) of the network. */
function stepNull(p: Packet): number {
  if (p.capturedEnd - p.at < 4) return ~LINK_TRUNCATED;
  const family = Math.min(p.view.getUint32(p.at), p.view.getUint32(p.at, true));
  p.at += 4;
  switch (family) {
    case 2:
      return STEP_IPV4;
    case 24: // NetBSD, OpenBSD, Npcap
    case 28: // FreeBSD
    case 30: // macOS
      return STEP_IPV6;
    default:
      return ~UNKNOWN_PAYLOAD;
  }
}

/** A cooked header of Linux: the places of its protocol and of its ARPHRD_ type differ by version. */
function stepSll(p: Packet, len: number, protocolAt: number, typeAt: number): number {
  if (p.capturedEnd - p.at < len) return ~LINK_TRUNCATED;
  if (p.view.getUint16(p.at + typeAt) === ARPHRD_NETLINK) return ~UNKNOWN_PAYLOAD;
  p.protocol = p.view.getUint16(p.at + protocolAt);
  p.at += len;
  if (p.protocol > 1500) return STEP_ETHERTYPE;
  return p.protocol === SLL_802_2 ? STEP_LLC : ~UNKNOWN_PAYLOAD;
}

/** HDLC framing: Cisco's by its addresses (unicast, broadcast), else PPP. */
function stepPppOrHdlc(p: Packet): number {
  if (p.capturedEnd - p.at < 1) return ~LINK_TRUNCATED;
  const address = p.view.getUint8(p.at);
  return address === 0x0f || address === 0x8f ? stepCiscoHdlc(p) : stepPpp(p);
}

/** Per-Packet Information: a little-endian header that names the link type behind it. */
function stepPpi(p: Packet): number {
  const { view, at } = p;
  if (p.capturedEnd - at < 8) return ~LINK_TRUNCATED;
  const len = view.getUint16(at + 2, true);
  const linkType = view.getUint32(at + 4, true);
  if (len < 8 || p.capturedEnd - at < len) return ~LINK_TRUNCATED;
  p.at = at + len;
  if (linkType === 105) return STEP_80211;
  return linkType === LINKTYPE_ETHERNET ? STEP_ETHERNET : ~UNKNOWN_PAYLOAD;
}

/**
 * Netfilter's log: attributes in the byte order of the machine that captured. The smaller of the two readings
 * of a length is the right one, as an attribute is shorter than 256 bytes or the frame would be longer than 64 KiB.
 */
function stepNflog(p: Packet): number {
  const { view, capturedEnd } = p;
  if (capturedEnd - p.at < 4) return ~LINK_TRUNCATED;
  const family = view.getUint8(p.at);
  let at = p.at + 4;
  let littleEndian = true;
  for (let i = 0; i < MAX_NFLOG_ATTRIBUTES; i++) {
    if (capturedEnd - at < 4) return ~LINK_TRUNCATED;
    if (i === 0) littleEndian = view.getUint16(at, true) < view.getUint16(at);
    const len = view.getUint16(at, littleEndian);
    if (len < 4) return ~UNKNOWN_PAYLOAD;
    if ((view.getUint16(at + 2, littleEndian) & 0x7fff) === NFLOG_PAYLOAD) {
      p.at = at + 4;
      if (family === 2) return STEP_IPV4;
      return family === 10 ? STEP_IPV6 : ~UNKNOWN_PAYLOAD;
    }
    at += (len + 3) & ~3;
  }
  return ~UNKNOWN_PAYLOAD;
}

/** Ethernet with its preamble (IEEE 802.3br): whole frames and first fragments, told by the last byte of it. */
function stepMpacket(p: Packet): number {
  if (p.capturedEnd - p.at < MPACKET_PREAMBLE_LEN) return ~LINK_TRUNCATED;
  const delimiter = p.view.getUint8(p.at + MPACKET_PREAMBLE_LEN - 1);
  p.at += MPACKET_PREAMBLE_LEN;
  switch (delimiter) {
    case 0xd5: // express
    case 0xe6: // the four that start a preemptable frame
    case 0x4c:
    case 0x7f:
    case 0xb3:
      return STEP_ETHERNET;
    default:
      return ~UNKNOWN_PAYLOAD;
  }
}
