/** Where everything lies in the packed record of an open connection: what every frame touches, and what few do. */

import { KEY_BITS } from '../flow/table.ts';
import { ENTRY_WORDS } from './story.ts';

/**
 * The record: whole cache lines side by side, so that the first touch of a connection looks one page up and not three. The hot line and the cold one are
 * followed by the rest of the hot part and the figures of transfer (tcp/transfer-layout.ts) or, of a connection that is NOTED, by its notes.
 */
export const RECORD_WORDS = 160;
export const COLD = 16;
export const REST = 32;
export const TRANSFER = 48;
/** Of them, words in use where the connection isn't NOTED. */
export const FOLLOWED_WORDS = 80;
export const LINE_WORDS = 16;

/** The notes: one for each segment so far, as many as both ends' packets. Those for which the record has no room stand in its story. */
export const NOTES = REST;
export const NOTE_WORDS = 8;
export const NOTES_INSIDE = (RECORD_WORDS - NOTES) / NOTE_WORDS;
export const MAX_NOTES = 48;
/** Frame number modulo 2^32. */
export const N_FRAME = 0;
/** Flags (12 bits), FROM_HIGH and HAS_TS of tcp/story.ts; window (16 bits from 16 on). */
export const N_BITS = 1;
export const N_SEC = 2;
export const N_NS = 3;
export const N_ACK = 4;
export const N_LEN = 5;
export const N_TS_VAL = 6;
export const N_TS_ECR = 7;

/** Where note `k` of the record at word `h` begins; of those for which it has no room the first is at `more`. */
export function placeOfNote(h: number, more: number, k: number): number {
  const beyond = k - NOTES_INSIDE;
  return beyond < 0 ? h + NOTES + k * NOTE_WORDS : more + beyond * ENTRY_WORDS;
}

/**
 * The hot line: 16 words for what every segment reads or writes, all that is touched of a NOTED connection but the note itself: with many connections open
 * a segment costs as much as the lines of the cache that it misses. The first four words are the table's key (flow/table.ts).
 */
export const HOT_BITS = KEY_BITS;
/** A double: number of the last frame. Not while NOTED: the last note has it. */
export const HOT_LAST_FRAME = 4;
/** Of end `d` at HOT_SUM + d, in its place while NOTED: payload bytes (24 bits), TTL of all its segments (8 bits from TTL_SHIFT on). */
export const HOT_SUM = 4;
export const SUM_BYTES_MASK = 0xff_ffff;
/** The latest time seen. */
export const HOT_LAST_SEC = 6;
export const HOT_LAST_NS = 7;
/**
 * Each end has words of its own: those of end 0, the lower end of the key, are counted from HOT_END, those of end 1 from HOT_END + 1, so that each word stands beside the
 * other end's. These four are in the hot line.
 */
export const HOT_END = 8;
/** Next sequence number this end will send, as far as the capture shows: the greatest end of a segment. */
export const END_NEXT = 0;
/** The greatest acknowledgement number it sent. */
export const END_ACK = 2;
export const END_PACKETS = 4;
/** Running number + 1 of its latest segment in the ring of columns; 0: none. */
export const END_RING = 6;
/** In the cold line: the sequence number from which tshark counts, that of its SYN, or one before its first segment. */
export const END_BASE = COLD + 7 - HOT_END;

/** The rest of the hot part, where the connection isn't NOTED: 16 words. Payload bytes of end `d` are the double at REST_BYTES / 2 + d. */
export const REST_BYTES = REST;
/** Sequence number of its FIN. */
export const END_FIN = REST + 4 - HOT_END;
/**
 * Segments that repeated something since the other end was last heard (24 bits); the TTL of its latest that brought something new, SYNs and
 * RSTs not counted, 0: none (8 bits).
 */
export const END_REPEATS = REST + 6 - HOT_END;
export const REPEATS_MASK = 0xff_ffff;
export const TTL_SHIFT = 24;

