/** How a connection leaves the tracker: its records copied as they are, for this thread or another to work out the rest. */

import type { SegmentColumns } from '../decode/columns.ts';
import { hasCookie } from '../decode/packed-options.ts';
import type { AddressTable } from '../flow/addresses.ts';
import type { FlowTable } from '../flow/table.ts';
import type { EndOfTracking, Ends } from './finished.ts';
import * as L from './layout.ts';
import { outlineOfNotes } from './noted-outline.ts';
import { wordsOfNoted } from './notes.ts';
import { finishOutline } from './outline.ts';
import {
  ADDRESS_WORDS,
  BLOCK_DOUBLES,
  ENDS,
  HAS_BLOCK,
  HAS_RTT_BLOCK,
  HAS_ZEEK,
  IS_REUSED,
  LACKS_LAST,
  type LeavingConnection,
  MAX_COOKIE_CHARS,
  P_BITS,
  P_COOKIES,
  P_END,
  P_RECORD,
  P_WATCHED,
  P_WORDS,
  type PackedConnections,
  RTT_DOUBLES,
} from './packed.ts';
import { ENTRY_WORDS, FROM_HIGH, type StoryPool } from './story.ts';
import type { Transfer } from './transfer.ts';
import type { ZeekFacts } from './zeek/facts.ts';
import { packZeek } from './zeek/packed.ts';

/** Where the parts of open connections lie. */
interface ConnectionMemory {
  readonly table: FlowTable;
  readonly addresses: AddressTable;
  readonly transfer: Transfer;
  readonly pool: StoryPool;
  /** By record index · 2 + end. */
  readonly cookies: ReadonlyMap<number, string>;
}

/** One connection after the other: `point` says which. */
export class Leaving implements LeavingConnection {
  readonly #memory: ConnectionMemory;
  readonly #columns: SegmentColumns;
  readonly #zeek: ZeekFacts | null;
  /** The notes that stand in the memory of stories. */
  readonly #more = new Int32Array(L.MAX_NOTES * ENTRY_WORDS);
  #index = 0;
  #end: EndOfTracking = 'input-ended';
  #reusedAt = -1;
  #sec = 0;
  #ns = 0;

  /** `zeek`: what Zeek would say of the connection that leaves, filled in before `point`. */
  constructor(memory: ConnectionMemory, columns: SegmentColumns, zeek: ZeekFacts | null) {
    this.#memory = memory;
    this.#columns = columns;
    this.#zeek = zeek;
  }

  get stream(): number {
    return this.#memory.table.words[this.#index * L.RECORD_WORDS + L.COLD + L.C_STREAM]!;
  }

  /**
   * The connection of record `index`, which leaves at `sec` and `ns` of the capture's time; valid until the next call.
   * `reusedAt`: position of the SYN that follows it, or -1.
   */
  point(index: number, end: EndOfTracking, reusedAt: number, sec: number, ns: number): this {
    this.#index = index;
    this.#end = end;
    this.#reusedAt = reusedAt;
    this.#sec = sec;
    this.#ns = ns;
    return this;
  }

