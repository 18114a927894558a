/** `rst-no-such-connection`: a bare RST, as an end sends it that has no such connection (RFC 9293 §3.5.2, group 1). */

import { ACK } from '../../decode/columns.ts';
import { keyEnd, other } from '../facts.ts';
import { NEXT_SEQ_KNOWN, PEER_ACK_KNOWN, PEER_LAST, type Story } from '../story.ts';
import type { Finder } from './finding.ts';
import { expectedTtl } from './rst-forged.ts';

const NEEDED = PEER_ACK_KNOWN | PEER_LAST;

/** Whether the RST at `i` comes behind a segment of the other end, and has no ACK and the number that this acknowledged: it answers it. */
export function isAnswerOfNone(s: Story, i: number): boolean {
  if ((s.flags[i]! & ACK) !== 0 || (s.marks[i]! & NEEDED) !== NEEDED) return false;
  if (s.seq[i] !== s.peerAck[i]) return false;
  // With data of its own under way it may as well have been closed before all was sent.
  return (s.marks[i]! & NEXT_SEQ_KNOWN) === 0 || s.seq[i] === s.nextSeq[i];
}

export const rstNoSuchConnection: Finder = ({ facts, resets, closing }) => {
  const { resetBy, phase } = closing;
  const { finished, story } = facts;
  const { ending } = resets;
  if (resetBy === null || (phase !== 'established' && phase !== 'after-fin')) return null;
  if (resets.refutation >= 0 || !isAnswerOfNone(story, ending)) return null;
  // What drew this one may have been an earlier RST.
  if (facts.rsts.find((i) => story.from[i] === resetBy) !== ending) return null;
  // A FIN may wait behind a closed window.
  if (finished.zeroWindows[keyEnd(facts, other(resetBy))] !== 0) return null;
  const own = facts.fin[resetBy];
  if (own !== null && own.copies[0]! < ending) return null;
  if (expectedTtl(finished, ending, keyEnd(facts, resetBy)) !== null) return null;
  const [side, peer] = resetBy === 0 ? ['client', 'server'] : ['server', 'client'];
  return {
    code: 'rst-no-such-connection',
    severity: phase === 'established' ? 'problem' : 'warning',
    frames: [story.frame[ending]!],
    what: `The ${side} answered the ${peer} with a bare RST, as a system does that knows no such connection: it had lost it, or closed it before it had sent all, while the ${peer} still had it.`,
    advice: `Look for a restart or a crash of the ${side}, a RST of its own that got lost, or a firewall, NAT or load balancer before it that forgets silent connections sooner than the ${peer} sends keep-alives.`,
  };
};
