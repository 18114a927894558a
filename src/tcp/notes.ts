/** What the notes of a connection say once it has left: its story and its figures of transfer, as following it would have made them. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import { windowShift } from '../decode/packed-options.ts';
import {
  clearCounts,
  type EndFigures,
  MAX_BYTES_IN_FLIGHT,
  MAX_WINDOW,
  MISSING_BYTES,
  UNIQUE_BYTES,
  WINDOW_FULL,
} from './figures.ts';
import type { FinishedConnection } from './finished.ts';
import { MAX_COVERS, MAX_EARLY_COVERS, MAX_OPENING } from './keep.ts';
import * as L from './layout.ts';
import { readFew } from './rtt.ts';
import {
  ENTRY_WORDS,
  FLAGS_MASK,
  FROM_HIGH,
  HAS_TS,
  NEXT_SEQ_KNOWN,
  PEER_ACK_KNOWN,
  PEER_DATA_LAST,
  PEER_LAST,
} from './story.ts';

/** Words in use of the NOTED record that begins at word `h`. */
export function wordsOfNoted(words: Int32Array, h: number): number {
  const packets = h + L.HOT_END + L.END_PACKETS;
  const noted = words[packets]! + words[packets + L.END_WORDS]!;
  return L.NOTES + Math.min(noted, L.NOTES_INSIDE) * L.NOTE_WORDS;
}

/** One end while its notes are read. Numbers as 32-bit patterns, times in nanoseconds since the first frame. */
interface Reader {
  /** TTL of all its segments; the next number that it sends. */
  ttl: number;
  next: number;
  base: number;
  hasSent: boolean;
  /** It sent an ACK without SYN. */
  hasSpoken: boolean;
  /** Greatest acknowledgement number, and that of the latest segment. */
  ack: number;
  hasAck: boolean;
  latestAck: number;
  hasFin: boolean;
  fin: number;
  /** Segments kept because they acknowledge the other's FIN: before the own FIN, behind it. */
  earlyCovers: number;
  covers: number;
  /** As announced: the latest, the greatest without SYN, that of the SYN. What they are to be shifted by. */
  window: number;
  maxWindow: number;
  synWindow: number;
  shift: number;
  maxFlight: number;
  windowFull: number;
  /** What waits for an ACK, from `answered` to `sent`: where each segment ends, and when it was sent. */
  readonly ends: Int32Array;
  readonly times: Float64Array;
  answered: number;
  sent: number;
  readonly samples: Float64Array;
  sampleCount: number;
}

function createReader(): Reader {
  return {
    ttl: 0,
    next: 0,
    base: 0,
    hasSent: false,
    hasSpoken: false,
    ack: 0,
    hasAck: false,
    latestAck: 0,
    hasFin: false,
    fin: 0,
    earlyCovers: 0,
    covers: 0,
    window: 0,
    maxWindow: 0,
    synWindow: 0,
    shift: 0,
    maxFlight: 0,
    windowFull: 0,
    ends: new Int32Array(L.MAX_NOTES),
    times: new Float64Array(L.MAX_NOTES),
    answered: 0,
    sent: 0,
    samples: new Float64Array(L.MAX_NOTES),
    sampleCount: 0,
  };
}

/** Segments kept of the opening. */
let openings = 0;
const low = createReader();
const high = createReader();

/**
 * Fills story and figures of `f` from the NOTED record at word `h` and the further notes at `more`; `f` has the rest already. What tcp/keep.ts, tcp/story.ts and
 * tcp/transfer.ts make of segments that are all in their place (tcp/noting.ts) is little; test/tcp/notes.test.ts compares.
 *
 * Hot path, once a connection.
 */
