/** The story of a connection: its few segments at which something happens, packed, chained and out of the way of the rest. */

import { HAS_TIMESTAMPS, type SegmentColumns } from '../decode/columns.ts';
import { GROWTH } from '../flow/table.ts';

/** Entries a connection keeps at most, more than the limits of all kinds together (tcp/keep.ts). */
export const MAX_STORY_ENTRIES = 768;

/**
 * Entries stand in blocks of three: smaller ones are further apart, larger ones leave more room unused, and the life of an ordinary
 * connection has six to nine. An entry's number is block · 4 + place: a multiple of three would have to be divided.
 */
const BLOCK = 3;
const INITIAL_BLOCKS = 64;
/** Blocks of a story that are looked at together. */
const TOUCHED = 4;
const BLOCK_SHIFT = 2;
const PLACE_MASK = 3;
/** 32-bit words of one entry, an even number. */
export const ENTRY_WORDS = 12;
/** Frame number less that of the connection's first frame. */
const FRAME = 0;
/** Flags (12 bits) and the marks below. */
const BITS = 1;
/** A double: nanoseconds since the connection's first frame. */
const TIME = 2;
const SEQ = 4;
const ACK_NO = 5;
const LEN = 6;
/** Window (16 bits), ttl (8 bits). */
const WINDOW = 7;
const TS_VAL = 8;
const TS_ECR = 9;
/** What the peer had acknowledged, and the next sequence number of the sender, both before this segment. */
const PEER_ACK = 10;
const NEXT_SEQ = 11;

/** Marks of an entry. */
export const FROM_HIGH = 1 << 12;
export const HAS_TS = 1 << 13;
/** The peer had acknowledged something before / the sender had sent something before this segment. */
export const PEER_ACK_KNOWN = 1 << 14;
export const NEXT_SEQ_KNOWN = 1 << 15;
/** New payload had come last from the peer. */
export const PEER_DATA_LAST = 1 << 16;
/** What was captured last is the peer's. */
export const PEER_LAST = 1 << 17;
export const FLAGS_MASK = 0xfff;

/** Blocks that `entries` entries of one story take. */
export function blocksOf(entries: number): number {
  return Math.ceil(entries / BLOCK);
}

/**
 * All entries of all connections in one growing array. Block 0 is never used, so that 0 means none. Blocks are chained and reused.
 */
export class StoryPool {
  words = new Int32Array(INITIAL_BLOCKS * BLOCK * ENTRY_WORDS);
  doubles = new Float64Array(this.words.buffer);
  /** Of each block: the next one of the same story, or of the free list. */
  #nextBlock = new Int32Array(INITIAL_BLOCKS);
  #blocks = 1;
  #free = 0;

  /** Keeps first looks from being optimized away. */
  touched = 0;

  /** Blocks in use or free. */
  get blocks(): number {
    return this.#blocks;
  }

  /** A first look at the place where the entry behind `tail` will stand, so that cache misses overlap; means nothing. */
  touch(tail: number): number {
    return this.words[wordOf(tail + 1)]!;
  }

