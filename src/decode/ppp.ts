/** PPP (RFC 1661 §2, RFC 1662 §3.1), PPPoE sessions (RFC 2516 §4) and Cisco HDLC. */

import {
  endPacket,
  type Packet,
  STEP_ETHERTYPE,
  STEP_IPV4,
  STEP_IPV6,
  STEP_MPLS,
  STEP_PPP,
} from './packet.ts';
import { LINK_TRUNCATED, NOT_TCP, UNKNOWN_PAYLOAD } from './reasons.ts';

const PPPOE_LEN = 6;
const ADDRESS_AND_CONTROL = 0xff03;

/** Passes a PPP header: address and control may be left out, and the protocol may be one byte. */
export function stepPpp(p: Packet): number {
  const { view, capturedEnd } = p;
  if (capturedEnd - p.at < 4) return ~LINK_TRUNCATED;
  if (view.getUint16(p.at) === ADDRESS_AND_CONTROL) p.at += 2;
  let protocol = view.getUint8(p.at++);
  if ((protocol & 1) === 0) protocol = (protocol << 8) | view.getUint8(p.at++);
  switch (protocol) {
    case 0x0021:
      return STEP_IPV4;
    case 0x0057:
      return STEP_IPV6;
    case 0x0281:
    case 0x0283:
      return STEP_MPLS;
    default:
      // Data protocols lie below 0x4000, the control protocols of the link above.
      return protocol < 0x4000 ? ~UNKNOWN_PAYLOAD : ~NOT_TCP;
  }
}

/** Passes the header of a PPPoE session frame. */
export function stepPppoe(p: Packet): number {
  if (p.capturedEnd - p.at < PPPOE_LEN) return ~LINK_TRUNCATED;
  const payloadLen = p.view.getUint16(p.at + 4);
  p.at += PPPOE_LEN;
  endPacket(p, p.at + payloadLen);
  return STEP_PPP;
}

/** Passes address, control and EtherType of Cisco HDLC. */
export function stepCiscoHdlc(p: Packet): number {
  if (p.capturedEnd - p.at < 4) return ~LINK_TRUNCATED;
  p.protocol = p.view.getUint16(p.at + 2);
  p.at += 4;
  return STEP_ETHERTYPE;
}
