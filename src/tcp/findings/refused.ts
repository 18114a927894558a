/** `refused`: the SYN was answered by a RST. */

import type { Finder } from './finding.ts';

export const refused: Finder = ({ handshake, opening, facts }) => {
  if (handshake.kind !== 'refused') return null;
  const tries = handshake.attempts === 1 ? '' : ` (${handshake.attempts} attempts)`;
  return {
    code: 'refused',
    severity: 'problem',
    frames: [facts.story.frame[opening.rst]!],
    what: `The server refused the connection with a RST${tries}.`,
    advice:
      'Check that something listens on that address and port, and that no firewall rejects it.',
  };
};
