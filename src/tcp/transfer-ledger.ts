/** What one direction carried, byte for byte: repetitions, holes, bytes in flight, SACK; its opening, and its figures at the end. */

import {
  ACK,
  FIN,
  MORE_WORDS,
  RST,
  SACK_SHIFT,
  type SegmentColumns,
  SYN,
} from '../decode/columns.ts';
import type { FlowTable } from '../flow/table.ts';
import { COUNTS, DSACKS, RETRANSMITTED_BYTES } from './figures.ts';
import type { HoleList } from './holes.ts';
import * as L from './layout.ts';
import { ackedOf, mayMiss } from './packed.ts';
import * as T from './transfer-layout.ts';
import { TransferMemory } from './transfer-memory.ts';

/** More than this is no number of bytes in flight but a jump of the sequence numbers. */
export const MAX_FLIGHT_BYTES = 2_000_000_000;

/** The part of `Transfer` that Wireshark has no count for. */
export class TransferLedger extends TransferMemory {
  protected readonly columns: SegmentColumns;

  constructor(table: FlowTable, columns: SegmentColumns) {
    super(table);
    this.columns = columns;
  }

  // The block is looked up first: making one may replace `extra`, whose old memory would take the value otherwise.

  protected count(r: number, d: number, figure: number): void {
    const x = this.block(r, d);
    this.extra[x + figure]!++;
  }

  protected put(r: number, d: number, place: number, value: number): void {
    const x = this.block(r, d);
    this.extra[x + place] = value;
  }

  protected putDouble(r: number, d: number, place: number, value: number): void {
    const x = this.block(r, d);
    this.extraDoubles[(x + place) >> 1] = value;
  }

  protected repeat(r: number, d: number, bytes: number): void {
    const x = this.block(r, d);
    this.extraDoubles[(x + T.X_REPEATED) >> 1]! += bytes;
  }

