/** Address blocks that Zeek takes for local unless told otherwise (`Site::private_address_space`: IANA's special-purpose registries). */

import { parseNetwork } from './address.ts';

// biome-ignore format: one block after the other
const IPV4 = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24',
  '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4',
];
// biome-ignore format: one block after the other
const IPV6 = [
  '::/128', '::1/128', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:2::/48', '2001:db8::/32', 'fc00::/7', 'fe80::/10',
];
/** 6to4 (RFC 3056): an IPv4 block behind these 16 bits is local as well. */
const SIX_TO_FOUR = 0x2002;

/** The words of a block, and which of their bits count. */
interface Block {
  words: number[];
  masks: number[];
}

function block(groups: readonly number[], bits: number): Block {
  const words: number[] = [];
  const masks: number[] = [];
  for (let w = 0; w * 2 < groups.length; w++) {
    const free = 32 - Math.min(32, Math.max(0, bits - w * 32));
    masks.push(free === 32 ? 0 : -1 << free);
    words.push(((groups[w * 2] ?? 0) << 16) | (groups[w * 2 + 1] ?? 0));
  }
  return { words, masks };
}

function networks(texts: readonly string[]) {
  return texts.map(parseNetwork).filter((network) => network !== null);
}

const ipv4Blocks = networks(IPV4).map(({ groups, bits }) => block(groups, bits));
const ipv6Blocks = [
  ...networks(IPV6).map(({ groups, bits }) => block(groups, bits)),
  ...networks(IPV4).map(({ groups, bits }) =>
    block([SIX_TO_FOUR, ...groups, 0, 0, 0, 0, 0], bits + 16),
  ),
];

/** Whether an address, one word (IPv4) or four (IPv6) in network order, is local. */
export function isLocal(family: 4 | 6, address: Int32Array): boolean {
  const blocks = family === 4 ? ipv4Blocks : ipv6Blocks;
  return blocks.some(({ words, masks }) =>
    masks.every((mask, w) => ((address[w] ?? 0) & mask) === words[w]),
  );
}
