/** What happens to connections while it happens: openings, states and closes, each told once, and again where a later frame changed it. */

import { formatUtc, NS_PER_S } from '../base/time.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { Molds } from '../tcp/molds.ts';
import type { TcpState } from '../tcp/state.ts';
import {
  type Close,
  type CloseKind,
  type Finding,
  type FindingCode,
  type Handshake,
  type HandshakeKind,
  type PerSide,
  type RstPhase,
  SIDES,
  type Side,
  type StateEntry,
} from '../tcp/verdicts.ts';
import { addressOf } from './names.ts';
import type { ConnectionRecord, EndpointAddress } from './record.ts';

interface EventHead {
  schema: 1;
  /** RFC 3339, UTC: when the frame that showed it was captured. */
  time: string;
  /** The record's number. */
  stream: number;
  client: EndpointAddress;
  server: EndpointAddress;
  /** A later frame changed what an earlier event said. */
  revised: boolean;
}

/** The opening is decided. */
export interface OpenEvent extends EventHead {
  event: 'open';
  handshake: HandshakeKind;
  /** Seconds, or null. */
  handshakeRtt: number | null;
}

/** One end has entered a state. `frame` is null where a timer did it. */
export interface StateEvent extends EventHead {
  event: 'state';
  side: Side;
  state: TcpState;
  frame: number | null;
}

/** It is closed, or the capture has ended before (`open`, `half-closed`, or `complete` is false). */
export interface CloseEvent extends EventHead {
  event: 'close';
  close: CloseKind;
  complete: boolean;
  initiator: Side | 'both' | null;
  timeWait: Side | 'both' | null;
  resetBy: Side | null;
  phase: RstPhase | null;
  findings: FindingCode[];
}

export type LiveEvent = OpenEvent | StateEvent | CloseEvent;

/** An open connection as the live view shows it. */
export interface LiveConnection {
  readonly stream: number;
  /** For `AnalysisRun.look`; a copy's may be out of date. */
  index: number;
  readonly startSec: number;
  readonly startNs: number;
  client: EndpointAddress;
  server: EndpointAddress;
  clientEnd: 0 | 1;
  states: PerSide<TcpState | null>;
  handshake: HandshakeKind | null;
  close: CloseKind | null;
  closeComplete: boolean;
  /** The latest event in a few words, and its second since 1970. */
  lastEvent: string;
  lastSec: number;
  /** Bytes both ways at the latest event. */
  bytes: number;
  /** States told per end. */
  told: PerSide<number>;
}

/** Kinds that further frames don't decide; the others are told when the connection ends. */
const SETTLED: ReadonlySet<HandshakeKind> = new Set([
  '3-way',
  'simultaneous-open',
  'refused',
  'aborted',
  'partial',
  'none',
]);

/** Follows the open connections; memory for each open one, given back by `finish`. */
export class LiveEvents {
  readonly open = new Map<number, LiveConnection>();
  /** Ends in these states at present, in all and by host; a host without any is not in it. */
  readonly sockets = { TIME_WAIT: 0, CLOSE_WAIT: 0 };
  readonly hosts = new Map<string, { TIME_WAIT: number; CLOSE_WAIT: number }>();
  readonly #molds: Molds;
  readonly #wantsStates: boolean;
  readonly #onEvent: (event: LiveEvent) => void;

  /** `wantsStates`: whether `onEvent` is to hear of states; most events are. */
  constructor(mslSec: number, wantsStates: boolean, onEvent: (event: LiveEvent) => void) {
    this.#wantsStates = wantsStates;
    this.#molds = new Molds(mslSec);
    this.#onEvent = onEvent;
  }

