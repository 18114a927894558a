/** `close-wait-long` and `fin-wait-2-long`: one side closed and the other took its time, or never did. */

import { humanSeconds } from '../../base/duration.ts';
import type { EndOfTracking } from '../finished.ts';
import type { TcpState } from '../state.ts';
import type { StateEntry } from '../verdicts.ts';
import type { Case, Finder } from './finding.ts';

/** Longer than any orderly application needs to close after it read the end of file. */
export const LONG_CLOSE_WAIT_S = 10;
/** Linux gives an orphan in FIN_WAIT_2 this long (tcp_fin_timeout). */
export const FIN_TIMEOUT_S = 60;

/** Not the end that only a new connection of the same ports tells of. */
const isShown = ({ state, inferred }: StateEntry): boolean => state !== 'CLOSED' || !inferred;

/** Until when a connection that never left the state was watched. */
const WATCHED_UNTIL: Record<EndOfTracking, string> = {
  'input-ended': 'when the capture ended',
  'time-wait-over': 'at the last frame',
  reused: 'when a new connection took its ports',
  evicted: 'when finwait let it go',
};

export const closeWaitLong: Finder = ({ facts, closing, close, states }) => {
  if (closing.first === null) return null;
  const passive = closing.first === 0 ? 'server' : 'client';
  const still = stillIn('CLOSE_WAIT', states[passive], facts);
  const waited = still ?? close.closeWait;
  if (waited === null || waited < LONG_CLOSE_WAIT_S) return null;
  const fin = facts.fin[closing.first]!;
  const until = still === null ? '' : ` and was still there ${WATCHED_UNTIL[facts.finished.end]}`;
  return {
    code: 'close-wait-long',
    severity: still === null ? 'warning' : 'problem',
    frames: [facts.story.frame[fin.copies[0]!]!],
    what: `The ${passive} stayed in CLOSE_WAIT for ${humanSeconds(waited)}${until}: its application did not close.`,
    advice: `Look in the ${passive} for a connection that is never closed after read() returned 0.`,
  };
};

export const finWait2Long: Finder = ({ facts, closing, close, states }) => {
  if (closing.first === null) return null;
  const active = closing.first === 0 ? 'client' : 'server';
  const still = stillIn('FIN_WAIT_2', states[active], facts);
  const waited = still ?? close.finWait2;
  if (waited === null || waited < FIN_TIMEOUT_S) return null;
  const fin = facts.fin[closing.first]!;
  const what =
    still === null
      ? `The ${active} waited ${humanSeconds(waited)} in FIN_WAIT_2 for the other side's FIN.`
      : `The ${active} had waited ${humanSeconds(waited)} in FIN_WAIT_2 ${WATCHED_UNTIL[facts.finished.end]}, unless it had given up before: the other side's FIN never came.`;
  return {
    code: 'fin-wait-2-long',
    severity: 'warning',
    frames: [facts.story.frame[fin.copies[0]!]!],
    what,
    advice:
      'Linux forgets an orphan after tcp_fin_timeout (60 s) and answers what comes later with a RST.',
  };
};

/** Seconds for which an end was seen in `state` that it never left; null where it left it, or never came to it. */
function stillIn(
  state: TcpState,
  entries: readonly StateEntry[],
  { finished }: Case['facts'],
): number | null {
  const last = entries.findLast(isShown);
  return last?.state === state ? finished.watchedNs / 1e9 - last.t : null;
}
