/** `merged-by-delayed-ack`: the ACK of the first FIN waited, and left with the second FIN (RFC 1122 §4.2.3.2). */

import { type End, type Facts, other } from '../facts.ts';
import type { Finder } from './finding.ts';

/** Shorter than this is no wait: the application closed before an ACK could leave. */
export const MIN_DELAY_NS = 1_000_000;

/** Nanoseconds from the arrival of the first FIN, sent by `first`, to the second FIN, as far as the capture point tells. */
function ackDelayNs(facts: Facts, first: End): number {
  const f1 = facts.fin[first]!;
  const f2 = facts.fin[other(first)]!;
  const { tNs } = facts.story;
  return tNs[f2.copies[0]!]! - tNs[f1.copies[0]!]! - facts.rttNs[other(first)];
}

export const mergedByDelayedAck: Finder = ({ facts, closing }) => {
  if (closing.kind !== '3-way-merged' || closing.first === null) return null;
  const f1 = facts.fin[closing.first]!;
  const f2 = facts.fin[other(closing.first)]!;
  if (f1.copies.length > 1 || f2.copies.length > 1) return null;
  if (closing.isByLaterCopy) return null;
  const delayNs = ackDelayNs(facts, closing.first);
  if (delayNs < MIN_DELAY_NS) return null;
  const passive = closing.first === 0 ? 'server' : 'client';
  return {
    code: 'merged-by-delayed-ack',
    severity: 'note',
    frames: [facts.story.frame[f1.copies[0]!]!, facts.story.frame[f2.copies[0]!]!],
    what: `The ${passive} held its ACK of the FIN back for ${(delayNs / 1e6).toFixed(1)} ms and sent it with its own FIN: a delayed ACK merged the second and third step.`,
    advice:
      'In order: had its application closed later, the ACK would have left alone and made the close 4-way.',
  };
};