/** Packets of both ends of the record at word `h`. */
export function packetsOf(words: Int32Array, h: number): number {
  const at = h + HOT_END + END_PACKETS;
  return (words[at]! + words[at + 1]!) >>> 0;
}

/** Counts one more repetition of the end whose words begin at `own`; stops at REPEATS_MASK, so that none carries into the TTL. */
export function countRepeat(words: Int32Array, own: number): void {
  if ((words[own + END_REPEATS]! & REPEATS_MASK) !== REPEATS_MASK) words[own + END_REPEATS]!++;
}

/** Sequence number of the lowest of its segments that cover the other end's FIN (valid with B_COVERS). */
export const END_FIRST_COVER = REST + 8 - HOT_END;
/** The latest entry of the story that fills a hole below its FIN (valid with B_FILLS). */
export const END_LAST_FILL = REST + 10 - HOT_END;
/** Segments without SYN, FIN and RST that announced a window of 0. */
export const END_ZERO_WINDOWS = REST + 12 - HOT_END;
/** Of the connection: entries of its story, duplicate frames. */
export const REST_COUNT = REST + 14;
export const REST_DUPLICATES = REST + 15;

/** The table's: IPv6. */
export const KEY_FAMILY = 1 << 0;
/** Bits of HOT_BITS. Those of end 1 are the ones of end 0 shifted left by one. */
export const BASE_SET = 1 << 1;
export const SYN_SENT = 1 << 3;
export const SYN_ACK_SENT = 1 << 5;
export const FIN_SENT = 1 << 7;
/** The FIN of this end was acknowledged by the other. */
export const FIN_COVERED = 1 << 9;
/** END_ACK holds something. */
export const ACK_KNOWN = 1 << 11;
/** It sent a segment with ACK and without SYN since the last SYN of the connection. */
export const SPOKE = 1 << 13;
export const BOTH_SPOKE = SPOKE | (SPOKE << 1);
export const RST_SEEN = 1 << 15;
/** Opened, not closing: a segment without SYN, FIN and RST is counted and nothing more. */
export const STEADY = 1 << 16;
/** Closed as far as can be told, waiting in the linger queue for late frames. */
export const CLOSED = 1 << 17;
export const QUEUED = 1 << 18;
/** An ACK covered what the capture never saw of the other end. */
export const LOST_SEEN = 1 << 19;
/** New payload came last from this end. */
export const LAST_DATA = 1 << 20;
/** Everything went by the book so far: its segments are noted and not followed yet (tcp/noting.ts). */
export const NOTED = 1 << 22;
/** The capture holds an earlier connection of the same two ends. */
export const REUSED = 1 << 23;

/**
 * The cold line: 16 words for what happens a few times in a connection's life. The first eleven are words (END_BASE is two of them),
 * the rest bytes (offsets from its first byte), each a count of what the story has kept per end.
 */
export const C_START_SEC = 0;
export const C_START_NS = 1;
/** A double. */
export const C_FIRST_FRAME = 2;
export const C_STREAM = 4;
/** First and last entry of the story. */
export const C_HEAD = 5;
export const C_TAIL = 6;
/** Options of the first SYN or SYN-ACK of each end, packed (decode/packed-options.ts). */
export const C_OPTIONS = 9;
/** Per end, in bytes: SYNs, FINs, RSTs, segments after a RST, from beyond what was captured, that fill a hole below the FIN. */
export const B_SYNS = 44;
export const B_FINS = 46;
export const B_RSTS = 48;
export const B_AFTER_RST = 50;
export const B_BEYOND = 52;
export const B_FILLS = 54;
/** Segments kept while opening. */
export const B_OPENING = 56;
/** Which end sent the first frame. */
export const B_FIRST_FROM = 57;
/** Per end: segments that cover the other's FIN: before its own FIN, numbered before it, behind it. */
export const B_COVERS = 58;
export const B_COVERS_BEFORE = 60;
export const B_COVERS_AFTER = 62;
