/** What the opening tells before any verdict: the initial sequence numbers, what answers a SYN, how far away the ends are. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import type { Facts } from './facts.ts';
import { isNear } from './keep.ts';
import { HAS_TS } from './story.ts';

/** An end whose distance is ambiguous is taken to be as far away as this: what it repeats within this time was under way. */
const MIN_AMBIGUOUS_NS = 20_000_000;

/** Finds the initial sequence numbers, as far as the capture tells them. */
export function findIsns(facts: Facts): void {
  const { story, syns, synAcks, isn } = facts;
  for (const end of [0, 1] as const) {
    const first = syns[end][0] ?? synAcks[end][0];
    if (first !== undefined) isn[end] = story.seq[first]!;
  }
  for (const end of [0, 1] as const) {
    // The SYN itself is missing, but the SYN-ACK says what it was.
    const answer = synAcks[end === 0 ? 1 : 0][0];
    if (isn[end] === null && answer !== undefined) isn[end] = (story.ack[answer]! - 1) | 0;
    // A SYN-ACK that answers the SYN is better than one that doesn't (an old connection's, or a forged one).
    const good = synAcks[end].find((i) => answersSyn(facts, i));
    if (good !== undefined && syns[end].length === 0) isn[end] = story.seq[good]!;
  }
}

/**
 * Whether the SYN-ACK or RST at `i` acknowledges the SYN of the other end, with nothing, a part or all of what that carried: a Fast
 * Open SYN has data (RFC 9293 §3.10.7.3: ISS < SEG.ACK =< SND.NXT).
 */
export function answersSyn(facts: Facts, i: number): boolean {
  const { story } = facts;
  const to = story.from[i] === 0 ? 1 : 0;
  const isn = facts.isn[to];
  if (isn === null) return false;
  const beyond = (story.ack[i]! - isn - 1) | 0;
  if (beyond <= 0) return beyond === 0;
  return facts.syns[to].some((syn) => beyond <= story.len[syn]! + (story.flags[syn]! & FIN));
}

/**
 * Finds what the server says before its answer to the SYN, or in place of it, with an acknowledgement that doesn't fit: SYN-ACKs, RSTs,
 * and segments of an older connection that it still has (RFC 9293 §3.5.1, §3.10.7.3). None of them belongs to this connection.
 */
export function findBadAcks(facts: Facts): void {
  const { story, syns, badAcks } = facts;
  if (syns[1].length > 0) return;
  const first = syns[0][0] ?? story.count;
  let isOpen = false;
  for (let i = 0; i < story.count; i++) {
    const flags = story.flags[i]!;
    if (story.from[i] === 0) isOpen ||= (flags & (SYN | RST | ACK)) === ACK;
    else if ((flags & ACK) === 0) continue;
    else if ((flags & (SYN | RST)) === SYN) {
      if (answersSyn(facts, i)) isOpen = true;
      else badAcks.push(i);
    } else if (i > first && !isOpen && !answersSyn(facts, i)) {
      if ((flags & RST) !== 0 || isOfOlder(facts, i)) badAcks.push(i);
    }
  }
}

/**
 * The server's segment at `i`, which acknowledges more than the SYN, is of an older connection, and not of this one with the answer to the SYN
 * missing from the capture: its number is far away, or the client refuses it, asks again, or gets an answer after it.
 */
function isOfOlder(facts: Facts, i: number): boolean {
  const { story } = facts;
  if (!isNear(story.ack[i]!, facts.isn[0]!)) return true;
  for (let j = i + 1; j < story.count; j++) {
    const flags = story.flags[j]! & (SYN | RST | ACK);
    if (story.from[j] === 0) {
      if (flags === RST && story.seq[j] === story.ack[i]) return true;
      if (flags === ACK) return false;
    }
    if (flags === (story.from[j] === 0 ? SYN : SYN | ACK)) return true;
  }
  return false;
}

/**
 * The way to each end and back, from segments that are answered at once: SYN by SYN-ACK, SYN-ACK by ACK. Where it is ambiguous which
 * copy was answered, from the last one, and at least MIN_AMBIGUOUS_NS: too short makes less of a loss than the time of a retransmission.
 */
export function measureRtt(facts: Facts): void {
  const { story, syns } = facts;
  const synAcks = facts.synAcks[1].filter((i) => answersSyn(facts, i));
  const synAck = synAcks[0];
  const isn = facts.isn[1];
  if (synAck === undefined) return;
  facts.rttNs[1] = distance(facts, syns[0], synAck);
  for (let i = synAck + 1; isn !== null && i < story.count; i++) {
    if (story.from[i] !== 0 || (story.flags[i]! & (ACK | SYN | RST)) !== ACK) continue;
    if (((story.ack[i]! - isn) | 0) <= 0) continue;
    facts.rttNs[0] = distance(facts, synAcks, i);
    return;
  }
}

/** From `copies` to the answer, nanoseconds; 0: no copy stands before it. */
function distance(facts: Facts, copies: readonly number[], answer: number): number {
  const asked = copies.findLast((i) => i < answer);
  if (asked === undefined) return 0;
  const { tNs } = facts.story;
  const least = roundTrip(facts, copies, answer) === null ? MIN_AMBIGUOUS_NS : 0;
  return Math.max(least, tNs[answer]! - tNs[asked]!);
}

/**
 * From the copy that was answered to the answer; null where it isn't known which one that was (Karn's rule).
 *
 * The echoed timestamp tells only where it is that of the latest copy: every answer echoes the first copy that arrived, so after it
 * an answer may have been lost and this one be another copy of that.
 */
export function roundTrip(facts: Facts, copies: readonly number[], answer: number): number | null {
  const { story } = facts;
  if (answer < 0) return null;
  const before = copies.filter((i) => i < answer);
  const asked = before.pop();
  if (asked === undefined) return null;
  if (before.length > 0) {
    if ((story.marks[answer]! & story.marks[asked]! & HAS_TS) === 0) return null;
    const echoed = story.tsEcr[answer]!;
    if (story.tsVal[asked] !== echoed) return null;
    if (before.some((i) => (story.marks[i]! & HAS_TS) !== 0 && story.tsVal[i] === echoed))
      return null;
  }
  const ns = story.tNs[answer]! - story.tNs[asked]!;
  return ns < 0 ? null : ns;
}
