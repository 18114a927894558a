/** The facts of a finished connection: who is client, which segment is which, what each one answers. No verdicts. */

import { ACK, FIN, isFin, RST, SYN } from '../decode/columns.ts';
import { type FinishedConnection, isOfFlaggedOnly } from './finished.ts';
import { findBadAcks, findIsns, measureRtt } from './initial.ts';
import { FROM_HIGH, HAS_TS, NEXT_SEQ_KNOWN, PEER_ACK_KNOWN, type Story } from './story.ts';

/** An end as an index: 0 the client, 1 the server. */
export type End = 0 | 1;

/** The FIN of one end and all that has to do with it; numbers are positions in the story. */
export interface FinFacts {
  /** Sequence number of the FIN itself: that of its segment plus the payload. */
  position: number;
  /** Segments that carried it, in capture order. */
  copies: number[];
  /** Segments of the other end that cover it (ack beyond `position`), RSTs left out. */
  covers: number[];
  /** The first RST of the other end that covers it, or -1: it got the FIN and refused what followed. */
  resetCover: number;
  /** Later data of the sender below the FIN, at what the receiver waited for. */
  fills: number[];
  /** Something sent after the FIN, or an ACK of it, was captured before any copy, and not just by reordering. */
  firstCopyMissing: boolean;
  /** The segment with which the FIN reached the other end, or -1 where it evidently never did. */
  arrival: number;
  /** The first covering segment that reached the FIN's sender, or -1. */
  delivered: number;
}

/** Everything the verdicts are read from. Pairs are indexed by End. */
export interface Facts {
  finished: FinishedConnection;
  story: Story;
  rolesFrom: 'syn' | 'syn-ack' | 'ports';
  /** The key's end (0 lower, 1 upper) that is the client. */
  clientKeyEnd: 0 | 1;
  /** SYNs without ACK, and SYNs with. */
  syns: [number[], number[]];
  synAcks: [number[], number[]];
  /** What the server sent in answer to the SYN, or before its answer, and acknowledges something else: none of this connection's. */
  badAcks: number[];
  /** Initial sequence numbers as 32-bit patterns, or null. */
  isn: [number | null, number | null];
  fin: [FinFacts | null, FinFacts | null];
  rsts: number[];
  /** Nanoseconds from the capture point to an end and back, from the handshake; 0: unknown. */
  rttNs: [number, number];
}

/** Pairs of the finished connection are by key end: this gives the key end of client or server. */
export function keyEnd(facts: Facts, end: End): 0 | 1 {
  return end === 0 ? facts.clientKeyEnd : facts.clientKeyEnd === 0 ? 1 : 0;
}

/** The other end. */
export function other(end: End): End {
  return end === 0 ? 1 : 0;
}

/** Whether the segment at `i` acknowledges more than `number`: it has the ACK flag and its ack lies behind. */
export function acksBeyond(s: Story, i: number, number: number): boolean {
  return (s.flags[i]! & ACK) !== 0 && ((s.ack[i]! - number) | 0) > 0;
}

/** First sequence number behind the segment: SYN and FIN count one each. */
export function seqEnd(s: Story, i: number): number {
  const flags = s.flags[i]!;
  return (s.seq[i]! + s.len[i]! + (flags & FIN) + ((flags & SYN) >> 1)) | 0;
}

/** Gathers the facts and turns the story's `from` into client (0) and server (1). */
export function gatherFacts(finished: FinishedConnection): Facts {
  const story = finished.story;
  const facts: Facts = {
    finished,
    story,
    rolesFrom: 'ports',
    clientKeyEnd: 0,
    syns: [[], []],
    synAcks: [[], []],
    badAcks: [],
    isn: [null, null],
    fin: [null, null],
    rsts: [],
    rttNs: [0, 0],
  };
  assignRoles(facts);
  const { flags, from, seq } = story;
  for (let i = 0; i < story.count; i++) {
    const f = flags[i]!;
    const end = from[i] as End;
    if ((f & RST) !== 0) {
      facts.rsts.push(i);
    } else if ((f & SYN) !== 0) {
      ((f & ACK) !== 0 ? facts.synAcks : facts.syns)[end].push(i);
    }
  }
  findIsns(facts);
  findBadAcks(facts);
  for (let i = 0; i < story.count; i++) {
    if (isFin(flags[i]!) && !facts.badAcks.includes(i)) addFin(facts, from[i] as End, i);
  }
  measureRtt(facts);
  for (const end of [0, 1] as const) {
    const fin = facts.fin[end];
    if (fin !== null) followFin(facts, end, fin, seq);
  }
  for (const end of [0, 1] as const) {
    const fin = facts.fin[end];
    if (fin !== null) fin.delivered = findDelivered(facts, end, fin);
  }
  return facts;
}