  /** What a segment covers of the sequence space: opens a hole, fills one, or repeats. */
  protected cover(
    r: number,
    h: number,
    d: number,
    flags: number,
    seq: number,
    len: number,
    isKnown: boolean,
    isKeepAlive: boolean,
  ): void {
    if ((flags & RST) !== 0 || isKeepAlive) {
      if (len > 0) this.repeat(r, d, len);
      return;
    }
    if (!isKnown) {
      if ((flags & SYN) !== 0) return;
      const x = this.block(r, d);
      this.extra[x + T.X_LOW] = seq;
      this.extra[x + T.X_BITS]! |= T.X_HAS_LOW;
      return;
    }
    const from = (flags & SYN) === 0 ? seq : (seq + 1) | 0;
    const high = this.words[h + L.HOT_END + d + L.END_NEXT]!;
    const ahead = (from - high) | 0;
    if (ahead >= 0) {
      if (ahead > 0 && (flags & SYN) === 0) this.holes.add(this.#holesOf(r, d), high, from);
      return;
    }
    const end = (from + len) | 0;
    if ((flags & FIN) !== 0) this.holes.fill(this.#holesOf(r, d), end, (end + 1) | 0);
    if (len === 0) return;
    const to = ((end - high) | 0) < 0 ? end : high;
    const x = this.block(r, d);
    const holes = this.#holesOf(r, d);
    let fresh = this.holes.fill(holes, from, to);
    const low = this.extra[x + T.X_LOW]!;
    if ((this.extra[x + T.X_BITS]! & T.X_HAS_LOW) !== 0 && ((from - low) | 0) < 0) {
      const gap = (low - to) | 0;
      if (gap > 0) this.holes.add(holes, to, low);
      fresh += ((gap > 0 ? to : low) - from) | 0;
      this.extra[x + T.X_LOW] = from;
    }
    const size = (to - from) | 0;
    if (fresh < size) this.repeat(r, d, size - fresh);
  }

  #holesOf(r: number, d: number): HoleList {
    this.block(r, d);
    return this.holeLists[this.words[r + T.EXTRA + d]!]!;
  }

  /** Bytes from what the other end has acknowledged up to `end`, without what it has selectively acknowledged. */
  protected measureFlight(
    r: number,
    h: number,
    d: number,
    end: number,
    seq: number,
    flags: number,
  ): void {
    const words = this.words;
    const bits = words[h + L.HOT_BITS]!;
    let from = seq;
    if ((bits & (L.ACK_KNOWN << (1 - d))) !== 0) from = words[h + L.HOT_END + (1 - d) + L.END_ACK]!;
    else if ((bits & (L.BASE_SET << d)) !== 0)
      from = (words[h + L.HOT_END + d + L.END_BASE]! + 1) | 0;
    let flight = (end - from) | 0;
    const block = words[r + T.EXTRA + d]!;
    if (block !== 0) flight -= this.extra[block * T.X_WORDS + T.X_SACKED]!;
    if ((flags & (SYN | FIN)) !== 0) flight -= 1;
    const at = r + d * T.END + T.MAX_FLIGHT;
    if (flight > words[at]! && flight < MAX_FLIGHT_BYTES) words[at] = flight;
  }

  /** The SACK blocks of a segment of end `d`, whose state is `s`: its state afterwards. */
  protected takeSack(r: number, d: number, s: number, p: number, ack: number): number {
    const count = this.columns.optionBits[p]! >> SACK_SHIFT;
    if (count === 0) {
      if ((s & T.SACKING) !== 0) this.put(r, 1 - d, T.X_SACKED, 0);
      return s & ~T.SACKING;
    }
    const sack = this.columns.more;
    const at = p * MORE_WORDS;
    const x = this.block(r, 1 - d);
    const extra = this.extra;
    const isBelow = ((sack[at + 1]! - ack) | 0) <= 0;
    const isInside =
      count > 1 &&
      ((sack[at]! - sack[at + 2]!) | 0) >= 0 &&
      ((sack[at + 1]! - sack[at + 3]!) | 0) <= 0;
    const first = isBelow || isInside ? 1 : 0;
    if (first === 1) extra[x + DSACKS]!++;
    let sum = 0;
    for (let i = first; i < count; i++) {
      const edge = sack[at + 2 * i + 1]!;
      sum += Math.max(0, (edge - sack[at + 2 * i]!) | 0);
      if (
        (extra[x + T.X_BITS]! & T.X_HAS_SACKED) === 0 ||
        ((edge - extra[x + T.X_SACK_EDGE]!) | 0) > 0
      ) {
        extra[x + T.X_SACK_EDGE] = edge;
        extra[x + T.X_BITS]! |= T.X_HAS_SACKED;
      }
    }
    extra[x + T.X_SACKED] = sum;
    return s | T.SACKING;
  }

  /** A SYN sent again: the numbers go on where there was no hole, whatever a RST said in between. */
  protected restart(own: number, h: number, d: number, seq: number, contiguous: number): void {
    const words = this.words;
    if ((words[h + L.HOT_BITS]! & (L.BASE_SET << d)) === 0) return;
    if (words[h + L.HOT_END + d + L.END_BASE] !== seq) return;
    if (words[own + T.NEXT] === contiguous) return;
    words[own + T.NEXT] = contiguous;
    words[own + T.STATE]! &= ~(T.GAPPED | T.PENDING);
  }

  /** The initial round trip, and from when on windows are scaled. */
  protected followOpening(r: number, own: number, peer: number, flags: number, now: number): void {
    const words = this.words;
    const doubles = this.doubles;
    const kind = flags & (SYN | ACK);
    if ((kind & SYN) !== 0) words[own + T.STATE]! |= T.FIRST_ACK;
    if (kind === SYN) {
      const isMeasured =
        (words[r + T.MARKS]! & T.SYN_TIME_KNOWN) !== 0 && (words[own + T.STATE]! & T.OPENING) === 0;
      if (isMeasured) return;
      doubles[(r + T.SYN_TIME) >> 1] = now;
      words[r + T.MARKS]! |= T.SYN_TIME_KNOWN;
      words[own + T.STATE]! |= T.OPENING;
      words[peer + T.STATE]! |= T.OPENING;
    } else if (kind === ACK) {
      words[own + T.STATE]! &= ~T.FIRST_ACK;
      if ((words[own + T.STATE]! & T.OPENING) === 0) return;
      const rtt = now - doubles[(r + T.SYN_TIME) >> 1]!;
      if (rtt === 0) return;
      doubles[(r + T.SYN_TIME) >> 1] = rtt;
      words[own + T.STATE]! &= ~T.OPENING;
      words[peer + T.STATE]! &= ~T.OPENING;
    }
  }

  /** Writes what end `d` counted, at `at` (BLOCK_DOUBLES of tcp/packed.ts): false where there is nothing. */
  packBlock(index: number, d: number, doubles: Float64Array, at: number): boolean {
    const h = index * L.RECORD_WORDS;
    const r = h + L.TRANSFER;
    const block = this.words[r + T.EXTRA + d]!;
    if (block === 0) return false;
    const x = block * T.X_WORDS;
    for (let i = 0; i < COUNTS; i++) doubles[at + i] = this.extra[x + i]!;
    doubles[at + RETRANSMITTED_BYTES] = this.extraDoubles[(x + T.X_RETRANSMITTED) >> 1]!;
    doubles[at + COUNTS] = this.extraDoubles[(x + T.X_REPEATED) >> 1]!;
    const acked = ackedOf(this.words, h, d);
    const isTold = mayMiss(this.words, h, d);
    doubles[at + COUNTS + 1] = isTold ? this.holes.missing(this.holeLists[block]!, acked) : 0;
    return true;
  }

  /** Whether the last that end `d` sent is missing from the capture though the other end acknowledged it: a FIN, if there was one. */
  lacksLast(index: number, d: number): boolean {
    const h = index * L.RECORD_WORDS;
    const block = this.words[h + L.TRANSFER + T.EXTRA + d]!;
    if (block === 0 || !mayMiss(this.words, h, d)) return false;
    const end = this.words[h + L.HOT_END + d + L.END_NEXT]!;
    return this.holes.endsAt(this.holeLists[block]!, end, ackedOf(this.words, h, d));
  }

  /** Gives the memory of the connection at `index` back. */
  finish(index: number): void {
    const r = index * L.RECORD_WORDS + L.TRANSFER;
    this.release(r, 0);
    this.release(r, 1);
  }
}
