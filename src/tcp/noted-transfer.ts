/** The figures of transfer of a connection that was noted: what `Transfer` counts of segments that are all in their place (tcp/noting.ts) is little. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import {
  clearCounts,
  type EndFigures,
  MAX_BYTES_IN_FLIGHT,
  MAX_WINDOW,
  MISSING_BYTES,
  UNIQUE_BYTES,
  WINDOW_FULL,
} from './figures.ts';
import * as L from './layout.ts';
import { readFew } from './rtt.ts';

/** One end while its notes are read. Numbers as 32-bit patterns. */
export interface Sender {
  /** Greatest acknowledgement number. */
  ack: number;
  /** Where the window that it announced ends. */
  edge: number;
  /** As announced: the greatest without SYN, that of the SYN. What the first is to be shifted by. */
  maxWindow: number;
  synWindow: number;
  shift: number;
  maxFlight: number;
  windowFull: number;
  /** What waits for an ACK, from `answered` to `sent`: where each segment ends, and where its note is. */
  readonly ends: Int32Array;
  readonly notes: Int32Array;
  answered: number;
  sent: number;
  /** In nanoseconds. */
  readonly samples: Float64Array;
  sampleCount: number;
}

/** One that has sent nothing. */
export function createSender(): Sender {
  return {
    ack: 0,
    edge: 0,
    maxWindow: 0,
    synWindow: 0,
    shift: 0,
    maxFlight: 0,
    windowFull: 0,
    ends: new Int32Array(L.MAX_NOTES),
    notes: new Int32Array(L.MAX_NOTES),
    answered: 0,
    sent: 0,
    samples: new Float64Array(L.MAX_NOTES),
    sampleCount: 0,
  };
}

/** Makes `own` one that has sent nothing; `shift`: of its windows. */
export function beginSender(own: Sender, shift: number): void {
  own.ack = 0;
  own.edge = 0;
  own.maxWindow = 0;
  own.synWindow = 0;
  own.shift = shift;
  own.maxFlight = 0;
  own.windowFull = 0;
  own.answered = 0;
  own.sent = 0;
  own.sampleCount = 0;
}

/** Counts the segment of `own` from `seq` to `end` whose note is at word `at`. Hot path, once a segment. */
export function countNoted(
  own: Sender,
  peer: Sender,
  words: Int32Array,
  at: number,
  seq: number,
  end: number,
): void {
  const bits = words[at + L.N_BITS]!;
  const ack = words[at + L.N_ACK]!;
  if (words[at + L.N_LEN]! > 0) {
    const isFin = (bits & FIN) !== 0;
    const flight = (end - (isFin ? 1 : 0) - peer.ack) | 0;
    if (flight > own.maxFlight) own.maxFlight = flight;
    if (!isFin && end === peer.edge) own.windowFull++;
  }
  if ((bits & RST) === 0) {
    const window = bits >>> 16;
    if ((bits & SYN) !== 0) {
      own.synWindow = window;
      own.edge = (ack + window) | 0;
    } else {
      if (window > own.maxWindow) own.maxWindow = window;
      own.edge = (ack + (window << own.shift)) | 0;
    }
    if ((bits & ACK) !== 0) own.ack = ack;
    if (end !== seq) {
      own.ends[own.sent] = end;
      own.notes[own.sent++] = at;
    }
  }
  if ((bits & ACK) === 0) return;
  while (peer.answered < peer.sent) {
    const beyond = (peer.ends[peer.answered]! - ack) | 0;
    if (beyond > 0) break;
    const sent = peer.notes[peer.answered++]!;
    if (beyond === 0) peer.samples[peer.sampleCount++] = nsBetweenNotes(words, sent, at);
  }
}

/** Nanoseconds from the note at word `from` to that at word `to`. Most are of the same second; all notes of a connection lie within years. */
export function nsBetweenNotes(words: Int32Array, from: number, to: number): number {
  const sec = (words[to + L.N_SEC]! - words[from + L.N_SEC]!) | 0;
  const ns = words[to + L.N_NS]! - words[from + L.N_NS]!;
  return sec === 0 ? ns : sec * 1e9 + ns;
}

/** Fills `figures` with what was counted of `own`, which sent `bytes`. */
export function finishSender(own: Sender, figures: EndFigures, bytes: number): void {
  const { values } = figures;
  clearCounts(figures);
  if (own.windowFull > 0) {
    figures.hasCounts = true;
    values[WINDOW_FULL] = own.windowFull;
  }
  values[MAX_WINDOW] = Math.max(own.maxWindow << own.shift, own.synWindow);
  values[UNIQUE_BYTES] = bytes;
  values[MISSING_BYTES] = 0;
  values[MAX_BYTES_IN_FLIGHT] = own.maxFlight;
  readFew(own.samples, own.sampleCount, values);
}
