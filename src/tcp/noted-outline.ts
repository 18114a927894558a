/** The outline of a connection that was noted to its end, out of its notes. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import { windowShift } from '../decode/packed-options.ts';
import { isDelayedAck } from './findings/merged-by-delayed-ack.ts';
import type { FinishedConnection, UnreadNotes } from './finished.ts';
import { MAX_EARLY_COVERS, MAX_OPENING } from './keep.ts';
import * as L from './layout.ts';
import {
  beginSender,
  countNoted,
  createSender,
  finishSender,
  type Sender,
} from './noted-transfer.ts';
import {
  COVERS_FIN,
  COVERS_SYN,
  COVERS_SYN_ONLY,
  FROM_SERVER,
  finishOutline,
  IS_AFTER_DATA,
  IS_ANSWER_OF_NONE,
  IS_DELAYED,
  IS_FIRST_NUMBER,
  MAX_ENTRIES,
  outline,
} from './outline.ts';
import { FLAGS_MASK, FROM_HIGH, HAS_TS, NEXT_SEQ_KNOWN, PEER_ACK_KNOWN } from './story.ts';

const SPECIAL = SYN | FIN | RST;

/** What else is counted of the connection whose outline was made last: segments that filled the other's window, payload, and whether the capture holds an earlier connection of the same two ends. */
export const noted = { windowFull: 0, bytes: 0, reusedPorts: false };

/** One end while its notes are read. */
interface End {
  readonly sender: Sender;
  /** What its entries are marked with. */
  readonly mark: number;
  isn: number;
  /** The next number that it sends, and where the window that it announced ends. */
  next: number;
  edge: number;
  shift: number;
  /** It sent something; an ACK; an ACK without SYN. */
  hasSent: boolean;
  hasAck: boolean;
  hasSpoken: boolean;
  ack: number;
  /** It sent a FIN with the number `fin` as note `finNote`, which the other end has acknowledged when its own numbers had come to `coveredFrom`, its FIN not counted. */
  hasFin: boolean;
  fin: number;
  finNote: number;
  isCovered: boolean;
  coveredFrom: number;
  /** Entries for acknowledging the other's FIN before its own. */
  earlyCovers: number;
}

function createEnd(mark: number): End {
  return {
    sender: createSender(),
    mark,
    isn: 0,
    next: 0,
    edge: 0,
    shift: 0,
    hasSent: false,
    hasAck: false,
    hasSpoken: false,
    ack: 0,
    hasFin: false,
    fin: 0,
    finNote: 0,
    isCovered: false,
    coveredFrom: 0,
    earlyCovers: 0,
  };
}

const client = createEnd(0);
const server = createEnd(FROM_SERVER);

function begin(end: End, isn: number, shift: number, counts: boolean): void {
  if (counts) beginSender(end.sender, shift);
  end.isn = isn;
  end.next = isn;
  end.edge = 0;
  end.shift = shift;
  end.hasSent = false;
  end.hasAck = false;
  end.hasSpoken = false;
  end.hasFin = false;
  end.isCovered = false;
  end.earlyCovers = 0;
}

/**
 * Fills `outline`, but for the connection's word, and `noted` from the NOTED record at word `h` of `words`, and the notes for which it has no room, at word `moreAt` of `more`. False where the
 * connection is not ordinary. It is the outline that `outlineOf` (tcp/ordinary.ts) makes of the connection's story, but what that looks for and
 * noting excludes (tcp/noting.ts) isn't looked for here; test/report/census.test.ts compares.
 *
 * Hot path, once a connection. Most segments are in no story: these are passed first.
 */
