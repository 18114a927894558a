/** Two TCP endpoints, a link and a capture point in the middle, simulated: what went past, and the truth about it (RFC 9293 §3.10). */

import type { TcpState } from '../../src/tcp/state.ts';
import type { CloseKind, HandshakeKind } from '../../src/tcp/verdicts.ts';

/** 0: the end that opens actively (the first to, in a simultaneous open), 1: the other. */
export type End = 0 | 1;

const MS = 1_000_000;
const MSL_NS = 30_000 * MS;
const MSS = 1000;
const WINDOW = 65_535;
const MAX_TRIES = 12;
/** More events than any conversation of the generators needs. */
const MAX_EVENTS = 5000;

const F_FIN = 1;
export const F_SYN = 2;
const F_RST = 4;
const F_PSH = 8;
export const F_ACK = 16;

/** `close` sends a FIN and goes on reading, `orphan` sends a FIN and resets what still comes, `abort` sends a RST. */
export interface Action {
  end: End;
  kind: 'send' | 'close' | 'orphan' | 'abort';
  atNs: number;
  bytes: number;
}

/** Everything that is random about a conversation. */
export interface Plan {
  isn: readonly [number, number];
  /** From each end to the capture point, and from there to the other end. */
  toTapNs: readonly [number, number];
  beyondTapNs: readonly [number, number];
  timestamps: boolean;
  opening: 'client' | 'both' | 'refused';
  /** How long each end waits with an ACK, hoping for something to send with it; 0: not at all. */
  ackDelayNs: readonly [number, number];
  /** Nanoseconds from the peer's FIN to the own close(); null: never by itself. */
  closeAfterFinNs: readonly [number | null, number | null];
  actions: readonly Action[];
  /** What becomes of the n-th segment sent: lost before the capture point, behind it, or (beyond the list) neither. */
  losses: readonly ('none' | 'before' | 'after')[];
  /** Only what is sent again until it arrives is ever lost: segments that take sequence numbers. */
  spareAcks: boolean;
}

export interface Segment {
  /** In the order of sending, from 0. */
  id: number;
  from: End;
  flags: number;
  /** Offsets from the sender's and the other end's ISN: the SYN is 0. */
  seq: number;
  ack: number;
  len: number;
  tsVal: number;
  tsEcr: number;
  /** When it passed the capture point; -1: never. */
  tapNs: number;
  /** It was lost behind the capture point. */
  isLost: boolean;
}

export interface PathEntry {
  state: TcpState;
  /** The segment that was sent or received; null: a timer, or the state at the start. */
  segment: Segment | null;
}

export interface Outcome {
  /** In the order in which they passed the capture point. */
  captured: Segment[];
  sent: Segment[];
  paths: [PathEntry[], PathEntry[]];
  kind: CloseKind;
  initiator: End | 'both' | null;
  complete: boolean;
  handshake: HandshakeKind;
  /** First transmissions of both FINs, null: none; and the passive end's earliest ACK of the first FIN from before its own. */
  fins: [Segment | null, Segment | null];
  ackBeforeFin: Segment | null;
  /** RSTs that an end sent to end the connection or accepted as its end. */
  resets: Segment[];
  /** Segments sent again by a timer. */
  retransmissions: number;
  /** Both ends have nothing left to do but wait. */
  settled: boolean;
}

interface Unacked {
  seq: number;
  len: number;
  flags: number;
}

interface Endpoint {
  end: End;
  state: TcpState;
  path: PathEntry[];
  sndUna: number;
  sndNxt: number;
  rcvNxt: number;
  finSeq: number;
  peerFin: number;
  unacked: Unacked[];
  early: Segment[];
  closeWanted: boolean;
  orphan: boolean;
  tsRecent: number;
  lastAckSent: number;
  ackTimer: number;
  rtoTimer: number;
  tries: number;
  waitTimer: number;
}

