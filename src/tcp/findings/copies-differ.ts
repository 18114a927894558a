/** `copies-differ`: bytes were sent twice and were not the same (RFC 9293 §3.10.7.4 takes the first): said where payload is read. */

import type { Finding } from '../verdicts.ts';

/** The finding for `count` later copies, of which `frames` are named. */
export function copiesDiffer(frames: readonly number[], count: number): Finding {
  const times = count === 1 ? 'A segment' : `${count} segments`;
  return {
    code: 'copies-differ',
    severity: 'problem',
    frames: [...frames],
    what: `${times} brought other bytes for a place in the stream than an earlier one: a receiver keeps the first, a device on the way may have taken the other.`,
    advice:
      'Compare the frames: a broken retransmission, a device that rewrites payload, or an attempt to evade inspection.',
  };
}