/** docs/specification.md §1: SYN, else SYN-ACK, else the greater port, else the sender of the first frame. */
function assignRoles(facts: Facts): void {
  const { story, finished } = facts;
  let client = -1;
  for (let i = 0; i < story.count; i++) {
    if ((story.flags[i]! & (SYN | ACK | RST)) === SYN) {
      client = story.from[i]!;
      facts.rolesFrom = 'syn';
      break;
    }
  }
  for (let i = 0; client < 0 && i < story.count; i++) {
    if ((story.flags[i]! & (SYN | ACK | RST)) === (SYN | ACK)) {
      client = 1 - story.from[i]!;
      facts.rolesFrom = 'syn-ack';
    }
  }
  if (client < 0) {
    const [low, high] = finished.port;
    client = low === high ? finished.firstFrom : low > high ? 0 : 1;
  }
  facts.clientKeyEnd = client === 0 ? 0 : 1;
  orient(finished, facts.clientKeyEnd);
}

/** Turns the story's `from` into client (0) and server (1). */
export function orient(finished: FinishedConnection, client: 0 | 1): void {
  const { story } = finished;
  finished.clientEnd = client;
  if (client === 0) return;
  for (let i = 0; i < story.count; i++) {
    story.from[i]! ^= 1;
    story.marks[i]! ^= FROM_HIGH;
  }
}

function addFin(facts: Facts, end: End, i: number): void {
  const { story } = facts;
  // Before the SYN of its own sender a FIN belongs to an earlier connection (half-open discovery).
  const opener = facts.syns[end][0] ?? facts.synAcks[end][0];
  if (opener !== undefined && i < opener) {
    if (story.tNs[opener]! - story.tNs[i]! > REORDERING_NS) return;
    if (((story.seq[i]! - story.seq[opener]!) | 0) <= 0) return;
  }
  const position = (story.seq[i]! + story.len[i]! + ((story.flags[i]! & SYN) >> 1)) | 0;
  const fin = facts.fin[end];
  if (fin !== null) {
    // Some VPN stacks send a second FIN one number behind the first: the same FIN.
    const apart = (position - fin.position) | 0;
    if (apart === 0 || apart === 1) fin.copies.push(i);
    // One further back refutes the first, unless that was taken: it was none of this connection's.
    if (apart >= 0 || wasTaken(story, end, fin.position, i)) return;
  }
  facts.fin[end] = {
    position,
    copies: [i],
    covers: [],
    resetCover: -1,
    fills: [],
    firstCopyMissing: false,
    arrival: -1,
    delivered: -1,
  };
}

/** The other end acknowledged the FIN at `position` before entry `before`. */
function wasTaken(s: Story, end: End, position: number, before: number): boolean {
  for (let i = 0; i < before; i++) if (s.from[i] !== end && acksBeyond(s, i, position)) return true;
  return false;
}

/**
 * Which of `candidates` (copies of one thing, in capture order) the segment at `answer` answers, or -1 without any.
 *
 * The timestamp it echoes decides where it is that of a candidate; otherwise the last candidate that was sent at
 * least a round trip (`rttNs`, between the capture point and the answering end) before.
 */
export function answered(
  s: Story,
  candidates: readonly number[],
  answer: number,
  rttNs: number,
): number {
  if (candidates.length === 0) return -1;
  if ((s.marks[answer]! & HAS_TS) !== 0) {
    let echoed = -1;
    for (const i of candidates) {
      if (i >= answer || (s.marks[i]! & HAS_TS) === 0 || s.tsVal[i] !== s.tsEcr[answer]) continue;
      // Within one tick of the clock: data below a FIN filled the hole that kept the FIN waiting.
      if (echoed < 0 || ((seqEnd(s, i) - s.seq[echoed]!) | 0) <= 0) echoed = i;
    }
    if (echoed >= 0) return echoed;
  }
  let best = -1;
  for (const i of candidates) {
    if (i < answer && (best < 0 || s.tNs[answer]! - s.tNs[i]! >= rttNs * 0.8)) best = i;
  }
  return best;
}

