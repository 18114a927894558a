/**
 * First looks at memory that will be needed, many places at a time, so that cache misses overlap: what a frame costs with many open connections is waiting for
 * its connection's memory. Each loop does as little as it can besides one load: the fewer instructions stand between two loads, the more of them the
 * processor has under way.
 */

import { ACK, type SegmentColumns, SYN } from '../decode/columns.ts';
import type { FlowTable } from '../flow/table.ts';
import type { GhostMemory } from './ghosts.ts';
import * as L from './layout.ts';
import type { StoryPool } from './story.ts';

/** Segments or records at most in one call. */
const MAX_LOOK = 256;
const LINES = L.RECORD_WORDS / L.LINE_WORDS;

/** Nothing here changes anything. */
export class FirstLook {
  readonly #table: FlowTable;
  readonly #ghosts: GhostMemory;
  readonly #pool: StoryPool;
  readonly #columns: SegmentColumns;
  /** Whom or what the loops have found. */
  readonly #found = new Int32Array(MAX_LOOK);
  readonly #lines = new Int32Array(MAX_LOOK * LINES);
  /** Keeps the loads from being optimized away. */
  touched = 0;

  constructor(table: FlowTable, ghosts: GhostMemory, pool: StoryPool, columns: SegmentColumns) {
    this.#table = table;
    this.#ghosts = ghosts;
    this.#pool = pool;
    this.#columns = columns;
  }

  /** At what the keys of `count` segments from ring number `first` on lead to: the hot line of the connection, and where its next segment is written. */
  segments(first: number, count: number): void {
    const { family, flags, hash, keyA, keyB, keyPorts, mask } = this.#columns;
    const found = this.#found;
    const ghosts = this.#ghosts;
    const pool = this.#pool;
    const table = this.#table;
    const words = table.words;
    let touched = 0;
    let syns = 0;
    for (let i = 0; i < count; i++) {
      const p = (first + i) & mask;
      // Over IPv6 they are looked up by more than their ids.
      if ((flags[p]! & (SYN | ACK)) === SYN && family[p] === 4) found[syns++] = p;
    }
    for (let i = 0; i < syns; i++) {
      const p = found[i]!;
      touched ^= ghosts.touch(keyA[p]!, keyB[p]!, keyPorts[p]!);
    }
    for (let i = 0; i < count; i++) {
      found[i] = table.guess(hash[(first + i) & mask]!) * L.RECORD_WORDS;
    }
    for (let i = 0; i < count; i++) touched ^= words[found[i]!]!;
    for (let i = 0; i < count; i++) {
      const h = found[i]!;
      const isNoted = (words[h + L.HOT_BITS]! & L.NOTED) !== 0;
      const noted = isNoted ? L.packetsOf(words, h) : L.NOTES_INSIDE;
      if (noted < L.NOTES_INSIDE) {
        found[i] = h + L.NOTES + noted * L.NOTE_WORDS;
        continue;
      }
      found[i] = h + L.REST;
      touched ^= words[h + L.TRANSFER]! ^ words[h + L.TRANSFER + L.LINE_WORDS]!;
      touched ^= pool.touch(words[h + L.COLD + L.C_TAIL]!);
    }
    for (let i = 0; i < count; i++) touched ^= words[found[i]!]!;
    this.touched = touched;
  }

  /**
   * The same where few connections are in progress and what they need stays in the caches: only at what SYNs lead to. Where ports are used again that is a
   * closed connection, which nobody has looked at for long, and which leaves.
   */
  reused(first: number, count: number): void {
    const { flags, hash, mask } = this.#columns;
    const found = this.#found;
    let syns = 0;
    for (let i = 0; i < count; i++) {
      const p = (first + i) & mask;
      if ((flags[p]! & (SYN | ACK)) === SYN) found[syns++] = hash[p]!;
    }
    for (let i = 0; i < syns; i++) found[i] = this.#table.guess(found[i]!);
    this.records(found, syns);
  }

  /** At all of the first `count` records of `indexes`, which leave. */
  records(indexes: Int32Array, count: number): void {
    const table = this.#table;
    const words = table.words;
    const lines = this.#lines;
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= words[indexes[i]! * L.RECORD_WORDS]!;
    let n = 0;
    for (let i = 0; i < count; i++) {
      const h = indexes[i]! * L.RECORD_WORDS;
      const end = Math.min(L.NOTES + L.packetsOf(words, h) * L.NOTE_WORDS, L.RECORD_WORDS);
      for (let at = L.COLD; at < end; at += L.LINE_WORDS) lines[n++] = h + at;
    }
    for (let i = 0; i < n; i++) touched ^= words[lines[i]!]!;
    for (let i = 0; i < count; i++) touched ^= table.touch(indexes[i]!);
    this.touched = touched;
  }
}
