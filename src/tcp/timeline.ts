/** The states both ends passed through (docs/specification.md §4), driven by the table in state.ts. */

import { ACK, RST, SYN } from '../decode/columns.ts';
import type { Closing } from './close.ts';
import {
  acksBeyond,
  answered,
  delivered,
  type End,
  type Facts,
  type FinFacts,
  other,
  REORDERING_NS,
} from './facts.ts';
import type { Opening } from './handshake.ts';
import { livesOn, type Resets } from './resets.ts';
import { nextState, type TcpEvent, type TcpState } from './state.ts';
import type { StateEntry } from './verdicts.ts';

/** A timeline and, for each entry, the position in the story that caused it (-1: no segment). */
export interface Timeline {
  entries: StateEntry[];
  causes: number[];
}

/** Collects the states of one end. */
class TimelineBuilder {
  readonly entries: StateEntry[] = [];
  readonly causes: number[] = [];
  #ns = 0;
  #hasTime = false;
  /** The state at present. */
  state: TcpState | null = null;
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** A state that no captured segment caused, at the time of the first frame. */
  start(state: TcpState, inferred: boolean): void {
    this.entries.push(
      inferred ? { state, t: 0, frame: null, inferred: true } : { state, t: 0, frame: null },
    );
    this.causes.push(-1);
    this.state = state;
  }

  /** The SYN at `cause` leaves CLOSED, which says nothing and is no entry. */
  connect(cause: number): void {
    this.state = 'CLOSED';
    this.follow('snd SYN', cause);
  }

