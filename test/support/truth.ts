/** The kernel's account beside a capture (`NAME.truth.json`, lab/README.md) and what finwait has to say of such a connection. */

import { readFileSync } from 'node:fs';
import type { TcpState } from '../../src/tcp/state.ts';
import type { CloseKind, HandshakeKind, PerSide, Side } from '../../src/tcp/verdicts.ts';

/** [time in epoch seconds, old state, new state, mark]: `tw`, `tw-rst`, `tw-reset`, `tw-timer` of a minisocket, `silent` without a segment, `at-once` one segment brought ACK and FIN. */
export type KernelTransition = [t: number, from: string, to: string, mark?: string];

/** [time in epoch seconds, `receive_reset` or `send_reset`, the kernel's reason]. */
export type KernelReset = [t: number, event: string, reason: string];

type TruthClose = '4-way' | '3-way-merged' | 'simultaneous' | 'rst' | 'none';

export interface TruthConnection {
  client: string;
  server: string;
  close: TruthClose;
  close_as_sent: TruthClose;
  closed_first: Side | 'both' | null;
  closed_first_as_sent: Side | 'both' | null;
  complete: boolean;
  rst_by: Side | null;
  rst_by_as_sent?: Side | null;
  rst_senders?: Side[] | null;
  rst_after_close: Side | null;
  handshake: string;
  client_rfc: KernelTransition[];
  server_rfc: KernelTransition[];
  client_resets: KernelReset[];
  server_resets: KernelReset[];
  fins: PerSide<boolean>;
  fins_as_sent: PerSide<boolean>;
  first_frame: number;
  frames: number;
  streams: number[];
  /** Ends whose states the file can't tell. */
  undecided?: Side[];
  notes: string;
}

export interface TruthFile {
  scenario: string;
  capture: string;
  capture_side: 'client' | 'server' | 'middle' | 'trunk';
  connections: TruthConnection[];
}

/** One state that the kernel was in. */
export interface ExpectedState {
  state: TcpState;
  /** Epoch seconds, or null where the kernel doesn't trace it when it happens. */
  time: number | null;
  /** The kernel passed it within one interrupt: a file may show it or not. */
  optional: boolean;
}

export interface ExpectedPath {
  states: ExpectedState[];
  /** CLOSED may follow: the kernel left the last state by a timer that no segment tells of, or only one that came later. */
  openEnded: boolean;
}

/** One admissible account of a close. */
export interface ExpectedClose {
  kind: CloseKind;
  initiator: Side | 'both' | null;
  /** Null: not told. */
  complete: boolean | null;
  resetBy: Side | null;
}

/** Reads a truth file. Throws where it isn't one. */
export function readTruth(path: string): TruthFile {
  const truth: TruthFile = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(truth.connections) || typeof truth.capture !== 'string')
    throw new Error(`${path}: expected a truth file, found no list of connections`);
  return truth;
}

const RFC_NAMES: Record<string, TcpState> = {
  CLOSE: 'CLOSED',
  LISTEN: 'LISTEN',
  SYN_SENT: 'SYN_SENT',
  SYN_RECV: 'SYN_RECEIVED',
  NEW_SYN_RECV: 'SYN_RECEIVED',
  ESTABLISHED: 'ESTABLISHED',
  FIN_WAIT1: 'FIN_WAIT_1',
  FIN_WAIT2: 'FIN_WAIT_2',
  CLOSING: 'CLOSING',
  TIME_WAIT: 'TIME_WAIT',
  CLOSE_WAIT: 'CLOSE_WAIT',
  LAST_ACK: 'LAST_ACK',
};

/** The kernel's name of a state as RFC 9293 writes it. Throws for a name that is none. */
export function rfcState(name: string): TcpState {
  const state = RFC_NAMES[name];
  if (state === undefined) throw new Error(`expected a state of the kernel, found ${name}`);
  return state;
}

/** Seconds: an ACK and a FIN in one segment take the kernel through FIN_WAIT2 in less. */
const ONE_INTERRUPT = 50e-6;

/**
 * The states of one end as RFC 9293 counts them, or null where the kernel has none to show (no full socket) or the file
 * can't tell them. FIN_WAIT_2 is left out where the close was merged and one segment brought the ACK and the FIN: the truth
 * marks it, or where it has no marks (and no `undecided`) the kernel passed through it in one interrupt.
 */
export function expectedPath(connection: TruthConnection, side: Side): ExpectedPath | null {
  const transitions = side === 'client' ? connection.client_rfc : connection.server_rfc;
  const first = transitions[0];
  if (first === undefined || connection.undecided?.includes(side)) return null;
  const states: ExpectedState[] = [];
  const listened = first[1] === 'LISTEN';
  if (listened) states.push({ state: 'LISTEN', time: null, optional: false });
  let openEnded = false;
  for (const [i, [time, from, to, mark]] of transitions.entries()) {
    if (
      mark === 'tw-timer' ||
      (mark === 'silent' && !tookReset(connection, side, time)) ||
      (mark === undefined && isSilent(connection, side, from, to))
    ) {
      openEnded = true;
      break;
    }
    // close() after shutdown() enters the state that the socket is in already.
    if (from === to) continue;
    const next = transitions[i + 1];
    const brief = to === 'FIN_WAIT2' && next !== undefined && next[0] - time < ONE_INTERRUPT;
    const atOnce = mark === 'at-once' || (brief && connection.undecided === undefined);
    if (atOnce && connection.close === '3-way-merged') continue;
    // A listener's child is traced only once its handshake is over.
    const late = listened && to === 'SYN_RECV';
    states.push({ state: rfcState(to), time: late ? null : time, optional: atOnce || brief });
  }
  if (connection.handshake !== 'none-seen') return { states, openEnded };
  const established = states.findIndex(({ state }) => state === 'ESTABLISHED');
  const rest = states.slice(established);
  return { states: rest.map((s, i) => (i === 0 ? { ...s, time: null } : s)), openEnded };
}