export function readNotes(words: Int32Array, h: number, more: number, f: FinishedConnection): void {
  const isScaled = windowShift(f.options[0]) >= 0 && windowShift(f.options[1]) >= 0;
  begin(low, words, h, f, 0, isScaled);
  begin(high, words, h, f, 1, isScaled);
  const { story } = f;
  const count = f.packets[0] + f.packets[1];
  let from: Reader | null = null;
  let dataFrom: Reader | null = null;
  story.count = 0;
  openings = 0;
  for (let k = 0; k < count; k++) {
    const at =
      k < L.NOTES_INSIDE
        ? h + L.NOTES + k * L.NOTE_WORDS
        : more + (k - L.NOTES_INSIDE) * ENTRY_WORDS;
    const bits = words[at + L.N_BITS]!;
    const flags = bits & FLAGS_MASK;
    const own = (bits & FROM_HIGH) === 0 ? low : high;
    const peer = own === low ? high : low;
    const ack = words[at + L.N_ACK]!;
    const len = words[at + L.N_LEN]!;
    const ns =
      ((words[at + L.N_SEC]! >>> 0) - f.startSec) * 1e9 + (words[at + L.N_NS]! - f.startNs);
    // The first of an end is a SYN, or the RST that refuses one: behind that stands nothing.
    if (!own.hasSent && (flags & SYN) === 0) own.next = (own.base + 1) | 0;
    const seq = own.next;
    const end = (seq + len + (flags & FIN) + ((flags & SYN) >> 1)) | 0;

    if (len > 0) dataFrom = own;
    if (isKept(own, peer, flags, ack)) {
      const marks =
        (bits & (FROM_HIGH | HAS_TS)) |
        (peer.hasAck ? PEER_ACK_KNOWN : 0) |
        (dataFrom === peer ? PEER_DATA_LAST : 0) |
        (!own.hasSent || from === peer ? PEER_LAST : 0) |
        (own.hasSent ? NEXT_SEQ_KNOWN : 0);
      const n = story.count++;
      story.frame[n] = f.firstFrame + ((words[at + L.N_FRAME]! - f.firstFrame) >>> 0);
      story.tNs[n] = ns;
      story.marks[n] = marks;
      story.from[n] = own === low ? 0 : 1;
      story.flags[n] = flags;
      story.seq[n] = seq;
      story.ack[n] = ack;
      story.len[n] = len;
      story.window[n] = bits >>> 16;
      story.ttl[n] = own.ttl;
      story.tsVal[n] = words[at + L.N_TS_VAL]!;
      story.tsEcr[n] = words[at + L.N_TS_ECR]!;
      story.peerAck[n] = peer.ack;
      story.nextSeq[n] = own.hasSent ? seq : 0;
    }
    transfer(own, peer, flags, bits >>> 16, seq, end, ack, len, ns);

    own.next = end;
    own.hasSent = true;
    from = own;
    if ((flags & (ACK | RST)) !== ACK) continue;
    own.ack = ack;
    own.hasAck = true;
    if ((flags & SYN) !== 0) continue;
    own.hasSpoken = true;
    if ((flags & FIN) !== 0) {
      own.hasFin = true;
      own.fin = (end - 1) | 0;
    }
  }
  finish(low, f, 0);
  finish(high, f, 1);
}

function begin(
  end: Reader,
  words: Int32Array,
  h: number,
  f: FinishedConnection,
  d: 0 | 1,
  isScaled: boolean,
): void {
  const own = h + L.HOT_END + d * L.END_WORDS;
  end.ttl = words[own + L.END_REPEATS]! >>> L.TTL_SHIFT;
  end.base = words[own + L.END_BASE]!;
  end.next = end.base;
  end.hasSent = false;
  end.hasSpoken = false;
  end.ack = 0;
  end.hasAck = false;
  end.latestAck = 0;
  end.hasFin = false;
  end.earlyCovers = 0;
  end.covers = 0;
  end.window = 0;
  end.maxWindow = 0;
  end.synWindow = 0;
  end.shift = isScaled ? windowShift(f.options[d]) : 0;
  end.maxFlight = 0;
  end.windowFull = 0;
  end.answered = 0;
  end.sent = 0;
  end.sampleCount = 0;
}

/** Whether the segment of `own` belongs to the story, as `keep` says (tcp/keep.ts). */
function isKept(own: Reader, peer: Reader, flags: number, ack: number): boolean {
  if ((flags & (SYN | FIN | RST)) !== 0) return true;
  if (peer.hasFin && ((ack - peer.fin) | 0) > 0) {
    if (own.hasFin) return own.covers++ < MAX_COVERS;
    return own.earlyCovers++ < MAX_EARLY_COVERS;
  }
  if (own.hasFin || peer.hasFin || (own.hasSpoken && peer.hasSpoken)) return false;
  return openings++ < MAX_OPENING;
}

/** Counts the segment of `own` as `Transfer` does. */
function transfer(
  own: Reader,
  peer: Reader,
  flags: number,
  window: number,
  seq: number,
  end: number,
  ack: number,
  len: number,
  ns: number,
): void {
  if (len > 0) {
    const flight = (seq + len - peer.ack) | 0;
    if (flight > own.maxFlight) own.maxFlight = flight;
    const edge = (peer.latestAck + (peer.window << (peer.hasSpoken ? peer.shift : 0))) | 0;
    if ((flags & FIN) === 0 && end === edge) own.windowFull++;
  }
  if ((flags & RST) === 0) {
    own.window = window;
    if ((flags & SYN) !== 0) own.synWindow = window;
    else if (window > own.maxWindow) own.maxWindow = window;
    if (end !== seq) {
      own.ends[own.sent] = end;
      own.times[own.sent++] = ns;
    }
  }
  own.latestAck = ack;
  if ((flags & ACK) === 0) return;
  while (peer.answered < peer.sent) {
    const beyond = (peer.ends[peer.answered]! - ack) | 0;
    if (beyond > 0) break;
    const sent = peer.times[peer.answered++]!;
    if (beyond === 0) peer.samples[peer.sampleCount++] = ns - sent;
  }
}

function finish(end: Reader, f: FinishedConnection, d: 0 | 1): void {
  const figures: EndFigures = f.transfer[d];
  const { values } = figures;
  clearCounts(figures);
  if (end.windowFull > 0) {
    figures.hasCounts = true;
    values[WINDOW_FULL] = end.windowFull;
  }
  values[MAX_WINDOW] = Math.max(end.maxWindow << end.shift, end.synWindow);
  values[UNIQUE_BYTES] = f.bytes[d];
  values[MISSING_BYTES] = 0;
  values[MAX_BYTES_IN_FLIGHT] = end.maxFlight;
  readFew(end.samples, end.sampleCount, values);
  if (!end.hasSpoken) f.lastTtl[d] = 0;
}
