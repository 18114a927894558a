/** What the notes of a connection say once it has left: its story and its figures of transfer, as following it would have made them. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import { windowShift } from '../decode/packed-options.ts';
import type { FinishedConnection } from './finished.ts';
import { MAX_COVERS, MAX_EARLY_COVERS, MAX_OPENING } from './keep.ts';
import * as L from './layout.ts';
import {
  beginSender,
  countNoted,
  createSender,
  finishSender,
  nsBetweenNotes,
  type Sender,
} from './noted-transfer.ts';
import {
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
  return L.NOTES + Math.min(L.packetsOf(words, h), L.NOTES_INSIDE) * L.NOTE_WORDS;
}

/** One end while its notes are read. Numbers as 32-bit patterns. */
interface Reader {
  readonly sender: Sender;
  /** TTL of all its segments; the next number that it sends. */
  ttl: number;
  next: number;
  base: number;
  hasSent: boolean;
  /** It sent an ACK without SYN. */
  hasSpoken: boolean;
  /** Greatest acknowledgement number. */
  ack: number;
  hasAck: boolean;
  hasFin: boolean;
  fin: number;
  /** Segments kept because they acknowledge the other's FIN: before the own FIN, behind it. */
  earlyCovers: number;
  covers: number;
}

function createReader(): Reader {
  return {
    sender: createSender(),
    ttl: 0,
    next: 0,
    base: 0,
    hasSent: false,
    hasSpoken: false,
    ack: 0,
    hasAck: false,
    hasFin: false,
    fin: 0,
    earlyCovers: 0,
    covers: 0,
  };
}

/** Segments kept of the opening. */
let openings = 0;
const low = createReader();
const high = createReader();

/**
 * Fills story and figures of `f` from its notes where that wasn't done; `f` has the rest already. What tcp/keep.ts and tcp/story.ts make of segments that are
 * all in their place (tcp/noting.ts) is little; test/tcp/notes.test.ts compares.
 *
 * Hot path, once a connection.
 */
export function readNotes(f: FinishedConnection): void {
  if (f.unread === null) return;
  const { words, h, more } = f.unread;
  f.unread = null;
  const isScaled = windowShift(f.options[0]) >= 0 && windowShift(f.options[1]) >= 0;
  begin(low, words, h, 0, isScaled ? windowShift(f.options[0]) : 0);
  begin(high, words, h, 1, isScaled ? windowShift(f.options[1]) : 0);
  const { story } = f;
  const first = h + L.NOTES;
  const count = f.packets[0] + f.packets[1];
  let from: Reader | null = null;
  let dataFrom: Reader | null = null;
  story.count = 0;
  openings = 0;
  for (let k = 0; k < count; k++) {
    const at = L.placeOfNote(h, more, k);
    const bits = words[at + L.N_BITS]!;
    const flags = bits & FLAGS_MASK;
    const own = (bits & FROM_HIGH) === 0 ? low : high;
    const peer = own === low ? high : low;
    const ack = words[at + L.N_ACK]!;
    const len = words[at + L.N_LEN]!;
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
      story.tNs[n] = nsBetweenNotes(words, first, at);
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
    countNoted(own.sender, peer.sender, words, at, seq, end);
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
  finishSender(low.sender, f.transfer[0], f.bytes[0]);
  finishSender(high.sender, f.transfer[1], f.bytes[1]);
  if (!low.hasSpoken) f.lastTtl[0] = 0;
  if (!high.hasSpoken) f.lastTtl[1] = 0;
}

/** Fills of the story of `f` no more than the times of its entries, which are the notes of these numbers, where `readNotes` hasn't. Hot path, once a connection. */
export function readTimes(f: FinishedConnection, notes: Uint8Array, count: number): void {
  if (f.unread === null) return;
  const { words, h, more } = f.unread;
  const { tNs } = f.story;
  const first = h + L.NOTES;
  for (let i = 0; i < count; i++) {
    tNs[i] = nsBetweenNotes(words, first, L.placeOfNote(h, more, notes[i]!));
  }
}

function begin(end: Reader, words: Int32Array, h: number, d: 0 | 1, shift: number): void {
  beginSender(end.sender, shift);
  const own = h + L.HOT_END + d;
  end.ttl = words[h + L.HOT_SUM + d]! >>> L.TTL_SHIFT;
  end.base = words[own + L.END_BASE]!;
  end.next = end.base;
  end.hasSent = false;
  end.hasSpoken = false;
  end.ack = 0;
  end.hasAck = false;
  end.hasFin = false;
  end.earlyCovers = 0;
  end.covers = 0;
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
