/** The memory behind the transfer figures: their part of the records, blocks of ends with something to count, segments that wait for an ACK, round trips. */

import type { FlowTable } from '../flow/table.ts';
import { FIGURES, RTT_SAMPLES } from './figures.ts';
import { type HoleList, HolePool } from './holes.ts';
import * as L from './layout.ts';
import { gatherSamples, RttPool } from './rtt.ts';
import * as T from './transfer-layout.ts';

/** Segments of an end that wait for their ACK at once (13 bits hold the count); later ones give no round trip. */
const MAX_WAITING = 4096;
/** Such segments of all connections together. */
const MAX_ALL_WAITING = 1 << 21;

/** Words of a waiting segment: the number behind it, the next one, a double: when it was sent. */
const ENTRY = 4;
const LINK = 1;
const INITIAL_BLOCKS = 64;
const INITIAL_ENTRIES = 1024;
const LARGEST_FEW_NS = 0x7fff_fffe;

/** Owns what `Transfer` reads and writes. */
export class TransferMemory {
  readonly #table: FlowTable;
  /** Blocks of X_WORDS; block 0 is never used. */
  protected extra = new Int32Array(INITIAL_BLOCKS * T.X_WORDS);
  protected extraDoubles = new Float64Array(this.extra.buffer);
  /** The holes of each block. */
  protected holeLists: HoleList[] = [];
  protected holes = new HolePool();
  #extras = 1;
  #freeExtras: number[] = [];
  #entries = new Int32Array(INITIAL_ENTRIES * ENTRY);
  #entryDoubles = new Float64Array(this.#entries.buffer);
  #entryCount = 1;
  #freeEntry = 0;
  #rtt = new RttPool();
  readonly #few = new Float64Array(T.FEW_SAMPLES);
  readonly #figures = new Float64Array(FIGURES);

  /** The figures are part of the records of `table`. */
  constructor(table: FlowTable) {
    this.#table = table;
  }

  protected get words(): Int32Array {
    return this.#table.words;
  }

  protected get doubles(): Float64Array {
    return this.#table.doubles;
  }

  /** Begins with the record at `index`, whatever stands in it. */
  protected begin(index: number): void {
    const r = index * L.RECORD_WORDS + L.TRANSFER;
    const words = this.words;
    words.fill(0, r, r + T.WORDS);
    words[r + T.STATE] = T.SCALE_UNKNOWN << T.SCALE_SHIFT;
    words[r + T.END + T.STATE] = T.SCALE_UNKNOWN << T.SCALE_SHIFT;
  }

  /** First word of the block of end `d`; makes one where there is none. */
  protected block(r: number, d: number): number {
    const words = this.words;
    const known = words[r + T.EXTRA + d]!;
    if (known !== 0) return known * T.X_WORDS;
    const block = this.#freeExtras.pop() ?? this.#extras++;
    const x = block * T.X_WORDS;
    if (x + T.X_WORDS > this.extra.length) {
      const extra = new Int32Array(this.extra.length * 2);
      extra.set(this.extra);
      this.extra = extra;
      this.extraDoubles = new Float64Array(extra.buffer);
    }
    while (this.holeLists.length <= block) {
      this.holeLists.push({ head: 0, count: 0, givenUp: 0 });
    }
    this.extra.fill(0, x, x + T.X_WORDS);
    this.extraDoubles[(x + T.X_RESENT_TIME) >> 1] = -1;
    words[r + T.EXTRA + d] = block;
    return x;
  }

  /** Gives back everything that hangs on end `d` of the record at `r`. */
  protected release(r: number, d: number): void {
    const words = this.words;
    const own = r + d * T.END;
    if (words[own + T.HEAD] !== 0) this.#freeList(words[own + T.HEAD]!, words[own + T.TAIL]!);
    if (words[r + T.RTT_LAST + d] === T.IN_BLOCK) this.#rtt.free(words[own + T.RTT]!);
    const block = words[r + T.EXTRA + d]!;
    if (block === 0) return;
    this.holes.clear(this.holeLists[block]!);
    this.#freeExtras.push(block);
  }

  /** Puts the segment that ends at `end` behind the others of end `d` that wait for their ACK. Hot path. */
  protected wait(r: number, d: number, end: number, time: number): void {
    const words = this.words;
    const shift = d * T.COUNT_BITS;
    const counts = words[r + T.MARKS]!;
    if (((counts >>> shift) & T.COUNT_MASK) >= MAX_WAITING) return;
    const entry = this.#takeEntry();
    if (entry === 0) return;
    words[r + T.MARKS] = counts + (1 << shift);
    const at = entry * ENTRY;
    this.#entries[at] = end;
    this.#entryDoubles[(at >> 1) + 1] = time;
    const own = r + d * T.END;
    const tail = words[own + T.TAIL]!;
    if (tail === 0) words[own + T.HEAD] = entry;
    else this.#entries[tail * ENTRY + LINK] = entry;
    words[own + T.TAIL] = entry;
  }

  /**
   * Takes what `ack` covers out of the list of end `d`: a round trip where a segment ends at `ack` and was sent after `resent`.
   * Hot path.
   */
  protected answer(r: number, d: number, ack: number, now: number, resent: number): void {
    const words = this.words;
    const own = r + d * T.END;
    const entries = this.#entries;
    const first = words[own + T.HEAD]!;
    let entry = first;
    let last = 0;
    let taken = 0;
    let sent = -1;
    while (entry !== 0) {
      const at = entry * ENTRY;
      const beyond = (entries[at]! - ack) | 0;
      if (beyond > 0) break;
      if (beyond === 0) sent = this.#entryDoubles[(at >> 1) + 1]!;
      last = entry;
      entry = entries[at + LINK]!;
      taken++;
    }
    if (taken === 0) return;
    this.#freeList(first, last);
    words[own + T.HEAD] = entry;
    if (entry === 0) words[own + T.TAIL] = 0;
    words[r + T.MARKS]! -= taken << (d * T.COUNT_BITS);
    if (sent > resent) this.sample(r, d, now - sent);
  }

