/** Hand-written headers and the stacks of them that lead to one TCP segment. */

import { frameOf, type TestFrame } from './pcap.ts';

/** Bytes of hexadecimal digits; spaces are for the reader. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

export function concat(...parts: (Uint8Array | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((p) => (typeof p === 'string' ? hex(p) : p))));
}

function word16(n: number): string {
  return (n & 0xffff).toString(16).padStart(4, '0');
}

/** Port 4660 to 80, sequence number 0x01020304, ack 0x05060708, PSH and ACK, window 512; options in hex. */
export function tcp(payload = 'cafe', options = ''): Uint8Array {
  const words = 5 + options.length / 8;
  return concat(
    `1234 0050 01020304 05060708 ${words.toString(16)}018 0200 abcd 0000`,
    options,
    payload,
  );
}

export interface Ipv4Fields {
  protocol?: number;
  totalLen?: number;
  id?: number;
  /** Flags and fragment offset. */
  fragment?: number;
  options?: string;
}

/** From 10.0.0.1 to 10.0.0.2, time to live 64. */
export function ipv4(payload: Uint8Array, fields: Ipv4Fields = {}): Uint8Array {
  const { protocol = 6, id = 1, fragment = 0, options = '' } = fields;
  const headerLen = 20 + options.length / 2;
  const totalLen = fields.totalLen ?? headerLen + payload.length;
  return concat(
    `4${(headerLen / 4).toString(16)}00 ${word16(totalLen)} ${word16(id)} ${word16(fragment)} 40`,
    `${protocol.toString(16).padStart(2, '0')} 0000 0a000001 0a000002`,
    options,
    payload,
  );
}

/** From fd00::1 to fd00::2, hop limit 63. */
export function ipv6(payload: Uint8Array, nextHeader = 6, payloadLen = payload.length): Uint8Array {
  const address = (n: number) => `fd00 0000 0000 0000 0000 0000 0000 000${n}`;
  return concat(
    `60000000 ${word16(payloadLen)} ${nextHeader.toString(16).padStart(2, '0')} 3f`,
    address(1),
    address(2),
    payload,
  );
}

export function udp(port: number, payload: Uint8Array): Uint8Array {
  return concat(`c001 ${word16(port)} ${word16(8 + payload.length)} 0000`, payload);
}

export function ethernet(type: number, payload: Uint8Array): Uint8Array {
  return concat('020202020202 040404040404', word16(type), payload);
}

const ip = ipv4(tcp());
const ether = ethernet(0x0800, ip);
const LLC_SNAP_IPV4 = 'aaaa03 000000 0800';
const WIFI_ADDRESSES = '020202020202 040404040404 060606060606';

function inEthernet(type: number, ...parts: (Uint8Array | string)[]): TestFrame[] {
  return [frameOf(1, ethernet(type, concat(...parts)))];
}

function inIpv4(protocol: number, ...parts: (Uint8Array | string)[]): TestFrame[] {
  return inEthernet(0x0800, ipv4(concat(...parts), { protocol }));
}

function inUdp(port: number, ...parts: (Uint8Array | string)[]): TestFrame[] {
  return inIpv4(17, udp(port, concat(...parts)));
}

function inIpv6(nextHeader: number, ...parts: (Uint8Array | string)[]): TestFrame[] {
  return inEthernet(0x86dd, ipv6(concat(...parts), nextHeader));
}

function onLink(linkType: number, ...parts: (Uint8Array | string)[]): TestFrame[] {
  return [frameOf(linkType, concat(...parts))];
}

