/** How a connection was closed (docs/specification.md §3; RFC 9293 §3.6), by sequence and acknowledgement numbers alone. */

import { FIN } from '../decode/columns.ts';
import {
  acksBeyond,
  type End,
  type Facts,
  type FinFacts,
  keyEnd,
  other,
  REORDERING_NS,
  seqEnd,
} from './facts.ts';
import type { Opening } from './handshake.ts';
import type { Resets } from './resets.ts';
import { HAS_TS, NEXT_SEQ_KNOWN } from './story.ts';
import type { CloseKind, RstPhase } from './verdicts.ts';

/** The verdict and the segments that decide it; numbers are positions in the story, -1 for none. */
export interface Closing {
  kind: CloseKind;
  /** The end that sent its FIN first; null without a FIN. For `simultaneous`, the one whose FIN was captured first. */
  first: End | null;
  /** For two FINs: neither covers the other. */
  isSimultaneous: boolean;
  complete: boolean;
  /** `4-way`: the segment with which the passive side acknowledged before its own FIN. */
  ackBeforeFin: number;
  resetBy: End | null;
  phase: RstPhase | null;
  /** The first copy of a FIN that would decide is missing from the capture. */
  isByLaterCopy: boolean;
  /** Why it is only likely; empty: it is proven. */
  doubts: CloseDoubt[];
}

export type CloseDoubt =
  | 'one-direction'
  | 'capture-lost-frames'
  | 'first-fin-missing'
  | 'rst-beyond-capture'
  | 'let-go-early';

/** Applies the table of the specification. */
export function classifyClose(facts: Facts, opening: Opening, resets: Resets): Closing {
  const closing: Closing = {
    kind: 'open',
    first: null,
    isSimultaneous: false,
    complete: false,
    ackBeforeFin: -1,
    resetBy: null,
    phase: null,
    isByLaterCopy: false,
    doubts: [],
  };
  const [client, server] = facts.fin;
  if (client !== null && server !== null) {
    compareFins(facts, client, server, closing);
    closing.complete = client.covers.length > 0 && server.covers.length > 0;
  } else if (client !== null || server !== null) {
    closing.kind = 'half-closed';
    closing.first = client !== null ? 0 : 1;
  }
  if (resets.ending >= 0) {
    closing.kind = 'rst';
    closing.complete = true;
    closing.resetBy = facts.story.from[resets.ending] as End;
    closing.phase = phaseOf(facts, opening, resets.ending);
  }
  closing.doubts = findDoubts(facts, opening, closing, resets);
  return closing;
}

/** Which FIN was first, and whether the other one carried, followed or crossed the ACK of it. */
function compareFins(facts: Facts, client: FinFacts, server: FinFacts, closing: Closing): void {
  const { story } = facts;
  const clientCovers = acksBeyond(story, client.copies[0]!, server.position);
  const serverCovers = acksBeyond(story, server.copies[0]!, client.position);
  if (!clientCovers && !serverCovers) {
    closing.kind = 'simultaneous';
    closing.isSimultaneous = true;
    closing.first = client.copies[0]! < server.copies[0]! ? 0 : 1;
    return;
  }
  let first: End = serverCovers ? 0 : 1;
  if (clientCovers && serverCovers) {
    // One of the two is a later copy: the one whose first is missing was sent before the other arrived.
    if (client.firstCopyMissing !== server.firstCopyMissing) {
      first = client.firstCopyMissing ? 0 : 1;
    } else {
      first = client.copies[0]! < server.copies[0]! ? 0 : 1;
    }
  }
  closing.first = first;
  const f1 = first === 0 ? client : server;
  const f2 = first === 0 ? server : client;
  closing.ackBeforeFin = f1.covers.find((i) => isSentBefore(facts, i, f2)) ?? -1;
  if (closing.ackBeforeFin >= 0) {
    closing.kind = '4-way';
    return;
  }
  closing.kind = '3-way-merged';
  if (!f2.firstCopyMissing) return;
  // Only later copies of F2 are here. An ACK of F1 behind F2, with F1 sent once before it, was no part of F2.
  closing.isByLaterCopy = true;
  const behind = f1.covers.find(
    (i) => (story.flags[i]! & FIN) === 0 && ((story.seq[i]! - f2.position) | 0) > 0,
  );
  if (behind === undefined || behind > f2.copies[0]!) return;
  if (f1.copies.filter((i) => i < behind).length <= 1) {
    closing.kind = 'simultaneous';
    closing.isSimultaneous = true;
  }
}

