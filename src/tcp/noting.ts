/** Connections that go by the book: their segments are noted, a line of the cache for every two, and nothing is done with them yet. */

import {
  ACK,
  FIN,
  FIRST_SPARE,
  HAS_MORE_OPTIONS,
  HAS_TIMESTAMPS,
  MORE_WORDS,
  RST,
  SPARE_ROWS,
  SYN,
} from '../decode/columns.ts';
import { hasCookie } from '../decode/packed-options.ts';
import { NUMBER_MASK } from './duplicates.ts';
import * as L from './layout.ts';
import { Shrinking } from './shrink.ts';
import { FLAGS_MASK, FROM_HIGH, HAS_TS, wordOf } from './story.ts';

/** Times are counted in nanoseconds since the first frame, exact for 104 days: longer than MAX_NOTES silences. */
const MAX_SILENCE_SEC = 150_000;
/**
 * In one segment: the numbers of a connection stay far within half the sequence space, so that none is both before and behind another, and all bytes of an end
 * within L.SUM_BYTES_MASK.
 */
const MAX_NOTED_BYTES = 1 << 18;

/**
 * The part of the tracker that takes notes. Most connections are short, and nothing happens to them but an opening, some data and a close:
 * to follow them would take longer than to find them. So whatever is in its place (`note`) is noted, and when such a connection leaves its notes
 * say everything (tcp/notes.ts). The first segment that isn't, or for which there is no more room, makes the tracker follow the connection from its
 * first segment on, out of the notes: what comes out is the same.
 *
 * What is done with a segment here is what the end of a connection, and the first look at its next segment, need to know.
 */
export class Noting extends Shrinking {
  /** Of the segment of each ring position: the running number + 1 of the one before from the same end. */
  protected readonly previous = new Int32Array(FIRST_SPARE + SPARE_ROWS);
  /** Which end sent the segment of each row behind the ring. */
  protected readonly spareEnds = new Uint8Array(SPARE_ROWS);
  /** Nobody wants to see segments as they come. */
  readonly #isNoting =
    this.zeek === null &&
    !this.hasListener &&
    this.options.watchStream === undefined &&
    this.options.onHappening === undefined;

  /** Begins the notes of the new connection at `index` with the segment at `p`, from end `d`: false where it is no ordinary SYN. */
  protected beginNotes(index: number, p: number, number: number, d: number): boolean {
    const columns = this.columns;
    const isOrdinary =
      this.#isNoting &&
      (columns.flags[p]! & (SYN | ACK | RST | FIN)) === SYN &&
      columns.payloadLen[p] === 0 &&
      columns.ack[p] === 0 &&
      columns.window[p] !== 0;
    if (!isOrdinary) return false;
    const packed = columns.more[p * MORE_WORDS]!;
    if (hasCookie(packed)) return false;
    const words = this.table.words;
    const h = index * L.RECORD_WORDS;
    const own = h + L.HOT_END + d;
    const seq = columns.seq[p]!;
    words[h + L.HOT_BITS]! |= L.NOTED | ((L.BASE_SET | L.SYN_SENT) << d);
    words[own + L.END_BASE] = seq;
    words[own + L.END_NEXT] = (seq + 1) | 0;
    words[h + L.HOT_SUM + d] = columns.ttl[p]! << L.TTL_SHIFT;
    words[h + L.COLD + L.C_OPTIONS + d] = packed;
    this.#write(h, own, p, number, d, 0);
    return true;
  }

