/** Transfer figures of every connection with the definitions of Wireshark's tcp.analysis (docs/specification.md §5, docs/differences.md). */

import { ACK, FIN, HAS_MORE_OPTIONS, RST, SYN } from '../decode/columns.ts';
import { windowShift } from '../decode/packed-options.ts';
import {
  ACKED_UNSEEN,
  DUPLICATE_ACKS,
  FAST_RETRANSMISSIONS,
  KEEP_ALIVE_ACKS,
  KEEP_ALIVES,
  LOST_SEGMENTS,
  OUT_OF_ORDER,
  RETRANSMISSIONS,
  SACK_RETRANSMISSIONS,
  SPURIOUS_RETRANSMISSIONS,
  WINDOW_FULL,
  WINDOW_UPDATES,
  ZERO_WINDOW_PROBE_ACKS,
  ZERO_WINDOW_PROBES,
  ZERO_WINDOWS,
} from './figures.ts';
import * as L from './layout.ts';
import * as T from './transfer-layout.ts';
import { MAX_FLIGHT_BYTES, TransferLedger } from './transfer-ledger.ts';

const SPECIAL = SYN | FIN | RST;
/** A retransmission this soon after the second duplicate ACK is a fast one. */
const FAST_NS = 20_000_000;
/** A segment this late may still be out of order, where the initial round trip is not known. */
const OUT_OF_ORDER_NS = 3_000_000;

/**
 * Takes each segment that is no duplicate frame, before the tracker has updated the hot part of the record.
 *
 * The order of the checks and every threshold are Wireshark's (`tcp_analyze_sequence_number` of 4.0), so that the counts can be compared.
 */
export class Transfer extends TransferLedger {
  /** A connection begins at `index` with the segment at `p`. */
  open(index: number, p: number): void {
    this.begin(index);
    const r = index * L.RECORD_WORDS + L.TRANSFER;
    this.words[r + T.BASE_SEC] = this.columns.tsSec[p]!;
  }

  /** The packed options of the first SYN of end `d`: what its window has to be shifted by. */
  options(index: number, d: number, packed: number, isSynAck: boolean): void {
    const words = this.words;
    const r = index * L.RECORD_WORDS + L.TRANSFER;
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
    if (len > 0) this.repeat(index * L.RECORD_WORDS + L.TRANSFER, d, len);
  }