export function outlineOfNotes(
  words: Int32Array,
  h: number,
  more: Int32Array,
  moreAt: number,
  counts: boolean,
): boolean {
  const low = h + L.HOT_END;
  const high = low + 1;
  const count = L.packetsOf(words, h);
  const clientBit = words[h + L.NOTES + L.N_BITS]! & FROM_HIGH;
  const isLow = clientBit === 0;
  const options = h + L.COLD + L.C_OPTIONS;
  const lowShift = windowShift(words[options]!);
  const highShift = windowShift(words[options + 1]!);
  const isScaled = lowShift >= 0 && highShift >= 0;
  const shifts = isScaled ? lowShift | (highShift << 4) : 0;
  const clientBase = words[(isLow ? low : high) + L.END_BASE]!;
  const serverBase = words[(isLow ? high : low) + L.END_BASE]!;
  begin(client, clientBase, (isLow ? shifts : shifts >> 4) & 15, counts);
  begin(server, serverBase, (isLow ? shifts >> 4 : shifts) & 15, counts);
  let isQuiet = false;
  let firstFin = -1;
  let openings = 0;
  let windowFull = 0;
  let entries = 0;
  let latestData: End | null = null;
  let latest: End | null = null;
  for (let k = 0; k < count; k++) {
    const isInside = k < L.NOTES_INSIDE;
    const note = isInside ? words : more;
    const at = L.placeOfNote(h, moreAt, k);
    const bits = note[at + L.N_BITS]!;
    const ack = note[at + L.N_ACK]!;
    const len = note[at + L.N_LEN]!;
    const isClient = (bits & FROM_HIGH) === clientBit;
    const own = isClient ? client : server;
    const peer = isClient ? server : client;
    const seq = own.next;
    if (isQuiet && (bits & SPECIAL) === 0) {
      const end = (seq + len) | 0;
      own.next = end;
      own.edge = (ack + ((bits >>> 16) << own.shift)) | 0;
      own.ack = ack;
      if (counts) countNoted(own.sender, peer.sender, note, at, seq, end);
      if (len > 0) {
        if (end === peer.edge) windowFull++;
        latestData = own;
      }
      latest = own;
      continue;
    }
    // What tcp/keep.ts keeps, as `isKept` in tcp/notes.ts has it; the window that is full is that of `countNoted` (tcp/noted-transfer.ts).
    const flags = bits & FLAGS_MASK;
    const coversFin = peer.hasFin && (flags & ACK) !== 0 && ((ack - peer.fin) | 0) > 0;
    if (len > 0) latestData = own;
    let isKept = (flags & SPECIAL) !== 0;
    if (!isKept) {
      if (coversFin) {
        // Behind its own FIN there is one such segment: the next would acknowledge nothing new.
        isKept = own.hasFin || own.earlyCovers++ < MAX_EARLY_COVERS;
      } else if (!own.hasFin && !peer.hasFin) {
        isKept = openings++ < MAX_OPENING;
      }
    }
    if (isKept) {
      if (entries === MAX_ENTRIES) return false;
      let word = flags | (bits & HAS_TS) | own.mark;
      if (peer.hasAck) word |= PEER_ACK_KNOWN;
      if (own.hasSent) word |= NEXT_SEQ_KNOWN;
      if ((flags & SYN) === 0) {
        if (!server.hasSent) {
          // Before a SYN-ACK nothing but the RST that refuses the SYN.
          if ((flags & (RST | ACK)) !== (RST | ACK) || isClient) return false;
        } else if (seq === ((own.isn + 1) | 0)) {
          word |= IS_FIRST_NUMBER;
        }
      }
      if ((flags & ACK) !== 0) {
        const beyondSyn = (ack - peer.isn) | 0;
        if (beyondSyn > 0) word |= COVERS_SYN;
        if (beyondSyn === 1) word |= COVERS_SYN_ONLY;
        if (coversFin) word |= COVERS_FIN;
      }
      if ((flags & FIN) !== 0) {
        if (firstFin < 0) firstFin = k;
        own.finNote = k;
        if (coversFin && isDelayed(words, h, more, moreAt, k, peer.finNote, isClient))
          word |= IS_DELAYED;
      }
      if ((flags & RST) !== 0) {
        if (own.hasFin) return false;
        if (latestData === peer) word |= IS_AFTER_DATA;
        const answers = latest === peer && peer.hasAck && seq === peer.ack;
        if (answers && (flags & ACK) === 0) word |= IS_ANSWER_OF_NONE;
      }
      outline.notes[entries] = k;
      outline.words[++entries] = word;
      if (coversFin && !peer.isCovered) {
        peer.isCovered = true;
        peer.coveredFrom = own.hasFin ? own.fin : seq;
      }
    }
    const end = (seq + len + (flags & FIN) + ((flags & SYN) >> 1)) | 0;
    if (len > 0 && (flags & FIN) === 0 && end === peer.edge) windowFull++;
    if (counts) countNoted(own.sender, peer.sender, note, at, seq, end);
    own.next = end;
    own.hasSent = true;
    latest = own;
    if ((flags & (ACK | RST)) !== ACK) continue;
    own.ack = ack;
    own.hasAck = true;
    const window = bits >>> 16;
    if ((flags & SYN) !== 0) {
      own.edge = (ack + window) | 0;
      continue;
    }
    own.edge = (ack + (window << own.shift)) | 0;
    own.hasSpoken = true;
    if ((flags & FIN) !== 0) {
      own.hasFin = true;
      own.fin = (end - 1) | 0;
    }
    isQuiet = client.hasSpoken && server.hasSpoken && firstFin < 0;
  }
  outline.count = entries + 1;
  outline.firstFinNs = Number.POSITIVE_INFINITY;
  if (firstFin >= 0) {
    outline.firstFinNs = nsBetween(words, h, more, moreAt, 0, firstFin);
    outline.lastNs = nsBetween(words, h, more, moreAt, 0, outline.notes[entries - 1]!);
  }
  noted.windowFull = windowFull;
  const sums = h + L.HOT_SUM;
  noted.bytes = (words[sums]! & L.SUM_BYTES_MASK) + (words[sums + 1]! & L.SUM_BYTES_MASK);
  noted.reusedPorts = (words[h + L.HOT_BITS]! & L.REUSED) !== 0;
  outline.bytesAfterFin = (sentAfter(client, server) + sentAfter(server, client)) | 0;
  return true;
}

