/** `capture-lost-packets`: the capture lacks what an ACK proves to have arrived. */

import type { Finder } from './finding.ts';

export const captureLostPackets: Finder = ({ facts, closing }) => {
  const isNearClose = closing.doubts.includes('capture-lost-frames');
  if (!isNearClose && !facts.finished.lostFrames) return null;
  return {
    code: 'capture-lost-packets',
    severity: 'warning',
    frames: [facts.finished.lastFrame],
    what: `The capture lost frames${isNearClose ? ' near the close' : ''}: something acknowledged was never seen.`,
    advice: 'Capture with a larger buffer (tcpdump -B, dumpcap -B) or a shorter snap length.',
  };
};