/** Each leads to one segment of two bytes; Wireshark reads every one of them the same way. */
export const stacks: Record<string, TestFrame[]> = {
  'Ethernet and IPv4': onLink(1, ether),
  'Ethernet and IPv4, with padding': onLink(1, ether, '000000000000'),
  'Ethernet and IPv6': inIpv6(6, tcp()),
  'IPv4 options': inEthernet(0x0800, ipv4(tcp(), { options: '01010101' })),
  'an IPv4 total length of 0': inEthernet(0x0800, ipv4(tcp(), { totalLen: 0 })),
  'an IPv4 total length beyond the frame': inEthernet(0x0800, ipv4(tcp(), { totalLen: 1000 })),
  'IPv6 called IPv4': inEthernet(0x0800, ipv6(tcp())),
  'an IPv6 payload length beyond the frame': inEthernet(0x86dd, ipv6(tcp(), 6, 1000)),
  'a VLAN tag': inEthernet(0x8100, '00050800', ip),
  QinQ: inEthernet(0x88a8, '0005 8100 0006 0800', ip),
  'an old QinQ tag': inEthernet(0x9100, '0005 8100 0006 0800', ip),
  'a VN-Tag': inEthernet(0x8926, '00010002 0800', ip),
  HSR: inEthernet(0x892f, '00010002 0800', ip),
  'Cisco MetaData': inEthernet(0x8909, '0101 0001 0005 0800', ip),
  NSH: inEthernet(0x894f, '0002 02 01 00000000', ip),
  'MPLS with IPv4': inEthernet(0x8847, '00010040 00020140', ip),
  'MPLS with IPv6': inEthernet(0x8847, '00020140', ipv6(tcp())),
  'an Ethernet pseudo-wire': inEthernet(0x8847, '00020140 00000000', ether),
  'a PPPoE session': inEthernet(0x8864, '1100 0001', word16(ip.length + 2), '0021', ip),
  'a PPPoE session with a short protocol': inEthernet(
    0x8864,
    '11000001',
    word16(ip.length + 1),
    '21',
    ip,
  ),
  '802.3 with SNAP': inEthernet(8 + ip.length, LLC_SNAP_IPV4, ip),
  '802.3 with the SAP of IP': inEthernet(3 + ip.length, '060603', ip),
  'a jumbo frame of 802.3': inEthernet(0x8870, LLC_SNAP_IPV4, ip),
  GRE: inIpv4(47, '00000800', ip),
  'GRE with checksum, key and sequence number': inIpv4(
    47,
    'b0000800 00000000 00000001 00000002',
    ip,
  ),
  'GRE with Ethernet': inIpv4(47, '00006558', ether),
  'GRE with WCCP': inIpv4(47, '0000883e 00000000', ip),
  'ERSPAN I': inIpv4(47, '000088be', ether),
  'ERSPAN II': inIpv4(47, '100088be 00000001 10000001 00000000', ether),
  'ERSPAN III': inIpv4(47, '100022eb 00000001 20000001 00000000 00000000', ether),
  PPTP: inIpv4(47, '3081880b 00400001 00000001 00000001 ff030021', ip),
  'IPv4 in IPv4': inIpv4(4, ip),
  'IPv6 in IPv4': inIpv4(41, ipv6(tcp())),
  'IPv4 in IPv6': inIpv6(4, ip),
  'IPv6 in IPv6': inIpv6(41, ipv6(tcp())),
  EtherIP: inIpv4(97, '3000', ether),
  'Ethernet in IP': inIpv4(143, ether),
  'MPLS in IP': inIpv4(137, '00020140', ip),
  VXLAN: inUdp(4789, '08000000 00000100', ether),
  'VXLAN-GPE with Ethernet': inUdp(4790, '0c000003 00000100', ether),
  'Geneve with Ethernet': inUdp(6081, '00006558 00000100', ether),
  'Geneve with an option and IPv4': inUdp(6081, '01000800 00000100 00010100', ip),
  'GTP-U': inUdp(2152, '30ff', word16(ip.length), '00000001', ip),
  'GTP-U with an extension header': inUdp(
    2152,
    '34ff',
    word16(ip.length + 8),
    '00000001 00000085 01000000',
    ip,
  ),
  Teredo: inUdp(3544, ipv6(tcp())),
  'Teredo with an origin indication': inUdp(3544, '0000 1234 f5fffffe', ipv6(tcp())),
  L2TP: inUdp(1701, '0002 0001 0001 ff030021', ip),
  'L2TP with a length': inUdp(1701, '4002', word16(ip.length + 12), '0001 0001 ff030021', ip),
  'MPLS in UDP': inUdp(6635, '00020140', ip),
  LISP: inUdp(4341, '80000000 00000000', ip),
  'AH in IPv4': inIpv4(51, '06040000 00000001 00000001 000000000000000000000000', tcp()),
  'AH in IPv6': inIpv6(51, '06040000 00000001 00000001 000000000000000000000000', tcp()),
  'hop-by-hop options': inIpv6(0, '0600 010400000000', tcp()),
  'a routing header': inIpv6(43, '0600 000000000000', tcp()),
  'destination options': inIpv6(60, '0600 010400000000', tcp()),
  Shim6: inIpv6(140, '0600 800000000000', tcp()),
  'an atomic fragment': inIpv6(44, '0600 0000 00000007', tcp()),
  'raw IPv4': onLink(101, ip),
  'raw IPv6': onLink(101, ipv6(tcp())),
  'raw IP by its other number': onLink(12, ip),
  'IPv4 alone': onLink(228, ip),
  'IPv6 alone': onLink(229, ipv6(tcp())),
  'a cooked header': onLink(113, '0000 0001 0006 020202020202 0000 0800', ip),
  'a cooked header, version 2': onLink(276, '0800 0000 00000002 0001 00 06 0202020202020000', ip),
  'a cooked header and a VLAN tag': onLink(
    113,
    '0000 0001 0006 020202020202 0000 8100 0005 0800',
    ip,
  ),
  'NULL, little-endian': onLink(0, '02000000', ip),
  'NULL, big-endian': onLink(0, '00000002', ip),
  'NULL and IPv6 of NetBSD': onLink(0, '18000000', ipv6(tcp())),
  'NULL and IPv6 of FreeBSD': onLink(0, '1c000000', ipv6(tcp())),
  'NULL and IPv6 of macOS': onLink(0, '1e000000', ipv6(tcp())),
  LOOP: onLink(108, '00000002', ip),
  PPP: onLink(9, 'ff030021', ip),
  'PPP without address and control': onLink(9, '0021', ip),
  'PPP and IPv6': onLink(9, 'ff030057', ipv6(tcp())),
  'PPP in HDLC framing': onLink(50, 'ff030021', ip),
  'Cisco HDLC in a PPP capture': onLink(50, '0f000800', ip),
  'PPPoE alone': onLink(51, '1100 0001', word16(ip.length + 2), '0021', ip),
  'Cisco HDLC': onLink(104, '0f000800', ip),
  'RFC 2684 ATM': onLink(100, LLC_SNAP_IPV4, ip),
  '802.11': onLink(105, '0801 0000', WIFI_ADDRESSES, '1000', LLC_SNAP_IPV4, ip),
  '802.11 with QoS': onLink(105, '8802 0000', WIFI_ADDRESSES, '1000 0000', LLC_SNAP_IPV4, ip),
  '802.11 with QoS and HT control': onLink(
    105,
    '8882 0000',
    WIFI_ADDRESSES,
    '1000 0000 00000000',
    LLC_SNAP_IPV4,
    ip,
  ),
  '802.11 with four addresses': onLink(
    105,
    '0803 0000',
    WIFI_ADDRESSES,
    '1000 080808080808',
    LLC_SNAP_IPV4,
    ip,
  ),
  'an A-MSDU': onLink(
    105,
    '8801 0000',
    WIFI_ADDRESSES,
    '1000 8000 020202020202 040404040404',
    word16(8 + ip.length),
    LLC_SNAP_IPV4,
    ip,
  ),
  radiotap: onLink(127, '00000800 00000000 0801 0000', WIFI_ADDRESSES, '1000', LLC_SNAP_IPV4, ip),
  'radiotap with padding after the header': onLink(
    127,
    '00000900 02000000 20 8801 0000',
    WIFI_ADDRESSES,
    '1000 0000 0000',
    LLC_SNAP_IPV4,
    ip,
  ),
  PPI: onLink(192, '00000800 69000000 0801 0000', WIFI_ADDRESSES, '1000', LLC_SNAP_IPV4, ip),
  NFLOG: onLink(
    239,
    '02000001 0800 0100 08000100 0500 0a00 00000000',
    word16Swapped(4 + ip.length),
    '0900',
    ip,
  ),
  'Ethernet with a preamble': onLink(274, '555555555555 55d5', ether, 'b8adb062'),
  'three fragments out of order': fragments(),
};

function word16Swapped(n: number): string {
  const text = word16(n);
  return text.slice(2) + text.slice(0, 2);
}

/** A segment of 28 payload bytes in three fragments, the last one first. */
function fragments(): TestFrame[] {
  const whole = tcp('ab'.repeat(28));
  const part = (from: number, to: number) => {
    const more = to < whole.length ? 0x2000 : 0;
    const fields = { id: 77, fragment: more | (from / 8) };
    return frameOf(1, ethernet(0x0800, ipv4(whole.slice(from, to), fields)));
  };
  return [part(32, 48), part(0, 16), part(16, 32)];
}
