/** What Zeek's conn.log says of a connection and finwait's records don't: plain numbers, filled by the observer. */

import type { ConnState } from './states.ts';

/** One record, filled anew for each connection. Pairs: the originator first. */
export interface ZeekFacts {
  /** The key's end that is the originator. */
  originEnd: 0 | 1;
  connState: ConnState;
  history: string;
  /** Microseconds from the first segment to the last one that counts; may be negative where the clock went back. */
  durationUs: number;
  /** Payload bytes by sequence numbers. */
  readonly bytes: [number, number];
  readonly ipBytes: [number, number];
  /** Bytes of content gaps, both directions. */
  missedBytes: number;
}

/** An empty record. */
export function createZeekFacts(): ZeekFacts {
  return {
    originEnd: 0,
    connState: 'OTH',
    history: '',
    durationUs: 0,
    bytes: [0, 0],
    ipBytes: [0, 0],
    missedBytes: 0,
  };
}
