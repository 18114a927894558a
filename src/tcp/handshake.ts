/** How a connection was opened (docs/specification.md §2; RFC 9293 §3.5). */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import { unpackOptions } from '../decode/packed-options.ts';
import { acksBeyond, answered, type Facts, keyEnd } from './facts.ts';
import { flagNames } from './flag-names.ts';
import { answersSyn, roundTrip } from './initial.ts';
import { isNear } from './keep.ts';
import type { Handshake, HandshakeKind, HandshakeStep } from './verdicts.ts';

/** The opening as positions in the story, for the verdicts that follow. */
export interface Opening {
  kind: HandshakeKind;
  /** The SYN that was answered, the first SYN-ACK that answers it, the ACK that completes; -1: none. */
  syn: number;
  synAck: number;
  ack: number;
  /** The RST that ended it (`refused`, `aborted`), or -1. */
  rst: number;
  fastOpen: boolean;
}

/** Finds the segments of the opening and its kind, but for what `endOpening` says. */
export function classifyHandshake(facts: Facts): Opening {
  const { story, syns, synAcks, isn } = facts;
  const opening: Opening = {
    kind: 'none',
    syn: syns[0][0] ?? -1,
    synAck: -1,
    ack: -1,
    rst: -1,
    fastOpen: false,
  };
  if (syns[0].length > 0 && syns[1].length > 0) return classifySimultaneous(facts, opening);
  for (const i of synAcks[1]) {
    if (!answersSyn(facts, i)) continue;
    if (opening.synAck < 0) opening.synAck = i;
    const hasMore = ((story.ack[i]! - isn[0]! - 1) | 0) > 0;
    if (hasMore && syns[0].some((syn) => story.len[syn]! > 0)) opening.fastOpen = true;
  }
  if (opening.synAck >= 0 && syns[0].length > 0) {
    opening.syn = answered(story, carriersOf(facts, opening.synAck), opening.synAck, 0);
    if (opening.syn < 0) opening.syn = syns[0][0]!;
  }
  opening.ack = findCompletingAck(facts, opening.synAck);
  if (opening.syn < 0) {
    opening.kind = opening.synAck >= 0 ? 'partial' : 'none';
  } else if (opening.synAck < 0) {
    classifyWithoutSynAck(facts, opening);
  } else if (opening.ack >= 0) {
    opening.kind = '3-way';
  } else {
    const { synAck } = opening;
    const refusal = facts.rsts.findLast((i) => i < synAck && isRefusal(facts, i)) ?? -1;
    if (refusal >= 0 && !syns[0].some((i) => i > refusal && i < synAck)) {
      // The attempt had ended when the SYN-ACK came.
      opening.rst = refusal;
      opening.synAck = -1;
      opening.kind = 'refused';
    } else {
      opening.kind = 'half-open';
    }
  }
  return opening;
}

/** Tells the opening which RST ended the connection (-1: none): one before the ACK of the SYN-ACK aborted it. */
export function endOpening(opening: Opening, ending: number): void {
  const { ack, kind } = opening;
  if (ending < 0 || (kind !== 'half-open' && kind !== '3-way') || (ack >= 0 && ack < ending))
    return;
  opening.kind = 'aborted';
  opening.rst = ending;
  opening.ack = -1;
}

/** The SYNs of the client that carry all that the SYN-ACK acknowledges. */
function carriersOf(facts: Facts, synAck: number): number[] {
  const { story, syns, isn } = facts;
  const beyond = (story.ack[synAck]! - isn[0]! - 1) | 0;
  return syns[0].filter((i) => story.len[i]! + (story.flags[i]! & FIN) >= beyond);
}

/** Both sent a SYN: acknowledged by each, or else a connection that one of them never heard of. */
function classifySimultaneous(facts: Facts, opening: Opening): Opening {
  const { story, isn, syns } = facts;
  const covered = [-1, -1];
  for (let i = 0; i < story.count; i++) {
    const to = story.from[i] === 0 ? 1 : 0;
    const number = isn[to];
    if (number === null || (story.flags[i]! & RST) !== 0) continue;
    if (covered[to]! < 0 && acksBeyond(story, i, number)) covered[to] = i;
  }
  opening.syn = syns[0][0]!;
  opening.synAck = covered[0]!;
  opening.ack = covered[1]!;
  if (covered[0]! >= 0 && covered[1]! >= 0) opening.kind = 'simultaneous-open';
  else opening.kind = covered[0]! >= 0 || covered[1]! >= 0 ? 'half-open' : 'unanswered';
  return opening;
}

/** The first segment of the client, no SYN and no RST, whose ack covers the server's SYN. */
function findCompletingAck(facts: Facts, synAck: number): number {
  const { story } = facts;
  const isn = synAck >= 0 ? story.seq[synAck]! : facts.isn[1];
  if (isn === null) return -1;
  for (let i = 0; i < story.count; i++) {
    if (story.from[i] === 0 && (story.flags[i]! & (SYN | RST)) === 0 && acksBeyond(story, i, isn)) {
      return i;
    }
  }
  return -1;
}