  /** Room for one entry behind entry `tail` (0: the story's first): its number. */
  reserve(tail: number): number {
    if (tail !== 0 && (tail & PLACE_MASK) !== BLOCK - 1) return tail + 1;
    let block = this.#free;
    if (block !== 0) {
      this.#free = this.#nextBlock[block]!;
    } else {
      block = this.#blocks++;
      if (block === this.#nextBlock.length) this.#grow();
    }
    this.#nextBlock[block] = 0;
    if (tail !== 0) this.#nextBlock[tail >> BLOCK_SHIFT] = block;
    return block << BLOCK_SHIFT;
  }

  /** Writes the segment at `position` of the ring into entry `entry`. `firstFrame`, `startSec`, `startNs`: of the connection. */
  write(
    entry: number,
    columns: SegmentColumns,
    position: number,
    marks: number,
    peerAck: number,
    nextSeq: number,
    firstFrame: number,
    startSec: number,
    startNs: number,
  ): void {
    const words = this.words;
    const at = wordOf(entry);
    words[at + FRAME] = columns.frame[position]! - firstFrame;
    words[at + BITS] =
      columns.flags[position]! |
      marks |
      ((columns.optionBits[position]! & HAS_TIMESTAMPS) !== 0 ? HAS_TS : 0);
    this.doubles[(at + TIME) >> 1] =
      (columns.tsSec[position]! - startSec) * 1_000_000_000 + (columns.tsNs[position]! - startNs);
    words[at + SEQ] = columns.seq[position]!;
    words[at + ACK_NO] = columns.ack[position]!;
    words[at + LEN] = columns.payloadLen[position]!;
    words[at + WINDOW] = columns.window[position]! | (columns.ttl[position]! << 16);
    words[at + TS_VAL] = columns.tsVal[position]!;
    words[at + TS_ECR] = columns.tsEcr[position]!;
    words[at + PEER_ACK] = peerAck;
    words[at + NEXT_SEQ] = nextSeq;
  }

  /** Gives all blocks of the story from `head` to `tail` back. */
  release(head: number, tail: number): void {
    if (head === 0) return;
    this.#nextBlock[tail >> BLOCK_SHIFT] = this.#free;
    this.#free = head >> BLOCK_SHIFT;
  }

  /** Begins anew with little memory. What was held is in the pool that it returns, for `adopt`. */
  renew(): StoryPool {
    const old = new StoryPool();
    old.words = this.words;
    old.doubles = this.doubles;
    old.#nextBlock = this.#nextBlock;
    this.words = new Int32Array(INITIAL_BLOCKS * BLOCK * ENTRY_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
    this.#nextBlock = new Int32Array(INITIAL_BLOCKS);
    this.#blocks = 1;
    this.#free = 0;
    return old;
  }

  /** Takes over entry `entry` of `pool` as the one behind entry `tail`: its number here. */
  adopt(pool: StoryPool, entry: number, tail: number): number {
    const to = this.reserve(tail);
    const from = wordOf(entry);
    const at = wordOf(to);
    for (let i = 0; i < ENTRY_WORDS; i++) this.words[at + i] = pool.words[from + i]!;
    return to;
  }

  /** Copies the entries from `head` to `tail` as they are to word `at` of `words`: the word behind the last. */
  copy(head: number, tail: number, words: Int32Array, at: number): number {
    const own = this.words;
    const next = this.#nextBlock;
    // Long out of the caches: a first look at all blocks, so that the misses overlap.
    let touched = 0;
    for (let block = head >> BLOCK_SHIFT, n = 0; block !== 0 && n < TOUCHED; n++) {
      const from = block * BLOCK * ENTRY_WORDS;
      touched ^= own[from]! ^ own[from + 16]! ^ own[from + 32]!;
      block = next[block]!;
    }
    this.touched = touched;
    let to = at;
    let n = 0;
    for (let entry = head; entry !== 0 && n < MAX_STORY_ENTRIES; entry = this.after(entry)) {
      const from = wordOf(entry);
      for (let i = 0; i < ENTRY_WORDS; i++) words[to + i] = own[from + i]!;
      to += ENTRY_WORDS;
      n++;
      if (entry === tail) break;
    }
    return to;
  }

  /** The entry behind `entry`, 0 where its block is full and the last. */
  after(entry: number): number {
    if ((entry & PLACE_MASK) !== BLOCK - 1) return entry + 1;
    return this.#nextBlock[entry >> BLOCK_SHIFT]! << BLOCK_SHIFT;
  }

  #grow(): void {
    const words = new Int32Array(this.words.length * GROWTH);
    words.set(this.words);
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
    const next = new Int32Array(this.#nextBlock.length * GROWTH);
    next.set(this.#nextBlock);
    this.#nextBlock = next;
  }
}

/** The word at which entry `entry` begins: its place among those before it, every fourth of which is left out. */
export function wordOf(entry: number): number {
  return (entry - (entry >> BLOCK_SHIFT)) * ENTRY_WORDS;
}

/** Copies `count` entries that `StoryPool.copy` wrote to word `at` into `story`. */
export function readEntries(
  story: Story,
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  count: number,
  firstFrame: number,
): void {
  story.count = 0;
  for (let i = 0; i < count; i++) {
    addEntry(story, words, doubles, at + i * ENTRY_WORDS, firstFrame);
  }
  sortByFrame(story);
}

function addEntry(
  story: Story,
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  firstFrame: number,
): void {
  const n = story.count++;
  const bits = words[at + BITS]!;
  story.frame[n] = (words[at + FRAME]! >>> 0) + firstFrame;
  story.tNs[n] = doubles[(at + TIME) >> 1]!;
  story.marks[n] = bits & ~FLAGS_MASK;
  story.from[n] = (bits & FROM_HIGH) === 0 ? 0 : 1;
  story.flags[n] = bits & FLAGS_MASK;
  story.seq[n] = words[at + SEQ]!;
  story.ack[n] = words[at + ACK_NO]!;
  story.len[n] = words[at + LEN]!;
  story.window[n] = words[at + WINDOW]! & 0xffff;
  story.ttl[n] = (words[at + WINDOW]! >>> 16) & 0xff;
  story.tsVal[n] = words[at + TS_VAL]!;
  story.tsEcr[n] = words[at + TS_ECR]!;
  story.peerAck[n] = words[at + PEER_ACK]!;
  story.nextSeq[n] = words[at + NEXT_SEQ]!;
}

/** Entries looked up afterwards stand behind the one that made them interesting: moves each to its place. */
function sortByFrame(s: Story): void {
  for (let i = 1; i < s.count; i++) {
    for (let j = i; j > 0 && s.frame[j - 1]! > s.frame[j]!; j--) {
      for (const column of s.all) {
        const value = column[j]!;
        column[j] = column[j - 1]!;
        column[j - 1] = value;
      }
    }
  }
}

/** A connection's story unpacked, a column a field, in the order of the capture. One is used again and again. */
export interface Story {
  count: number;
  readonly frame: Float64Array;
  /** Nanoseconds since the connection's first frame. */
  readonly tNs: Float64Array;
  /** FROM_HIGH and the others above. */
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
  /** All of the above. */
  readonly all: readonly (Float64Array | Int32Array | Uint16Array | Uint8Array)[];
}

/** An empty story with room for MAX_STORY_ENTRIES. */
export function createStory(): Story {
  const n = MAX_STORY_ENTRIES;
  const columns = {
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
  };
  return { count: 0, ...columns, all: Object.values(columns) };
}
