/** `rst-ignored`: a RST that ended nothing (RFC 5961 §3). */

import type { Finder } from './finding.ts';

export const rstIgnored: Finder = ({ facts, resets }) => {
  if (resets.ignored.length === 0) return null;
  const { story } = facts;
  const side = story.from[resets.ignored[0]!] === 0 ? 'client' : 'server';
  return {
    code: 'rst-ignored',
    severity: 'warning',
    frames: resets.ignored.map((i) => story.frame[i]!),
    what: `A RST that claims to come from the ${side} ended nothing: its numbers don't fit, or its sender went on.`,
    advice:
      'Compare its TTL with that of the sender: a device on the way may forge resets; or it belongs to an older connection.',
  };
};