  /** Something happened to the connection: `now` as the analysis hands it over. */
  happened(now: FinishedConnection, index: number): void {
    const { close, facts, findings, handshake, states } = this.#molds.conclude(now);
    let one = this.open.get(now.stream);
    if (one === undefined) {
      one = create(now, index);
      this.open.set(now.stream, one);
      name(one, now, facts.clientKeyEnd);
    } else if (one.clientEnd !== facts.clientKeyEnd) {
      // The roles are the other way round: so are the states told so far.
      for (const side of SIDES) this.#enter(one, side, null);
      one.told = { client: 0, server: 0 };
      name(one, now, facts.clientKeyEnd);
    }
    one.bytes = now.bytes[0] + now.bytes[1];
    const t = now.durationNs / NS_PER_S;
    if (SETTLED.has(handshake.kind)) this.#tellOpen(one, handshake, t);
    // TIME_WAIT's end lies ahead: it is told when it comes.
    this.#tellStates(one, states, null);
    if (close.complete) this.#tellClose(one, close, findings, t);
    one.lastSec = secondOf(one, t);
  }

  /** Connections have got other indexes (`RunOptions.onMoved`). */
  moved(to: (index: number) => number): void {
    for (const one of this.open.values()) one.index = to(one.index);
  }

  /** The connection is over, or the capture is, at second `nowSec`. */
  finish(record: ConnectionRecord, nowSec: number): void {
    const one = this.open.get(record.stream);
    if (one === undefined) return;
    this.open.delete(record.stream);
    this.#tellOpen(one, record.handshake, record.duration);
    this.#tellStates(one, record.states, nowSec);
    this.#tellClose(one, record.close, record.findings, record.duration);
    for (const side of SIDES) this.#enter(one, side, null);
  }

  #tellOpen(one: LiveConnection, { kind, handshakeRtt }: Handshake, t: number): void {
    if (one.handshake === kind) return;
    const revised = one.handshake !== null;
    one.handshake = kind;
    one.lastEvent = `opened ${kind}`;
    const time = timeText(one, t);
    this.#onEvent({ ...head(one, time, revised), event: 'open', handshake: kind, handshakeRtt });
  }

  /** Tells the states that were not told yet, in their order; timers' only where they lie before `nowSec`. */
  #tellStates(one: LiveConnection, states: PerSide<StateEntry[]>, nowSec: number | null): void {
    const { client, server } = states;
    const clientEnd = countPassed(one, client, nowSec);
    const serverEnd = countPassed(one, server, nowSec);
    let c = nextToTell(one, 'client', client, clientEnd);
    let s = nextToTell(one, 'server', server, serverEnd);
    const clientRevised = hasChanged(one, 'client', client);
    const serverRevised = hasChanged(one, 'server', server);
    if (clientEnd > 0) one.told.client = clientEnd;
    if (serverEnd > 0) one.told.server = serverEnd;
    while (c < clientEnd || s < serverEnd) {
      const mine = c < clientEnd ? client[c] : undefined;
      const other = s < serverEnd ? server[s] : undefined;
      if (mine !== undefined && (other === undefined || !isBefore(other, mine))) {
        this.#tellState(one, 'client', mine, clientRevised);
        c++;
      } else if (other !== undefined) {
        this.#tellState(one, 'server', other, serverRevised);
        s++;
      }
    }
  }

  #tellState(one: LiveConnection, side: Side, entry: StateEntry, revised: boolean): void {
    const { frame, state, t } = entry;
    one.lastEvent = `${side} ${state}`;
    this.#enter(one, side, state);
    if (!this.#wantsStates) return;
    const time = timeText(one, t);
    this.#onEvent({ ...head(one, time, revised), event: 'state', side, state, frame });
  }

  #enter(one: LiveConnection, side: Side, state: TcpState | null): void {
    const before = one.states[side];
    if (before === 'TIME_WAIT' || before === 'CLOSE_WAIT') this.#count(one[side].ip, before, -1);
    if (state === 'TIME_WAIT' || state === 'CLOSE_WAIT') this.#count(one[side].ip, state, 1);
    one.states[side] = state;
  }

  #count(ip: string, state: 'TIME_WAIT' | 'CLOSE_WAIT', by: 1 | -1): void {
    this.sockets[state] += by;
    const host = this.hosts.get(ip) ?? { TIME_WAIT: 0, CLOSE_WAIT: 0 };
    host[state] += by;
    if (host.TIME_WAIT === 0 && host.CLOSE_WAIT === 0) this.hosts.delete(ip);
    else this.hosts.set(ip, host);
  }

  #tellClose(one: LiveConnection, close: Close, findings: readonly Finding[], t: number): void {
    if (one.close === close.kind && one.closeComplete === close.complete) return;
    const revised = one.close !== null;
    one.close = close.kind;
    one.closeComplete = close.complete;
    one.lastEvent = `closed ${close.kind}${close.phase === null ? '' : ` ${close.phase}`}`;
    const { complete, initiator, kind, phase, resetBy, timeWait } = close;
    this.#onEvent({
      ...head(one, timeText(one, t), revised),
      event: 'close',
      close: kind,
      complete,
      initiator,
      timeWait,
      resetBy,
      phase,
      findings: findings.map(({ code }) => code),
    });
  }
}

