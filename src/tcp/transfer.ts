/** Transfer figures of every connection with the definitions of Wireshark's tcp.analysis (docs/specification.md §5, docs/differences.md). */

import { ACK, FIN, RST, type SegmentColumns, SYN } from '../decode/columns.ts';
import {
  ACKED_UNSEEN,
  COUNTS,
  DSACKS,
  DUPLICATE_ACKS,
  FAST_RETRANSMISSIONS,
  KEEP_ALIVE_ACKS,
  KEEP_ALIVES,
  LOST_SEGMENTS,
  MAX_BYTES_IN_FLIGHT,
  MAX_WINDOW,
  MISSING_BYTES,
  OUT_OF_ORDER,
  RETRANSMISSIONS,
  RETRANSMITTED_BYTES,
  SACK_RETRANSMISSIONS,
  SPURIOUS_RETRANSMISSIONS,
  UNIQUE_BYTES,
  WINDOW_FULL,
  WINDOW_UPDATES,
  ZERO_WINDOW_PROBE_ACKS,
  ZERO_WINDOW_PROBES,
  ZERO_WINDOWS,
} from './figures.ts';
import type { FinishedConnection } from './finished.ts';
import * as L from './layout.ts';
import { windowShift } from './packed-options.ts';
import * as T from './transfer-layout.ts';
import { TransferMemory } from './transfer-memory.ts';

const SPECIAL = SYN | FIN | RST;
/** A retransmission this soon after the second duplicate ACK is a fast one. */
const FAST_NS = 20_000_000;
/** A segment this late may still be out of order, where the initial round trip is not known. */
const REORDERING_NS = 3_000_000;
/** More than this is no number of bytes in flight but a jump of the sequence numbers. */
const MAX_FLIGHT_BYTES = 2_000_000_000;
const MAX_SACK_WORDS = 8;

/**
 * Takes each segment that is no duplicate frame, before the tracker has updated the hot record.
 *
 * The order of the checks and every threshold are Wireshark's (`tcp_analyze_sequence_number` of 4.0), so that the counts can be compared.
 */
export class Transfer extends TransferMemory {
  readonly #columns: SegmentColumns;
  readonly #readSack: (position: number, out: Int32Array) => number;
  readonly #sack = new Int32Array(MAX_SACK_WORDS);
  /** Times are nanoseconds since this second: exact for 104 days around it. */
  #baseSec = -1;

  /** `readSack` reads the SACK blocks of the segment at a ring position: how many it wrote. */
  constructor(columns: SegmentColumns, readSack: (position: number, out: Int32Array) => number) {
    super();
    this.#columns = columns;
    this.#readSack = readSack;
  }

  /** A first look at a record, so that cache misses overlap; means nothing. */
  touch(index: number): number {
    return this.words[index * T.WORDS]! ^ this.words[index * T.WORDS + T.WORDS / 2]!;
  }

  /** A connection begins at `index`. `isReuse`: the capture holds an earlier one of the same ends. */
  open(index: number, isReuse: boolean): void {
    this.clear(index);
    if (isReuse) this.words[index * T.WORDS + T.MARKS] = T.REUSED;
  }

  /** The packed options of the first SYN of end `d`: what its window has to be shifted by. */
  options(index: number, d: number, packed: number, isSynAck: boolean): void {
    const words = this.words;
    const r = index * T.WORDS;
    const shift = windowShift(packed);
    const mask = (1 << T.SCALE_SHIFT) - 1;
    if (shift < 0) {
      words[r + T.MARKS]! |= T.NOT_SCALED;
      words[r + T.STATE]! &= mask;
      words[r + T.END + T.STATE]! &= mask;
      return;
    }
    const isScaled = !isSynAck || (words[r + T.MARKS]! & T.NOT_SCALED) === 0;
    const at = r + d * T.END + T.STATE;
    words[at] = (words[at]! & mask) | ((isScaled ? shift : 0) << T.SCALE_SHIFT);
  }

