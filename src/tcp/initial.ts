/** What the opening tells before any verdict: the initial sequence numbers, what answers a SYN, how far away the ends are. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import type { Facts } from './facts.ts';

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
 * The way to each end and back, from segments that are answered at once: SYN by SYN-ACK, SYN-ACK by ACK. Counted from the last copy
 * before the answer: where it is ambiguous which one was answered, too short makes less of a loss than the time of a retransmission.
 */
export function measureRtt(facts: Facts): void {
  const { story, syns } = facts;
  const synAcks = facts.synAcks[1].filter((i) => answersSyn(facts, i));
  const synAck = synAcks[0];
  if (synAck === undefined) return;
  const syn = lastBefore(syns[0], synAck);
  if (syn >= 0) facts.rttNs[1] = Math.max(0, story.tNs[synAck]! - story.tNs[syn]!);
  const isn = facts.isn[1];
  if (isn === null) return;
  for (let i = synAck + 1; i < story.count; i++) {
    if (story.from[i] !== 0 || (story.flags[i]! & (ACK | SYN | RST)) !== ACK) continue;
    if (((story.ack[i]! - isn) | 0) <= 0) continue;
    const asked = lastBefore(synAcks, i);
    facts.rttNs[0] = Math.max(0, story.tNs[i]! - story.tNs[asked]!);
    return;
  }
}

/** The last of `positions` that stands before `before`, or -1. */
function lastBefore(positions: readonly number[], before: number): number {
  return positions.findLast((i) => i < before) ?? -1;
}