/** Microseconds for the kernel to close a socket after it traced the RST that it takes. */
const RESET_US = 1000;

/** The kernel traced a RST that this end took just then, which the file holds among the frames of the next connection. */
function tookReset(connection: TruthConnection, side: Side, time: number): boolean {
  const resets = side === 'client' ? connection.client_resets : connection.server_resets;
  return resets.some(
    ([t, event]) => event === 'receive_reset' && Math.abs(time - t) * 1e6 < RESET_US,
  );
}

/** CLOSE without a segment: a timer or the process gave up. */
function isSilent(connection: TruthConnection, side: Side, from: string, to: string): boolean {
  if (to !== 'CLOSE' || from === 'LAST_ACK') return false;
  const resets = side === 'client' ? connection.client_resets : connection.server_resets;
  return resets.length === 0 && !connection.rst_by && !connection.rst_senders?.length;
}

/**
 * Why `actual` isn't the path that `expected` tells, or null where it is. CLOSED after TIME_WAIT is ignored: that is finwait's
 * timer, and the kernel doesn't list it.
 */
export function pathMismatch(expected: ExpectedPath, actual: readonly TcpState[]): string | null {
  const found = withoutTimer(actual);
  const wanted = expected.states;
  let at = 0;
  for (const { state, optional } of wanted) {
    if (found[at] === state) at += 1;
    else if (!optional) return `expected ${describe(expected)}, got ${found.join(' > ')}`;
  }
  const more = found.slice(at);
  const isTimer = expected.openEnded && more.length === 1 && more[0] === 'CLOSED';
  if (more.length > 0 && !isTimer)
    return `expected ${describe(expected)}, got ${found.join(' > ')}`;
  return null;
}

function withoutTimer(states: readonly TcpState[]): TcpState[] {
  const last = states.length - 1;
  return states[last] === 'CLOSED' && states[last - 1] === 'TIME_WAIT'
    ? states.slice(0, -1)
    : [...states];
}

/** The path in one line; a state in brackets may be missing. */
export function describe({ states, openEnded }: ExpectedPath): string {
  const names = states.map(({ state, optional }) => (optional ? `[${state}]` : state));
  return openEnded ? `${names.join(' > ')} …` : names.join(' > ');
}

/**
 * What finwait may say of the close: what the file shows and, where a deciding segment is missing from it, what was sent.
 * The first is the file's.
 */
export function expectedCloses(connection: TruthConnection): ExpectedClose[] {
  const { rst_by } = connection;
  const shown = account(connection.close, connection.closed_first, rst_by, connection.fins);
  shown.complete = shown.kind === 'rst' || connection.complete;
  const rstAsSent = connection.rst_by_as_sent === undefined ? rst_by : connection.rst_by_as_sent;
  const sent = account(
    connection.close_as_sent,
    connection.closed_first_as_sent,
    rstAsSent,
    connection.fins_as_sent,
  );
  const same =
    sent.kind === shown.kind &&
    sent.initiator === shown.initiator &&
    sent.resetBy === shown.resetBy;
  return same ? [shown] : [shown, sent];
}

function account(
  close: TruthClose,
  first: Side | 'both' | null,
  rstBy: Side | null,
  fins: PerSide<boolean>,
): ExpectedClose {
  const silent: CloseKind = fins.client || fins.server ? 'half-closed' : 'open';
  const kind = close === 'none' ? silent : close;
  const resetBy = kind === 'rst' ? rstBy : null;
  return { kind, initiator: first ?? resetBy, complete: null, resetBy };
}

/** How the file shows the opening. */
export function expectedHandshake(connection: TruthConnection): {
  kind: HandshakeKind;
  fastOpen: boolean;
} {
  const { handshake } = connection;
  if (handshake === 'tfo') return { kind: '3-way', fastOpen: true };
  if (handshake === 'none-seen') return { kind: 'none', fastOpen: false };
  return { kind: handshake as HandshakeKind, fastOpen: false };
}

/** Who holds TIME_WAIT in the end; undefined where an end's states aren't told. */
export function expectedTimeWait(connection: TruthConnection): Side | 'both' | null | undefined {
  const holds = (side: Side) =>
    expectedPath(connection, side)?.states.some(({ state }) => state === 'TIME_WAIT') ?? null;
  const client = holds('client');
  const server = holds('server');
  if (connection.undecided?.length || client === null) return undefined;
  if (client && server) return 'both';
  return client ? 'client' : server ? 'server' : null;
}