  /**
   * Notes the segment at `p`, from end `d` of the connection at `index`, whose running number is `number`. False, with nothing changed,
   * where it isn't in its place: next in order, acknowledging something new or bringing something, no option or TTL that says more.
   *
   * Hot path.
   */
  protected note(index: number, p: number, number: number, d: number): boolean {
    const columns = this.columns;
    const words = this.table.words;
    const h = index * L.RECORD_WORDS;
    const own = h + L.HOT_END + d;
    const peer = h + L.HOT_END + (1 - d);
    let bits = words[h + L.HOT_BITS]!;
    const flags = columns.flags[p]!;
    const seq = columns.seq[p]!;
    const ack = columns.ack[p]!;
    const len = columns.payloadLen[p]!;
    const packets = words[own + L.END_PACKETS]!;
    const noted = packets + words[peer + L.END_PACKETS]!;
    if (noted === L.MAX_NOTES || (bits & L.RST_SEEN) !== 0) return false;
    if (len >>> 0 > MAX_NOTED_BYTES) return false;
    const sinceSec = columns.tsSec[p]! - (words[h + L.HOT_LAST_SEC]! >>> 0);
    if (sinceSec < 0 || sinceSec > MAX_SILENCE_SEC) return false;
    if (sinceSec === 0 && columns.tsNs[p]! < words[h + L.HOT_LAST_NS]!) return false;
    if ((flags & ACK) !== 0 && ((ack - words[peer + L.END_NEXT]!) | 0) > 0) return false;
    if (packets === 0 && (flags & SYN) !== 0) {
      // A number behind it that is 0 can't be told from none (tcp/transfer.ts).
      const answers = (flags & (ACK | RST | FIN)) === ACK && ack === words[peer + L.END_NEXT];
      if (!answers || len !== 0 || seq === -1 || columns.window[p] === 0) return false;
      const packed = columns.more[p * MORE_WORDS]!;
      if (hasCookie(packed)) return false;
      words[h + L.COLD + L.C_OPTIONS + d] = packed;
      words[h + L.HOT_SUM + d] = columns.ttl[p]! << L.TTL_SHIFT;
      words[own + L.END_BASE] = seq;
      words[own + L.END_NEXT] = (seq + 1) | 0;
      words[own + L.END_ACK] = ack;
      bits |= (L.BASE_SET | L.SYN_ACK_SENT | L.ACK_KNOWN) << d;
    } else {
      if ((flags & SYN) !== 0 || (columns.optionBits[p]! & HAS_MORE_OPTIONS) !== 0) return false;
      if ((flags & RST) !== 0) {
        if (!this.#endsIt(h, own, p, d, packets)) return false;
        bits = words[h + L.HOT_BITS]! | L.RST_SEEN;
      } else {
        if (packets === 0 || (flags & ACK) === 0 || seq !== words[own + L.END_NEXT]) return false;
        if (columns.window[p] === 0 || columns.ttl[p] !== words[h + L.HOT_SUM + d]! >>> L.TTL_SHIFT)
          return false;
        const isFin = (flags & FIN) !== 0;
        // The server speaks once its SYN-ACK was answered: before, its data counts as opening (tcp/keep.ts), and its FIN looks back (tcp/telling.ts).
        if ((bits & (L.ACK_KNOWN << (1 - d))) === 0) return false;
        if ((bits & (L.ACK_KNOWN << d)) !== 0) {
          const fresh = (ack - words[own + L.END_ACK]!) | 0;
          if (fresh < 0 || (fresh === 0 && len === 0 && !isFin)) return false;
        } else if (ack !== words[peer + L.END_NEXT]) {
          return false;
        }
        // Behind its FIN an end sends no more than ACKs here: the FIN's number is one before its next one.
        if ((isFin || len !== 0) && (bits & (L.FIN_SENT << d)) !== 0) return false;
        let end = (seq + len) | 0;
        if (isFin) {
          bits |= L.FIN_SENT << d;
          end = (end + 1) | 0;
        }
        words[own + L.END_NEXT] = end;
        words[own + L.END_ACK] = ack;
        bits |= (L.ACK_KNOWN | L.SPOKE) << d;
      }
    }
    if ((bits & (L.FIN_SENT << (1 - d))) !== 0 && (flags & ACK) !== 0) {
      // No ACK here goes beyond the next number, and the FIN stands right before it.
      if (ack === words[peer + L.END_NEXT]) bits |= L.FIN_COVERED << (1 - d);
    }
    words[h + L.HOT_BITS] = bits;
    words[h + L.HOT_SUM + d]! += len;
    this.#write(h, own, p, number, d, noted);
    const bothCovered = (bits & (bits >> 1) & L.FIN_COVERED) !== 0;
    if ((bothCovered || (flags & RST) !== 0) && (bits & L.QUEUED) === 0) {
      words[h + L.HOT_BITS] = bits | L.CLOSED | L.QUEUED;
      this.queue(index);
    }
    return true;
  }

  /** Whether the RST at `p` is in its place, and ends the connection therefore: nothing was sent behind its number, or it refuses the SYN. */
  #endsIt(h: number, own: number, p: number, d: number, packets: number): boolean {
    const columns = this.columns;
    const words = this.table.words;
    const flags = columns.flags[p]!;
    const seq = columns.seq[p]!;
    if ((flags & FIN) !== 0 || columns.payloadLen[p] !== 0) return false;
    if (packets === 0) {
      words[own + L.END_BASE] = (seq - 1) | 0;
      words[own + L.END_NEXT] = seq;
      words[h + L.HOT_SUM + d] = columns.ttl[p]! << L.TTL_SHIFT;
      words[h + L.HOT_BITS]! |= L.BASE_SET << d;
      return true;
    }
    if (seq !== words[own + L.END_NEXT]) return false;
    if (columns.ttl[p] !== words[h + L.HOT_SUM + d]! >>> L.TTL_SHIFT) return false;
    return (flags & ACK) === 0 || ((columns.ack[p]! - words[own + L.END_ACK]!) | 0) >= 0;
  }

