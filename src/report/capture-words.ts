/** What lowers the trust in the figures of a capture, and which frames are no TCP, in a person's words (docs/decoding.md has the reasons). */

import { humanCount } from '../base/count.ts';
import type { NotDecodedReason } from '../decode/reasons.ts';
import type { QUALITY } from './batch.ts';

type Quality = Readonly<Record<(typeof QUALITY)[number], number | null>>;

const QUALITY_WORDS: Readonly<Record<keyof Quality, string>> = {
  droppedByInterface: 'dropped by the interface',
  duplicateFrames: 'duplicate frames',
  snappedFrames: 'cut short by the snap length',
  outOfOrderFrames: 'out of time order',
  begunBefore: 'begun before the capture',
  oneDirection: 'seen in one direction only',
  strayFrames: 'stray frames',
  evicted: 'let go early (too many open, or silent for long)',
};

/** Frames that are whole and hold something else: told together. */
const NOT_TCP_WORDS = {
  arp: 'ARP',
  icmp: 'ICMP',
  udp: 'UDP',
  'unknown-ethertype': 'other than IP',
  'unknown-payload': 'other than IP',
  'not-tcp': 'other over IP',
} as const satisfies Partial<Record<NotDecodedReason, string>>;

const REASON_WORDS: Readonly<
  Record<Exclude<NotDecodedReason, keyof typeof NOT_TCP_WORDS>, string>
> = {
  'unknown-link-type': 'of an unknown link type',
  'link-truncated': 'cut short below IP',
  'not-a-data-frame': '802.11 without data',
  'encrypted-80211': 'encrypted 802.11',
  'fragment-80211': 'fragments of 802.11',
  'ip-truncated': 'cut short in the IP header',
  'ip-bad-header': 'with a bad IP header',
  'encrypted-ip': 'encrypted (ESP)',
  'tunnel-truncated': 'cut short in a tunnel header',
  'tunnel-unsupported': 'in a tunnel, without a packet',
  'too-many-headers': 'with too many headers',
  'fragment-pending': 'IP fragments before the last',
  'fragment-incomplete': 'IP fragments cut short',
  'fragment-over-limit': 'IP fragments beyond a limit',
  'tcp-truncated': 'cut short in the TCP header',
  'tcp-bad-data-offset': 'with a bad TCP header',
};

/** Words and counts, such as `duplicate frames 3` and `not TCP 12 (ARP 2, UDP 10)`; nothing where the capture is as it should be. */
export function captureFacts(
  quality: Quality,
  notDecoded: Readonly<Record<string, number>>,
  unknownLinkTypes: readonly { linkType: number; frames: number }[] = [],
): string[] {
  const facts: string[] = [];
  for (const [name, words] of Object.entries(QUALITY_WORDS)) {
    const count = quality[name as keyof Quality] ?? 0;
    if (count > 0) facts.push(`${words} ${humanCount(count)}`);
  }
  facts.push(...notTcp(notDecoded));
  for (const [reason, words] of Object.entries(REASON_WORDS)) {
    const count = notDecoded[reason] ?? 0;
    const isNamed = reason === 'unknown-link-type' && unknownLinkTypes.length > 0;
    if (count > 0 && !isNamed) facts.push(`${words} ${humanCount(count)}`);
  }
  for (const { linkType, frames } of unknownLinkTypes) {
    facts.push(`of the unknown link type ${linkType}: ${humanCount(frames)}`);
  }
  return facts;
}

function notTcp(notDecoded: Readonly<Record<string, number>>): string[] {
  const kinds = new Map<string, number>();
  let sum = 0;
  for (const [reason, words] of Object.entries(NOT_TCP_WORDS)) {
    const count = notDecoded[reason] ?? 0;
    if (count === 0) continue;
    kinds.set(words, (kinds.get(words) ?? 0) + count);
    sum += count;
  }
  if (sum === 0) return [];
  const parts = [...kinds].map(([words, count]) =>
    kinds.size === 1 ? words : `${words} ${humanCount(count)}`,
  );
  return [`not TCP ${humanCount(sum)} (${parts.join(', ')})`];
}