/** Runs the conversation until nothing is left to happen. */
export function simulate(plan: Plan): Outcome {
  return new Simulation(plan).run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #ends: [Endpoint, Endpoint];
  readonly #sent: Segment[] = [];
  readonly #captured: Segment[] = [];
  readonly #resets: Segment[] = [];
  #queue: { atNs: number; order: number; run: () => void }[] = [];
  #order = 0;
  #now = 0;
  #retransmissions = 0;
  readonly #rtoNs: number;

  constructor(plan: Plan) {
    this.#plan = plan;
    const { toTapNs, beyondTapNs, ackDelayNs } = plan;
    const rtt = toTapNs[0] + beyondTapNs[0] + toTapNs[1] + beyondTapNs[1];
    this.#rtoNs = 2 * rtt + Math.max(...ackDelayNs) + 200 * MS;
    this.#ends = [endpoint(0), endpoint(1)];
  }

  run(): Outcome {
    const { plan, ends } = { plan: this.#plan, ends: this.#ends };
    if (plan.opening !== 'refused') ends[1].state = 'LISTEN';
    if (plan.opening !== 'both') ends[1].path.push({ state: ends[1].state, segment: null });
    this.#after(0, () => this.#open(ends[0]));
    if (plan.opening === 'both') {
      const oneWay = plan.toTapNs[0] + plan.beyondTapNs[0];
      this.#after(Math.floor(oneWay / 2), () => this.#open(ends[1]));
    }
    for (const action of plan.actions) this.#after(action.atNs, () => this.#act(action));
    let events = 0;
    while (this.#queue.length > 0 && events++ < MAX_EVENTS) {
      let next = 0;
      for (let i = 1; i < this.#queue.length; i++) {
        const a = this.#queue[i]!;
        const b = this.#queue[next]!;
        if (a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order)) next = i;
      }
      const [event] = this.#queue.splice(next, 1);
      this.#now = event!.atNs;
      event!.run();
    }
    return this.#judge(events < MAX_EVENTS);
  }

  #after(ns: number, run: () => void): void {
    this.#queue.push({ atNs: this.#now + ns, order: this.#order++, run });
  }

  #enter(e: Endpoint, state: TcpState, segment: Segment | null): void {
    if (e.state === state && e.path.length > 0) return;
    e.state = state;
    e.path.push({ state, segment });
    if (state === 'CLOSED' || state === 'TIME_WAIT') {
      e.unacked = [];
      e.rtoTimer++;
      if (state === 'CLOSED') e.ackTimer++;
    }
    if (state === 'TIME_WAIT') this.#waitOut(e);
    if (state === 'ESTABLISHED' && e.closeWanted) this.#close(e);
  }

  #waitOut(e: Endpoint): void {
    const timer = ++e.waitTimer;
    this.#after(2 * MSL_NS, () => {
      if (timer === e.waitTimer && e.state === 'TIME_WAIT') this.#enter(e, 'CLOSED', null);
    });
  }

  #transmit(e: Endpoint, flags: number, seq: number, ack: number, len: number): Segment {
    const { plan, sent } = { plan: this.#plan, sent: this.#sent };
    const segment: Segment = {
      id: sent.length,
      from: e.end,
      flags,
      seq,
      ack: (flags & F_ACK) === 0 ? 0 : ack,
      len,
      tsVal: 1000 + 7 * e.end + Math.floor(this.#now / MS),
      tsEcr: (flags & F_ACK) === 0 ? 0 : e.tsRecent,
      tapNs: -1,
      isLost: false,
    };
    sent.push(segment);
    const isSpared = plan.spareAcks && spaceOf(flags, len) === 0;
    const fate = isSpared ? 'none' : (plan.losses[segment.id] ?? 'none');
    segment.isLost = fate === 'after';
    if (fate === 'before') return segment;
    this.#after(plan.toTapNs[e.end], () => {
      segment.tapNs = this.#now;
      this.#captured.push(segment);
      if (fate === 'after') return;
      this.#after(plan.beyondTapNs[e.end], () => {
        this.#receive(this.#ends[e.end === 0 ? 1 : 0], segment);
      });
    });
    return segment;
  }

  /** Sends something that takes sequence numbers, and keeps it until it is acknowledged. */
  #send(e: Endpoint, flags: number, len: number): Segment {
    const segment = this.#transmit(e, flags, e.sndNxt, e.rcvNxt, len);
    e.unacked.push({ seq: e.sndNxt, len, flags });
    e.sndNxt += spaceOf(flags, len);
    if ((flags & F_ACK) !== 0) this.#acked(e);
    if (e.unacked.length === 1) this.#startRto(e);
    return segment;
  }

  /** An ACK has just gone out with whatever was sent. */
  #acked(e: Endpoint): void {
    e.ackTimer++;
    e.lastAckSent = e.rcvNxt;
  }

  #ackNow(e: Endpoint): void {
    this.#transmit(e, F_ACK, e.sndNxt, e.rcvNxt, 0);
    this.#acked(e);
  }

  #ackLater(e: Endpoint): void {
    const delay = this.#plan.ackDelayNs[e.end];
    if (delay === 0) {
      this.#ackNow(e);
      return;
    }
    const timer = ++e.ackTimer;
    this.#after(delay, () => {
      if (timer === e.ackTimer && e.state !== 'CLOSED') this.#ackNow(e);
    });
  }

  #startRto(e: Endpoint): void {
    const timer = ++e.rtoTimer;
    // Never both at once: an end that only seems to answer would look as if it did.
    const rtoNs = this.#rtoNs * (e.end === 0 ? 1 : 1.37);
    this.#after(Math.floor(rtoNs * 2 ** Math.min(e.tries, 4)), () => {
      const first = e.unacked[0];
      if (timer !== e.rtoTimer || first === undefined) return;
      if (++e.tries > MAX_TRIES) {
        this.#enter(e, 'CLOSED', null);
        return;
      }
      this.#retransmissions++;
      this.#transmit(e, first.flags, first.seq, e.rcvNxt, first.len);
      if ((first.flags & F_ACK) !== 0) this.#acked(e);
      this.#startRto(e);
    });
  }

  #open(e: Endpoint): void {
    e.state = 'CLOSED';
    this.#enter(e, 'SYN_SENT', this.#send(e, F_SYN, 0));
  }

  #act(action: Action): void {
    const e = this.#ends[action.end];
    switch (action.kind) {
      case 'send':
        if (e.state !== 'ESTABLISHED' && e.state !== 'CLOSE_WAIT') return;
        for (let left = action.bytes; left > 0; left -= MSS) {
          this.#send(e, F_ACK | F_PSH, Math.min(left, MSS));
        }
        return;
      case 'orphan':
        if (isOpen(e.state)) e.orphan = true;
        this.#close(e);
        return;
      case 'close':
        this.#close(e);
        return;
      case 'abort':
        if (!isOpen(e.state) && e.state !== 'FIN_WAIT_1' && e.state !== 'FIN_WAIT_2') return;
        this.#reset(e, this.#transmit(e, F_RST | F_ACK, e.sndNxt, e.rcvNxt, 0));
    }
  }

  #reset(e: Endpoint, rst: Segment): void {
    this.#resets.push(rst);
    this.#enter(e, 'CLOSED', rst);
  }

  #close(e: Endpoint): void {
    if (!isOpen(e.state)) {
      e.closeWanted ||= e.state === 'SYN_SENT' || e.state === 'SYN_RECEIVED';
      return;
    }
    e.finSeq = e.sndNxt;
    const next = e.state === 'CLOSE_WAIT' ? 'LAST_ACK' : 'FIN_WAIT_1';
    this.#enter(e, next, this.#send(e, F_FIN | F_ACK, 0));
  }

  #receive(e: Endpoint, s: Segment): void {
    switch (e.state) {
      case 'CLOSED':
        this.#refuse(e, s);
        return;
      case 'LISTEN':
        if ((s.flags & (F_SYN | F_ACK | F_RST)) !== F_SYN) this.#refuse(e, s);
        else {
          e.tsRecent = s.tsVal;
          e.rcvNxt = 1;
          this.#enter(e, 'SYN_RECEIVED', s);
          this.#send(e, F_SYN | F_ACK, 0);
        }
        return;
      case 'SYN_SENT':
        this.#receiveInSynSent(e, s);
        return;
      default:
        this.#receiveSynchronized(e, s);
    }
  }

  #refuse(e: Endpoint, s: Segment): void {
    if ((s.flags & F_RST) !== 0) return;
    if ((s.flags & F_ACK) !== 0) this.#transmit(e, F_RST, s.ack, 0, 0);
    else this.#transmit(e, F_RST | F_ACK, 0, s.seq + spaceOf(s.flags, s.len), 0);
  }

  #receiveInSynSent(e: Endpoint, s: Segment): void {
    const acks = (s.flags & F_ACK) !== 0 && s.ack === e.sndNxt;
    if ((s.flags & F_RST) !== 0) {
      if (!acks) return;
      this.#resets.push(s);
      this.#enter(e, 'CLOSED', s);
      return;
    }
    if ((s.flags & F_SYN) === 0) return;
    e.tsRecent = s.tsVal;
    e.rcvNxt = 1;
    if (acks) {
      this.#takeAck(e, s.ack);
      // The ACK first: what the application had to say goes behind it.
      e.state = 'ESTABLISHED';
      e.path.push({ state: 'ESTABLISHED', segment: s });
      this.#ackNow(e);
      if (e.closeWanted) this.#close(e);
      return;
    }
    this.#enter(e, 'SYN_RECEIVED', s);
    e.unacked = [{ seq: 0, len: 0, flags: F_SYN | F_ACK }];
    this.#transmit(e, F_SYN | F_ACK, 0, 1, 0);
    this.#acked(e);
  }

  #takeAck(e: Endpoint, ack: number): void {
    if (ack <= e.sndUna || ack > e.sndNxt) return;
    e.sndUna = ack;
    e.unacked = e.unacked.filter((u) => u.seq + spaceOf(u.flags, u.len) > ack);
    e.tries = 0;
    if (e.unacked.length > 0) this.#startRto(e);
    else e.rtoTimer++;
  }

  #receiveSynchronized(e: Endpoint, s: Segment): void {
    if ((s.flags & F_RST) !== 0) {
      if (s.seq === e.rcvNxt) {
        if (e.state !== 'TIME_WAIT') this.#resets.push(s);
        this.#enter(e, 'CLOSED', s);
      } else if (s.seq > e.rcvNxt && s.seq < e.rcvNxt + WINDOW) this.#ackNow(e);
      return;
    }
    if ((s.flags & F_SYN) !== 0) {
      if (e.state === 'SYN_RECEIVED' && (s.flags & F_ACK) === 0) {
        this.#transmit(e, F_SYN | F_ACK, 0, e.rcvNxt, 0);
        return;
      }
      if (e.state === 'SYN_RECEIVED' && s.ack >= 1) {
        this.#takeAck(e, s.ack);
        e.state = 'ESTABLISHED';
        e.path.push({ state: 'ESTABLISHED', segment: s });
        this.#ackNow(e);
        if (e.closeWanted) this.#close(e);
        return;
      }
      this.#ackNow(e);
      return;
    }
    if (s.seq <= e.lastAckSent && s.tsVal >= e.tsRecent) e.tsRecent = s.tsVal;
    if ((s.flags & F_ACK) === 0 || s.ack > e.sndNxt) return;
    const finWasAcked = e.finSeq >= 0 && e.sndUna > e.finSeq;
    this.#takeAck(e, s.ack);
    if (e.state === 'SYN_RECEIVED' && s.ack >= 1) this.#enter(e, 'ESTABLISHED', s);
    const finIsAcked = e.finSeq >= 0 && !finWasAcked && e.sndUna > e.finSeq;
    const before = e.rcvNxt;
    this.#takeBytes(e, s);
    const gotFin = e.peerFin >= 0 && before <= e.peerFin && e.rcvNxt > e.peerFin;
    this.#step(e, s, finIsAcked, gotFin);
    const space = spaceOf(s.flags, s.len);
    if (space === 0 || (e.state as TcpState) === 'CLOSED') return;
    if (e.orphan && s.len > 0 && s.seq + s.len > before && e.finSeq >= 0) {
      this.#reset(e, this.#transmit(e, F_RST, s.ack, 0, 0));
      return;
    }
    if (e.rcvNxt === before) {
      this.#ackNow(e);
      if (e.state === 'TIME_WAIT') this.#waitOut(e);
    } else if (e.early.length > 0) this.#ackNow(e);
    else this.#ackLater(e);
    if (gotFin && e.state === 'CLOSE_WAIT') {
      const wait = this.#plan.closeAfterFinNs[e.end];
      if (wait !== null) this.#after(wait, () => this.#close(e));
    }
  }

  #takeBytes(e: Endpoint, s: Segment): void {
    if (spaceOf(s.flags, s.len) === 0 || e.state === 'TIME_WAIT') return;
    e.early.push(s);
    e.early.sort((a, b) => a.seq - b.seq);
    while (e.early[0] !== undefined && e.early[0].seq <= e.rcvNxt) {
      const next = e.early.shift()!;
      if ((next.flags & F_FIN) !== 0) e.peerFin = next.seq + next.len;
      e.rcvNxt = Math.max(e.rcvNxt, next.seq + spaceOf(next.flags, next.len));
    }
  }

  #step(e: Endpoint, s: Segment, finIsAcked: boolean, gotFin: boolean): void {
    switch (e.state) {
      case 'ESTABLISHED':
        if (gotFin) this.#enter(e, 'CLOSE_WAIT', s);
        return;
      case 'FIN_WAIT_1':
        if (finIsAcked && gotFin) this.#enter(e, 'TIME_WAIT', s);
        else if (finIsAcked) this.#enter(e, 'FIN_WAIT_2', s);
        else if (gotFin) this.#enter(e, 'CLOSING', s);
        return;
      case 'FIN_WAIT_2':
        if (gotFin) this.#enter(e, 'TIME_WAIT', s);
        return;
      case 'CLOSING':
        if (finIsAcked) this.#enter(e, 'TIME_WAIT', s);
        return;
      case 'LAST_ACK':
        if (finIsAcked) this.#enter(e, 'CLOSED', s);
        return;
      default:
    }
  }

  /** docs/specification.md §2 and §3, by what really was sent in which order. */
  #judge(settled: boolean): Outcome {
    const sent = this.#sent;
    const ends = this.#ends;
    const fins = ([0, 1] as const).map(
      (end) => sent.find((s) => s.from === end && (s.flags & F_FIN) !== 0) ?? null,
    ) as [Segment | null, Segment | null];
    const covers = (s: Segment, fin: Segment): boolean =>
      (s.flags & F_ACK) !== 0 && s.ack > fin.seq + fin.len;
    const outcome: Outcome = {
      captured: this.#captured,
      sent,
      paths: [ends[0].path, ends[1].path],
      kind: 'open',
      initiator: null,
      complete: false,
      handshake: '3-way',
      fins,
      ackBeforeFin: null,
      resets: this.#resets,
      retransmissions: this.#retransmissions,
      settled,
    };
    const [a, b] = fins;
    if (a !== null && b !== null) {
      const crossed = !covers(a, b) && !covers(b, a);
      const first = covers(b, a) ? 0 : 1;
      const f1 = fins[first]!;
      const f2 = fins[first === 0 ? 1 : 0]!;
      outcome.ackBeforeFin = crossed
        ? null
        : (sent.find(
            (s) => s.from === f2.from && s.id < f2.id && (s.flags & F_RST) === 0 && covers(s, f1),
          ) ?? null);
      outcome.kind = crossed
        ? 'simultaneous'
        : outcome.ackBeforeFin !== null
          ? '4-way'
          : '3-way-merged';
      outcome.initiator = crossed ? 'both' : first;
      outcome.complete = [a, b].every((fin) =>
        sent.some((s) => s.from !== fin.from && (s.flags & F_RST) === 0 && covers(s, fin)),
      );
    } else if (a !== null || b !== null) {
      outcome.kind = 'half-closed';
      outcome.initiator = a !== null ? 0 : 1;
    }
    if (this.#resets.length > 0) {
      outcome.kind = 'rst';
      outcome.complete = true;
      if (outcome.initiator === null) outcome.initiator = this.#resets[0]!.from;
    }
    if (this.#plan.opening === 'refused') outcome.handshake = 'refused';
    else if (this.#plan.opening === 'both') outcome.handshake = 'simultaneous-open';
    return outcome;
  }
}

function endpoint(end: End): Endpoint {
  return {
    end,
    state: 'CLOSED',
    path: [],
    sndUna: 0,
    sndNxt: 0,
    rcvNxt: 0,
    finSeq: -1,
    peerFin: -1,
    unacked: [],
    early: [],
    closeWanted: false,
    orphan: false,
    tsRecent: 0,
    lastAckSent: 0,
    ackTimer: 0,
    rtoTimer: 0,
    tries: 0,
    waitTimer: 0,
  };
}

function isOpen(state: TcpState): boolean {
  return state === 'ESTABLISHED' || state === 'CLOSE_WAIT';
}

function spaceOf(flags: number, len: number): number {
  return len + (flags & F_FIN) + ((flags & F_SYN) >> 1);
}
