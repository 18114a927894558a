/** `vanished`: one end went on asking and nobody answered. */

import { keyEnd } from '../facts.ts';
import type { Finder } from './finding.ts';

/** So many repetitions without an answer count as silence. */
export const MIN_REPEATS = 3;

export const vanished: Finder = ({ facts, closing, handshake }) => {
  if (closing.kind !== 'open' && closing.kind !== 'half-closed') return null;
  if (handshake.kind === 'unanswered' || handshake.kind === 'half-open') return null;
  const { finished } = facts;
  for (const end of [0, 1] as const) {
    const repeats = finished.repeats[keyEnd(facts, end)];
    if (repeats < MIN_REPEATS) continue;
    const asking = end === 0 ? 'client' : 'server';
    const silent = end === 0 ? 'server' : 'client';
    return {
      code: 'vanished',
      severity: 'problem',
      frames: [finished.lastFrame],
      what: `The ${silent} fell silent: ${repeats} repeated segments of the ${asking} went unanswered up to the last frame.`,
      advice: `Check whether the ${silent} crashed, lost its address, or a firewall forgot the connection.`,
    };
  }
  return null;
};
