/** Connections that left the tracker as plain words: their records as they lie there, to be read in this thread or in another. */

import { windowShift } from '../decode/packed-options.ts';
import {
  COUNTS,
  clearCounts,
  FIGURES,
  MAX_BYTES_IN_FLIGHT,
  MAX_WINDOW,
  MISSING_BYTES,
  RTT_SAMPLES,
  UNIQUE_BYTES,
} from './figures.ts';
import {
  createFinished,
  type EndOfTracking,
  type Ends,
  type FinishedConnection,
  type UnreadNotes,
} from './finished.ts';
import * as L from './layout.ts';
import { wordsOfNoted } from './notes.ts';
import { readSamples } from './rtt.ts';
import { ENTRY_WORDS, MAX_STORY_ENTRIES, readEntries } from './story.ts';
import * as T from './transfer-layout.ts';
import { createZeekFacts } from './zeek/facts.ts';
import { MAX_ZEEK_WORDS, unpackZeek } from './zeek/packed.ts';

export const ENDS: readonly EndOfTracking[] = [
  'input-ended',
  'time-wait-over',
  'reused',
  'evicted',
];

/** The first words: how many all of it takes, an index into ENDS, the bits below, the characters of both cookies (16 bits each). */
export const P_WORDS = 0;
export const P_END = 1;
export const P_BITS = 2;
export const P_COOKIES = 3;
/** A double: `watchedNs` of a connection that isn't CLOSED, else 0. */
export const P_WATCHED = 4;
/** The record (tcp/layout.ts, tcp/transfer-layout.ts): what is in use of it. */
export const P_RECORD = 6;
/** Behind it, where the bits say so and in this order: */
/** frame and time (nanoseconds since the first frame) of the SYN that took the ports, two doubles; */
export const IS_REUSED = 1;
/** the addresses in place of their numbers in the key, four words each (IPv6 only, as the key says); */
export const ADDRESS_WORDS = 8;
/** for each end that something happened to (shifted by the end) BLOCK_DOUBLES: its counts, bytes repeated, bytes in holes; */
export const HAS_BLOCK = 1 << 1;
export const BLOCK_DOUBLES = COUNTS + 2;
/** for each end with more than T.FEW_SAMPLES round trips RTT_DOUBLES: the figures from RTT_SAMPLES on; */
export const HAS_RTT_BLOCK = 1 << 3;
export const RTT_DOUBLES = FIGURES - RTT_SAMPLES;
/** Zeek's view (tcp/zeek/packed.ts); the cookies, a word a character, and one word more if that makes the number even; the story, or the notes in it. */
export const HAS_ZEEK = 1 << 5;

/** For each end (shifted by the end): the last that it sent is in a hole. */
export const LACKS_LAST = 1 << 6;

/** A Fast Open cookie has at most 16 bytes, 32 characters of hex. */
export const MAX_COOKIE_CHARS = 32;

/** The most words that one connection takes. */
export const MAX_PACKED_WORDS =
  P_RECORD +
  L.RECORD_WORDS +
  4 +
  ADDRESS_WORDS +
  4 * (BLOCK_DOUBLES + RTT_DOUBLES) +
  MAX_ZEEK_WORDS +
  2 * MAX_COOKIE_CHARS +
  MAX_STORY_ENTRIES * ENTRY_WORDS;

/** A connection that leaves the tracker, while it does: valid during the call that it is handed to. */
export interface LeavingConnection {
  readonly stream: number;
  /** Appends it to `target`, which must have room. */
  pack: (target: PackedConnections) => void;
  /** Makes its outline (tcp/outline.ts) of its notes, and fills `noted` (tcp/noted-outline.ts), for those who only count; false where it has none, or is not ordinary. */
  outline: (mslSec: number) => boolean;
  /** Fills `into` with whose it is, where it has an outline. */
  ends: (into: Ends) => void;
}

/** Many packed connections, one behind the other, in one piece of memory that threads may share. */
export class PackedConnections {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** Words in use, an even number. */
  used: number;

  /** `used`: words of `memory` that hold connections already. */
  constructor(memory: ArrayBufferLike, used = 0) {
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
    this.used = used;
  }

  /** Whether another connection of any size has room. */
  get hasRoom(): boolean {
    return this.used + MAX_PACKED_WORDS <= this.words.length;
  }

  /** Calls `visit` with each connection, as a record (`into`) that is used again, its notes unread. */
  forEach(visit: (finished: FinishedConnection) => void, into = createFinished()): void {
    const { words, doubles, used } = this;
    const notes = { words, h: 0, more: 0 };
    for (let at = 0; at < used; at += words[at + P_WORDS]!) {
      unpack(notes, doubles, at, into);
      visit(into);
    }
  }
}

