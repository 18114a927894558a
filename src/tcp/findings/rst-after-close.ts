/** `rst-after-close`: data came for a side that had closed, not only shut down (RFC 1122 §4.2.2.13). */

import { plural } from '../../base/count.ts';
import { keyEnd, other } from '../facts.ts';
import type { Finder } from './finding.ts';

export const rstAfterClose: Finder = ({ facts, resets, closing }) => {
  const { resetBy } = closing;
  if (resetBy === null) return null;
  const own = facts.fin[resetBy];
  if (own === null || own.copies[0]! > resets.ending) return null;
  const { story, finished } = facts;
  const peer = other(resetBy);
  // What the other side sent beyond all that the closed side had acknowledged by the time of its FIN.
  const taken = story.ack[own.copies[0]!]!;
  const fin = facts.fin[peer];
  const end = fin === null ? finished.nextSeq[keyEnd(facts, peer)] : fin.position;
  const late = (end - taken) | 0;
  if (late <= 0) return null;
  const side = resetBy === 0 ? 'client' : 'server';
  const sender = resetBy === 0 ? 'server' : 'client';
  return {
    code: 'rst-after-close',
    severity: 'problem',
    frames: [story.frame[own.copies[0]!]!, story.frame[resets.ending]!],
    what: `The ${side} closed with its FIN and answered ${plural(late, 'byte')} that the ${sender} still sent with a RST: nobody read them.`,
    advice: `Let the ${side} call shutdown(SHUT_WR) and read to the end of file before close(), or the ${sender} stop before.`,
  };
};