  #write(h: number, own: number, p: number, number: number, d: number, noted: number): void {
    const columns = this.columns;
    const words = this.table.words;
    const frame = columns.frame[p]!;
    words[own + L.END_PACKETS]!++;
    words[h + L.HOT_LAST_SEC] = columns.tsSec[p]!;
    words[h + L.HOT_LAST_NS] = columns.tsNs[p]!;
    this.previous[p] = words[own + L.END_RING]!;
    words[own + L.END_RING] = (number & NUMBER_MASK) + 1;
    const bits =
      columns.flags[p]! |
      (d === 1 ? FROM_HIGH : 0) |
      ((columns.optionBits[p]! & HAS_TIMESTAMPS) !== 0 ? HAS_TS : 0) |
      (columns.window[p]! << 16);
    if (noted < L.NOTES_INSIDE) {
      this.#put(words, h + L.NOTES + noted * L.NOTE_WORDS, p, frame, bits);
      return;
    }
    const entry = this.addEntry(h);
    this.#put(this.pool.words, wordOf(entry), p, frame, bits);
  }

  /** Room for one more entry in the memory of stories, for the connection at word `h`: its number. */
  protected addEntry(h: number): number {
    const words = this.table.words;
    const c = h + L.COLD;
    const entry = this.pool.reserve(words[c + L.C_TAIL]!);
    if (words[c + L.C_HEAD] === 0) words[c + L.C_HEAD] = entry;
    words[c + L.C_TAIL] = entry;
    return entry;
  }

  #put(words: Int32Array, at: number, p: number, frame: number, bits: number): void {
    const columns = this.columns;
    words[at + L.N_FRAME] = frame;
    words[at + L.N_BITS] = bits;
    words[at + L.N_SEC] = columns.tsSec[p]!;
    words[at + L.N_NS] = columns.tsNs[p]!;
    words[at + L.N_ACK] = columns.ack[p]!;
    words[at + L.N_LEN] = columns.payloadLen[p]!;
    words[at + L.N_TS_VAL] = columns.tsVal[p]!;
    words[at + L.N_TS_ECR] = columns.tsEcr[p]!;
  }

  /**
   * Takes the notes of the connection at `index` into the rows of the columns behind the ring, and leaves its record as it was before the
   * first segment, but for its place in the queue of closed ones: how many segments there are.
   */
  protected takeNotes(index: number): number {
    const words = this.table.words;
    const pool = this.pool;
    const h = index * L.RECORD_WORDS;
    const c = h + L.COLD;
    const low = h + L.HOT_END;
    const high = low + 1;
    const bits = words[h + L.HOT_BITS]!;
    const count = this.packets(index);
    const inside = Math.min(count, L.NOTES_INSIDE);
    // From here on END_NEXT is the number of the next note. A RST that refuses a SYN is the first of its end: one number behind its base.
    words[low + L.END_NEXT] = firstNumber(words, low, bits, 0);
    words[high + L.END_NEXT] = firstNumber(words, high, bits, 1);
    for (let k = 0; k < inside; k++) {
      this.#restore(h, words, h + L.NOTES + k * L.NOTE_WORDS, k);
    }
    let entry = words[c + L.C_HEAD]!;
    for (let k = inside; k < count; k++) {
      this.#restore(h, pool.words, wordOf(entry), k);
      entry = pool.after(entry);
    }
    pool.release(words[c + L.C_HEAD]!, words[c + L.C_TAIL]!);
    words[c + L.C_HEAD] = 0;
    words[c + L.C_TAIL] = 0;
    words[c + L.C_OPTIONS] = 0;
    words[c + L.C_OPTIONS + 1] = 0;
    words.fill(0, low, h + L.COLD);
    words[low + L.END_BASE] = 0;
    words[high + L.END_BASE] = 0;
    words[h + L.HOT_BITS] = bits & (L.KEY_FAMILY | L.REUSED | L.QUEUED);
    words[h + L.HOT_LAST_SEC] = words[c + L.C_START_SEC]!;
    words[h + L.HOT_LAST_NS] = words[c + L.C_START_NS]!;
    return count;
  }

  /** The note at word `at` of `words` as row `k` behind the ring. */
  #restore(h: number, words: Int32Array, at: number, k: number): void {
    const columns = this.columns;
    const table = this.table;
    const hot = table.words;
    const firstFrame = table.doubles[(h + L.COLD + L.C_FIRST_FRAME) >> 1]!;
    const p = FIRST_SPARE + k;
    const note = words[at + L.N_BITS]!;
    const d = (note & FROM_HIGH) === 0 ? 0 : 1;
    const own = h + L.HOT_END + d;
    const flags = note & FLAGS_MASK;
    const seq = hot[own + L.END_NEXT]!;
    const len = words[at + L.N_LEN]!;
    columns.frame[p] = firstFrame + ((words[at + L.N_FRAME]! - firstFrame) >>> 0);
    columns.tsSec[p] = words[at + L.N_SEC]!;
    columns.tsNs[p] = words[at + L.N_NS]!;
    columns.flags[p] = flags;
    columns.optionBits[p] = (note & HAS_TS) === 0 ? 0 : HAS_TIMESTAMPS;
    columns.window[p] = note >>> 16;
    columns.ttl[p] = hot[h + L.HOT_SUM + d]! >>> L.TTL_SHIFT;
    columns.seq[p] = seq;
    columns.ack[p] = words[at + L.N_ACK]!;
    columns.payloadLen[p] = len;
    columns.tsVal[p] = words[at + L.N_TS_VAL]!;
    columns.tsEcr[p] = words[at + L.N_TS_ECR]!;
    columns.more[p * MORE_WORDS] = hot[h + L.COLD + L.C_OPTIONS + d]!;
    hot[own + L.END_NEXT] = (seq + len + (flags & FIN) + ((flags & SYN) >> 1)) | 0;
    this.spareEnds[k] = d;
  }
}

function firstNumber(words: Int32Array, own: number, bits: number, d: number): number {
  const base = words[own + L.END_BASE]!;
  return (bits & ((L.SYN_SENT | L.SYN_ACK_SENT) << d)) === 0 ? (base + 1) | 0 : base;
}