  /** A round trip of end `d`. Hot path. */
  protected sample(r: number, d: number, ns: number): void {
    if (ns < 0) return;
    const words = this.words;
    const first = r + d * T.END + T.RTT;
    const last = r + T.RTT_LAST + d;
    if (words[last] === 0 && ns <= LARGEST_FEW_NS) {
      if (words[first] === 0) words[first] = ns + 1;
      else if (words[first + 1] === 0) words[first + 1] = ns + 1;
      else if (words[first + 2] === 0) words[first + 2] = ns + 1;
      else words[last] = ns + 1;
      return;
    }
    if (words[last] !== T.IN_BLOCK) {
      const block = this.#rtt.allocate();
      if (block === 0) return;
      const count = gatherSamples(words, first, last, this.#few);
      for (let i = 0; i < count; i++) this.#rtt.add(block, this.#few[i]!);
      words[first] = block;
      words[last] = T.IN_BLOCK;
    }
    this.#rtt.add(words[first]!, ns);
  }

  /** Writes the figures of the round trips of end `d` at `at`: true where they stand in a block, else they stand in the record. */
  packRtt(index: number, d: number, doubles: Float64Array, at: number): boolean {
    const r = index * L.RECORD_WORDS + L.TRANSFER;
    if (this.words[r + T.RTT_LAST + d] !== T.IN_BLOCK) return false;
    this.#rtt.read(this.words[r + d * T.END + T.RTT]!, this.#figures);
    for (let i = RTT_SAMPLES; i < FIGURES; i++) doubles[at + i - RTT_SAMPLES] = this.#figures[i]!;
    return true;
  }

  /** The table holds its first `count` records only: what hangs on them goes to memory that fits it. */
  compact(count: number): void {
    const { extra, holeLists, holes } = this;
    const entries = this.#entries;
    const entryDoubles = this.#entryDoubles;
    const rtt = this.#rtt;
    this.extra = new Int32Array(INITIAL_BLOCKS * T.X_WORDS);
    this.extraDoubles = new Float64Array(this.extra.buffer);
    this.holeLists = [];
    this.holes = new HolePool();
    this.#extras = 1;
    this.#freeExtras = [];
    this.#entries = new Int32Array(INITIAL_ENTRIES * ENTRY);
    this.#entryDoubles = new Float64Array(this.#entries.buffer);
    this.#entryCount = 1;
    this.#freeEntry = 0;
    this.#rtt = new RttPool();
    for (let index = 0; index < count; index++) {
      const h = index * L.RECORD_WORDS;
      const r = h + L.TRANSFER;
      if ((this.words[h + L.HOT_BITS]! & L.NOTED) !== 0) continue;
      for (let d = 0; d < 2; d++) {
        this.#adoptEntries(r, d, entries, entryDoubles);
        this.#adoptBlock(r, d, extra, holeLists, holes);
        const samples = r + d * T.END + T.RTT;
        if (this.words[r + T.RTT_LAST + d] === T.IN_BLOCK)
          this.words[samples] = this.#rtt.adopt(rtt, this.words[samples]!);
      }
    }
  }

  #adoptEntries(r: number, d: number, entries: Int32Array, doubles: Float64Array): void {
    const words = this.words;
    const own = r + d * T.END;
    let entry = words[own + T.HEAD]!;
    words[own + T.HEAD] = 0;
    words[own + T.TAIL] = 0;
    words[r + T.MARKS]! &= ~(T.COUNT_MASK << (d * T.COUNT_BITS));
    for (; entry !== 0; entry = entries[entry * ENTRY + LINK]!) {
      this.wait(r, d, entries[entry * ENTRY]!, doubles[((entry * ENTRY) >> 1) + 1]!);
    }
  }

  #adoptBlock(r: number, d: number, extra: Int32Array, lists: HoleList[], holes: HolePool): void {
    const words = this.words;
    const old = words[r + T.EXTRA + d]!;
    if (old === 0) return;
    words[r + T.EXTRA + d] = 0;
    const x = this.block(r, d);
    this.extra.set(extra.subarray(old * T.X_WORDS, (old + 1) * T.X_WORDS), x);
    const list = lists[old]!;
    this.holes.adopt(holes, list);
    this.holeLists[words[r + T.EXTRA + d]!] = list;
  }

  /** A place for a waiting segment, without a next one, or 0 where all are taken. */
  #takeEntry(): number {
    const free = this.#freeEntry;
    if (free !== 0) {
      this.#freeEntry = this.#entries[free * ENTRY + LINK]!;
      this.#entries[free * ENTRY + LINK] = 0;
      return free;
    }
    if (this.#entryCount > MAX_ALL_WAITING) return 0;
    const entry = this.#entryCount++;
    if ((entry + 1) * ENTRY > this.#entries.length) {
      const entries = new Int32Array(this.#entries.length * 2);
      entries.set(this.#entries);
      this.#entries = entries;
      this.#entryDoubles = new Float64Array(entries.buffer);
    }
    return entry;
  }

  /** Gives back the places chained from `head` to `tail`. */
  #freeList(head: number, tail: number): void {
    this.#entries[tail * ENTRY + LINK] = this.#freeEntry;
    this.#freeEntry = head;
  }
}
