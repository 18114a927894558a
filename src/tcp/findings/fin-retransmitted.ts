/** `fin-retransmitted`: a FIN was sent more than once. */

import type { Finder } from './finding.ts';

export const finRetransmitted: Finder = ({ facts }) => {
  const frames: number[] = [];
  const sides: string[] = [];
  for (const end of [0, 1] as const) {
    const again = facts.fin[end]?.copies.slice(1) ?? [];
    if (again.length === 0) continue;
    sides.push(end === 0 ? 'client' : 'server');
    for (const i of again) frames.push(facts.story.frame[i]!);
  }
  if (frames.length === 0) return null;
  return {
    code: 'fin-retransmitted',
    severity: 'note',
    frames,
    what: `The ${sides.join(' and the ')} sent its FIN again: it or its ACK was lost.`,
    advice: 'Harmless if the close completes; many of them mean loss, or a peer that is gone.',
  };
};
