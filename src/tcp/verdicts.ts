/** What finwait says of one connection: the kinds and shapes of docs/specification.md §2–§4 and §6. */

import type { TcpOptions } from '../decode/tcp-options.ts';
import type { TcpState } from './state.ts';

export type { TcpOptions };

/** An end of a connection, by its role. */
export type Side = 'client' | 'server';

/** Both, the client first. */
export const SIDES: readonly [Side, Side] = ['client', 'server'];

/** Of each end. */
export interface PerSide<T> {
  client: T;
  server: T;
}

/** How a connection was opened (docs/specification.md §2). */
export const HANDSHAKE_KINDS = [
  '3-way',
  'simultaneous-open',
  'half-open',
  'refused',
  'aborted',
  'unanswered',
  'partial',
  'none',
] as const;
export type HandshakeKind = (typeof HANDSHAKE_KINDS)[number];

/** A segment as it is shown. */
export interface ShownSegment {
  /** From 1. */
  frame: number;
  /** Seconds since the connection's first frame. */
  t: number;
  from: Side;
  /** Names joined by commas in the order SYN,FIN,RST,PSH,ACK,URG,ECE,CWR,AE. */
  flags: string;
  /** Absolute, 0 … 2^32-1. */
  seq: number;
  /** Absolute; null where the ACK flag isn't set. */
  ack: number | null;
  /** Payload bytes. */
  len: number;
}

/** A segment that takes part in the opening. */
export interface HandshakeStep extends ShownSegment {
  kind: 'SYN' | 'SYN,ACK' | 'ACK' | 'RST';
  retransmission: boolean;
}

/** How the connection was opened. */
export interface Handshake {
  kind: HandshakeKind;
  /** The SYN carried data that the SYN-ACK acknowledged. */
  fastOpen: boolean;
  /** How many times the opening was tried: 1, plus one for each SYN sent again after a RST; 0 without a SYN. */
  attempts: number;
  /** SYN to SYN-ACK, seconds, from the copy that was answered; null where unknown or ambiguous (Karn). */
  serverRtt: number | null;
  /** SYN-ACK to ACK, seconds; null where unknown. */
  clientRtt: number | null;
  /** Their sum, or null where one is. */
  handshakeRtt: number | null;
  /** Initial sequence numbers where known (from the SYN, or one less than the first sequence number acknowledged by it). */
  isn: PerSide<number | null>;
  /** Of the SYN and the SYN-ACK; null where it isn't in the capture. */
  options: PerSide<TcpOptions | null>;
  /** In the order of the capture. */
  steps: HandshakeStep[];
}

/** How a connection was closed (docs/specification.md §3). */
export const CLOSE_KINDS = [
  '4-way',
  '3-way-merged',
  'simultaneous',
  'rst',
  'half-closed',
  'open',
] as const;
export type CloseKind = (typeof CLOSE_KINDS)[number];

/** When in a connection's life a RST ended it (docs/specification.md §3). */
export const RST_PHASES = ['handshake', 'established', 'after-fin', 'closing'] as const;
export type RstPhase = (typeof RST_PHASES)[number];

/** A segment that takes part in the close. */
export interface CloseStep extends ShownSegment {
  kind: 'FIN' | 'ACK of FIN' | 'FIN,ACK of FIN' | 'RST';
  retransmission: boolean;
  /** States of both ends after this segment. */
  senderState: TcpState;
  receiverState: TcpState;
}

/** A frame that decides the close kind, and what it proves. */
export interface Evidence {
  frame: number;
  proves: string;
}

/** How the connection was closed, by whom, and how sure that is. */
export interface Close {
  kind: CloseKind;
  /** Whether nothing of the close is outstanding: each FIN acknowledged, or a RST seen. */
  complete: boolean;
  /** Who closed first: the first FIN's sender, without any the RST's; `both` for a simultaneous close; null where none was seen. */
  initiator: Side | 'both' | null;
  /** Who holds TIME_WAIT afterwards, or null. */
  timeWait: Side | 'both' | null;
  /** For `rst`: who sent the RST that ended it, and when in the connection's life. */
  resetBy: Side | null;
  phase: RstPhase | null;
  /** A RST came after both FINs were acknowledged. */
  resetAfterClose: boolean;
  /** `likely` where a frame that isn't in the capture could change the kind. */
  certainty: 'proven' | 'likely';
  /** The frames that decide the kind. */
  evidence: Evidence[];
  /** What a frame that isn't in the capture would change, or null. */
  doubt: string | null;
  /** In the order of the capture. */
  steps: CloseStep[];
  /** Seconds, as are the next three, or null: first FIN to the ACK that covers it. */
  finToAck: number | null;
  /** The passive side in CLOSE_WAIT: the time its application took to close. */
  closeWait: number | null;
  /** The active side in FIN_WAIT_2. */
  finWait2: number | null;
  /** First FIN (or RST) to the last step. */
  total: number | null;
  /** Payload bytes the passive side still sent after it had the FIN. */
  bytesAfterFin: number | null;
}

/** One state that an endpoint entered. */
export interface StateEntry {
  state: TcpState;
  /** Seconds since the connection's first frame. */
  t: number;
  /** The frame that caused it; null: a timer, or a state the endpoint was in before the capture. */
  frame: number | null;
  /** Present and true where the capture began after the state was entered, or only a new connection of the same ports shows it. */
  inferred?: true;
}

/** Good to know; look at it; something is wrong. */
export type Severity = 'note' | 'warning' | 'problem';

/** Something worth knowing of a connection (docs/findings.md). */
export interface Finding {
  code: FindingCode;
  severity: Severity;
  /** Frame numbers, from 1. */
  frames: number[];
  /** One sentence of what happened. */
  what: string;
  /** One sentence of what to do. */
  advice: string;
}

/** Every code is explained in docs/findings.md; a test compares. */
export const FINDING_CODES = [
  'syn-retransmitted',
  'refused',
  'bad-handshake-ack',
  'rst-unread-data',
  'rst-after-close',
  'rst-linger',
  'rst-timeout',
  'rst-no-such-connection',
  'rst-forged',
  'rst-ignored',
  'fin-retransmitted',
  'last-ack-lost',
  'close-wait-long',
  'fin-wait-2-long',
  'half-closed-data',
  'merged-by-delayed-ack',
  'port-reused-in-time-wait',
  'copies-differ',
  'zero-window',
  'capture-lost-packets',
  'vanished',
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];
