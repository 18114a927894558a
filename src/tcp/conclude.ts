/** From a finished connection to everything that is said of it: facts, verdicts, timelines, findings. */

import { classifyClose } from './close.ts';
import { describeClose } from './describe-close.ts';
import type { EvidenceWords } from './evidence.ts';
import { gatherFacts } from './facts.ts';
import { findAll } from './findings/all.ts';
import type { Case } from './findings/finding.ts';
import type { FinishedConnection } from './finished.ts';
import { classifyHandshake, describeHandshake, endOpening } from './handshake.ts';
import { readNotes } from './notes.ts';
import { judgeResets } from './resets.ts';
import type { Spans } from './spans.ts';
import { buildTimelines, type Timeline } from './timeline.ts';
import type { Finding } from './verdicts.ts';

/** What those who write a record need to know of the mold that its verdicts were filled from (tcp/molds.ts). */
export interface FilledMold {
  /** The connection at hand. */
  readonly finished: FinishedConnection;
  /** Which entry of the story each step, each state and each piece of evidence shows. */
  readonly entryOf: ReadonlyMap<object, number>;
  /** What each piece of evidence says. */
  readonly wordsOf: ReadonlyMap<object, EvidenceWords>;
  /** Where in the story each duration begins and ends. */
  readonly spans: Spans;
  /** The entries of the story that begin the numbers of the client and of the server, -1: none does. */
  readonly isnEntries: readonly [number, number];
}

/** What `conclude` returns. */
export interface Conclusion extends Case {
  /** The mold that it was filled from; null: the objects in it are its own. */
  mold: FilledMold | null;
  timelines: readonly [Timeline, Timeline];
  findings: Finding[];
}

/** Judges one connection. `mslSec`: maximum segment lifetime. Reads its notes, and changes the story's `from` to client and server. */
export function conclude(finished: FinishedConnection, mslSec: number): Conclusion {
  readNotes(finished);
  const facts = gatherFacts(finished);
  const opening = classifyHandshake(facts);
  const resets = judgeResets(facts, opening);
  endOpening(opening, resets.ending);
  const closing = classifyClose(facts, opening, resets);
  const timelines = buildTimelines(facts, opening, resets, closing, mslSec);
  const handshake = describeHandshake(facts, opening);
  const close = describeClose(facts, closing, resets, timelines);
  const states = { client: timelines[0].entries, server: timelines[1].entries };
  const all = { facts, opening, resets, closing, handshake, close, states };
  return { ...all, mold: null, timelines, findings: findAll(all) };
}
