/** Follows every connection of a capture: counts what is common, keeps what is rare. */

import { ACK, FIN, FIRST_SPARE, isFin, MORE_WORDS, RST, SYN } from '../decode/columns.ts';
import { cookieText, hasCookie } from '../decode/packed-options.ts';
import { isDuplicate, NUMBER_MASK } from './duplicates.ts';
import { type IdleLimits, idleLimitSec, isClosing } from './idle.ts';
import {
  beginsAnew,
  goesOnAfterRst,
  isBadAnswer,
  isPlausibleRst,
  keep,
  MAX_OPENING,
  SKIP,
} from './keep.ts';
import * as L from './layout.ts';
import type { LeavingConnection } from './packed.ts';
import { Telling } from './telling.ts';

const FLAGGED = SYN | FIN | RST;
/** Silent connections are looked for once in so many segments (a power of two), and once in so many seconds of the capture. */
const SWEEP_SEGMENTS = 4096;
const SWEEP_SEC = 60;

/**
 * What each segment does to its connection.
 *
 * `process` is the hot path of the program: it works in three passes over a batch, so that the cache misses of the table and the
 * records overlap (1.7 times as fast with 100,000 connections open), and leaves the loop only where something happens.
 */
export class Tracker extends Telling {
  /** The earliest second since the last sweep, and the second of that sweep. */
  #floorSec = Number.POSITIVE_INFINITY;
  #sweptSec = 0;
  /** There was one in this batch. */
  #hasSwept = false;

  /** Takes the next `count` (at most 256) segments, which begin at `position`. Hot path. */
  process(count: number): void {
    this.keys(count);
    const { mask, tsSec } = this.columns;
    const first = this.counts.segments;
    for (let i = 0; i < count; i++) {
      const number = first + i;
      const position = number & mask;
      const sec = tsSec[position]!;
      if (sec !== this.lastSec) this.tick(sec);
      this.#segment(position, number);
      if ((number & (SWEEP_SEGMENTS - 1)) === 0) this.#sweep(sec);
      else if (sec < this.#floorSec) this.#floorSec = sec;
    }
    this.counts.segments = first + count;
    if (this.#hasSwept) {
      this.#hasSwept = false;
      this.shrink();
    }
  }

  /**
   * Lets go of what has been silent for too long. The time is the earliest of the last SWEEP_SEGMENTS segments: a frame from the
   * future, or a clock that was set ahead and back, ends nothing.
   */
  #sweep(sec: number): void {
    const floor = Math.min(this.#floorSec, sec);
    this.#floorSec = Number.POSITIVE_INFINITY;
    if (floor - this.#sweptSec < SWEEP_SEC) return;
    this.#sweptSec = floor;
    this.#hasSwept = true;
    if (this.options.idle !== null) this.finishIdle(floor, this.options.idle);
  }

  /**
   * Lets time pass without a frame, to second `sec` of the capture's clock. For live captures, and only while nothing arrives: a frame
   * that is older moves the clock's hand back, and the time between counts again.
   */
  advanceTo(sec: number): void {
    if (sec > this.lastSec && this.lastSec >= 0) this.tick(sec);
  }

  /** Writes out the connections that have been idle for longer than `limits` allow them at second `sec`. */
  finishIdle(sec: number, limits: IdleLimits): void {
    const words = this.table.words;
    const over: number[] = [];
    const silent: number[] = [];
    this.eachOpen((index) => {
      const h = index * L.RECORD_WORDS;
      const bits = words[h + L.HOT_BITS]!;
      if (sec - (words[h + L.HOT_LAST_SEC]! >>> 0) <= idleLimitSec(bits, limits)) return;
      if (isClosing(bits)) over.push(index);
      else silent.push(index);
    });
    // By their numbers: at which index a connection lies must not show.
    for (const list of [over, silent]) list.sort((x, y) => this.streamOf(x) - this.streamOf(y));
    for (const index of over) this.finishRecord(index, 'time-wait-over', -1, sec);
    // Not remembered as closed: should one speak again, its frames are no late ones.
    for (const index of silent) this.finishRecord(index, 'evicted', -1, sec);
    this.counts.evicted += silent.length;
  }

  /** The connection of record `index` as it is now, as if the capture ended here. */
  peek(index: number): LeavingConnection {
    return this.leaving.point(index, 'input-ended', -1, this.lastSec, 0);
  }

  /** Third pass: one segment. */
  #segment(p: number, number: number): void {
    const columns = this.columns;
    const table = this.table;
    const d = columns.fromHigh[p]!;
    const six = columns.family[p] === 6 ? 1 : 0;
    const flags = columns.flags[p]!;
    const seq = columns.seq[p]!;
    const { hash, keyA, keyB, keyPorts } = columns;
    let index = table.find(hash[p]!, keyA[p]!, keyB[p]!, keyPorts[p]!, six);
    let isReuse = false;
    if (index >= 0 && (flags & (SYN | ACK)) === SYN) {
      // A SYN with another sequence number than this end's first is a new incarnation (Wireshark's tcp.stream).
      const h = index * L.RECORD_WORDS;
      const isBased = (table.words[h + L.HOT_BITS]! & (L.BASE_SET << d)) !== 0;
      if (isBased && table.words[h + L.HOT_END + d + L.END_BASE] !== seq) {
        this.finishRecord(index, 'reused', p, columns.tsSec[p], columns.tsNs[p]);
        index = -1;
        isReuse = true;
      }
    }
    if (index < 0) {
      index = this.openRecord(p, d, six, isReuse);
      if (index < 0 || this.beginNotes(index, p, number, d)) return;
      this.#begin(index, p);
    } else if ((table.words[index * L.RECORD_WORDS + L.HOT_BITS]! & L.NOTED) !== 0) {
      if (this.note(index, p, number, d)) return;
      this.#takeUp(index);
    }
    this.#follow(index, p, number, d);
  }

  /** Makes what a connection has besides while it is followed, which begins with the segment at `p`. */
  #begin(index: number, p: number): void {
    const rest = index * L.RECORD_WORDS + L.REST;
    this.table.words.fill(0, rest, rest + L.LINE_WORDS);
    this.transfer.open(index, p);
  }