/** Reads leaving connections in this thread, one at a time. */
export class Unpacker {
  readonly #packed = new PackedConnections(new ArrayBuffer(MAX_PACKED_WORDS * 4));
  readonly #finished = createFinished();
  readonly #notes = { words: this.#packed.words, h: 0, more: 0 };

  /** The connection as a record that is used again by the next call, its notes unread. */
  read(leaving: LeavingConnection): FinishedConnection {
    const packed = this.#packed;
    packed.used = 0;
    leaving.pack(packed);
    unpack(this.#notes, packed.doubles, 0, this.#finished);
    return this.#finished;
  }
}

/** Hot path, once a connection. The notes of one that was noted are left unread: most need only a part of them. `doubles` is the memory of `notes.words`. */
function unpack(
  notes: UnreadNotes,
  doubles: Float64Array,
  start: number,
  f: FinishedConnection,
): void {
  const { words } = notes;
  const h = start + P_RECORD;
  const c = h + L.COLD;
  const bits = words[start + P_BITS]!;
  const hotBits = words[h + L.HOT_BITS]!;
  const isNoted = (hotBits & L.NOTED) !== 0;
  const firstFrom = (words[c + (L.B_FIRST_FROM >> 2)]! >> ((L.B_FIRST_FROM & 3) * 8)) & 0xff;
  f.stream = words[c + L.C_STREAM]!;
  f.family = (hotBits & 1) === 1 ? 6 : 4;
  f.port[0] = words[h + 2]! >>> 16;
  f.port[1] = words[h + 2]! & 0xffff;
  f.startSec = words[c + L.C_START_SEC]! >>> 0;
  f.startNs = words[c + L.C_START_NS]!;
  f.durationNs = Math.max(
    0,
    ((words[h + L.HOT_LAST_SEC]! >>> 0) - f.startSec) * 1e9 +
      (words[h + L.HOT_LAST_NS]! - f.startNs),
  );
  f.watchedNs = Math.max(f.durationNs, doubles[(start + P_WATCHED) >> 1]!);
  f.firstFrame = doubles[(c + L.C_FIRST_FRAME) >> 1]!;
  f.firstFrom = firstFrom === 0 ? 0 : 1;
  f.end = ENDS[words[start + P_END]!]!;
  f.lostFrames = (hotBits & L.LOST_SEEN) !== 0;
  for (let d = 0; d < 2; d++) {
    const own = h + L.HOT_END + d;
    f.packets[d] = words[own + L.END_PACKETS]! >>> 0;
    f.nextSeq[d] = words[own + L.END_NEXT]!;
    f.maxAck[d] = words[own + L.END_ACK]!;
    f.ackKnown[d] = (hotBits & (L.ACK_KNOWN << d)) === 0 ? 0 : 1;
    f.options[d] = words[c + L.C_OPTIONS + d]!;
    f.lacksLast[d] = (bits & (LACKS_LAST << d)) === 0 ? 0 : 1;
    if (isNoted) {
      const sum = words[h + L.HOT_SUM + d]!;
      f.bytes[d] = sum & L.SUM_BYTES_MASK;
      f.lastTtl[d] = sum >>> L.TTL_SHIFT;
      f.repeats[d] = 0;
      f.zeroWindows[d] = 0;
    } else {
      f.bytes[d] = doubles[((h + L.REST_BYTES) >> 1) + d]!;
      f.lastTtl[d] = words[own + L.END_REPEATS]! >>> L.TTL_SHIFT;
      f.repeats[d] = words[own + L.END_REPEATS]! & L.REPEATS_MASK;
      f.zeroWindows[d] = words[own + L.END_ZERO_WINDOWS]!;
    }
  }

  let at = h + (isNoted ? wordsOfNoted(words, h) : L.FOLLOWED_WORDS);
  f.reusedFrame = null;
  f.reusedNs = 0;
  if ((bits & IS_REUSED) !== 0) {
    f.reusedFrame = doubles[at >> 1]!;
    f.reusedNs = doubles[(at >> 1) + 1]!;
    at += 4;
  }
  for (let e = 0; e < 2; e++) {
    const address = f.address[e]!;
    if (f.family === 4) address[0] = words[h + e]!;
    else for (let i = 0; i < 4; i++) address[i] = words[at++]!;
  }
  f.reusedPorts = (hotBits & L.REUSED) !== 0;
  if (isNoted) {
    const last = L.placeOfNote(h, at, f.packets[0] + f.packets[1] - 1);
    f.lastFrame = f.firstFrame + ((words[last + L.N_FRAME]! - f.firstFrame) >>> 0);
    f.duplicates = 0;
    f.zeek = null;
    f.cookie[0] = '';
    f.cookie[1] = '';
    notes.h = h;
    notes.more = at;
    f.unread = notes;
    return;
  }
  f.lastFrame = doubles[(h + L.HOT_LAST_FRAME) >> 1]!;
  f.duplicates = words[h + L.REST_DUPLICATES]!;
  f.unread = null;
  at = unpackFigures(words, doubles, start, at, f);
  if ((bits & HAS_ZEEK) !== 0) {
    f.zeek ??= createZeekFacts();
    at = unpackZeek(f.zeek, words, doubles, at);
  } else {
    f.zeek = null;
  }
  const cookies = words[start + P_COOKIES]!;
  f.cookie[0] = '';
  f.cookie[1] = '';
  if (cookies !== 0) {
    for (let e = 0; e < 2; e++) {
      const chars = (cookies >>> (e * 16)) & 0xffff;
      f.cookie[e] = String.fromCharCode(...words.subarray(at, at + chars));
      at += chars;
    }
    at += at & 1;
  }
  readEntries(f.story, words, doubles, at, words[h + L.REST_COUNT]!, f.firstFrame);
}

/** The figures of transfer from the records and from what stands at `at`: where the next part stands. */
function unpackFigures(
  words: Int32Array,
  doubles: Float64Array,
  start: number,
  at: number,
  f: FinishedConnection,
): number {
  const bits = words[start + P_BITS]!;
  const r = start + P_RECORD + L.TRANSFER;
  const isScaled = windowShift(f.options[0]) >= 0 && windowShift(f.options[1]) >= 0;
  let next = at;
  for (let d = 0; d < 2; d++) {
    const own = r + d * T.END;
    const out = f.transfer[d]!;
    const { values } = out;
    let repeated = 0;
    let inHoles = 0;
    if ((bits & (HAS_BLOCK << d)) !== 0) {
      for (let i = 0; i < COUNTS; i++) values[i] = doubles[(next >> 1) + i]!;
      repeated = doubles[(next >> 1) + COUNTS]!;
      inHoles = doubles[(next >> 1) + COUNTS + 1]!;
      out.hasCounts = true;
      next += BLOCK_DOUBLES * 2;
    } else {
      clearCounts(out);
    }
    const windows = words[own + T.WINDOWS]!;
    const scaled = (windows & 0xffff) << (isScaled ? windowShift(f.options[d]!) : 0);
    values[MAX_WINDOW] = Math.max(scaled, windows >>> 16);
    values[UNIQUE_BYTES] = Math.max(0, f.bytes[d]! - repeated);
    values[MISSING_BYTES] = missingBytes(words, start, d, f, inHoles);
    values[MAX_BYTES_IN_FLIGHT] = words[own + T.MAX_FLIGHT]!;
    if ((bits & (HAS_RTT_BLOCK << d)) !== 0) {
      for (let i = 0; i < RTT_DOUBLES; i++) values[RTT_SAMPLES + i] = doubles[(next >> 1) + i]!;
      next += RTT_DOUBLES * 2;
    } else {
      readSamples(words, own + T.RTT, r + T.RTT_LAST + d, values);
    }
  }
  return next;
}

/** What the other end acknowledged of end `d` without the capture having it: `inHoles` of it lie in holes. */
function missingBytes(
  words: Int32Array,
  start: number,
  d: number,
  f: FinishedConnection,
  inHoles: number,
): number {
  const h = start + P_RECORD;
  if (!mayMiss(words, h, d)) return 0;
  const acked = ackedOf(words, h, d);
  const own = h + L.HOT_END + d;
  const high = f.packets[d] === 0 ? (words[own + L.END_BASE]! + 1) | 0 : f.nextSeq[d]!;
  return inHoles + Math.max(0, (acked - high) | 0);
}

/** Whether the capture can tell what it lacks of end `d` of the record at `h`: what a SYN-ACK acknowledges may be nothing but wrong, a segment after it has to. */
export function mayMiss(words: Int32Array, h: number, d: number): boolean {
  const other = 1 - d;
  const needed = (L.BASE_SET << d) | (L.SPOKE << other) | (L.ACK_KNOWN << other);
  return (words[h + L.HOT_BITS]! & needed) === needed;
}

/** Of the greatest and the latest acknowledgement of end `d` of the record at `h` the lesser: a stray one of an earlier connection proves nothing. */
export function ackedOf(words: Int32Array, h: number, d: number): number {
  const other = 1 - d;
  const greatest = words[h + L.HOT_END + other + L.END_ACK]!;
  const latest = h + L.TRANSFER + other * T.END;
  if ((words[latest + T.STATE]! & T.ACKED) === 0) return greatest;
  const last = words[latest + T.LAST_ACK]!;
  return ((last - greatest) | 0) < 0 ? last : greatest;
}
