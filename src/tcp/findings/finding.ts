/** What every finding is made from (docs/findings.md). */

import type { Closing } from '../close.ts';
import type { Facts } from '../facts.ts';
import type { Opening } from '../handshake.ts';
import type { Resets } from '../resets.ts';
import type { Close, Finding, Handshake, PerSide, StateEntry } from '../verdicts.ts';

/** All that is known of a connection when findings are looked for. */
export interface Case {
  facts: Facts;
  opening: Opening;
  resets: Resets;
  closing: Closing;
  handshake: Handshake;
  close: Close;
  states: PerSide<StateEntry[]>;
}

/** Looks for one finding; null where there is none. Pure. */
export type Finder = (c: Case) => Finding | null;