function classifyWithoutSynAck(facts: Facts, opening: Opening): void {
  const { badAcks, isn, story } = facts;
  const number = isn[0]!;
  let speaksOn = false;
  for (let i = 0; i < story.count; i++) {
    const flags = story.flags[i]!;
    if ((flags & SYN) !== 0) continue;
    if ((flags & RST) !== 0) {
      if (isRefusal(facts, i)) opening.rst = i;
      continue;
    }
    // Either side goes on as after a handshake: the SYN-ACK is missing from the capture.
    if (story.from[i] === 1)
      speaksOn ||= (flags & ACK) !== 0 && isNear(story.ack[i]!, number) && !badAcks.includes(i);
    else speaksOn ||= (flags & ACK) !== 0 && isNear(story.seq[i]!, number);
  }
  if (speaksOn) opening.kind = 'partial';
  else opening.kind = opening.rst < 0 ? 'unanswered' : 'refused';
}

/** A RST from the server whose ack covers the SYN, with nothing, a part or all of its data. */
export function isRefusal(facts: Facts, i: number): boolean {
  const { story } = facts;
  return story.from[i] === 1 && (story.flags[i]! & ACK) !== 0 && answersSyn(facts, i);
}

/** The handshake as the record shows it. */
export function describeHandshake(facts: Facts, opening: Opening): Handshake {
  const { finished } = facts;
  const client = keyEnd(facts, 0);
  const server = keyEnd(facts, 1);
  const goodSynAcks = facts.synAcks[1].filter((i) => !facts.badAcks.includes(i));
  const serverNs =
    opening.synAck < 0 ? null : roundTrip(facts, carriersOf(facts, opening.synAck), opening.synAck);
  const clientNs =
    opening.kind === 'simultaneous-open' ? null : roundTrip(facts, goodSynAcks, opening.ack);
  return {
    kind: opening.kind,
    fastOpen: opening.fastOpen,
    attempts: countAttempts(facts),
    serverRtt: serverNs === null ? null : serverNs / 1e9,
    clientRtt: clientNs === null ? null : clientNs / 1e9,
    handshakeRtt: serverNs === null || clientNs === null ? null : (serverNs + clientNs) / 1e9,
    isn: {
      client: facts.isn[0] === null ? null : facts.isn[0] >>> 0,
      server: facts.isn[1] === null ? null : facts.isn[1] >>> 0,
    },
    options: {
      client: unpackOptions(finished.options[client], finished.cookie[client]),
      server: unpackOptions(finished.options[server], finished.cookie[server]),
    },
    steps: listSteps(facts, opening),
  };
}

/** 0 without a SYN; 1, plus one for each SYN sent again after a RST that refused one before. */
function countAttempts(facts: Facts): number {
  const { syns, rsts } = facts;
  const refusals = rsts.filter((i) => isRefusal(facts, i));
  let attempts = 0;
  let lastSyn = -1;
  for (const syn of syns[0]) {
    if (lastSyn < 0 || refusals.some((i) => i > lastSyn && i < syn)) attempts++;
    lastSyn = syn;
  }
  return attempts;
}

function listSteps(facts: Facts, opening: Opening): HandshakeStep[] {
  const { story } = facts;
  const steps: HandshakeStep[] = [];
  // By end, and SYN or SYN,ACK: in a simultaneous open each end sends both.
  const seen = [false, false, false, false];
  for (let i = 0; i < story.count; i++) {
    const flags = story.flags[i]!;
    if ((flags & RST) !== 0) {
      if (i === opening.rst) steps.push(step(facts, i, 'RST', false));
    } else if ((flags & SYN) !== 0) {
      if (facts.badAcks.includes(i)) continue;
      const isAck = (flags & ACK) !== 0;
      // A SYN into a connection that is open belongs to no opening (RFC 5961 §4).
      if (!isAck && i > opening.ack && opening.ack >= 0 && opening.kind === '3-way') continue;
      const at = story.from[i]! * 2 + (isAck ? 1 : 0);
      steps.push(step(facts, i, isAck ? 'SYN,ACK' : 'SYN', seen[at]!));
      seen[at] = true;
    } else if (i === opening.ack && (flags & FIN) === 0) {
      steps.push(step(facts, i, 'ACK', false));
    }
  }
  return steps;
}

function step(
  facts: Facts,
  i: number,
  kind: HandshakeStep['kind'],
  retransmission: boolean,
): HandshakeStep {
  const s = facts.story;
  return {
    kind,
    frame: s.frame[i]!,
    t: s.tNs[i]! / 1e9,
    from: s.from[i] === 0 ? 'client' : 'server',
    flags: flagNames(s.flags[i]!),
    seq: s.seq[i]! >>> 0,
    ack: (s.flags[i]! & ACK) === 0 ? null : s.ack[i]! >>> 0,
    len: s.len[i]!,
    retransmission,
  };
}
