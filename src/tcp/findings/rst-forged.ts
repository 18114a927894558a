/** `rst-forged`: the TTL of a RST is not that of its supposed sender (Weaver et al., NDSS 2009). */

import { RST, SYN } from '../../decode/columns.ts';
import type { Story } from '../story.ts';
import type { Finder } from './finding.ts';

/** Segments of the sender needed for comparison, and how much routes may change its TTL. */
const MIN_COMPARED = 2;
const MAX_APART = 2;

/**
 * The TTL that all other segments of the sender of the RST at `i` have, give or take a route, if that RST has another; else null.
 * SYNs count for nothing: a SYN proxy may have answered.
 */
export function expectedTtl(story: Story, i: number): number | null {
  const { flags, from, ttl, count } = story;
  let compared = 0;
  let low = 255;
  let high = 0;
  for (let j = 0; j < count; j++) {
    if (from[j] !== from[i] || (flags[j]! & (SYN | RST)) !== 0) continue;
    compared++;
    low = Math.min(low, ttl[j]!);
    high = Math.max(high, ttl[j]!);
  }
  if (compared < MIN_COMPARED || high - low > MAX_APART) return null;
  const fits = ttl[i]! >= low - MAX_APART && ttl[i]! <= high + MAX_APART;
  return fits ? null : low;
}

export const rstForged: Finder = ({ facts }) => {
  const { story, rsts } = facts;
  const alien = rsts.filter((i) => expectedTtl(story, i) !== null);
  const first = alien[0];
  if (first === undefined) return null;
  const side = story.from[first] === 0 ? 'client' : 'server';
  return {
    code: 'rst-forged',
    severity: 'problem',
    frames: alien.map((i) => story.frame[i]!),
    what: `A RST of the ${side} came with TTL ${story.ttl[first]}, its other segments with ${expectedTtl(story, first)}: most likely a device on the way made it.`,
    advice:
      'Look for a firewall, proxy or inspection device between the two that resets connections.',
  };
};
