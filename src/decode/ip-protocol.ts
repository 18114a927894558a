/** What lies above IP, by protocol number (IANA "Assigned Internet Protocol Numbers"). */

import { stepGre } from './gre.ts';
import { passExtension, stepIpv6Fragment } from './ipv6.ts';
import { type Packet, STEP_ETHERNET, STEP_IPV4, STEP_IPV6, STEP_MPLS, STEP_TCP } from './packet.ts';
import { ENCRYPTED_IP, ICMP, NOT_TCP, TUNNEL_TRUNCATED } from './reasons.ts';
import type { Reassembly } from './reassembly.ts';
import { stepUdp } from './udp.ts';

/** The step after the header that named `p.protocol`. As in Wireshark, IPv6's extension headers may follow IPv4 too. */
export function stepIpProtocol(p: Packet, reassembly: Reassembly): number {
  switch (p.protocol) {
    case 6:
      return STEP_TCP;
    case 17:
      return stepUdp(p);
    case 1:
    case 58:
      return ~ICMP;
    case 4:
      return STEP_IPV4;
    case 41:
      return STEP_IPV6;
    case 47:
      return stepGre(p);
    case 50:
      return ~ENCRYPTED_IP;
    case 51: // AH (RFC 4302 §2.2): its length counts words of 4 bytes, less 2
      return passExtension(p, 4, 8);
    case 97: // EtherIP (RFC 3378)
      if (p.capturedEnd - p.at < 2) return ~TUNNEL_TRUNCATED;
      p.at += 2;
      return STEP_ETHERNET;
    case 143: // Ethernet (RFC 8986)
      return STEP_ETHERNET;
    case 137: // MPLS in IP (RFC 4023)
      return STEP_MPLS;
    case 0: // hop-by-hop options
    case 43: // routing
    case 60: // destination options
    case 140: // Shim6
      return passExtension(p, 8, 8);
    case 44:
      return p.family === 6 ? stepIpv6Fragment(p, reassembly) : ~NOT_TCP;
    default:
      return ~NOT_TCP;
  }
}
