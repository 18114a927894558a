/** How a connection leaves the tracker: its records copied as they are, for this thread or another to work out the rest. */

import type { SegmentColumns } from '../decode/columns.ts';
import type { AddressTable } from '../flow/addresses.ts';
import type { FlowTable } from '../flow/table.ts';
import type { EndOfTracking } from './finished.ts';
import * as L from './layout.ts';
import {
  ADDRESS_WORDS,
  BLOCK_DOUBLES,
  ENDS,
  HAS_BLOCK,
  HAS_RTT_BLOCK,
  HAS_ZEEK,
  IS_REUSED,
  type LeavingConnection,
  MAX_COOKIE_CHARS,
  P_BITS,
  P_COLD,
  P_COOKIES,
  P_END,
  P_HOT,
  P_REST,
  P_TRANSFER,
  P_WORDS,
  type PackedConnections,
  RTT_DOUBLES,
} from './packed.ts';
import { hasCookie } from './packed-options.ts';
import type { StoryPool } from './story.ts';
import type { Transfer } from './transfer.ts';
import * as T from './transfer-layout.ts';
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
  #cold: Int32Array = new Int32Array(0);
  #index = 0;
  #end: EndOfTracking = 'input-ended';
  #reusedAt = -1;

  /** `zeek`: what Zeek would say of the connection that leaves, filled in before `point`. */
  constructor(memory: ConnectionMemory, columns: SegmentColumns, zeek: ZeekFacts | null) {
    this.#memory = memory;
    this.#columns = columns;
    this.#zeek = zeek;
  }

  get stream(): number {
    return this.#cold[this.#index * L.COLD_WORDS + L.C_STREAM]!;
  }

  /** The connection of record `index`, whose cold record is in `cold`; valid until the next call. `reusedAt`: position of the SYN that follows it, or -1. */
  point(index: number, end: EndOfTracking, reusedAt: number, cold: Int32Array): this {
    this.#cold = cold;
    this.#index = index;
    this.#end = end;
    this.#reusedAt = reusedAt;
    return this;
  }

  /** Lets go of the cold records, which are elsewhere now. */
  release(): void {
    this.#cold = new Int32Array(0);
  }

  /** Hot path, once a connection. */
  pack(target: PackedConnections): void {
    const { words, doubles } = target;
    const { table, addresses, transfer, pool, cookies } = this.#memory;
    const cold = this.#cold;
    const start = target.used;
    const index = this.#index;
    const hot = table.words;
    const h = index * L.HOT_WORDS;
    const c = index * L.COLD_WORDS;
    copy(hot, h, words, start + P_HOT, L.HOT_WORDS);
    copy(cold, c, words, start + P_COLD, L.COLD_WORDS);
    copy(transfer.words, index * T.WORDS, words, start + P_TRANSFER, T.WORDS);
    let bits = 0;
    let at = start + P_REST;
    if (this.#reusedAt >= 0) {
      const { frame, tsSec, tsNs } = this.#columns;
      bits |= IS_REUSED;
      doubles[at >> 1] = frame[this.#reusedAt]!;
      doubles[(at >> 1) + 1] =
        (tsSec[this.#reusedAt]! - (cold[c + L.C_START_SEC]! >>> 0)) * 1e9 +
        (tsNs[this.#reusedAt]! - cold[c + L.C_START_NS]!);
      at += 4;
    }
    if ((hot[h + L.HOT_BITS]! & 1) === 1) {
      addresses.copy(hot[h]!, words, at);
      addresses.copy(hot[h + 1]!, words, at + 4);
      at += ADDRESS_WORDS;
    }
    for (let d = 0; d < 2; d++) {
      if (transfer.packBlock(index, d, hot, h, doubles, at >> 1)) {
        bits |= HAS_BLOCK << d;
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
      if (!hasCookie(cold[c + L.C_OPTIONS + d]!)) continue;
      const cookie = cookies.get(index * 2 + d) ?? '';
      const chars = Math.min(cookie.length, MAX_COOKIE_CHARS);
      for (let i = 0; i < chars; i++) words[at++] = cookie.charCodeAt(i);
      lengths |= chars << (d * 16);
    }
    at += at & 1;
    at = pool.copy(cold[c + L.C_HEAD]!, cold[c + L.C_TAIL]!, words, at);
    words[start + P_WORDS] = at - start;
    words[start + P_END] = ENDS.indexOf(this.#end);
    words[start + P_BITS] = bits;
    words[start + P_COOKIES] = lengths;
    target.used = at;
  }
}

/** `count` words one by one: for so few, `set` takes longer. */
function copy(from: Int32Array, at: number, to: Int32Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[at + i]!;
}