  /** Enters a state with the segment at `cause`; time never goes back within a timeline. */
  enter(state: TcpState, cause: number, inferred = false): void {
    const { story } = this.#facts;
    const ns = story.tNs[cause]!;
    if (!this.#hasTime || ns > this.#ns) this.#ns = ns;
    this.#hasTime = true;
    const entry: StateEntry = { state, t: this.#ns / 1e9, frame: story.frame[cause]! };
    if (inferred) entry.inferred = true;
    this.entries.push(entry);
    this.causes.push(cause);
    this.state = state;
  }

  /** Follows the edge of the table, if there is one. */
  follow(event: TcpEvent, cause: number): void {
    const state = this.state;
    if (state === null || cause < 0) return;
    const next = nextState(state, event);
    if (next !== state) this.enter(next, cause);
  }

  /** Nanoseconds at which the present state was entered. */
  get ns(): number {
    return this.#ns;
  }

  /** Ends at `ns` without a segment of its own: by the frame of a new connection or (null) by the timer of TIME_WAIT. */
  expire(ns: number, frame: number | null, inferred = false): void {
    const entry: StateEntry = { state: 'CLOSED', t: Math.max(this.#ns, ns) / 1e9, frame };
    if (inferred) entry.inferred = true;
    this.entries.push(entry);
    this.causes.push(-1);
    this.state = 'CLOSED';
  }
}

/** Both timelines, the client's first. `mslSec`: TIME_WAIT lasts twice as long. */
export function buildTimelines(
  facts: Facts,
  opening: Opening,
  resets: Resets,
  closing: Closing,
  mslSec: number,
): [Timeline, Timeline] {
  const client = new TimelineBuilder(facts);
  const server = new TimelineBuilder(facts);
  openBoth(facts, opening, client, server);
  closeEnd(facts, 0, resets, closing, client);
  closeEnd(facts, 1, resets, closing, server);
  leaveAfterClose(facts, 0, resets, client, mslSec);
  leaveAfterClose(facts, 1, resets, server, mslSec);
  makeWay(facts, client);
  makeWay(facts, server);
  return [client, server];
}

/** The state after the segment at `i`. */
export function stateAfter(timeline: Timeline, i: number): TcpState {
  let state: TcpState = timeline.entries[0]?.state ?? 'CLOSED';
  for (let k = 0; k < timeline.entries.length; k++) {
    if (timeline.causes[k]! <= i && (timeline.causes[k]! >= 0 || k === 0))
      state = timeline.entries[k]!.state;
  }
  return state;
}

function openBoth(
  facts: Facts,
  opening: Opening,
  client: TimelineBuilder,
  server: TimelineBuilder,
): void {
  switch (opening.kind) {
    case 'none':
      client.start('ESTABLISHED', true);
      server.start('ESTABLISHED', true);
      return;
    case 'simultaneous-open':
      openSimultaneously(facts, 0, client);
      openSimultaneously(facts, 1, server);
      return;
    case 'refused':
      // The same SYN again after a RST shows that the RST had not ended the attempt: lost, or a stack that insists.
      client.connect(facts.syns[0][0]!);
      server.start('CLOSED', false);
      return;
    case 'partial':
      openInPart(facts, opening, client, server);
      return;
    default:
      openThreeWay(facts, opening, client, server);
  }
}

function openThreeWay(
  facts: Facts,
  opening: Opening,
  client: TimelineBuilder,
  server: TimelineBuilder,
): void {
  const { story, syns, synAcks } = facts;
  client.connect(syns[0][0]!);
  server.start('LISTEN', false);
  if (syns[1].length > 0) {
    // It sent a SYN of its own that nobody acknowledged.
    server.follow('snd SYN', syns[1][0]!);
  }
  if (opening.synAck < 0) return;
  const good = synAcks[1].filter((i) => !facts.badAcks.includes(i));
  const taken =
    opening.ack >= 0
      ? answered(story, good, opening.ack, facts.rttNs[0])
      : delivered(story, good, syns[0], facts.rttNs[0]);
  if (isClosedClient(facts, opening)) {
    // It never was ESTABLISHED.
  } else if (opening.ack < 0 && taken >= 0 && good.some((i) => i > taken)) {
    // Sent again and never acknowledged: only that no SYN was sent again says that it arrived.
    client.enter('ESTABLISHED', taken, true);
  } else {
    client.follow('rcv SYN,ACK', taken >= 0 ? taken : opening.ack >= 0 ? opening.synAck : -1);
  }
  server.follow('rcv SYN', opening.syn);
  if (opening.ack < 0) return;
  const open = findServerOpen(facts, opening, good);
  // A FIN sent before that ACK came takes SYN_RECEIVED straight to FIN_WAIT_1 (Figure 5).
  const fin = facts.fin[1];
  if (fin === null || fin.copies[0]! > open) server.follow('rcv ACK of SYN', open);
}

/**
 * The client answered the SYN-ACK with nothing but a bare RST at the number that this acknowledges: so does an end that is
 * closed (RFC 9293 §3.10.7.1). It had left SYN_SENT, or never was in it (a SYN scan); that RST is the first that tells.
 */
function isClosedClient(facts: Facts, opening: Opening): boolean {
  const { story } = facts;
  const { rst } = opening;
  if (opening.kind !== 'aborted' || story.from[rst] !== 0) return false;
  return (story.flags[rst]! & ACK) === 0 && story.seq[rst] === story.ack[opening.synAck];
}

/**
 * The client's segment that brought the server to ESTABLISHED, or -1: a SYN-ACK sent again shows that it did not take the ACK
 * (lost, or the accept queue was full), unless the server itself speaks as established.
 */
function findServerOpen(facts: Facts, opening: Opening, synAcks: readonly number[]): number {
  const { story } = facts;
  const isn = story.seq[opening.synAck]!;
  const acks: number[] = [];
  let spoke = story.count;
  for (let i = 0; i < story.count; i++) {
    if ((story.flags[i]! & (SYN | RST)) !== 0) continue;
    if (story.from[i] === 0) {
      if (acksBeyond(story, i, isn)) acks.push(i);
    } else if (i < spoke && (story.flags[i]! & ACK) !== 0 && i > opening.ack) {
      spoke = i;
    }
  }
  const repeats = synAcks.filter((i) => i < spoke);
  const found = delivered(story, acks, repeats, facts.rttNs[1]);
  if (found >= 0 && found < spoke) return found;
  const before = acks.filter((i) => i < spoke);
  return spoke < story.count ? (before[before.length - 1] ?? opening.ack) : found;
}

function openSimultaneously(facts: Facts, end: End, builder: TimelineBuilder): void {
  const { story, syns, isn } = facts;
  builder.connect(syns[end][0]!);
  // Only its SYN,ACK shows that the other's SYN had reached it.
  if (facts.synAcks[end].length > 0) builder.follow('rcv SYN', syns[other(end)][0]!);
  const own = isn[end]!;
  for (let i = 0; i < story.count; i++) {
    if (story.from[i] === end || (story.flags[i]! & RST) !== 0) continue;
    if (acksBeyond(story, i, own)) {
      builder.follow((story.flags[i]! & SYN) === 0 ? 'rcv ACK of SYN' : 'rcv SYN,ACK', i);
      return;
    }
  }
}

/** Only part of the opening is in the capture: what the other part proves is marked as inferred. */
function openInPart(
  facts: Facts,
  opening: Opening,
  client: TimelineBuilder,
  server: TimelineBuilder,
): void {
  const { story, syns } = facts;
  if (opening.synAck >= 0) {
    client.start('SYN_SENT', true);
    client.follow('rcv SYN,ACK', opening.synAck);
    server.start('LISTEN', true);
    server.enter('SYN_RECEIVED', opening.synAck, true);
    if (opening.ack >= 0) {
      server.follow('rcv ACK of SYN', findServerOpen(facts, opening, facts.synAcks[1]));
      return;
    }
    // What the server sent later proves it.
    for (let i = opening.synAck + 1; i < story.count; i++) {
      if (story.from[i] !== 1 || (story.flags[i]! & (SYN | RST)) !== 0) continue;
      server.enter('ESTABLISHED', i, true);
      return;
    }
    return;
  }
  client.connect(syns[0][0]!);
  server.start('LISTEN', false);
  server.follow('rcv SYN', syns[0][syns[0].length - 1]!);
  for (let i = 0; i < story.count; i++) {
    if ((story.flags[i]! & (SYN | RST)) !== 0 || (story.flags[i]! & ACK) === 0) continue;
    client.enter('ESTABLISHED', i, true);
    server.enter('ESTABLISHED', i, true);
    return;
  }
}

/** The events of the close in the order in which they happened at this end. */
function closeEnd(
  facts: Facts,
  end: End,
  resets: Resets,
  closing: Closing,
  builder: TimelineBuilder,
): void {
  const own = facts.fin[end];
  const peers = facts.fin[other(end)];
  let sent = own === null ? -1 : own.copies[0]!;
  let acked = own === null ? -1 : own.delivered;
  let got = peers === null ? -1 : peers.arrival;
  const { ending } = resets;
  const isForged = resets.refutation >= 0;
  const isResetter = ending >= 0 && !isForged && facts.story.from[ending] === end;
  // The supposed sender of a forged RST goes on until the answer to what it sends.
  const isVictim = isForged && facts.story.from[ending] === end;
  const arrival = isVictim ? resets.refutation : resets.arrival;
  if (isResetter) {
    if (sent > ending) sent = -1;
    if (acked > ending) acked = -1;
    if (peers !== null && !tookFinBefore(facts, ending, peers)) {
      got = -1;
      if (peers.copies.includes(acked)) acked = -1;
    }
  } else if (ending >= 0) {
    // What the receiver of the RST sent had left it before the RST arrived, wherever it stands in the capture.
    if (acked >= arrival) acked = -1;
    if (got >= arrival) got = -1;
  }
  if (sent >= 0 && gotBeforeSending(facts, end, closing)) {
    builder.follow('rcv FIN', got);
    builder.follow('snd FIN', sent);
    builder.follow('rcv ACK of FIN', acked);
  } else {
    builder.follow('snd FIN', sent);
    if (acked >= 0 && acked === got) {
      builder.follow('rcv FIN,ACK of FIN', got);
    } else if (acked >= 0 && acked < got) {
      builder.follow('rcv ACK of FIN', acked);
      builder.follow('rcv FIN', got);
    } else {
      builder.follow('rcv FIN', got);
      builder.follow('rcv ACK of FIN', acked);
    }
  }
  if (ending >= 0) {
    builder.follow(isResetter ? 'snd RST' : 'rcv RST', isResetter ? ending : arrival);
  }
}

/**
 * Whether the sender of the RST at `ending` had taken the other's FIN. A bare RST answers for a connection that is no more: that
 * FIN found a socket only if it was acknowledged.
 */
function tookFinBefore(facts: Facts, ending: number, fin: FinFacts): boolean {
  if ((facts.story.flags[ending]! & ACK) !== 0) {
    return acksBeyond(facts.story, ending, fin.position);
  }
  const cover = fin.covers[0];
  return cover !== undefined && cover < ending;
}

/** Whether this end had the other's FIN when it sent its own. */
function gotBeforeSending(facts: Facts, end: End, closing: Closing): boolean {
  const own = facts.fin[end];
  const peers = facts.fin[other(end)];
  if (own === null || peers === null) return false;
  if (closing.kind === 'rst') return acksBeyond(facts.story, own.copies[0]!, peers.position);
  return !closing.isSimultaneous && closing.first !== end;
}

/**
 * What follows the close. TIME_WAIT ends by its timer (restarted by each FIN that comes again), a RST, or a new connection; a RST ends
 * LAST_ACK and CLOSING too (RFC 9293 §3.10.7.4). Who sends one after the close has no socket any more.
 */
function leaveAfterClose(
  facts: Facts,
  end: End,
  resets: Resets,
  builder: TimelineBuilder,
  mslSec: number,
): void {
  const { state } = builder;
  const isWaiting = state === 'TIME_WAIT';
  if (!isWaiting && state !== 'LAST_ACK' && state !== 'CLOSING') return;
  const { story, finished } = facts;
  let timer = Number.POSITIVE_INFINITY;
  if (isWaiting) {
    const entered = builder.causes[builder.causes.length - 1]!;
    const peers = facts.fin[other(end)];
    let from = builder.ns;
    for (const i of peers?.copies ?? []) if (i > entered) from = Math.max(from, story.tNs[i]!);
    timer = from + 2 * mslSec * 1e9;
  }
  for (const i of resets.afterClose) {
    if (story.tNs[i]! >= timer) break;
    const isSender = story.from[i] === end;
    if (isSender ? livesOn(facts, i) : !isWaiting && speaksAfter(facts, i)) continue;
    builder.follow(isSender ? 'snd RST' : 'rcv RST', i);
    return;
  }
  if (!isWaiting) return;
  if (finished.reusedFrame !== null && finished.reusedNs < timer) {
    builder.expire(finished.reusedNs, finished.reusedFrame);
  } else {
    builder.expire(timer, null);
  }
}

/** The receiver of the RST at `i` sends its FIN again after what was under way: the RST was lost. */
function speaksAfter({ story, rttNs }: Facts, i: number): boolean {
  const underWay = Math.max(rttNs[other(story.from[i] as End)], REORDERING_NS);
  for (let j = i + 1; j < story.count; j++) {
    if (story.from[j] === story.from[i] || (story.flags[j]! & RST) !== 0) continue;
    if (story.tNs[j]! - story.tNs[i]! > underWay) return true;
  }
  return false;
}

/**
 * A new connection of the same ports: whatever the old one was in is over, for the sender of that SYN has forgotten it, and its answer to
 * what the other end says of it ends it there (RFC 9293 §3.5.1). No frame of this connection shows it: inferred.
 */
function makeWay({ finished }: Facts, builder: TimelineBuilder): void {
  if (finished.reusedFrame === null) return;
  if (builder.state === 'CLOSED' || builder.state === 'LISTEN') return;
  builder.expire(finished.reusedNs, finished.reusedFrame, true);
}
