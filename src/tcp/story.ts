/** The story of a connection: its few segments at which something happens, packed, chained and out of the way of the rest. */

import type { SegmentColumns } from '../decode/columns.ts';

/** Entries a connection keeps at most; what comes after is counted only. */
export const MAX_STORY_ENTRIES = 400;

/** 32-bit words of one entry; the first is the number of the next. */
const WORDS = 14;
const FRAME = 1;
/** Flags (12 bits), then the marks below, then the upper bits of the frame number from bit 20. */
const BITS = 2;
const SEC = 3;
const NS = 4;
const SEQ = 5;
const ACK_NO = 6;
const LEN = 7;
/** Window (16 bits), ttl (8 bits). */
const WINDOW = 8;
const TS_VAL = 9;
const TS_ECR = 10;
/** What the peer had acknowledged, and the next sequence number of the sender, both before this segment. */
const PEER_ACK = 11;
const NEXT_SEQ = 12;
const IP_ID = 13;

/** Marks of an entry. */
export const FROM_HIGH = 1 << 12;
export const HAS_TS = 1 << 13;
/** The peer had acknowledged something before / the sender had sent something before this segment. */
export const PEER_ACK_KNOWN = 1 << 14;
export const NEXT_SEQ_KNOWN = 1 << 15;
const FRAME_HIGH_SHIFT = 20;
const TWO_32 = 0x1_0000_0000;

/** All entries of all connections in one growing array, free ones chained. */
export class StoryPool {
  words = new Int32Array(1024 * WORDS);
  #next = 1;
  #free = 0;

  /** Adds the segment at `position` of the ring behind entry `tail` (0: none) and returns the new entry's number. */
  append(
    tail: number,
    columns: SegmentColumns,
    position: number,
    marks: number,
    peerAck: number,
    nextSeq: number,
  ): number {
    let entry = this.#free;
    if (entry !== 0) {
      this.#free = this.words[entry * WORDS]!;
    } else {
      entry = this.#next++;
      if ((entry + 1) * WORDS > this.words.length) {
        const words = new Int32Array(this.words.length * 2);
        words.set(this.words);
        this.words = words;
      }
    }
    const next = this.words;
    next[entry * WORDS] = 0;
    this.replace(entry, columns, position, marks, peerAck, nextSeq);
    if (tail !== 0) next[tail * WORDS] = entry;
    return entry;
  }

  /** Overwrites what entry `entry` says with the segment at `position`; its place in the story stays. */
  replace(
    entry: number,
    columns: SegmentColumns,
    position: number,
    marks: number,
    peerAck: number,
    nextSeq: number,
  ): void {
    const words = this.words;
    const at = entry * WORDS;
    const frame = columns.frame[position]!;
    const high = frame >= TWO_32 ? Math.floor(frame / TWO_32) : 0;
    words[at + FRAME] = frame | 0;
    words[at + BITS] =
      columns.flags[position]! |
      marks |
      (columns.hasTs[position] === 1 ? HAS_TS : 0) |
      (high << FRAME_HIGH_SHIFT);
    words[at + SEC] = columns.tsSec[position]!;
    words[at + NS] = columns.tsNs[position]!;
    words[at + SEQ] = columns.seq[position]!;
    words[at + ACK_NO] = columns.ack[position]!;
    words[at + LEN] = columns.payloadLen[position]!;
    words[at + WINDOW] = columns.window[position]! | (columns.ttl[position]! << 16);
    words[at + TS_VAL] = columns.tsVal[position]!;
    words[at + TS_ECR] = columns.tsEcr[position]!;
    words[at + PEER_ACK] = peerAck;
    words[at + NEXT_SEQ] = nextSeq;
    words[at + IP_ID] = columns.ipId[position]!;
  }

  /** Gives all entries from `head` to `tail` back. */
  release(head: number, tail: number): void {
    if (head === 0) return;
    this.words[tail * WORDS] = this.#free;
    this.#free = head;
  }

  /** Copies the entries from `head` on into `story`, times relative to `startSec`, `startNs`. */
  read(head: number, startSec: number, startNs: number, story: Story): void {
    const words = this.words;
    let n = 0;
    for (let entry = head; entry !== 0 && n < MAX_STORY_ENTRIES; entry = words[entry * WORDS]!) {
      const at = entry * WORDS;
      const bits = words[at + BITS]!;
      const high = bits >>> FRAME_HIGH_SHIFT;
      story.frame[n] = (words[at + FRAME]! >>> 0) + high * TWO_32;
      story.tNs[n] =
        ((words[at + SEC]! >>> 0) - startSec) * 1_000_000_000 + (words[at + NS]! - startNs);
      story.marks[n] = bits;
      story.from[n] = (bits & FROM_HIGH) === 0 ? 0 : 1;
      story.flags[n] = bits & 0xfff;
      story.seq[n] = words[at + SEQ]!;
      story.ack[n] = words[at + ACK_NO]!;
      story.len[n] = words[at + LEN]!;
      story.window[n] = words[at + WINDOW]! & 0xffff;
      story.ttl[n] = (words[at + WINDOW]! >>> 16) & 0xff;
      story.tsVal[n] = words[at + TS_VAL]!;
      story.tsEcr[n] = words[at + TS_ECR]!;
      story.peerAck[n] = words[at + PEER_ACK]!;
      story.nextSeq[n] = words[at + NEXT_SEQ]!;
      story.ipId[n] = words[at + IP_ID]!;
      n++;
    }
    story.count = n;
  }
}

/** A connection's story unpacked, a column a field, in the order of the capture. One is used again and again. */
export interface Story {
  count: number;
  readonly frame: Float64Array;
  /** Nanoseconds since the connection's first frame. */
  readonly tNs: Float64Array;
  readonly marks: Int32Array;
  /** 0: the client, 1: the server (once the roles are known; before, the key's lower and upper end). */
  readonly from: Uint8Array;
  readonly flags: Uint16Array;
  readonly seq: Int32Array;
  readonly ack: Int32Array;
  readonly len: Int32Array;
  readonly window: Uint16Array;
  readonly ttl: Uint8Array;
  readonly tsVal: Int32Array;
  readonly tsEcr: Int32Array;
  readonly peerAck: Int32Array;
  readonly nextSeq: Int32Array;
  readonly ipId: Uint16Array;
}

/** An empty story with room for MAX_STORY_ENTRIES. */
export function createStory(): Story {
  const n = MAX_STORY_ENTRIES;
  return {
    count: 0,
    frame: new Float64Array(n),
    tNs: new Float64Array(n),
    marks: new Int32Array(n),
    from: new Uint8Array(n),
    flags: new Uint16Array(n),
    seq: new Int32Array(n),
    ack: new Int32Array(n),
    len: new Int32Array(n),
    window: new Uint16Array(n),
    ttl: new Uint8Array(n),
    tsVal: new Int32Array(n),
    tsEcr: new Int32Array(n),
    peerAck: new Int32Array(n),
    nextSeq: new Int32Array(n),
    ipId: new Uint16Array(n),
  };
}
