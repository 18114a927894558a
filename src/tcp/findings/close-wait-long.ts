/** `close-wait-long` and `fin-wait-2-long`: one side closed and the other took its time. */

import type { StateEntry } from '../verdicts.ts';
import type { Finder } from './finding.ts';

/** Longer than any orderly application needs to close after it read the end of file. */
export const LONG_CLOSE_WAIT_S = 10;
/** Linux gives an orphan in FIN_WAIT_2 this long (tcp_fin_timeout). */
export const FIN_TIMEOUT_S = 60;

/** Not the end that only a new connection of the same ports tells of. */
const isShown = ({ state, inferred }: StateEntry): boolean => state !== 'CLOSED' || !inferred;

export const closeWaitLong: Finder = ({ facts, closing, close, states }) => {
  if (closing.first === null) return null;
  const passive = closing.first === 0 ? 'server' : 'client';
  const list = states[passive];
  const last = list.findLast(isShown);
  const isStill = last?.state === 'CLOSE_WAIT';
  const waited = isStill ? facts.finished.durationNs / 1e9 - last.t : close.closeWait;
  if (waited === null || waited < LONG_CLOSE_WAIT_S) return null;
  const fin = facts.fin[closing.first]!;
  return {
    code: 'close-wait-long',
    severity: isStill ? 'problem' : 'warning',
    frames: [facts.story.frame[fin.copies[0]!]!],
    what: `The ${passive} stayed in CLOSE_WAIT for ${waited.toFixed(1)} s${isStill ? ' and was still there at the last frame' : ''}: its application did not close.`,
    advice: `Look in the ${passive} for a connection that is never closed after read() returned 0.`,
  };
};

export const finWait2Long: Finder = ({ facts, closing, close, states }) => {
  if (closing.first === null) return null;
  const active = closing.first === 0 ? 'client' : 'server';
  const list = states[active];
  const last = list.findLast(isShown);
  const isStill = last?.state === 'FIN_WAIT_2';
  const waited = isStill ? facts.finished.durationNs / 1e9 - last.t : close.finWait2;
  if (waited === null || waited < FIN_TIMEOUT_S) return null;
  const fin = facts.fin[closing.first]!;
  return {
    code: 'fin-wait-2-long',
    severity: 'warning',
    frames: [facts.story.frame[fin.copies[0]!]!],
    what: `The ${active} waited ${waited.toFixed(1)} s in FIN_WAIT_2 for the other side's FIN.`,
    advice:
      'Linux forgets an orphan after tcp_fin_timeout (60 s) and answers what comes later with a RST.',
  };
};