/**
 * Whether the segment at `i` left its sender before that sender's FIN `fin`, judged by its number.
 *
 * Two segments have a number below the FIN and yet may have been sent after it: data sent again (its ACK is newer than
 * its data), and keep-alives and window probes, which step one number back. So data counts if it is new or stands before the FIN in
 * the capture, and an empty segment that stands behind the FIN counts if its timestamp (or else its place) is not later.
 */
function isSentBefore(facts: Facts, i: number, fin: FinFacts): boolean {
  const { story } = facts;
  if ((story.flags[i]! & FIN) !== 0 || ((seqEnd(story, i) - fin.position) | 0) > 0) return false;
  const copy = fin.copies[0]!;
  if (i < copy) {
    return !fin.firstCopyMissing || story.len[i]! === 0 || isNew(facts, i);
  }
  if (story.len[i]! > 0) return isNew(facts, i);
  if ((story.marks[i]! & story.marks[copy]! & HAS_TS) !== 0) {
    const later = (story.tsVal[i]! - story.tsVal[copy]!) | 0;
    if (later !== 0) return later < 0;
  }
  return story.tNs[i]! - story.tNs[copy]! <= REORDERING_NS;
}

/** Its data lies beyond all that its sender had sent. */
function isNew(facts: Facts, i: number): boolean {
  const { story } = facts;
  const known = (story.marks[i]! & NEXT_SEQ_KNOWN) !== 0;
  return !known || ((story.seq[i]! - story.nextSeq[i]!) | 0) >= 0;
}

function phaseOf(facts: Facts, opening: Opening, ending: number): RstPhase {
  const opened = opening.kind === 'none' || opening.kind === 'partial';
  const completed = opened || (opening.ack >= 0 && opening.ack < ending);
  if (!completed) return 'handshake';
  const fins = facts.fin.filter((fin) => fin !== null && fin.copies[0]! < ending).length;
  return fins === 0 ? 'established' : fins === 1 ? 'after-fin' : 'closing';
}

function findDoubts(
  facts: Facts,
  opening: Opening,
  closing: Closing,
  resets: Resets,
): CloseDoubt[] {
  const { finished } = facts;
  const doubts: CloseDoubt[] = [];
  // A SYN that nobody answers is whole with one direction.
  const isOneSided = finished.packets[0] === 0 || finished.packets[1] === 0;
  if (isOneSided && opening.kind !== 'unanswered') doubts.push('one-direction');
  const isOpened =
    opening.kind !== 'refused' && (opening.synAck >= 0 || facts.syns[0].length === 0);
  for (const end of [0, 1] as const) {
    if (isOpened && hasLostFrames(facts, end)) {
      doubts.push('capture-lost-frames');
      break;
    }
  }
  if (closing.isByLaterCopy) doubts.push('first-fin-missing');
  if (resets.isBeyondCapture) doubts.push('rst-beyond-capture');
  if (finished.end === 'evicted' && !closing.complete) doubts.push('let-go-early');
  return doubts;
}

/** The other end acknowledged what was never seen of this one, at the end or right below its FIN. */
function hasLostFrames(facts: Facts, end: End): boolean {
  const { finished, story } = facts;
  const own = keyEnd(facts, end);
  const peer = keyEnd(facts, other(end));
  if (finished.packets[own] === 0) return false;
  if (finished.ackKnown[peer] === 1 && ((finished.maxAck[peer] - finished.nextSeq[own]) | 0) > 0) {
    return true;
  }
  // An empty segment from behind the FIN shows its number, but not the FIN.
  if (finished.lacksLast[own] === 1) return true;
  const fin = facts.fin[end];
  if (fin === null || fin.covers.length === 0) return false;
  if (fin.firstCopyMissing) return true;
  const copy = fin.copies[0]!;
  const known = (story.marks[copy]! & NEXT_SEQ_KNOWN) !== 0;
  const gap = known ? (story.seq[copy]! - story.nextSeq[copy]!) | 0 : 0;
  return gap > 0 && gap < 0x4000_0000 && fin.fills.length === 0;
}
