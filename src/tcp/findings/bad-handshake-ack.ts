/** `bad-handshake-ack`: what the server sent before or in place of its answer has an acknowledgement number that fits no SYN (RFC 9293 §3.10.7.3). */

import type { Finder } from './finding.ts';

export const badHandshakeAck: Finder = ({ facts }) => {
  const { badAcks, isn, story } = facts;
  if (badAcks.length === 0) return null;
  const i = badAcks[0]!;
  const expected = isn[0] === null ? '' : `, expected ${(isn[0] + 1) >>> 0}`;
  return {
    code: 'bad-handshake-ack',
    severity: 'warning',
    frames: badAcks.map((at) => story.frame[at]!),
    what: `An answer to the SYN acknowledges ${story.ack[i]! >>> 0}${expected}: it is no step of this handshake.`,
    advice:
      'Look for an older connection of the same ports on the server, or a device that forges answers.',
  };
};
