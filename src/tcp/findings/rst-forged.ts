/** `rst-forged`: the TTL of a RST is not that of its supposed sender (Weaver et al., NDSS 2009). */

import { RST, SYN } from '../../decode/columns.ts';
import { type End, keyEnd, seqEnd } from '../facts.ts';
import type { FinishedConnection } from '../finished.ts';
import type { Finder } from './finding.ts';

/** Segments of the sender needed for comparison, and how much routes may change its TTL. */
const MIN_COMPARED = 2;
const MAX_APART = 2;

/**
 * The TTL that the other segments of the sender of the RST at `i` have, give or take a route, if that RST has another; else null. They are
 * those in the story and the latest that brought something new. SYNs count for nothing: a SYN proxy may have answered. `end`: the key's end that sent it.
 */
export function expectedTtl(f: FinishedConnection, i: number, end: 0 | 1): number | null {
  const { story } = f;
  const { flags, from, ttl, count } = story;
  let compared = 0;
  let latest = 0;
  let low = 255;
  let high = 0;
  for (let j = 0; j < count; j++) {
    if (from[j] !== from[i] || (flags[j]! & (SYN | RST)) !== 0) continue;
    compared++;
    latest = j;
    low = Math.min(low, ttl[j]!);
    high = Math.max(high, ttl[j]!);
  }
  const lastTtl = f.lastTtl[end];
  if (lastTtl !== 0) {
    // The one in the story is another one where something new came after it.
    const isOther = f.nextSeq[end] !== seqEnd(story, latest) || f.maxAck[end] !== story.ack[latest];
    if (compared === 1 && isOther) compared++;
    low = Math.min(low, lastTtl);
    high = Math.max(high, lastTtl);
  }
  if (compared < MIN_COMPARED || high - low > MAX_APART) return null;
  const fits = ttl[i]! >= low - MAX_APART && ttl[i]! <= high + MAX_APART;
  return fits ? null : low;
}

export const rstForged: Finder = ({ facts }) => {
  const { finished, story, rsts } = facts;
  const expected = (i: number) => expectedTtl(finished, i, keyEnd(facts, story.from[i] as End));
  const alien = rsts.filter((i) => expected(i) !== null);
  const first = alien[0];
  if (first === undefined) return null;
  const side = story.from[first] === 0 ? 'client' : 'server';
  return {
    code: 'rst-forged',
    severity: 'problem',
    frames: alien.map((i) => story.frame[i]!),
    what: `A RST of the ${side} came with TTL ${story.ttl[first]}, its other segments with ${expected(first)}: most likely a device on the way made it.`,
    advice:
      'Look for a firewall, proxy or inspection device between the two that resets connections.',
  };
};
