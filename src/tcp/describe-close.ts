/** The close as the record shows it: its steps, how long they took, and what proves the verdict. */

import { ACK } from '../decode/columns.ts';
import type { CloseDoubt, Closing } from './close.ts';
import { evidenceWords, listEvidence } from './evidence.ts';
import { acksBeyond, type End, type Facts, type FinFacts, keyEnd, other } from './facts.ts';
import { flagNames } from './flag-names.ts';
import type { Resets } from './resets.ts';
import { MAX_STORY_ENTRIES, NEXT_SEQ_KNOWN } from './story.ts';
import { stateAfter, type Timeline } from './timeline.ts';
import { type Close, type CloseStep, SIDES, type StateEntry } from './verdicts.ts';

/** Everything that the record says of the close. */
export function describeClose(
  facts: Facts,
  closing: Closing,
  resets: Resets,
  timelines: readonly [Timeline, Timeline],
): Close {
  const close: Close = {
    kind: closing.kind,
    complete: closing.complete,
    initiator: initiatorOf(closing),
    timeWait: timeWaitOf(closing, timelines),
    resetBy: closing.resetBy === null ? null : SIDES[closing.resetBy],
    phase: closing.phase,
    resetAfterClose: resets.afterClose.length > 0,
    certainty: closing.doubts.length === 0 ? 'proven' : 'likely',
    evidence: listEvidence(facts, evidenceWords(facts, closing, resets)),
    doubt: describeDoubt(closing),
    steps: listSteps(facts, resets, timelines),
    finToAck: null,
    closeWait: null,
    finWait2: null,
    total: null,
    bytesAfterFin: null,
  };
  measureClose(close, facts, closing, resets, [timelines[0].entries, timelines[1].entries]);
  return close;
}

/** Fills in how long the steps and states of `close` took, and what was sent after the first FIN. */
function measureClose(
  close: Close,
  facts: Facts,
  closing: Closing,
  resets: Resets,
  states: readonly [StateEntry[], StateEntry[]],
): void {
  const first = closing.first === null ? null : facts.fin[closing.first];
  const start = first === null ? resets.ending : first.copies[0]!;
  const last = close.steps[close.steps.length - 1];
  if (last !== undefined && start >= 0) {
    const total = last.t - facts.story.tNs[start]! / 1e9;
    close.total = Math.max(0, Math.round(total * 1e9) / 1e9);
  }
  if (closing.first === null || first === null) return;
  const passive = other(closing.first);
  const cover = first.covers[0];
  close.finToAck = cover === undefined ? null : seconds(facts, first.copies[0]!, cover);
  close.closeWait = timeIn(states[passive], 'CLOSE_WAIT');
  close.finWait2 = timeIn(states[closing.first], 'FIN_WAIT_2');
  close.bytesAfterFin = bytesAfterFin(facts, passive);
}

function initiatorOf(closing: Closing): Close['initiator'] {
  if (closing.isSimultaneous) return 'both';
  if (closing.first !== null) return SIDES[closing.first];
  return closing.resetBy === null ? null : SIDES[closing.resetBy];
}

/** The active ends, but for one that a RST ended before it got there. */
function timeWaitOf(closing: Closing, timelines: readonly [Timeline, Timeline]): Close['timeWait'] {
  const isOrderly = closing.kind === '4-way' || closing.kind === '3-way-merged';
  const holds = ([0, 1] as const).filter((end) => {
    if (closing.kind !== 'simultaneous' && !(isOrderly && closing.first === end)) return false;
    const { entries } = timelines[end];
    const last = entries[entries.length - 1];
    const isOver = last?.state === 'CLOSED' && last.inferred !== true;
    return !isOver || entries.some(({ state }) => state === 'TIME_WAIT');
  });
  if (holds.length === 2) return 'both';
  return holds[0] === undefined ? null : SIDES[holds[0]];
}

function seconds(facts: Facts, from: number, to: number): number {
  return Math.max(0, facts.story.tNs[to]! - facts.story.tNs[from]!) / 1e9;
}

/** How long the timeline stays in `state`; null where it never enters it, or never leaves it by what was captured. */
function timeIn(entries: readonly StateEntry[], state: StateEntry['state']): number | null {
  for (let i = 0; i + 1 < entries.length; i++) {
    const entry = entries[i]!;
    const next = entries[i + 1]!;
    if (entry.state !== state) continue;
    return next.inferred === true ? null : Math.round((next.t - entry.t) * 1e9) / 1e9;
  }
  return null;
}

/** New payload bytes of `passive` from its first segment that covers the other's FIN on: what was there before and only came again counts for nothing. */
function bytesAfterFin(facts: Facts, passive: End): number | null {
  const { story, finished } = facts;
  const fin = facts.fin[other(passive)];
  const own = facts.fin[passive];
  const first = fin?.covers[0];
  if (fin === null || first === undefined) return null;
  const end = own === null ? finished.nextSeq[keyEnd(facts, passive)] : own.position;
  let most = 0;
  for (const i of fin.covers) {
    // Keep-alives and window probes step one number back.
    const known = (story.marks[i]! & NEXT_SEQ_KNOWN) !== 0;
    const isProbe = known && story.len[i]! <= 1 && ((story.nextSeq[i]! - story.seq[i]!) | 0) === 1;
    // Up to 2 GiB: sequence numbers tell no more.
    const bytes = (end - story.seq[i]!) | 0;
    const isBehind = own !== null && ((story.seq[i]! - own.position) | 0) === 1;
    if (!isProbe && !isBehind && bytes > most) most = bytes;
  }
  // One that was looked up afterwards doesn't say what had been sent before it.
  const isInOrder = first > fin.copies[0]! && (story.marks[first]! & NEXT_SEQ_KNOWN) !== 0;
  return isInOrder ? Math.max(0, Math.min(most, (end - story.nextSeq[first]!) | 0)) : most;
}

