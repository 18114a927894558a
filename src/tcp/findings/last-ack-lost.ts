/** `last-ack-lost`: the ACK of the second FIN didn't get back, so that its sender stayed in LAST_ACK. */

import type { Finder } from './finding.ts';

export const lastAckLost: Finder = ({ facts, closing }) => {
  if (closing.first === null || closing.isSimultaneous) return null;
  const fin = facts.fin[closing.first === 0 ? 1 : 0];
  const cover = fin?.covers[0];
  if (fin === null || fin === undefined || cover === undefined || fin.delivered === cover)
    return null;
  const { story } = facts;
  const side = closing.first === 0 ? 'server' : 'client';
  const again = fin.firstCopyMissing ? fin.copies : fin.copies.slice(1);
  const after = again.filter((i) => i > cover);
  if (after.length === 0) return null;
  return {
    code: 'last-ack-lost',
    severity: 'note',
    frames: [story.frame[cover]!, ...after.map((i) => story.frame[i]!)],
    what: `The ${side} sent its FIN again after it had been acknowledged: the last ACK was lost, and it stayed in LAST_ACK.`,
    advice:
      'This is what TIME_WAIT is for: the other side must still be there to acknowledge again.',
  };
};
