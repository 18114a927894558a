/** From a finished connection to everything that is said of it: facts, verdicts, timelines, findings. */

import { classifyClose } from './close.ts';
import { describeClose } from './describe-close.ts';
import { type Facts, gatherFacts } from './facts.ts';
import { findAll } from './findings/all.ts';
import type { FinishedConnection } from './finished.ts';
import { classifyHandshake, describeHandshake } from './handshake.ts';
import { judgeResets } from './resets.ts';
import { buildTimelines } from './timeline.ts';
import type { Close, Finding, Handshake, PerSide, StateEntry } from './verdicts.ts';

/** What `conclude` returns. */
export interface Conclusion {
  facts: Facts;
  handshake: Handshake;
  close: Close;
  states: PerSide<StateEntry[]>;
  findings: Finding[];
}

/** Judges one connection. `mslSec`: maximum segment lifetime. Changes the story's `from` to client and server. */
export function conclude(
  finished: FinishedConnection,
  mslSec: number,
  withEvidence: boolean,
): Conclusion {
  const facts = gatherFacts(finished);
  const opening = classifyHandshake(facts);
  const resets = judgeResets(facts, opening);
  const closing = classifyClose(facts, opening, resets);
  const timelines = buildTimelines(facts, opening, resets, closing, mslSec);
  const handshake = describeHandshake(facts, opening);
  const close = describeClose(facts, closing, resets, timelines, withEvidence);
  const states = { client: timelines[0].entries, server: timelines[1].entries };
  const findings = findAll({ facts, opening, resets, closing, handshake, close, states });
  return { facts, handshake, close, states, findings };
}