  /** One segment. Hot path: what most segments are is told first, and touches four of the record's cache lines. */
  segment(
    index: number,
    p: number,
    d: number,
    flags: number,
    seq: number,
    ack: number,
    len: number,
  ): void {
    const columns = this.columns;
    const words = this.words;
    const h = index * L.RECORD_WORDS;
    const r = h + L.TRANSFER;
    const own = r + d * T.END;
    const peer = r + T.END - d * T.END;
    const s = words[own + T.STATE]!;
    const t = words[peer + T.STATE]!;
    const window = columns.window[p]!;
    const now = (columns.tsSec[p]! - (words[r + T.BASE_SEC]! >>> 0)) * 1e9 + columns.tsNs[p]!;
    const kind = flags & (SPECIAL | ACK);
    const end = (seq + len + (kind & FIN)) | 0;
    const isOrdinary =
      ((s | t) & T.CLOSER_LOOK) === 0 &&
      (s & t & T.KNOWN) !== 0 &&
      (kind === ACK || (kind === (FIN | ACK) && len === 0)) &&
      window !== 0 &&
      seq === words[own + T.NEXT] &&
      seq === words[h + L.HOT_END + d + L.END_NEXT] &&
      ((ack - words[peer + T.NEXT]!) | 0) <= 0 &&
      (columns.optionBits[p]! & HAS_MORE_OPTIONS) === 0 &&
      (len > 0
        ? this.#fits(t, words[peer + T.LAST_ACK]!, end, len)
        : kind !== ACK || ack !== words[own + T.LAST_ACK]);
    if (!isOrdinary) {
      this.#look(r, h, p, d, flags, seq, ack, len, window, now);
      return;
    }
    let state = (s & ~(T.WINDOW_MASK | T.WAS_KEEP_ALIVE | T.WAS_PROBE)) | T.ACKED | window;
    if (end !== seq) {
      if ((s & T.PENDING) !== 0)
        this.wait(r, d, words[own + T.NEXT]!, this.doubles[(own + T.TIME) >> 1]!);
      words[own + T.NEXT] = end;
      this.doubles[(own + T.TIME) >> 1] = now;
      state |= T.PENDING;
    }
    if (len > 0) {
      const flight = (end - words[h + L.HOT_END + (1 - d) + L.END_ACK]!) | 0;
      if (flight > words[own + T.MAX_FLIGHT]! && flight < MAX_FLIGHT_BYTES)
        words[own + T.MAX_FLIGHT] = flight;
    }
    words[own + T.STATE] = state;
    words[own + T.LAST_ACK] = ack;
    if (window > (words[own + T.WINDOWS]! & 0xffff)) this.#widen(own, window, 0);
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

  #widen(own: number, window: number, shift: 0 | 16): void {
    const windows = this.words[own + T.WINDOWS]!;
    if (window <= ((windows >>> shift) & 0xffff)) return;
    this.words[own + T.WINDOWS] = (windows & ~(0xffff << shift)) | (window << shift);
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
    if (beyond === 0 && sent > resent) this.sample(r, d, now - sent);
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
  ): void {
    const words = this.words;
    const own = r + d * T.END;
    const peer = r + T.END - d * T.END;
    const hasAck = (flags & ACK) !== 0;
    const isPlain = (flags & SPECIAL) === 0;
    const isKnown = (words[own + T.STATE]! & T.KNOWN) !== 0;
    const peerAck = words[peer + T.LAST_ACK]!;
    const lastAck = words[own + T.LAST_ACK]!;
    let contiguous = this.#contiguous(r, d);
    if ((flags & (SYN | ACK)) === SYN && isKnown) this.restart(own, h, d, seq, contiguous);
    let s = words[own + T.STATE]!;
    let t = words[peer + T.STATE]!;
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
      this.count(r, d, ZERO_WINDOW_PROBES);
      was = T.WAS_PROBE;
    } else {
      if (window === 0 && isPlain) this.count(r, d, ZERO_WINDOWS);
      if (isKnown && ahead > 0 && (flags & RST) === 0) {
        this.count(r, d, LOST_SEGMENTS);
        s |= T.FLIGHT_UNKNOWN;
      }
      if (isKeepAlive) {
        this.count(r, d, KEEP_ALIVES);
        was = T.WAS_KEEP_ALIVE;
      }
      if (len > 0 && isPlain && this.#reachesEdge(t, peerAck, (seq + len) | 0)) {
        this.count(r, d, WINDOW_FULL);
      }
      if (isSame) dup = this.#same(r, d, s, t, window, dup);
    }
    if (ack !== lastAck) dup = 0;
    if (hasAck && ((t & T.GAPPED) !== 0 || ((ack - words[peer + T.NEXT]!) | 0) > 0)) {
      t = this.#checkUnseen(r, d, t, ack);
    }

    const consumes = len > 0 || (flags & (SYN | FIN)) !== 0;
    const end = (seq + len + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) | 0;
    const mayRepeat = ahead < 0 || ((seq + len - peerAck) | 0) <= 0;
    if (mayRepeat && consumes && isKnown && !isKeepAlive) {
      this.#judgeRepeat(r, d, t, ahead, seq, end, len, now);
    }
    const high = words[h + L.HOT_END + d + L.END_NEXT]!;
    if (isKnown ? seq !== high || (flags & RST) !== 0 : (flags & SYN) === 0) {
      this.cover(r, h, d, flags, seq, len, isKnown, isKeepAlive);
    }

