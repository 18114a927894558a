/** `half-closed-data`: one side had sent its FIN, and the other went on sending: shutdown(), not close(). */

import { plural } from '../../base/count.ts';
import type { Finder } from './finding.ts';

export const halfClosedData: Finder = ({ facts, closing, close }) => {
  if (closing.first === null || closing.kind === 'rst' || !close.bytesAfterFin) return null;
  if (closing.kind === '3-way-merged') return null;
  const first = closing.first === 0 ? 'client' : 'server';
  const second = closing.first === 0 ? 'server' : 'client';
  return {
    code: 'half-closed-data',
    severity: 'note',
    frames: [facts.story.frame[facts.fin[closing.first]!.copies[0]!]!],
    what: `After the FIN of the ${first} the ${second} still sent ${plural(close.bytesAfterFin, 'byte')}: a half-close by shutdown().`,
    advice:
      'Meant as such it is in order; a proxy or firewall with a short half-closed timeout may cut it.',
  };
};