  /** Hot path, once a connection. */
  pack(target: PackedConnections): void {
    const { words, doubles } = target;
    const { table, addresses, transfer, pool, cookies } = this.#memory;
    const start = target.used;
    const index = this.#index;
    const own = table.words;
    const h = index * L.RECORD_WORDS;
    const c = h + L.COLD;
    const isNoted = (own[h + L.HOT_BITS]! & L.NOTED) !== 0;
    const recordWords = isNoted ? wordsOfNoted(own, h) : L.FOLLOWED_WORDS;
    copy(own, h, words, start + P_RECORD, recordWords);
    let bits = 0;
    let at = start + P_RECORD + recordWords;
    if (this.#reusedAt >= 0) {
      bits |= IS_REUSED;
      doubles[at >> 1] = this.#columns.frame[this.#reusedAt]!;
      doubles[(at >> 1) + 1] = this.#reusedNs(c);
      at += 4;
    }
    if ((own[h + L.HOT_BITS]! & 1) === 1) {
      addresses.copy(own[h]!, words, at);
      addresses.copy(own[h + 1]!, words, at + 4);
      at += ADDRESS_WORDS;
    }
    for (let d = 0; d < 2 && !isNoted; d++) {
      if (transfer.packBlock(index, d, doubles, at >> 1)) {
        bits |= HAS_BLOCK << d;
        if (transfer.lacksLast(index, d)) bits |= LACKS_LAST << d;
        at += BLOCK_DOUBLES * 2;
      }
      if (transfer.packRtt(index, d, doubles, at >> 1)) {
        bits |= HAS_RTT_BLOCK << d;
        at += RTT_DOUBLES * 2;
      }
    }
    if (this.#zeek !== null) {
      bits |= HAS_ZEEK;
      at = packZeek(this.#zeek, words, doubles, at);
    }
    let lengths = 0;
    for (let d = 0; d < 2; d++) {
      if (!hasCookie(own[c + L.C_OPTIONS + d]!)) continue;
      const cookie = cookies.get(index * 2 + d) ?? '';
      const chars = Math.min(cookie.length, MAX_COOKIE_CHARS);
      for (let i = 0; i < chars; i++) words[at++] = cookie.charCodeAt(i);
      lengths |= chars << (d * 16);
    }
    at += at & 1;
    at = pool.copy(own[c + L.C_HEAD]!, own[c + L.C_TAIL]!, words, at);
    words[start + P_WORDS] = at - start;
    words[start + P_END] = ENDS.indexOf(this.#end);
    words[start + P_BITS] = bits;
    words[start + P_COOKIES] = lengths;
    doubles[(start + P_WATCHED) >> 1] = this.#watchedNs(h);
    target.used = at;
  }

  /** Hot path, once a connection. */
  outline(mslSec: number): boolean {
    const { table, pool } = this.#memory;
    const own = table.words;
    const h = this.#index * L.RECORD_WORDS;
    const c = h + L.COLD;
    if ((own[h + L.HOT_BITS]! & L.NOTED) === 0) return false;
    if (own[c + L.C_HEAD] !== 0) pool.copy(own[c + L.C_HEAD]!, own[c + L.C_TAIL]!, this.#more, 0);
    if (!outlineOfNotes(own, h, this.#more, 0, false)) return false;
    const lastNs = nsSince(own, c, own[h + L.HOT_LAST_SEC]! >>> 0, own[h + L.HOT_LAST_NS]!);
    const watchedNs = Math.max(lastNs, this.#watchedNs(h));
    const reusedNs = this.#reusedAt < 0 ? Number.NaN : this.#reusedNs(c);
    return finishOutline(this.#end === 'evicted', reusedNs, watchedNs, mslSec);
  }

  ends(into: Ends): void {
    const { addresses, table } = this.#memory;
    const { doubles, words } = table;
    const h = this.#index * L.RECORD_WORDS;
    const isSix = (words[h + L.HOT_BITS]! & L.KEY_FAMILY) !== 0;
    into.family = isSix ? 6 : 4;
    for (let d = 0; d < 2; d++) {
      if (isSix) addresses.copy(words[h + d]!, into.address[d]!, 0);
      else into.address[d]![0] = words[h + d]!;
      into.bytes[d] = words[h + L.HOT_SUM + d]! & L.SUM_BYTES_MASK;
    }
    const ports = words[h + 2]!;
    into.port[0] = ports >>> 16;
    into.port[1] = ports & 0xffff;
    into.clientEnd = (words[h + L.NOTES + L.N_BITS]! & FROM_HIGH) === 0 ? 0 : 1;
    into.firstFrame = doubles[(h + L.COLD + L.C_FIRST_FRAME) >> 1]!;
  }

  /** From the first frame, of the record with the cold part `c`, to the SYN that took its ports. */
  #reusedNs(c: number): number {
    const { tsSec, tsNs } = this.#columns;
    return nsSince(this.#memory.table.words, c, tsSec[this.#reusedAt]!, tsNs[this.#reusedAt]!);
  }

  /** From the first frame of the record at `h` to when it leaves; 0 if it has CLOSED by then. */
  #watchedNs(h: number): number {
    const own = this.#memory.table.words;
    if ((own[h + L.HOT_BITS]! & L.CLOSED) !== 0) return 0;
    return nsSince(own, h + L.COLD, this.#sec, this.#ns);
  }
}

/** From the first frame of the record with the cold part `c` to a time of the capture. */
function nsSince(own: Int32Array, c: number, sec: number, ns: number): number {
  return (sec - (own[c + L.C_START_SEC]! >>> 0)) * 1e9 + (ns - own[c + L.C_START_NS]!);
}

/** `count` words, a multiple of eight, one by one: for so few, `set` takes longer. */
function copy(from: Int32Array, at: number, to: Int32Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i += 8) {
    to[toAt + i] = from[at + i]!;
    to[toAt + i + 1] = from[at + i + 1]!;
    to[toAt + i + 2] = from[at + i + 2]!;
    to[toAt + i + 3] = from[at + i + 3]!;
    to[toAt + i + 4] = from[at + i + 4]!;
    to[toAt + i + 5] = from[at + i + 5]!;
    to[toAt + i + 6] = from[at + i + 6]!;
    to[toAt + i + 7] = from[at + i + 7]!;
  }
}