  /** A duplicate frame with `len` bytes of payload, which count for nothing. */
  duplicate(index: number, d: number, len: number): void {
    if (len > 0) this.#repeat(index * T.WORDS, d, len);
  }

  /** One segment. Hot path: what most segments are is told first, and touches the record's two cache lines and the hot record. */
  segment(
    index: number,
    p: number,
    d: number,
    flags: number,
    seq: number,
    ack: number,
    len: number,
    hot: Int32Array,
  ): void {
    const columns = this.#columns;
    const words = this.words;
    const r = index * T.WORDS;
    const own = r + d * T.END;
    const peer = r + T.END - d * T.END;
    const s = words[own + T.STATE]!;
    const t = words[peer + T.STATE]!;
    const window = columns.window[p]!;
    const sec = columns.tsSec[p]!;
    if (this.#baseSec < 0) this.#baseSec = sec;
    const now = (sec - this.#baseSec) * 1e9 + columns.tsNs[p]!;
    const h = index * L.HOT_WORDS;
    const end = (seq + len) | 0;
    const optionsLen = columns.optionsLen[p]!;
    const isOrdinary =
      ((s | t) & T.CLOSER_LOOK) === 0 &&
      (s & t & T.KNOWN) !== 0 &&
      (flags & (SPECIAL | ACK)) === ACK &&
      window !== 0 &&
      seq === words[own + T.NEXT] &&
      seq === hot[h + L.HOT_END + d * L.END_WORDS + L.END_NEXT] &&
      ((ack - words[peer + T.NEXT]!) | 0) <= 0 &&
      (optionsLen === 0 || (optionsLen <= 12 && columns.hasTs[p] === 1)) &&
      (len > 0
        ? this.#fits(t, words[peer + T.LAST_ACK]!, end, len)
        : ack !== words[own + T.LAST_ACK]);
    if (!isOrdinary) {
      this.#look(r, h, p, d, flags, seq, ack, len, window, now, hot);
      return;
    }
    let state = (s & ~(T.WINDOW_MASK | T.WAS_KEEP_ALIVE | T.WAS_PROBE)) | T.ACKED | window;
    if (len > 0) {
      if ((s & T.PENDING) !== 0)
        this.wait(r, d, words[own + T.NEXT]!, this.doubles[(own + T.TIME) >> 1]!);
      words[own + T.NEXT] = end;
      this.doubles[(own + T.TIME) >> 1] = now;
      state |= T.PENDING;
      const flight = (end - hot[h + L.HOT_END + (1 - d) * L.END_WORDS + L.END_ACK]!) | 0;
      if (flight > words[own + T.MAX_FLIGHT]! && flight < MAX_FLIGHT_BYTES)
        words[own + T.MAX_FLIGHT] = flight;
    }
    words[own + T.STATE] = state;
    words[own + T.LAST_ACK] = ack;
    if (window > (words[own + T.WINDOWS]! & 0xffff)) this.#widen(own, window);
    if ((t & T.PENDING) !== 0 || words[peer + T.HEAD] !== 0)
      this.#acknowledge(r, 1 - d, t, ack, now);
  }

  /** Whether data that ends at `end` is nothing but new data: no probe, not acknowledged before, not up to the window's edge. Hot path. */
  #fits(t: number, peerAck: number, end: number, len: number): boolean {
    const window = t & T.WINDOW_MASK;
    if (len === 1 && window === 0) return false;
    if ((t & T.ACKED) === 0 || ((end - peerAck) | 0) <= 0) return false;
    const shift = t >>> T.SCALE_SHIFT;
    return shift === T.SCALE_UNKNOWN || end !== ((peerAck + (window << shift)) | 0);
  }

  #widen(own: number, window: number): void {
    this.words[own + T.WINDOWS] = (this.words[own + T.WINDOWS]! & ~0xffff) | window;
  }