function create(now: FinishedConnection, index: number): LiveConnection {
  const nobody = { ip: '', port: 0 };
  return {
    stream: now.stream,
    index,
    startSec: now.startSec,
    startNs: now.startNs,
    client: nobody,
    server: nobody,
    clientEnd: 0,
    states: { client: null, server: null },
    handshake: null,
    close: null,
    closeComplete: false,
    lastEvent: '',
    lastSec: now.startSec,
    bytes: 0,
    told: { client: 0, server: 0 },
  };
}

function name(one: LiveConnection, now: FinishedConnection, clientEnd: 0 | 1): void {
  one.clientEnd = clientEnd;
  one.client = endpoint(now, clientEnd);
  one.server = endpoint(now, clientEnd === 0 ? 1 : 0);
}

function endpoint(now: FinishedConnection, end: 0 | 1): EndpointAddress {
  return { ip: addressOf(now, end), port: now.port[end] };
}

function head(one: LiveConnection, time: string, revised: boolean): EventHead {
  const { client, server, stream } = one;
  return { schema: 1, time, stream, client, server, revised };
}

/** `t` seconds after the connection's first frame, in whole seconds since 1970. */
function secondOf(one: LiveConnection, t: number): number {
  return one.startSec + Math.floor((one.startNs + Math.round(t * NS_PER_S)) / NS_PER_S);
}

/** The same as RFC 3339. */
function timeText(one: LiveConnection, t: number): string {
  const ns = one.startNs + Math.round(t * NS_PER_S);
  const whole = Math.floor(ns / NS_PER_S);
  return formatUtc(one.startSec + whole, ns - whole * NS_PER_S);
}

/** How many of the entries have passed: not those that a timer is to bring. */
function countPassed(
  one: LiveConnection,
  entries: readonly StateEntry[],
  nowSec: number | null,
): number {
  let count = entries.length;
  while (count > 0 && isAhead(one, entries[count - 1], nowSec)) count--;
  return count;
}

/** The first entry to tell: the one behind those told, or, where the past has changed, the last one; `end` where there is none. */
function nextToTell(
  one: LiveConnection,
  side: Side,
  entries: readonly StateEntry[],
  end: number,
): number {
  const told = one.told[side];
  if (told === 0 || end === 0) return 0;
  if (end >= told && !hasChanged(one, side, entries)) return told;
  return entries[end - 1]?.state === one.states[side] ? end : end - 1;
}

/** Whether the last state told is no longer where it was. */
function hasChanged(one: LiveConnection, side: Side, entries: readonly StateEntry[]): boolean {
  const told = one.told[side];
  return told > 0 && entries[told - 1]?.state !== one.states[side];
}

function isBefore(a: StateEntry, b: StateEntry): boolean {
  return a.t < b.t || (a.t === b.t && (a.frame ?? 0) < (b.frame ?? 0));
}

/** Whether a timer is to bring this state, and hasn't yet. */
function isAhead(
  one: LiveConnection,
  entry: StateEntry | undefined,
  nowSec: number | null,
): boolean {
  if (entry === undefined || entry.frame !== null || entry.t === 0) return false;
  return nowSec === null || secondOf(one, entry.t) > nowSec;
}
