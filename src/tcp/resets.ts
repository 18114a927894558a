/** Which RST ended a connection, and which ended nothing (docs/specification.md §3; RFC 9293 §3.10.7, RFC 5961). */

import { ACK, RST, SYN } from '../decode/columns.ts';
import { delivered, type End, type Facts, keyEnd, other, REORDERING_NS, seqEnd } from './facts.ts';
import { MAX_WINDOW } from './figures.ts';
import { isOfFlaggedOnly } from './finished.ts';
import { isRefusal, type Opening } from './handshake.ts';
import { NEXT_SEQ_KNOWN, PEER_ACK_KNOWN } from './story.ts';

/** The RSTs of a connection; numbers are positions in the story. */
export interface Resets {
  /** The RST that ended it, or -1. */
  ending: number;
  /** The copy of it that reached the other end: what follows from that end was under way. */
  arrival: number;
  /** RSTs that followed the ending one. */
  repeated: number[];
  /** RSTs after both FINs were acknowledged. */
  afterClose: number[];
  /** RSTs that ended nothing: outside the window, or with an ack that doesn't fit, or refuted by what follows. */
  ignored: number[];
  /** The bare RST with which the other end answered its supposed sender, who had gone on: the ending one was forged; or -1. */
  refutation: number;
  /** The ending RST lies beyond what was captured of its sender: it counts only because nothing follows. */
  isBeyondCapture: boolean;
  /** An ignored one lies beyond every window that its receiver ever announced, and nothing refutes it. */
  hasFar: boolean;
}

/** Where a RST lies: `beyond` what the capture knows of its sender, but within a window of its receiver; `far` beyond that too. */
type Fit = 'fits' | 'outside' | 'beyond' | 'far';

/** The greatest shift count of a window (RFC 7323 §2.3). */
const MAX_SHIFT = 14;

/** Judges every RST. */
export function judgeResets(facts: Facts, opening: Opening): Resets {
  const resets: Resets = {
    ending: -1,
    arrival: -1,
    repeated: [],
    afterClose: [],
    ignored: [],
    refutation: -1,
    isBeyondCapture: false,
    hasFar: false,
  };
  const closed = closedAt(facts);
  for (const i of facts.rsts) {
    if (i > closed) {
      (judgeBySeq(facts, i) === 'fits' ? resets.afterClose : resets.ignored).push(i);
    } else if (resets.ending >= 0) {
      resets.repeated.push(i);
    } else if (endsAttemptOnly(facts, opening, i) || answersBadAck(facts, i)) {
      // Another SYN followed and was answered; or the client, still in SYN_SENT, refuses what is none of its own.
    } else {
      const fit = judge(facts, opening, i);
      const isAlive = livesOn(facts, i);
      const answer = isAlive ? findRefutation(facts, i) : -1;
      if (fit === 'outside' || (isAlive && answer < 0)) {
        resets.ignored.push(i);
      } else if (fit === 'fits') {
        resets.ending = i;
        resets.refutation = answer;
      } else if (fit === 'beyond' && isSilenceAfter(facts, i)) {
        resets.ending = i;
        resets.isBeyondCapture = true;
      } else {
        resets.ignored.push(i);
        resets.hasFar ||= fit === 'far' && isSilenceAfter(facts, i);
      }
    }
  }
  if (resets.ending >= 0) resets.arrival = findArrival(facts, resets);
  return resets;
}

/** The position at which both FINs had been acknowledged, by the order of the capture. */
function closedAt(facts: Facts): number {
  const [client, server] = facts.fin;
  if (client === null || server === null) return Number.POSITIVE_INFINITY;
  const a = client.covers[0];
  const b = server.covers[0];
  return a === undefined || b === undefined ? Number.POSITIVE_INFINITY : Math.max(a, b);
}

/** A RST before the SYN-ACK that was taken: it ended an attempt, not the connection. */
function endsAttemptOnly(facts: Facts, opening: Opening, i: number): boolean {
  if (opening.synAck < i || facts.syns[0].length < 2) return false;
  return judge(facts, opening, i) === 'fits' && facts.syns[0].some((syn) => syn > i);
}

/** In SYN_SENT an ACK of the wrong number draws a RST, and the state stays (RFC 9293 §3.10.7.3). */
function answersBadAck({ badAcks, story }: Facts, i: number): boolean {
  if (story.from[i] !== 0 || badAcks.length === 0 || story.seq[i] === story.nextSeq[i])
    return false;
  return badAcks.some((bad) => bad < i && story.ack[bad] === story.seq[i]);
}

/** Whether the RST lies where its receiver expects the next number. */
function judge(facts: Facts, opening: Opening, i: number): Fit {
  const { story, isn } = facts;
  const from = story.from[i]! as End;
  const isnClient = isn[0];
  const inSynSent = from === 1 && opening.syn >= 0 && !clientIsOpen(facts, opening, i);
  if (inSynSent && isnClient !== null) {
    // SYN-SENT: acceptable only if it acknowledges the SYN (§3.10.7.3).
    if ((story.flags[i]! & ACK) === 0) {
      // Without ACK a closed end answers only what had one: the client must have sent such a segment.
      return opening.synAck >= 0 && opening.synAck < i ? judgeBySeq(facts, i) : 'outside';
    }
    return isRefusal(facts, i) ? 'fits' : 'outside';
  }
  return judgeBySeq(facts, i);
}

/** The client has left SYN_SENT before position `i`: it got a SYN-ACK and sent no SYN again, or spoke as if it had. */
function clientIsOpen(facts: Facts, { synAck }: Opening, i: number): boolean {
  const { story, syns } = facts;
  if (synAck >= 0 && synAck < i && !syns[0].some((syn) => syn > synAck && syn < i)) return true;
  for (let j = 0; j < i; j++) {
    if (story.from[j] === 0 && (story.flags[j]! & (SYN | RST | ACK)) === ACK) return true;
  }
  return false;
}