const NO_STEP = 0;
const IS_FIN = 1;
const IS_ACK = 2;
const IS_RST = 3;
const AGAIN = 4;

/** What each entry of the story is in the close; used again for every connection. */
const roles = new Uint8Array(MAX_STORY_ENTRIES);

function listSteps(
  facts: Facts,
  resets: Resets,
  timelines: readonly [Timeline, Timeline],
): CloseStep[] {
  const { story } = facts;
  const steps: CloseStep[] = [];
  if (facts.fin[0] === null && facts.fin[1] === null && facts.rsts.length === 0) return steps;
  roles.fill(NO_STEP, 0, story.count);
  markAcks(facts.fin[0]);
  markAcks(facts.fin[1]);
  for (const fin of facts.fin) {
    if (fin === null) continue;
    for (const i of fin.copies) roles[i] = i === fin.copies[0] ? IS_FIN : IS_FIN | AGAIN;
  }
  if (resets.ending >= 0) roles[resets.ending] = IS_RST;
  for (const i of resets.repeated) roles[i] = answersNewTry(facts, i) ? IS_RST : IS_RST | AGAIN;
  for (const i of resets.afterClose) roles[i] = IS_RST;
  for (let i = 0; i < story.count; i++) {
    const role = roles[i]!;
    if (role === NO_STEP) continue;
    const from = story.from[i] as End;
    const peers = facts.fin[other(from)];
    let kind: CloseStep['kind'] = 'RST';
    if ((role & 3) === IS_ACK) kind = 'ACK of FIN';
    else if ((role & 3) === IS_FIN) {
      kind = peers !== null && acksBeyond(story, i, peers.position) ? 'FIN,ACK of FIN' : 'FIN';
    }
    steps.push({
      kind,
      frame: story.frame[i]!,
      t: story.tNs[i]! / 1e9,
      from: SIDES[from],
      flags: flagNames(story.flags[i]!),
      seq: story.seq[i]! >>> 0,
      ack: (story.flags[i]! & ACK) === 0 ? null : story.ack[i]! >>> 0,
      len: story.len[i]!,
      retransmission: (role & AGAIN) !== 0,
      senderState: stateAfter(timelines[from], i),
      receiverState: stateAfter(timelines[other(from)], i),
    });
  }
  return steps;
}

/** The RST at `i` answers a SYN that came after the RST before it. */
function answersNewTry({ story, rsts, syns }: Facts, i: number): boolean {
  const before = rsts[rsts.indexOf(i) - 1] ?? -1;
  return story.from[i] === 1 && syns[0].some((syn) => syn > before && syn < i);
}

/** The first ACK of the FIN, and one more after each copy that came later. */
function markAcks(fin: FinFacts | null): void {
  if (fin === null) return;
  let nextCopy = -1;
  let acks = 0;
  for (const i of fin.covers) {
    if (i < nextCopy) continue;
    roles[i] = acks === 0 ? IS_ACK : IS_ACK | AGAIN;
    acks++;
    nextCopy = Number.POSITIVE_INFINITY;
    for (const copy of fin.copies) {
      if (copy > i) {
        nextCopy = copy;
        break;
      }
    }
  }
}

const DOUBTS: Record<CloseDoubt, string> = {
  'one-direction': 'only one direction was captured',
  'capture-lost-frames': 'the capture lost frames near the close',
  'flagged-only': 'only SYN, FIN and RST were captured',
  'first-fin-missing': 'the first copy of a FIN is missing from the capture',
  'rst-beyond-capture': 'the RST lies beyond what was captured of its sender',
  'let-go-early': 'it was let go before the capture ended (too many open, or silent for long)',
  'rst-far': 'a RST that nothing follows lies beyond the window',
  // The RST that ends it there comes after that SYN, among the frames of the new connection.
  'ports-reused': 'a new connection took its ports, and what ended this one may stand in that one',
};

/** What an unseen frame would change, or null where nothing is in doubt. */
function describeDoubt(closing: Closing): string | null {
  if (closing.doubts.length === 0) return null;
  const why = closing.doubts.map((doubt) => DOUBTS[doubt]).join(', ');
  return `${why[0]!.toUpperCase()}${why.slice(1)}: ${consequence(closing)}.`;
}

function consequence(closing: Closing): string {
  switch (closing.kind) {
    case '4-way':
      return 'an unseen RST would have ended it earlier';
    case '3-way-merged':
      return 'an unseen ACK of the first FIN before the second would make it 4-way';
    case 'simultaneous':
      return 'an unseen ACK of one FIN before the other would make it 4-way';
    case 'rst':
      if (closing.doubts.includes('rst-beyond-capture'))
        return 'it may have ended nothing, unless its receiver had got all that is below it (RFC 5961 §3.2)';
      return 'unseen FINs and ACKs before the RST would make it an orderly close';
    case 'half-closed':
      return 'an unseen FIN of the other side would complete the close, an unseen RST end it';
    case 'open':
      return 'an unseen FIN or RST would have closed it';
  }
}