  /** End `d`, whose state is `t`, gets `ack`. Hot path. */
  #acknowledge(r: number, d: number, t: number, ack: number, now: number): void {
    const words = this.words;
    const own = r + d * T.END;
    const block = words[r + T.EXTRA + d]!;
    const resent =
      block === 0 ? -1 : this.extraDoubles[(block * T.X_WORDS + T.X_RESENT_TIME) >> 1]!;
    if (words[own + T.HEAD] !== 0) this.answer(r, d, ack, now, resent);
    const beyond = (ack - words[own + T.NEXT]!) | 0;
    if ((t & T.PENDING) === 0 || beyond < 0) return;
    words[own + T.STATE] = t & ~T.PENDING;
    const sent = this.doubles[(own + T.TIME) >> 1]!;
    if (beyond === 0 && sent > resent) this.sample(own, now - sent);
  }

  /** A segment that may be worth counting: all of Wireshark's checks in their order. */
  #look(
    r: number,
    h: number,
    p: number,
    d: number,
    flags: number,
    seq: number,
    ack: number,
    len: number,
    window: number,
    now: number,
    hot: Int32Array,
  ): void {
    const words = this.words;
    const own = r + d * T.END;
    const peer = r + T.END - d * T.END;
    let s = words[own + T.STATE]!;
    let t = words[peer + T.STATE]!;
    const hasAck = (flags & ACK) !== 0;
    const isSyn = (flags & (SYN | ACK)) === SYN;
    const isPlain = (flags & SPECIAL) === 0;
    const isKnown = (s & T.KNOWN) !== 0;
    const peerAck = words[peer + T.LAST_ACK]!;
    const lastAck = words[own + T.LAST_ACK]!;
    let contiguous = this.#contiguous(r, d);
    if (isSyn && isKnown) this.#restart(own, h, d, seq, contiguous, hot);
    s = words[own + T.STATE]!;
    const next = words[own + T.NEXT]!;
    if (hasAck) t &= ~T.FLIGHT_UNKNOWN;

    const ahead = (seq - next) | 0;
    const isProbe =
      len === 1 && isKnown && ahead === 0 && (t & T.KNOWN) !== 0 && (t & T.WINDOW_MASK) === 0;
    const isKeepAlive = !isProbe && len <= 1 && isKnown && ahead === -1 && isPlain;
    const isSame = len === 0 && isKnown && ahead === 0 && ack === lastAck && isPlain;
    let was = 0;
    let dup = (s & T.DUP_MASK) >>> T.DUP_SHIFT;
    if (isProbe) {
      this.#count(r, d, ZERO_WINDOW_PROBES);
      was = T.WAS_PROBE;
    } else {
      if (window === 0 && isPlain) this.#count(r, d, ZERO_WINDOWS);
      if (isKnown && ahead > 0 && (flags & RST) === 0) {
        this.#count(r, d, LOST_SEGMENTS);
        s |= T.FLIGHT_UNKNOWN;
      }
      if (isKeepAlive) {
        this.#count(r, d, KEEP_ALIVES);
        was = T.WAS_KEEP_ALIVE;
      }
      if (len > 0 && isPlain && this.#reachesEdge(t, peerAck, (seq + len) | 0)) {
        this.#count(r, d, WINDOW_FULL);
      }
      if (isSame) dup = this.#same(r, d, s, t, window, dup);
    }
    if (ack !== lastAck) dup = 0;
    if (hasAck) t = this.#checkUnseen(r, d, t, ack);

    const consumes = len > 0 || (flags & (SYN | FIN)) !== 0;
    const end = (seq + len + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) | 0;
    if (consumes && isKnown && !isKeepAlive) {
      this.#judgeRepeat(r, d, t, ahead, seq, end, len, now);
    }
    this.#cover(r, h, d, flags, seq, len, isKnown, isKeepAlive, hot);

    let newNext = next;
    if (!isProbe && (!isKnown || ((end - next) | 0) > 0)) {
      if ((s & T.PENDING) !== 0) this.wait(r, d, next, this.doubles[(own + T.TIME) >> 1]!);
      newNext = end;
      words[own + T.NEXT] = end;
      this.doubles[(own + T.TIME) >> 1] = now;
      s = consumes && (flags & RST) === 0 ? s | T.PENDING : s & ~T.PENDING;
    }
    if (!isKnown || (!isProbe && seq === contiguous)) contiguous = newNext;
    if (contiguous !== newNext) this.extra[this.block(r, d) + T.X_CONTIGUOUS] = contiguous;
    if (dup !== 0) this.extraDoubles[(this.block(r, d) + T.X_LAST_TIME) >> 1] = now;
    s &= ~(T.WINDOW_MASK | T.WAS_KEEP_ALIVE | T.WAS_PROBE | T.DUP_MASK | T.ACKED | T.GAPPED);
    s |= window | was | (dup << T.DUP_SHIFT) | T.KNOWN;
    if (hasAck) s |= T.ACKED;
    if (contiguous !== newNext) s |= T.GAPPED;
    words[own + T.LAST_ACK] = ack;
    if ((flags & SYN) !== 0)
      words[own + T.WINDOWS] =
        (Math.max(words[own + T.WINDOWS]! >>> 16, window) << 16) |
        (words[own + T.WINDOWS]! & 0xffff);
    else if ((flags & RST) === 0 && window > (words[own + T.WINDOWS]! & 0xffff))
      this.#widen(own, window);

    if (len > 0 && (s & T.FLIGHT_UNKNOWN) === 0)
      this.#measureFlight(r, h, d, isProbe ? end : newNext, flags, hot);
    if (hasAck) s = this.#takeSack(r, d, s, p, flags, ack);
    words[own + T.STATE] = s;
    words[peer + T.STATE] = t;
    this.#followOpening(r, own, peer, flags, now);
    if (hasAck) this.#acknowledge(r, 1 - d, words[peer + T.STATE]!, ack, now);
  }

  #count(r: number, d: number, figure: number): void {
    this.extra[this.block(r, d) + figure]!++;
  }

  #repeat(r: number, d: number, bytes: number): void {
    this.extraDoubles[(this.block(r, d) + T.X_REPEATED) >> 1]! += bytes;
  }

  /** Where the numbers of end `d` are without a hole up to, as Wireshark's maxseqtobeacked says it. */
  #contiguous(r: number, d: number): number {
    const own = r + d * T.END;
    if ((this.words[own + T.STATE]! & T.GAPPED) === 0) return this.words[own + T.NEXT]!;
    return this.extra[this.block(r, d) + T.X_CONTIGUOUS]!;
  }

  /** A SYN sent again: the numbers go on where there was no hole, whatever a RST said in between. */
  #restart(
    own: number,
    h: number,
    d: number,
    seq: number,
    contiguous: number,
    hot: Int32Array,
  ): void {
    if ((hot[h + L.HOT_BITS]! & (L.BASE_SET << d)) === 0) return;
    if (hot[h + L.HOT_END + d * L.END_WORDS + L.END_BASE] !== seq) return;
    if (this.words[own + T.NEXT] === contiguous) return;
    this.words[own + T.NEXT] = contiguous;
    this.words[own + T.STATE]! &= ~(T.GAPPED | T.PENDING);
  }

  #reachesEdge(t: number, peerAck: number, end: number): boolean {
    const scale = t >>> T.SCALE_SHIFT;
    if (scale === T.SCALE_UNKNOWN || (t & T.KNOWN) === 0) return false;
    const shift = (t & T.FIRST_ACK) === 0 ? scale : 0;
    return end === ((peerAck + ((t & T.WINDOW_MASK) << shift)) | 0);
  }

  /** A segment without data that repeats sequence and acknowledgement number: how many duplicate ACKs stand in a row then. */
  #same(r: number, d: number, s: number, t: number, window: number, dup: number): number {
    const before = s & T.WINDOW_MASK;
    if (window === 0) {
      if (before === 0 && (t & T.WAS_PROBE) !== 0) this.#count(r, d, ZERO_WINDOW_PROBE_ACKS);
      return dup;
    }
    if (window !== before) {
      this.#count(r, d, WINDOW_UPDATES);
      return dup;
    }
    if ((t & T.WAS_KEEP_ALIVE) !== 0) {
      this.#count(r, d, KEEP_ALIVE_ACKS);
      return dup;
    }
    this.#count(r, d, DUPLICATE_ACKS);
    return dup === 3 ? 1 : Math.min(2, dup + 1);
  }

  /** Whether end `d` acknowledges what the other (state `t`) was not seen to send: the other's state afterwards. */
  #checkUnseen(r: number, d: number, t: number, ack: number): number {
    if ((t & T.KNOWN) === 0) return t;
    if (((ack - this.#contiguous(r, 1 - d)) | 0) <= 0) return t;
    // Once until the other end acknowledges something new itself.
    if ((t & T.DUP_MASK) === 0) this.#count(r, d, ACKED_UNSEEN);
    return t | T.DUP_MASK;
  }

  /** Which kind of repetition a segment with data, SYN or FIN is that does not advance the sequence number. */
  #judgeRepeat(
    r: number,
    d: number,
    t: number,
    ahead: number,
    seq: number,
    end: number,
    len: number,
    now: number,
  ): void {
    const words = this.words;
    const own = r + d * T.END;
    const peer = r + T.END - d * T.END;
    const peerAck = words[peer + T.LAST_ACK]!;
    if (len > 0 && (t & T.ACKED) !== 0 && ((seq + len - peerAck) | 0) <= 0) {
      this.#retransmitted(r, d, SPURIOUS_RETRANSMISSIONS, len, now);
      return;
    }
    // One byte before the next one: the byte of a zero window's probe, with more behind it.
    if (ahead >= 0 || (len > 1 && ahead === -1)) return;
    const x = this.block(r, d);
    const sinceDup = now - this.#lastTime(r, 1 - d);
    const dup = (t & T.DUP_MASK) >>> T.DUP_SHIFT;
    if (dup === 2 && peerAck === seq && sinceDup >= 0 && sinceDup < FAST_NS) {
      this.#retransmitted(r, d, FAST_RETRANSMISSIONS, len, now);
    } else {
      const initial = this.doubles[(r + T.INITIAL_RTT) >> 1]!;
      const since = now - this.doubles[(own + T.TIME) >> 1]!;
      const limit = initial === 0 ? REORDERING_NS : initial;
      if (since >= 0 && since < limit && end !== words[own + T.NEXT]) {
        this.extra[x + OUT_OF_ORDER]!++;
        this.extraDoubles[(x + T.X_RESENT_TIME) >> 1] = now;
        return;
      }
      this.#retransmitted(r, d, RETRANSMISSIONS, len, now);
    }
    const edge = this.extra[x + T.X_SACK_EDGE]!;
    if ((this.extra[x + T.X_BITS]! & T.X_HAS_SACKED) === 0) return;
    if (((end - edge) | 0) <= 0 && ((seq - peerAck) | 0) >= 0)
      this.extra[x + SACK_RETRANSMISSIONS]!++;
  }

  #retransmitted(r: number, d: number, kind: number, len: number, now: number): void {
    const x = this.block(r, d);
    this.extra[x + RETRANSMISSIONS]!++;
    if (kind !== RETRANSMISSIONS) this.extra[x + kind]!++;
    this.extraDoubles[(x + T.X_RETRANSMITTED) >> 1]! += len;
    this.extraDoubles[(x + T.X_RESENT_TIME) >> 1] = now;
  }

  #lastTime(r: number, d: number): number {
    const block = this.words[r + T.EXTRA + d]!;
    return block === 0 ? -1 : this.extraDoubles[(block * T.X_WORDS + T.X_LAST_TIME) >> 1]!;
  }

  /** What a segment covers of the sequence space: opens a hole, fills one, or repeats. */
  #cover(
    r: number,
    h: number,
    d: number,
    flags: number,
    seq: number,
    len: number,
    isKnown: boolean,
    isKeepAlive: boolean,
    hot: Int32Array,
  ): void {
    if ((flags & RST) !== 0 || isKeepAlive) {
      if (len > 0) this.#repeat(r, d, len);
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
    const high = hot[h + L.HOT_END + d * L.END_WORDS + L.END_NEXT]!;
    const ahead = (from - high) | 0;
    if (ahead >= 0) {
      if (ahead > 0 && (flags & SYN) === 0) this.addHole(this.block(r, d), high, from);
      return;
    }
    if (len === 0) return;
    const end = (from + len) | 0;
    const to = ((end - high) | 0) < 0 ? end : high;
    const x = this.block(r, d);
    let fresh = this.fill(x, from, to);
    const low = this.extra[x + T.X_LOW]!;
    if ((this.extra[x + T.X_BITS]! & T.X_HAS_LOW) !== 0 && ((from - low) | 0) < 0) {
      const gap = (low - to) | 0;
      if (gap > 0) this.addHole(x, to, low);
      fresh += ((gap > 0 ? to : low) - from) | 0;
      this.extra[x + T.X_LOW] = from;
    }
    const size = (to - from) | 0;
    if (fresh < size) this.#repeat(r, d, size - fresh);
  }

  /** Bytes between what the other end has acknowledged and the number behind `end`, without what it has selectively acknowledged. */
  #measureFlight(
    r: number,
    h: number,
    d: number,
    end: number,
    flags: number,
    hot: Int32Array,
  ): void {
    const words = this.words;
    const isAckKnown = (hot[h + L.HOT_BITS]! & (L.ACK_KNOWN << (1 - d))) !== 0;
    const own = h + L.HOT_END + d * L.END_WORDS;
    const peer = h + L.HOT_END + (1 - d) * L.END_WORDS;
    const isBased = (hot[h + L.HOT_BITS]! & (L.BASE_SET << d)) !== 0;
    if (!isAckKnown && !isBased) return;
    let flight = (end - (isAckKnown ? hot[peer + L.END_ACK]! : hot[own + L.END_BASE]! + 1)) | 0;
    const block = words[r + T.EXTRA + d]!;
    if (block !== 0) flight -= this.extra[block * T.X_WORDS + T.X_SACKED]!;
    if ((flags & FIN) !== 0) flight -= 1;
    const at = r + d * T.END + T.MAX_FLIGHT;
    if (flight > words[at]! && flight < MAX_FLIGHT_BYTES) words[at] = flight;
  }

  /** The SACK blocks of a segment of end `d`: its state afterwards. */
  #takeSack(r: number, d: number, s: number, p: number, flags: number, ack: number): number {
    const columns = this.#columns;
    const optionsLen = columns.optionsLen[p]!;
    const hasMore = optionsLen > 12 || (optionsLen > 0 && columns.hasTs[p] === 0);
    const count = hasMore && (flags & SYN) === 0 ? this.#readSack(p, this.#sack) : 0;
    if (count === 0) {
      if ((s & T.SACKING) !== 0) this.extra[this.block(r, 1 - d) + T.X_SACKED] = 0;
      return s & ~T.SACKING;
    }
    const sack = this.#sack;
    const x = this.block(r, 1 - d);
    const extra = this.extra;
    const isBelow = ((sack[1]! - ack) | 0) <= 0;
    const isInside =
      count > 1 && ((sack[0]! - sack[2]!) | 0) >= 0 && ((sack[1]! - sack[3]!) | 0) <= 0;
    const first = isBelow || isInside ? 1 : 0;
    if (first === 1) extra[x + DSACKS]!++;
    let sum = 0;
    for (let i = first; i < count; i++) {
      sum += Math.max(0, (sack[2 * i + 1]! - sack[2 * i]!) | 0);
      const edge = sack[2 * i + 1]!;
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

  /** The initial round trip, and from when on windows are scaled. */
  #followOpening(r: number, own: number, peer: number, flags: number, now: number): void {
    const words = this.words;
    const doubles = this.doubles;
    const kind = flags & (SYN | ACK);
    if ((kind & SYN) !== 0) words[own + T.STATE]! |= T.FIRST_ACK;
    if (kind === SYN) {
      doubles[(r + T.SYN_TIME) >> 1] = now;
      words[r + T.MARKS]! |= T.SYN_TIME_KNOWN;
      if (doubles[(r + T.INITIAL_RTT) >> 1] === 0) {
        words[own + T.STATE]! |= T.OPENING;
        words[peer + T.STATE]! |= T.OPENING;
      }
    } else if (kind === ACK) {
      words[own + T.STATE]! &= ~T.FIRST_ACK;
      if ((words[own + T.STATE]! & T.OPENING) === 0) return;
      const rtt = now - doubles[(r + T.SYN_TIME) >> 1]!;
      if (rtt === 0) return;
      doubles[(r + T.INITIAL_RTT) >> 1] = rtt;
      words[own + T.STATE]! &= ~T.OPENING;
      words[peer + T.STATE]! &= ~T.OPENING;
    }
  }

  /** Writes the figures of the connection at `index`, whose other facts are in `f`, and gives its memory back. */
  finish(index: number, f: FinishedConnection, hot: Int32Array): void {
    const words = this.words;
    const r = index * T.WORDS;
    const h = index * L.HOT_WORDS;
    f.reusedPorts = (words[r + T.MARKS]! & T.REUSED) !== 0;
    const shifts = [windowShift(f.options[0]), windowShift(f.options[1])];
    const isScaled = shifts[0]! >= 0 && shifts[1]! >= 0;
    for (let d = 0; d < 2; d++) {
      const own = r + d * T.END;
      const out = f.transfer[d]!;
      const values = out.values;
      const block = words[r + T.EXTRA + d]!;
      const x = block * T.X_WORDS;
      out.hasCounts = false;
      values.fill(0, 0, COUNTS);
      let repeated = 0;
      if (block !== 0) {
        for (let i = 0; i < COUNTS; i++) {
          const n = this.extra[x + i]!;
          values[i] = n;
          if (n !== 0) out.hasCounts = true;
        }
        values[RETRANSMITTED_BYTES] = this.extraDoubles[(x + T.X_RETRANSMITTED) >> 1]!;
        repeated = this.extraDoubles[(x + T.X_REPEATED) >> 1]!;
      }
      const windows = words[own + T.WINDOWS]!;
      const scaled = (windows & 0xffff) * 2 ** (isScaled ? shifts[d]! : 0);
      values[MAX_WINDOW] = Math.max(scaled, windows >>> 16);
      values[UNIQUE_BYTES] = Math.max(0, f.bytes[d]! - repeated);
      values[MISSING_BYTES] = this.#missingBytes(r, h, d, f, hot);
      values[MAX_BYTES_IN_FLIGHT] = words[own + T.MAX_FLIGHT]!;
      this.readRtt(own, values);
    }
    this.release(r);
  }

  /** What the other end acknowledged of end `d` without the capture having it. */
  #missingBytes(r: number, h: number, d: number, f: FinishedConnection, hot: Int32Array): number {
    const words = this.words;
    const other = 1 - d;
    if (f.ackKnown[other] !== 1) return 0;
    const own = h + L.HOT_END + d * L.END_WORDS;
    if ((hot[h + L.HOT_BITS]! & (L.BASE_SET << d)) === 0) return 0;
    // Of the greatest and the latest acknowledgement the lesser: a stray one of an earlier connection proves nothing.
    let acked = f.maxAck[other]!;
    const latest = r + other * T.END;
    if ((words[latest + T.STATE]! & T.ACKED) !== 0) {
      const last = words[latest + T.LAST_ACK]!;
      if (((last - acked) | 0) < 0) acked = last;
    }
    const high = f.packets[d] === 0 ? (hot[own + L.END_BASE]! + 1) | 0 : f.nextSeq[d]!;
    const block = words[r + T.EXTRA + d]!;
    const inHoles = block === 0 ? 0 : this.missing(block * T.X_WORDS, acked);
    return inHoles + Math.max(0, (acked - high) | 0);
  }
}
