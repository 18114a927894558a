/** Verdicts of ordinary connections, judged once for each outline and filled with the numbers of each connection. */

import { unpackOptions } from '../decode/packed-options.ts';
import { type Conclusion, conclude, type FilledMold } from './conclude.ts';
import { type EvidenceWords, evidenceWords, fillEvidence } from './evidence.ts';
import { orient } from './facts.ts';
import { FINDERS } from './findings/all.ts';
import type { Finder } from './findings/finding.ts';
import type { FinishedConnection } from './finished.ts';
import { fillNoted, outlineOfUnread } from './noted-outline.ts';
import { readNotes, readTimes } from './notes.ts';
import { outlineOf } from './ordinary.ts';
import { Outlines, outline } from './outline.ts';
import { secondsIn, spansOf } from './spans.ts';
import type { Story } from './story.ts';
import type { Timeline } from './timeline.ts';
import type { CloseStep, HandshakeStep, StateEntry } from './verdicts.ts';

/** What is filled in besides the kinds, codes and sides, where it is wanted. */
export interface Filling {
  /** Which records have the Community ID, the addresses and the time of the start as text: `judged` means those that no mold was filled for. */
  names: 'all' | 'judged' | 'none';
  /** Times and numbers of the handshake, the close and the states; without them none of what follows either, and of a story whose notes were unread nothing but its times. */
  figures: boolean;
  /** Frames, times and numbers of the steps of the handshake, and the evidence. */
  steps: boolean;
  /** Frames and words of the findings. */
  findings: boolean;
}

/** Everything. */
export const WHOLE: Filling = {
  names: 'all',
  figures: true,
  steps: true,
  findings: true,
};

/** The verdict on one outline, to be filled again and again. */
interface Mold extends FilledMold {
  finished: FinishedConnection;
  readonly conclusion: Conclusion;
  /** Positions in the story of the steps. */
  readonly handshakeSteps: number[];
  readonly closeSteps: number[];
  readonly evidence: readonly EvidenceWords[];
  /** Those that found something. */
  readonly finders: Finder[];
  readonly optionWords: [number, number];
}

/**
 * Judges connections as `conclude` does, but an ordinary one (tcp/ordinary.ts) only when its outline is new. The conclusion is
 * overwritten when another connection with the same outline comes: for those who write it out at once.
 *
 * Most connections of a busy server are alike but for their numbers, and judging one takes several times as long as filling them in.
 */
export class Molds {
  readonly #mslSec: number;
  readonly #filling: Filling;
  readonly #molds = new Outlines<Mold>();
  /** Connections that were filled in, not judged. */
  filled = 0;

  constructor(mslSec: number, filling: Filling = WHOLE) {
    this.#mslSec = mslSec;
    this.#filling = filling;
  }

