/** `capture-lost-packets`: the capture lacks what an ACK proves to have arrived. */

import { plural } from '../../base/count.ts';
import { MISSING_BYTES } from '../figures.ts';
import { isOfFlaggedOnly } from '../finished.ts';
import type { Finder } from './finding.ts';

export const captureLostPackets: Finder = ({ facts, closing }) => {
  const isNearClose = closing.doubts.includes('capture-lost-frames');
  if (!isNearClose && !facts.finished.lostFrames) return null;
  if (isOfFlaggedOnly(facts.finished)) return null;
  const [low, high] = facts.finished.transfer;
  const missing = low.values[MISSING_BYTES]! + high.values[MISSING_BYTES]!;
  const what =
    missing > 0
      ? `${plural(missing, 'byte')} acknowledged but not in it`
      : 'something acknowledged was never seen';
  return {
    code: 'capture-lost-packets',
    severity: 'warning',
    frames: [facts.finished.lastFrame],
    what: `The capture lost frames${isNearClose ? ' near the close' : ''}: ${what}.`,
    advice: 'Capture with a larger buffer (tcpdump -B, dumpcap -B) or a shorter snap length.',
  };
};