  /** Does with the segments that were noted of a connection what it would have done with each, had it been followed from the first. */
  #takeUp(index: number): void {
    const words = this.table.words;
    const low = index * L.RECORD_WORDS + L.HOT_END + L.END_RING;
    const high = low + 1;
    const lowLatest = words[low]!;
    const highLatest = words[high]!;
    const count = this.takeNotes(index);
    this.#begin(index, FIRST_SPARE);
    for (let k = 0; k < count; k++) {
      this.#follow(index, FIRST_SPARE + k, k, this.spareEnds[k]!);
    }
    // The numbers by which the ring knows them.
    words[low] = lowLatest;
    words[high] = highLatest;
  }

  /** What the segment at `p`, from end `d`, does to the connection at `index`. */
  #follow(index: number, p: number, number: number, d: number): void {
    this.number = number;
    const columns = this.columns;
    const table = this.table;
    const flags = columns.flags[p]!;
    const seq = columns.seq[p]!;
    if (this.zeek !== null) this.zeek.segment(index, p, d);
    const words = table.words;
    const h = index * L.RECORD_WORDS;
    const own = h + L.HOT_END + d;
    const peer = h + L.HOT_END + (1 - d);
    let bits = words[h + L.HOT_BITS]!;
    const len = columns.payloadLen[p]!;
    const ack = columns.ack[p]!;
    const end = (seq + len + (flags & FIN) + ((flags & SYN) >> 1)) | 0;
    const packets = words[own + L.END_PACKETS]!;
    const isFirst = packets === 0;

    words[own + L.END_PACKETS] = packets + 1;
    table.doubles[((h + L.REST_BYTES) >> 1) + d]! += len;
    table.doubles[(h + L.HOT_LAST_FRAME) >> 1] = columns.frame[p]!;
    const sec = columns.tsSec[p]!;
    const lastSec = words[h + L.HOT_LAST_SEC]! >>> 0;
    if (sec > lastSec || (sec === lastSec && columns.tsNs[p]! > words[h + L.HOT_LAST_NS]!)) {
      words[h + L.HOT_LAST_SEC] = sec;
      words[h + L.HOT_LAST_NS] = columns.tsNs[p]!;
    }

    const advancesSeq = isFirst || ((end - words[own + L.END_NEXT]!) | 0) > 0;
    const advancesAck =
      (flags & ACK) !== 0 &&
      ((bits & (L.ACK_KNOWN << d)) === 0 || ((ack - words[own + L.END_ACK]!) | 0) > 0);
    const latest = words[own + L.END_RING]!;
    this.previous[p] = latest;
    words[own + L.END_RING] = (number & NUMBER_MASK) + 1;
    if ((!advancesSeq && !advancesAck) || (flags & RST) !== 0) {
      // What was noted is no duplicate, and isn't in the ring.
      if (p < FIRST_SPARE && isDuplicate(columns, number & NUMBER_MASK, latest, this.previous)) {
        words[h + L.REST_DUPLICATES]!++;
        this.counts.duplicates++;
        this.transfer.duplicate(index, d, len);
        if (index === this.watched) this.options.onWatched?.(p, d === 1, true);
        return;
      }
      const repeats = len > 0 || seq !== words[own + L.END_NEXT];
      if (repeats && (flags & RST) === 0) L.countRepeat(words, own);
    } else {
      words[own + L.END_REPEATS] = columns.ttl[p]! << L.TTL_SHIFT;
    }
    words[peer + L.END_REPEATS]! &= ~L.REPEATS_MASK;
    if (index === this.watched) this.options.onWatched?.(p, d === 1, false);
    if (this.hasListener) {
      this.options.onSegment?.(words[h + L.COLD + L.C_STREAM]!, p, d === 1);
    }

    this.transfer.segment(index, p, d, flags, seq, ack, len);

    if (advancesSeq && !isFirst && (bits & (L.ACK_KNOWN << (1 - d))) !== 0 && (flags & RST) === 0) {
      const next = words[own + L.END_NEXT]!;
      // A gap that the other end has acknowledged already: the capture lost what it held.
      if (((seq - next) | 0) > 0 && ((words[peer + L.END_ACK]! - seq) | 0) >= 0) {
        bits |= L.LOST_SEEN;
        words[h + L.HOT_BITS] = bits;
      }
    }
    if (len > 0 && advancesSeq && (bits & (L.LAST_DATA << d)) === 0 && (flags & RST) === 0) {
      bits = (bits & ~(L.LAST_DATA | (L.LAST_DATA << 1))) | (L.LAST_DATA << d);
      words[h + L.HOT_BITS] = bits;
    }
    let isNotable = (bits & L.STEADY) === 0 || (flags & FLAGGED) !== 0 || isFirst;
    if (columns.window[p] === 0 && (flags & FLAGGED) === 0) {
      isNotable ||= words[own + L.END_ZERO_WINDOWS] === 0;
      words[own + L.END_ZERO_WINDOWS]!++;
    }
    if (isNotable) {
      this.#happen(index, p, d, flags, seq, ack, len, end, isFirst);
      this.options.onHappening?.(index);
      return;
    }
    if (advancesSeq) words[own + L.END_NEXT] = end;
    if (advancesAck) {
      words[own + L.END_ACK] = ack;
      words[h + L.HOT_BITS] = bits | (L.ACK_KNOWN << d);
    }
  }

  /** A segment of a connection that is opening or closing, or that has SYN, FIN or RST. */
  #happen(
    index: number,
    p: number,
    d: number,
    flags: number,
    seq: number,
    ack: number,
    len: number,
    end: number,
    isFirst: boolean,
  ): void {
    const words = this.table.words;
    const h = index * L.RECORD_WORDS;
    const c = h + L.COLD;
    const own = h + L.HOT_END + d;
    const peer = h + L.HOT_END + (1 - d);

    const counts = this.table.bytes;
    const bytes = c * 4;
    const isPlausible = (flags & RST) === 0 || isPlausibleRst(words, h, d, seq);
    const decision = keep(words, h, counts, bytes, d, flags, seq, ack, len);
    if (decision !== SKIP) this.tell(index, p, d, isFirst, decision);

    let bits = words[h + L.HOT_BITS]!;
    const other = 1 - d;
    if ((bits & (L.BASE_SET << d)) === 0) {
      bits |= L.BASE_SET << d;
      words[own + L.END_BASE] = (flags & SYN) !== 0 ? seq : (seq - 1) | 0;
    }
    if ((flags & ACK) !== 0 && (bits & (L.BASE_SET << other)) === 0) {
      bits |= L.BASE_SET << other;
      words[peer + L.END_BASE] = (ack - 1) | 0;
    }

    const isBad = isBadAnswer(words, h, d, flags, ack);
    if ((flags & SYN) !== 0) {
      const synBit = (flags & ACK) !== 0 ? L.SYN_ACK_SENT << d : L.SYN_SENT << d;
      if (!isBad && beginsAnew(words, h, d, flags, end)) {
        // What this end sent before belongs to an earlier connection, a FIN too.
        bits &= ~((L.FIN_SENT | L.FIN_COVERED) << d);
        words[own + L.END_NEXT] = end;
        if ((flags & ACK) !== 0) {
          words[own + L.END_ACK] = ack;
          bits |= L.ACK_KNOWN << d;
        }
      }
      words[own + L.END_REPEATS]! &= L.REPEATS_MASK;
      if (!isBad) {
        bits |= synBit;
        bits &= ~(L.STEADY | L.BOTH_SPOKE);
      }
      if (!isBad && words[c + L.C_OPTIONS + d] === 0) {
        const packed = this.columns.more[p * MORE_WORDS]!;
        words[c + L.C_OPTIONS + d] = packed;
        this.transfer.options(index, d, packed, (flags & ACK) !== 0);
        if (hasCookie(packed)) {
          this.cookies.set(index * 2 + d, cookieText(this.columns.more, p * MORE_WORDS));
        }
      }
    } else if (!isBad && (flags & (ACK | RST)) === ACK) {
      bits |= L.SPOKE << d;
    }

    const holds = !isBad && (flags & RST) === 0;
    const isAhead = ((end - words[own + L.END_NEXT]!) | 0) > 0;
    if (isFirst || (holds && isAhead)) words[own + L.END_NEXT] = end;
    if (holds && (flags & ACK) !== 0) {
      if ((bits & (L.ACK_KNOWN << d)) === 0 || ((ack - words[own + L.END_ACK]!) | 0) > 0) {
        words[own + L.END_ACK] = ack;
      }
      bits |= L.ACK_KNOWN << d;
    }

    if (isFin(flags) && !isBad) {
      const position = (seq + len + ((flags & SYN) >> 1)) | 0;
      const isFirst = (bits & (L.FIN_SENT << d)) === 0;
      // One further back refutes the first, unless that was acknowledged (facts.ts judges the same way).
      const refutes =
        (bits & (L.FIN_COVERED << d)) === 0 && ((position - words[own + L.END_FIN]!) | 0) < 0;
      if (isFirst || refutes) {
        bits |= L.FIN_SENT << d;
        words[own + L.END_FIN] = position;
        if (isFirst && this.recallAcks(index, d, position)) bits |= L.FIN_COVERED << d;
      }
    }
    if ((flags & ACK) !== 0 && (bits & (L.FIN_SENT << other)) !== 0) {
      if (((ack - words[peer + L.END_FIN]!) | 0) > 0) bits |= L.FIN_COVERED << other;
    }
    if ((flags & RST) !== 0) bits |= L.RST_SEEN;

    const bothSpoke = (bits & L.BOTH_SPOKE) === L.BOTH_SPOKE;
    const goesOn = (bits & L.RST_SEEN) !== 0 && goesOnAfterRst(counts, bytes);
    if (goesOn) bits &= ~L.CLOSED;
    if ((bits & (L.FIN_SENT | (L.FIN_SENT << 1))) !== 0) bits &= ~L.STEADY;
    else if ((bits & L.RST_SEEN) !== 0 && !goesOn) bits &= ~L.STEADY;
    else if (bothSpoke || counts[bytes + L.B_OPENING]! >= MAX_OPENING) bits |= L.STEADY;
    const bothCovered = (bits & L.FIN_COVERED) !== 0 && (bits & (L.FIN_COVERED << 1)) !== 0;
    const isEndedByRst = (flags & RST) !== 0 && !goesOn && isPlausible;
    if (bothCovered || isEndedByRst) {
      bits |= L.CLOSED;
      if ((bits & L.QUEUED) === 0) {
        bits |= L.QUEUED;
        words[h + L.HOT_BITS] = bits;
        this.queue(index);
        return;
      }
    }
    words[h + L.HOT_BITS] = bits;
  }
}
