/** `port-reused-in-time-wait`: a new SYN took the 4-tuple while TIME_WAIT lasted (RFC 6191, RFC 1122 §4.2.2.13). */

import type { Finder } from './finding.ts';

export const portReusedInTimeWait: Finder = ({ facts, states }) => {
  const { finished } = facts;
  if (finished.reusedFrame === null) return null;
  for (const side of ['client', 'server'] as const) {
    const list = states[side];
    const last = list[list.length - 1];
    const before = list[list.length - 2];
    if (before?.state !== 'TIME_WAIT' || last?.frame !== finished.reusedFrame) continue;
    return {
      code: 'port-reused-in-time-wait',
      severity: 'note',
      frames: [finished.reusedFrame],
      what: `A new connection took the same ports ${Math.max(0, last.t - before.t).toFixed(3)} s after the ${side} entered TIME_WAIT.`,
      advice:
        'Legal with a greater sequence number or timestamp; it shows that the client runs through its ports quickly.',
    };
  }
  return null;
};