    let newNext = next;
    if (!isProbe && (!isKnown || ((end - next) | 0) > 0)) {
      if ((s & T.PENDING) !== 0) this.wait(r, d, next, this.doubles[(own + T.TIME) >> 1]!);
      newNext = end;
      words[own + T.NEXT] = end;
      this.doubles[(own + T.TIME) >> 1] = now;
      s = consumes && (flags & RST) === 0 ? s | T.PENDING : s & ~T.PENDING;
    }
    if (!isKnown || (!isProbe && seq === contiguous)) contiguous = newNext;
    if (contiguous !== newNext) this.put(r, d, T.X_CONTIGUOUS, contiguous);
    if (dup !== 0) this.putDouble(r, d, T.X_LAST_TIME, now);
    s &= ~(T.WINDOW_MASK | T.WAS_KEEP_ALIVE | T.WAS_PROBE | T.DUP_MASK | T.ACKED | T.GAPPED);
    s |= window | was | (dup << T.DUP_SHIFT);
    // A RST that answers a segment without ACK has the number 0 (RFC 9293 §3.5.2): it tells nothing.
    if (isKnown || (flags & RST) === 0 || end !== 0) s |= T.KNOWN;
    if (hasAck) s |= T.ACKED;
    if (contiguous !== newNext) s |= T.GAPPED;
    words[own + T.LAST_ACK] = ack;
    if ((flags & RST) === 0) this.#widen(own, window, (flags & SYN) === 0 ? 0 : 16);

    if (len > 0 && (s & T.FLIGHT_UNKNOWN) === 0)
      this.measureFlight(r, h, d, isKnown && ((high - end) | 0) > 0 ? high : end, seq, flags);
    if (hasAck && (flags & SYN) === 0) s = this.takeSack(r, d, s, p, ack);
    words[own + T.STATE] = s;
    words[peer + T.STATE] = t;
    if ((flags & SYN) !== 0 || (s & (T.OPENING | T.FIRST_ACK)) !== 0) {
      this.followOpening(r, own, peer, flags, now);
      t = words[peer + T.STATE]!;
    }
    if (hasAck && ((t & T.PENDING) !== 0 || words[peer + T.HEAD] !== 0)) {
      this.#acknowledge(r, 1 - d, t, ack, now);
    }
  }

  /** Where the numbers of end `d` are without a hole up to, as Wireshark's maxseqtobeacked says it. */
  #contiguous(r: number, d: number): number {
    const own = r + d * T.END;
    if ((this.words[own + T.STATE]! & T.GAPPED) === 0) return this.words[own + T.NEXT]!;
    return this.extra[this.words[r + T.EXTRA + d]! * T.X_WORDS + T.X_CONTIGUOUS]!;
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
      if (before === 0 && (t & T.WAS_PROBE) !== 0) this.count(r, d, ZERO_WINDOW_PROBE_ACKS);
      return dup;
    }
    if (window !== before) {
      this.count(r, d, WINDOW_UPDATES);
      return dup;
    }
    if ((t & T.WAS_KEEP_ALIVE) !== 0) {
      this.count(r, d, KEEP_ALIVE_ACKS);
      return dup;
    }
    this.count(r, d, DUPLICATE_ACKS);
    return dup === 3 ? 1 : Math.min(2, dup + 1);
  }

  /** Whether end `d` acknowledges what the other (state `t`) was not seen to send: the other's state afterwards. */
  #checkUnseen(r: number, d: number, t: number, ack: number): number {
    if ((t & T.KNOWN) === 0) return t;
    if (((ack - this.#contiguous(r, 1 - d)) | 0) <= 0) return t;
    if ((t & T.GAPPED) !== 0) {
      this.count(r, d, ACKED_UNSEEN);
      return t & ~T.GAPPED;
    }
    // Nothing was seen to lie there: once until the other end acknowledges something new itself.
    if ((t & T.DUP_MASK) === 0) this.count(r, d, ACKED_UNSEEN);
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
      const hasInitial = (words[r + T.MARKS]! & T.SYN_TIME_KNOWN) !== 0 && (t & T.OPENING) === 0;
      const since = now - this.doubles[(own + T.TIME) >> 1]!;
      const limit = hasInitial ? this.doubles[(r + T.SYN_TIME) >> 1]! : OUT_OF_ORDER_NS;
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
}