/**
 * The receiver's RCV.NXT lies somewhere between what it has acknowledged and all that was sent: a RST there is accepted
 * (slack for segments under way). One lower after a FIN is accepted by Linux, which takes the FIN's own number.
 */
function judgeBySeq(facts: Facts, i: number): Fit {
  const { story } = facts;
  const seq = story.seq[i]!;
  const marks = story.marks[i]!;
  const from = story.from[i]! as End;
  const knowsAck = (marks & PEER_ACK_KNOWN) !== 0;
  const knowsNext = (marks & NEXT_SEQ_KNOWN) !== 0;
  if (!knowsAck && !knowsNext) return 'fits';
  const low = knowsAck ? story.peerAck[i]! : story.nextSeq[i]!;
  let high = knowsNext ? story.nextSeq[i]! : low;
  if (((high - low) | 0) < 0) high = low;
  const fin = facts.fin[from];
  const isFinNumber = fin !== null && fin.copies[0]! < i && ((seq - fin.position) | 0) === 0;
  if (isFinNumber) return 'fits';
  if (((seq - low) | 0) < 0) return knowsAck ? 'outside' : judgeOneSided(facts, i);
  const beyond = (seq - high) | 0;
  if (beyond <= 0 || isCaughtUp(facts, i)) return 'fits';
  return beyond < greatestWindow(facts, other(from)) ? 'beyond' : 'far';
}

/** The most that `receiver` can have been ready for: what it announced, or no limit where its data and ACKs were not captured. */
function greatestWindow(facts: Facts, receiver: End): number {
  const { finished } = facts;
  const { values } = finished.transfer[keyEnd(facts, receiver)];
  if (isOfFlaggedOnly(finished)) return Number.POSITIVE_INFINITY;
  const isScaleKnown = finished.options[0] !== 0 && finished.options[1] !== 0;
  return values[MAX_WINDOW]! * (isScaleKnown ? 1 : 1 << MAX_SHIFT);
}

/** What its sender had sent before the RST was captured just after it. */
function isCaughtUp(facts: Facts, i: number): boolean {
  const { story } = facts;
  for (let j = i + 1; j < story.count; j++) {
    if (story.tNs[j]! - story.tNs[i]! > REORDERING_NS) return false;
    if (story.from[j] === story.from[i] && seqEnd(story, j) === story.seq[i]) return true;
  }
  return false;
}

/** The peer was never heard: anything its sender had sent before may be what the peer waits for. */
function judgeOneSided(facts: Facts, i: number): 'fits' | 'outside' {
  const { story } = facts;
  const isn = facts.isn[story.from[i]! as End];
  if (isn === null) return 'fits';
  return ((story.seq[i]! - isn) | 0) > 0 ? 'fits' : 'outside';
}

/** Its supposed sender goes on with the connection: the RST was not from its stack. */
export function livesOn(facts: Facts, i: number): boolean {
  const { badAcks, story } = facts;
  const synAcks = facts.synAcks[story.from[i]! as End].filter((before) => before < i);
  for (let j = i + 1; j < story.count; j++) {
    if (story.from[j] !== story.from[i] || (story.flags[j]! & RST) !== 0) continue;
    // The same SYN-ACK again is of a connection that still opens.
    const isAgain = synAcks.some((before) => story.seq[before] === story.seq[j]);
    if (badAcks.includes(j) || ((story.flags[j]! & SYN) !== 0 && !isAgain)) continue;
    if (((seqEnd(story, j) - story.seq[i]!) | 0) > 0) return true;
    if (story.tNs[j]! - story.tNs[i]! > REORDERING_NS) return true;
  }
  return false;
}

/**
 * The supposed sender goes on, and the receiver, which says nothing else any more, answers with a bare RST: it had taken the RST. The
 * position of that answer, or -1.
 */
function findRefutation(facts: Facts, i: number): number {
  const { story } = facts;
  for (let j = i + 1; j < story.count; j++) {
    if (story.from[j] === story.from[i]) continue;
    return (story.flags[j]! & (RST | ACK)) === RST ? j : -1;
  }
  return -1;
}

/** Nothing follows but RSTs and what the other end had under way. */
function isSilenceAfter(facts: Facts, i: number): boolean {
  const { story } = facts;
  const receiver = other(story.from[i]! as End);
  const underWay = Math.max(facts.rttNs[receiver], REORDERING_NS);
  for (let j = i + 1; j < story.count; j++) {
    if ((story.flags[j]! & RST) !== 0) continue;
    // An empty ACK may be the challenge that a RST at a wrong number draws (RFC 5961 §3.2).
    const isData = story.from[j] === receiver && story.len[j]! > 0;
    if (!isData || story.tNs[j]! - story.tNs[i]! > underWay) return false;
  }
  return true;
}

/** The RST after which the other end fell silent, allowing for what was under way. */
function findArrival(facts: Facts, resets: Resets): number {
  const { story } = facts;
  const sender = story.from[resets.ending]! as End;
  const receiver = other(sender);
  const copies = [resets.ending, ...resets.repeated.filter((i) => story.from[i] === sender)];
  const life: number[] = [];
  for (let j = resets.ending + 1; j < story.count; j++) {
    if (story.from[j] === receiver && (story.flags[j]! & RST) === 0) life.push(j);
  }
  const found = delivered(story, copies, life, Math.max(facts.rttNs[receiver], REORDERING_NS));
  return found >= 0 ? found : copies[copies.length - 1]!;
}
