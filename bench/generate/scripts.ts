/** Conversations as lists of segments: who sends, which flags, which payload. */

import { ACK, FIN, PSH, RST, SYN } from './frames.ts';

/** A step is one number: the TCP flags, and these bits above them. */
export const FROM_SERVER = 0x100;
/** Acknowledges what the peer had sent before its last segment: the two crossed on the way. */
export const CROSSED = 0x200;
/** One step carries the payload of this index, from 1; 0 is none. */
export const PAYLOAD_SHIFT = 10;

export interface Script {
  /** Share of all connections that follow it, of the sum of all weights. */
  weight: number;
  steps: Uint16Array;
}

const LETTERS: Readonly<Record<string, number>> = {
  S: SYN,
  F: FIN,
  R: RST,
  P: PSH,
  '.': ACK,
  x: CROSSED,
};

/**
 * Reads a script such as `C:S S:S. C:. C:P.1`: sender, flags as tcpdump prints them, `x` for
 * crossed on the way, and a digit for the payload.
 */
function script(weight: number, text: string): Script {
  const steps = text.split(/\s+/).map((word) => {
    let step = word.startsWith('S:') ? FROM_SERVER : 0;
    for (const letter of word.slice(2)) {
      const bits = LETTERS[letter] ?? Number(letter) << PAYLOAD_SHIFT;
      step |= bits;
    }
    return step;
  });
  return { weight, steps: Uint16Array.from(steps) };
}

const OPEN = 'C:S S:S. C:.';
/** One segment each way, payloads 1 and 2, each acknowledged. */
const EXCHANGE = `${OPEN} C:P.1 S:. S:P.2 C:.`;

/** Every kind of close that ends a connection, each begun by either side. */
export const CLOSED_FLOOD_SCRIPTS: readonly Script[] = [
  script(30, `${EXCHANGE} C:F. S:. S:F. C:.`),
  script(16, `${EXCHANGE} S:F. C:. C:F. S:.`),
  script(12, `${EXCHANGE} C:F. S:F. C:.`),
  script(8, `${EXCHANGE} S:F. C:F. S:.`),
  script(5, `${EXCHANGE} C:F. S:F.x S:. C:.`),
  script(12, `${EXCHANGE} C:R.`),
  script(7, `${EXCHANGE} S:R.`),
];

/** The same, and one connection in ten that never ends: 9.93 frames a connection. */
export const FLOOD_SCRIPTS: readonly Script[] = [
  ...CLOSED_FLOOD_SCRIPTS,
  script(5, `${EXCHANGE} C:F. S:.`),
  script(5, EXCHANGE),
];

/** nginx and `Connection: close`: request, header, body; the server closes: 11.95 frames a connection. */
export const WEB_SCRIPTS: readonly Script[] = [
  script(75, `${OPEN} C:P.1 S:. S:P.2 C:. S:P.3 C:. S:F. C:F. S:.`),
  script(10, `${OPEN} C:P.1 S:. S:P.2 S:P.3 C:. S:F. C:. C:F. S:.`),
  script(10, `${OPEN} C:P.1 S:. S:P.2 S:P.3 C:. S:F. C:F. S:.`),
  script(5, `${OPEN} C:P.1 S:. S:P.2 C:. S:P.3 C:. S:F. C:. C:F. S:.`),
];

/** The frames that one connection has on average. */
export function meanFrames(scripts: readonly Script[]): number {
  let frames = 0;
  let weights = 0;
  for (const { weight, steps } of scripts) {
    frames += weight * steps.length;
    weights += weight;
  }
  return frames / weights;
}