/** Makes all of the outline of `f`, whose notes are unread, and counts what it transferred (`fillNoted`). */
export function outlineOfUnread(
  f: FinishedConnection,
  { words, h, more }: UnreadNotes,
  mslSec: number,
): boolean {
  if (!outlineOfNotes(words, h, words, more, true)) return false;
  const reusedNs = f.reusedFrame === null ? Number.NaN : f.reusedNs;
  return finishOutline(f.end === 'evicted', reusedNs, f.watchedNs, mslSec);
}

/** Fills the figures of transfer of the connection `f`, whose outline `outlineOfUnread` made last. */
export function fillNoted(f: FinishedConnection): void {
  const c = f.firstFrom;
  const s = c === 0 ? 1 : 0;
  finishSender(client.sender, f.transfer[c], f.bytes[c]);
  finishSender(server.sender, f.transfer[s], f.bytes[s]);
}

/** Bytes that `peer` sent from its first segment that acknowledged the FIN of `own` on. */
function sentAfter(own: End, peer: End): number {
  return own.isCovered ? ((peer.hasFin ? peer.fin : peer.next) - own.coveredFrom) | 0 : 0;
}

/** Whether note `k`, a FIN that acknowledges that of note `first`, waited before it left. The handshake is in notes 0 to 2. */
function isDelayed(
  words: Int32Array,
  h: number,
  more: Int32Array,
  moreAt: number,
  k: number,
  first: number,
  isClient: boolean,
): boolean {
  const rttNs = isClient
    ? nsBetween(words, h, more, moreAt, 1, 2)
    : nsBetween(words, h, more, moreAt, 0, 1);
  return isDelayedAck(nsBetween(words, h, more, moreAt, first, k) - rttNs);
}

/** Nanoseconds from note `a` to note `b`. */
function nsBetween(
  words: Int32Array,
  h: number,
  more: Int32Array,
  moreAt: number,
  a: number,
  b: number,
): number {
  const from = a < L.NOTES_INSIDE ? words : more;
  const to = b < L.NOTES_INSIDE ? words : more;
  const x = L.placeOfNote(h, moreAt, a);
  const y = L.placeOfNote(h, moreAt, b);
  const sec = (to[y + L.N_SEC]! >>> 0) - (from[x + L.N_SEC]! >>> 0);
  return sec * 1e9 + (to[y + L.N_NS]! - from[x + L.N_NS]!);
}