/**
 * The first of `segments` that reached its receiver, or -1: none of `repeats` (what the receiver sends again as long as
 * it hasn't got one) was sent after it, allowing for what was under way (`rttNs`, between the capture point and the receiver).
 */
export function delivered(
  s: Story,
  segments: readonly number[],
  repeats: readonly number[],
  rttNs: number,
): number {
  const last = repeats.length === 0 ? -1 : repeats[repeats.length - 1]!;
  for (const i of segments) {
    if (last < i || s.tNs[last]! <= s.tNs[i]! + rttNs) return i;
  }
  return -1;
}

function followFin(facts: Facts, end: End, fin: FinFacts, seq: Int32Array): void {
  const { story } = facts;
  const peer = other(end);
  const firstCopy = fin.copies[0]!;
  for (let i = 0; i < story.count; i++) {
    if (story.from[i] === peer) {
      if ((story.flags[i]! & SYN) !== 0 || !acksBeyond(story, i, fin.position)) continue;
      if (facts.badAcks.includes(i)) continue;
      if ((story.flags[i]! & RST) === 0) fin.covers.push(i);
      else if (fin.resetCover < 0) fin.resetCover = i;
    } else if (i > firstCopy && (story.flags[i]! & (SYN | FIN | RST)) === 0 && story.len[i]! > 0) {
      if (((seq[i]! - fin.position) | 0) < 0) fin.fills.push(i);
    }
  }
  fin.firstCopyMissing = isFirstCopyMissing(facts, end, fin);
  fin.arrival = findArrival(facts, end, fin);
}

/** Data that was sent again later without having been acknowledged: it never arrived, nor the ACK it carried. */
function wasLost(s: Story, i: number): boolean {
  if (s.len[i]! === 0) return false;
  for (let j = i + 1; j < s.count; j++) {
    if (s.from[j] !== s.from[i]) {
      if (acksBeyond(s, j, s.seq[i]!)) return false;
    } else if (s.seq[j] === s.seq[i] && s.len[j]! > 0 && s.tNs[j]! - s.tNs[i]! > REORDERING_NS) {
      return true;
    }
  }
  return false;
}

/** The ACK of the FIN that got back: not one that rode on a copy of the other FIN which evidently was lost. */
function findDelivered(facts: Facts, end: End, fin: FinFacts): number {
  const peers = facts.fin[other(end)];
  let covers = fin.covers.some((i) => facts.story.len[i]! > 0)
    ? fin.covers.filter((i) => !wasLost(facts.story, i))
    : fin.covers;
  // The other FIN is known only by later copies, and came before any of them: with its ACK, for all that is seen.
  if (peers?.firstCopyMissing && peers.arrival < peers.copies[0]!) {
    if (covers[0] === peers.copies[0]) return peers.arrival;
  }
  const isByLaterCopy = peers !== null && peers.copies.indexOf(peers.arrival) > 0;
  if (isByLaterCopy) {
    covers = covers.filter((i) => i >= peers.arrival || !peers.copies.includes(i));
  }
  // The first copy may stand behind its ACK, and a copy is not sent again within so little time.
  const repeats = fin.firstCopyMissing ? fin.copies : fin.copies.slice(1);
  const underWay = Math.max(facts.rttNs[end], REORDERING_NS);
  const found = delivered(facts.story, covers, repeats, underWay);
  // The copy of the other FIN that arrived brought its ACK along, however late.
  if (peers !== null && covers.includes(peers.arrival)) {
    return found < 0 ? peers.arrival : Math.min(found, peers.arrival);
  }
  return found;
}