  /** The conclusion on `finished`; where figures are filled in, changes its story's `from` to client and server. */
  conclude(finished: FinishedConnection): Conclusion {
    if (this.#filling.figures) readNotes(finished);
    const { unread } = finished;
    const isOrdinary =
      unread === null
        ? outlineOf(finished, this.#mslSec)
        : outlineOfUnread(finished, unread, this.#mslSec);
    if (!isOrdinary) return conclude(finished, this.#mslSec);
    const mold = this.#molds.find();
    if (mold !== null) {
      this.filled++;
      mold.finished = finished;
      mold.conclusion.mold = mold;
      const { close } = mold.conclusion;
      // What is 0 in one, or not known, is so in all: that something was sent behind a FIN stands in the outline.
      if (close.bytesAfterFin) close.bytesAfterFin = outline.bytesAfterFin;
      if (this.#filling.figures) fill(mold, finished, this.#mslSec, this.#filling);
      else fillRoles(mold, finished);
      return mold.conclusion;
    }
    const words = outline.words.slice(0, outline.count);
    const conclusion = conclude(finished, this.#mslSec);
    if (this.#molds.isFull) this.#molds.clear();
    this.#molds.add(words, createMold(conclusion));
    return conclusion;
  }
}

function createMold(conclusion: Conclusion): Mold {
  const { handshake, close, closing, facts, opening, resets, timelines } = conclusion;
  const { frame, count } = facts.story;
  const positionOf = (step: HandshakeStep | CloseStep): number => {
    for (let i = 0; i < count; i++) if (frame[i] === step.frame) return i;
    throw new Error(`no entry of the story has frame ${step.frame}`);
  };
  const handshakeSteps = handshake.steps.map(positionOf);
  const closeSteps = close.steps.map(positionOf);
  const entryOf = new Map<object, number>();
  for (const [k, step] of handshake.steps.entries()) entryOf.set(step, handshakeSteps[k]!);
  for (const [k, step] of close.steps.entries()) entryOf.set(step, closeSteps[k]!);
  const evidence = evidenceWords(facts, closing, resets);
  const wordsOf = new Map<object, EvidenceWords>();
  for (const [k, words] of evidence.entries()) {
    entryOf.set(close.evidence[k]!, words.entry);
    wordsOf.set(close.evidence[k]!, words);
  }
  for (const { entries, causes } of timelines) {
    let latest = 0;
    for (const [k, cause] of causes.entries()) {
      // One that comes before its turn shows the time of the state before it (fillStates).
      if (cause >= latest) entryOf.set(entries[k]!, cause);
      latest = Math.max(latest, cause);
    }
  }
  return {
    finished: facts.finished,
    entryOf,
    wordsOf,
    spans: spansOf(conclusion, closeSteps[closeSteps.length - 1]),
    isnEntries: [0, facts.isn[1] === null ? -1 : opening.synAck],
    conclusion,
    handshakeSteps,
    closeSteps,
    evidence,
    finders: FINDERS.filter((find) => find(conclusion) !== null),
    // No SYN's options are packed as this.
    optionWords: [-1, -1],
  };
}

/** Of `finished`, with the outline made last, no more than the roles, the times of its story and the figures of transfer. */
function fillRoles(mold: Mold, finished: FinishedConnection): void {
  const isRead = finished.unread === null;
  const client = (isRead ? finished.story.from[0] : finished.firstFrom) === 1 ? 1 : 0;
  mold.conclusion.facts.clientKeyEnd = client;
  finished.clientEnd = client;
  if (isRead) return;
  fillNoted(finished);
  readTimes(finished, outline.notes, outline.count - 1);
}

/** Puts the numbers of `finished` into the mold's conclusion. */
function fill(mold: Mold, finished: FinishedConnection, mslSec: number, filling: Filling): void {
  const { conclusion } = mold;
  const { facts, opening, handshake, close, timelines } = conclusion;
  const { story } = finished;
  const client = story.from[0] === 1 ? 1 : 0;
  facts.clientKeyEnd = client;
  orient(finished, client);
  facts.finished = finished;
  facts.story = story;
  facts.isn[0] = story.seq[0]!;
  if (facts.isn[1] !== null) facts.isn[1] = story.seq[opening.synAck]!;
  for (const fin of facts.fin) {
    if (fin !== null) fin.position = (story.seq[fin.copies[0]!]! + story.len[fin.copies[0]!]!) | 0;
  }

  handshake.isn.client = story.seq[0]! >>> 0;
  if (facts.isn[1] !== null) handshake.isn.server = facts.isn[1] >>> 0;
  const { tNs } = story;
  const toServer = opening.synAck < 0 ? 0 : tNs[opening.synAck]! - tNs[opening.syn]!;
  const toClient = opening.ack < 0 ? 0 : tNs[opening.ack]! - tNs[opening.synAck]!;
  facts.rttNs[0] = toClient;
  facts.rttNs[1] = toServer;
  const { spans } = mold;
  handshake.serverRtt = secondsIn(spans.serverRtt, tNs);
  handshake.clientRtt = secondsIn(spans.clientRtt, tNs);
  handshake.handshakeRtt = secondsIn(spans.handshakeRtt, tNs);
  close.finToAck = secondsIn(spans.finToAck, tNs);
  close.closeWait = secondsIn(spans.closeWait, tNs);
  close.finWait2 = secondsIn(spans.finWait2, tNs);
  close.total = secondsIn(spans.total, tNs);
  fillOptions(mold, finished, client);
  fillStates(timelines[0], story, finished, mslSec);
  fillStates(timelines[1], story, finished, mslSec);
  if (filling.steps) {
    fillSteps(handshake.steps, mold.handshakeSteps, story);
    fillSteps(close.steps, mold.closeSteps, story);
    fillEvidence(close.evidence, facts, mold.evidence);
  }
  if (!filling.findings) return;
  for (let i = 0; i < mold.finders.length; i++) {
    conclusion.findings[i] = mold.finders[i]!(conclusion)!;
  }
}

function fillOptions(mold: Mold, finished: FinishedConnection, client: 0 | 1): void {
  const { options } = mold.conclusion.handshake;
  const own = finished.options[client];
  const peers = finished.options[client === 0 ? 1 : 0];
  if (own !== mold.optionWords[0]) options.client = unpackOptions(own, '');
  if (peers !== mold.optionWords[1]) options.server = unpackOptions(peers, '');
  mold.optionWords[0] = own;
  mold.optionWords[1] = peers;
}

function fillSteps(
  steps: readonly (HandshakeStep | CloseStep)[],
  positions: readonly number[],
  story: Story,
): void {
  for (let k = 0; k < steps.length; k++) {
    const step = steps[k]!;
    const i = positions[k]!;
    step.frame = story.frame[i]!;
    step.t = story.tNs[i]! / 1e9;
    step.seq = story.seq[i]! >>> 0;
    if (step.ack !== null) step.ack = story.ack[i]! >>> 0;
    step.len = story.len[i]!;
  }
}

/** Times never go back within a timeline; only the end of TIME_WAIT has no segment that causes it. */
function fillStates(
  timeline: Timeline,
  story: Story,
  finished: FinishedConnection,
  mslSec: number,
): void {
  let ns = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < timeline.entries.length; k++) {
    const entry: StateEntry = timeline.entries[k]!;
    const cause = timeline.causes[k]!;
    if (cause >= 0) {
      ns = Math.max(ns, story.tNs[cause]!);
      entry.t = ns / 1e9;
      entry.frame = story.frame[cause]!;
    } else if (k > 0) {
      const isReused = entry.frame !== null;
      if (isReused) entry.frame = finished.reusedFrame;
      entry.t = Math.max(ns, isReused ? finished.reusedNs : ns + 2e9 * mslSec) / 1e9;
    }
  }
}
