/** `syn-retransmitted`: a SYN or SYN-ACK was sent more than once. */

import { times } from '../../base/count.ts';
import type { Finder } from './finding.ts';

export const synRetransmitted: Finder = ({ handshake, facts }) => {
  // Nearly every connection.
  if (facts.syns.every((list) => list.length <= 1) && facts.synAcks[1].length <= 1) {
    if (facts.synAcks[0].length <= 1) return null;
  }
  const again = handshake.steps.filter((step) => step.retransmission);
  if (again.length === 0) return null;
  const syns = again.filter((step) => step.kind === 'SYN').length;
  const synAcks = again.length - syns;
  const parts: string[] = [];
  if (syns > 0) parts.push(`the SYN ${times(syns)}`);
  if (synAcks > 0) parts.push(`the SYN-ACK ${times(synAcks)}`);
  return {
    code: 'syn-retransmitted',
    severity: handshake.kind === '3-way' ? 'note' : 'warning',
    frames: again.map((step) => step.frame),
    what: `Sent again while opening: ${parts.join(' and ')}.`,
    advice:
      synAcks > 0
        ? "Look for loss on the way, and on the server for a full accept queue (ListenOverflows in 'nstat')."
        : 'Look for loss on the way or a firewall that drops the SYN without an answer.',
  };
};