/** Segments behind the FIN, or ACKs of it, stand before all its copies, by more than a little reordering. */
function isFirstCopyMissing(facts: Facts, end: End, fin: FinFacts): boolean {
  const { story } = facts;
  const first = fin.copies[0]!;
  const slack = Math.max(facts.rttNs[0] + facts.rttNs[1], REORDERING_NS);
  // Acknowledged so long before that the story no longer has the ACK.
  let isAcked =
    (story.marks[first]! & PEER_ACK_KNOWN) !== 0 &&
    ((story.peerAck[first]! - fin.position) | 0) > 0;
  for (let i = 0; i < first; i++) {
    if ((story.flags[i]! & (SYN | RST)) !== 0) continue;
    const behind =
      story.from[i] === end
        ? ((story.seq[i]! - fin.position) | 0) > 0
        : acksBeyond(story, i, fin.position);
    if (!behind || facts.badAcks.includes(i)) continue;
    if (story.from[i] !== end) isAcked = false;
    if (story.tNs[first]! - story.tNs[i]! > slack) return true;
    // A copy that was sent later carries a later timestamp.
    const both = story.marks[i]! & story.marks[first]! & HAS_TS;
    if (story.from[i] === end && both !== 0 && ((story.tsVal[first]! - story.tsVal[i]!) | 0) > 0) {
      return true;
    }
  }
  return isAcked;
}

/** Two frames this close may stand in the wrong order. */
export const REORDERING_NS = 20_000_000;

/**
 * The data that filled the hole below the FIN right before the ACK at `cover`, if no timestamp says otherwise: it begins at what the
 * receiver waited for, more than a round trip after the FIN, which therefore had not been taken.
 */
function filledAt(facts: Facts, end: End, fin: FinFacts, cover: number): number | undefined {
  const s = facts.story;
  const fill = fin.fills.findLast((i) => i < cover);
  if (fill === undefined || fill < fin.copies[0]!) return undefined;
  if ((s.marks[cover]! & HAS_TS) !== 0) {
    const echoed = s.tsEcr[cover];
    if (fin.copies.some((i) => s.tsVal[i] === echoed)) return undefined;
  }
  const copy = fin.copies.findLast((i) => i < fill)!;
  const isWaited = (s.marks[fill]! & PEER_ACK_KNOWN) !== 0 && s.seq[fill] === s.peerAck[fill];
  const rtt = facts.rttNs[other(end)];
  return isWaited && s.tNs[fill]! - s.tNs[copy]! > rtt ? fill : undefined;
}

/**
 * The copy that had arrived before a segment from behind the FIN was taken, if the ACK at `cover` echoes the timestamp of such a
 * segment: a receiver keeps only timestamps of what lies at or before what it has acknowledged (RFC 7323 §4.3), so
 * the ACK that answered that copy was lost, and this one answers a later copy again.
 */
function arrivedBefore(s: Story, end: End, fin: FinFacts, cover: number): number | undefined {
  if (fin.copies.length < 2 || (s.marks[cover]! & HAS_TS) === 0) return undefined;
  const echoed = s.tsEcr[cover];
  if (fin.copies.some((i) => s.tsVal[i] === echoed)) return undefined;
  for (let i = fin.copies[0]! + 1; i < cover; i++) {
    if (s.from[i] !== end || (s.marks[i]! & HAS_TS) === 0 || s.tsVal[i] !== echoed) continue;
    if (((s.seq[i]! - fin.position) | 0) > 0) return fin.copies.findLast((copy) => copy < i);
  }
  return undefined;
}

function findArrival(facts: Facts, end: End, fin: FinFacts): number {
  const { story } = facts;
  const first = fin.copies[0]!;
  const cover = fin.covers[0] ?? fin.resetCover;
  if (cover >= 0) {
    const candidates =
      fin.fills.length === 0 ? fin.copies : [...fin.copies, ...fin.fills].sort((a, b) => a - b);
    const found =
      arrivedBefore(story, end, fin, cover) ??
      filledAt(facts, end, fin, cover) ??
      answered(story, candidates, cover, facts.rttNs[other(end)]);
    if (found >= 0) return found;
    return fin.firstCopyMissing ? cover : first;
  }
  // Never acknowledged: sent again means that it didn't get there; behind a gap it has not arrived.
  const isRepeated = fin.copies.some((i) => story.tNs[i]! - story.tNs[first]! > REORDERING_NS);
  const isBehindGap =
    !isOfFlaggedOnly(facts.finished) &&
    (story.marks[first]! & NEXT_SEQ_KNOWN) !== 0 &&
    ((story.seq[first]! - story.nextSeq[first]!) | 0) > 0;
  return isRepeated || isBehindGap ? -1 : first;
}
