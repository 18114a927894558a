/** Puts one direction of a TCP connection back in order (RFC 9293 §3.4, §3.10.7.4): bytes as they were sent, gaps marked. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';

/** Bytes that wait for others before them, a direction; then the first gap is given up. */
const MAX_BUFFERED_BYTES_PER_DIRECTION = 16 * 1024 * 1024;

/** Pieces that wait, a direction: keeps tiny segments from costing more than their bytes. */
const MAX_BUFFERED_PIECES_PER_DIRECTION = 16_384;

/** Bytes handed out last that a later copy is compared with. */
const HISTORY_BYTES_PER_DIRECTION = 64 * 1024;

/** No receiver takes bytes further ahead than the largest window (RFC 7323 §2.3). */
const MAX_AHEAD_BYTES = 2 ** 30;

/** Bytes in the order in which they were sent. */
export interface StreamBytes {
  kind: 'bytes';
  /** Of the first byte, from 0; exact beyond 4 GiB. */
  offset: number;
  /** A copy that nobody else changes; the reassembler may still compare with it. */
  bytes: Uint8Array;
  /** Of the segment that brought the bytes first. */
  tNs: number;
  frame: number;
}

/** Bytes that were sent and are not in the file. */
export interface StreamGap {
  kind: 'gap';
  offset: number;
  /** Bytes, at least 1. */
  length: number;
  /** `missing`: no frame holds them. `not-captured`: their frame was cut by the snap length. */
  reason: 'missing' | 'not-captured';
  /** Whether the other end acknowledged them before the gap was given up: then they were sent and received. */
  acknowledged: boolean;
  /** Of the segment behind the gap (`missing`), or of the one that was cut. */
  tNs: number;
  frame: number;
}

export type StreamItem = StreamBytes | StreamGap;

/** A later copy of bytes that differs from the first. */
export interface StreamConflict {
  offset: number;
  /** Bytes that both copies hold. */
  length: number;
  /** Of the later copy. */
  frame: number;
}

/** One TCP segment as read; `bytes` from `start` to `start + captured` is its payload and holds during the call only. */
export interface StreamSegment {
  seq: number;
  flags: number;
  /** Payload bytes on the wire. */
  len: number;
  /** Payload bytes in the file, at most `len`. */
  captured: number;
  bytes: Uint8Array;
  start: number;
  frame: number;
  tNs: number;
}

export interface StreamOptions {
  onItem: (item: StreamItem) => void;
  onConflict?: (conflict: StreamConflict) => void;
  maxBufferedBytes?: number;
  maxBufferedPieces?: number;
  /** 0: later copies are not compared with bytes already handed out. */
  historyBytes?: number;
}

/** Bytes, or the place of bytes that their frame did not keep, ahead of what can be handed out. */
interface Piece {
  offset: number;
  end: number;
  /** Null: not captured. */
  bytes: Uint8Array | null;
  frame: number;
  tNs: number;
}

/**
 * Takes the segments of one direction in the order of the capture, and hands out their bytes in the order of the stream, each byte
 * once: of several copies the first. A gap waits for the segment that fills it until too much is buffered behind it, or `finish`.
 *
 * The stream begins behind the SYN, or where the other end's SYN,ACK says; without both, with the first segment seen.
 */
export class StreamReassembler {
  readonly #options: StreamOptions;
  readonly #maxBytes: number;
  readonly #maxPieces: number;
  readonly #historyBytes: number;
  #isBased = false;
  /** Whether `#base` is known from a SYN or SYN,ACK. */
  #isExact = false;
  /** Sequence number of offset 0. */
  #base = 0;
  /** Everything before it was handed out. */
  #next = 0;
  /** Offset behind the last byte, once a FIN said so. */
  #fin: number | null = null;
  /** Offset that the other end has acknowledged up to. */
  #acked = 0;
  /** What the other end acknowledged before this one was heard of. */
  #earlyAck: number | null = null;
  /** In order, without overlap, all behind `#next`. */
  #pieces: Piece[] = [];
  #buffered = 0;
  #stalledSince = Number.POSITIVE_INFINITY;
  #history: StreamBytes[] = [];
  #remembered = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBufferedBytes ?? MAX_BUFFERED_BYTES_PER_DIRECTION;
    this.#maxPieces = options.maxBufferedPieces ?? MAX_BUFFERED_PIECES_PER_DIRECTION;
    this.#historyBytes = options.historyBytes ?? HISTORY_BYTES_PER_DIRECTION;
  }

  /** Bytes that wait behind a gap. */
  get bufferedBytes(): number {
    return this.#buffered;
  }

  /** Frame of the earliest piece that waits behind a gap; Infinity where none does. */
  get stalledSince(): number {
    return this.#stalledSince;
  }

  /** Takes a segment of this direction. */
  segment(s: StreamSegment): void {
    // The text of a RST explains it and is no part of the stream (RFC 9293 §3.5.3).
    if ((s.flags & RST) !== 0) return;
    const isSyn = (s.flags & SYN) !== 0;
    const seq = (s.seq + (isSyn ? 1 : 0)) >>> 0;
    this.#findBase(seq, s.len, isSyn);
    const start = this.#offsetOf(seq);
    if (start - Math.max(this.#next, this.#acked) > MAX_AHEAD_BYTES) return;
    let end = start + s.len;
    if ((s.flags & (FIN | ACK)) === (FIN | ACK) && end >= this.#highest()) this.#fin = end;
    if (this.#fin !== null && end > this.#fin) end = this.#fin;
    if (end <= start) return;
    const piece: Piece = { offset: start, end, bytes: null, frame: s.frame, tNs: s.tNs };
    const captured = Math.min(s.captured, end - start);
    const view = s.bytes.subarray(s.start, s.start + captured);
    if (start < this.#next) {
      // A single byte below what was received is a keep-alive's: it may be any byte (RFC 9293 §3.8.4).
      if (s.len > 1) this.#compareWithHistory(start, view, s.frame);
      if (end <= this.#next) return;
    }
    const cut = start + captured;
    if (cut > this.#next) this.#take({ ...piece, end: cut, bytes: view });
    if (cut < end) this.#take({ ...piece, offset: Math.max(cut, this.#next) });
    this.#drain(false);
  }

  /** Takes an acknowledgement of the other end; `isSynAck`: it came with the SYN that answers this end's. */
  acknowledge(ack: number, isSynAck = false): void {
    if (!this.#isBased) {
      if (isSynAck) this.#setBase(ack, true);
      else this.#earlyAck = ack >>> 0;
      return;
    }
    const offset = this.#offsetOf(ack);
    if (offset - this.#highest() > MAX_AHEAD_BYTES) return;
    if (offset > 0 && !this.#isExact && this.#isUntouched) {
      // Begun in mid-connection: what was acknowledged before the first byte that was captured lies before the stream.
      this.#setBase(ack, false);
      return;
    }
    if (offset > this.#acked) this.#acked = offset;
    // Bytes behind the FIN, acknowledged: it was none.
    if (this.#fin !== null && offset > this.#fin + 1) this.#fin = null;
  }

  /** Hands out what waits, with the gaps before it. */
  finish(): void {
    this.#drain(true);
    this.#history = [];
  }

  /** Gives up the first gap; false where nothing waits. */
  giveUpGap(): boolean {
    if (this.#pieces.length === 0) return false;
    this.#deliverRun(true);
    return true;
  }

  #setBase(seq: number, isExact: boolean): void {
    this.#base = seq >>> 0;
    this.#isBased = true;
    this.#isExact = isExact;
    this.#fin = null;
    this.#acked = 0;
  }

  #findBase(seq: number, len: number, isSyn: boolean): void {
    const isUntouched = this.#isUntouched;
    if (isSyn) {
      // Numbers of an earlier connection (half-open discovery), or of an attempt that was refused.
      if (isUntouched && (!this.#isBased || this.#base !== seq)) this.#setBase(seq, true);
      else if (this.#isBased && this.#base === seq) this.#isExact = true;
    } else if (!this.#isBased) {
      // A keep-alive may be the first that is seen: its number was acknowledged before.
      const early = this.#earlyAck;
      const isBelow = len <= 1 && early !== null && ((early - seq) | 0) > 0;
      this.#setBase(isBelow ? early : seq, false);
    } else if (!this.#isExact && isUntouched && len > 1 && ((this.#base - seq) | 0) > 0) {
      // The first data, behind an acknowledgement that overtook it.
      this.#setBase(seq, false);
    }
  }

  /** Whether no byte was seen yet. */
  get #isUntouched(): boolean {
    return this.#next === 0 && this.#pieces.length === 0;
  }

  /** The offset of a sequence number: the one nearest to where the other end stands. */
  #offsetOf(seq: number): number {
    const reached = Math.max(this.#next, this.#acked);
    return reached + ((seq - ((this.#base + reached) >>> 0)) | 0);
  }

  /** The end of all bytes seen. */
  #highest(): number {
    return this.#pieces.at(-1)?.end ?? this.#next;
  }

  /** Adds those parts of a piece that no earlier copy holds; `bytes` are borrowed, and copied here. */
  #take(piece: Piece): void {
    const pieces = this.#pieces;
    let at = Math.max(piece.offset, this.#next);
    let i = this.#firstBehind(at);
    while (at < piece.end) {
      const other = pieces[i];
      if (other === undefined || other.offset >= piece.end) {
        this.#insert(i, piece, at, piece.end);
        return;
      }
      if (other.offset > at) {
        this.#insert(i, piece, at, other.offset);
        i++;
      }
      this.#compare(other, piece);
      at = Math.max(at, other.end);
      i++;
    }
  }

  /** Index of the first piece that ends behind `offset`. */
  #firstBehind(offset: number): number {
    const pieces = this.#pieces;
    let low = 0;
    let high = pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (pieces[middle]!.end > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #insert(i: number, { offset, bytes, frame, tNs }: Piece, from: number, to: number): void {
    if (to <= from) return;
    const part = bytes === null ? null : bytes.slice(from - offset, to - offset);
    this.#pieces.splice(i, 0, { offset: from, end: to, bytes: part, frame, tNs });
    if (part !== null) this.#buffered += part.length;
    if (frame < this.#stalledSince) this.#stalledSince = frame;
  }

  #compareWithHistory(offset: number, bytes: Uint8Array, frame: number): void {
    for (let i = this.#history.length - 1; i >= 0; i--) {
      const known = this.#history[i]!;
      if (known.offset + known.bytes.length <= offset) return;
      const end = known.offset + known.bytes.length;
      const first = { offset: known.offset, end, bytes: known.bytes, frame: 0, tNs: 0 };
      this.#compare(first, { offset, end: offset + bytes.length, bytes, frame, tNs: 0 });
    }
  }

  #compare(first: Piece, later: Piece): void {
    if (first.bytes === null || later.bytes === null) return;
    const from = Math.max(first.offset, later.offset);
    const to = Math.min(first.end, later.end);
    for (let offset = from; offset < to; offset++) {
      if (first.bytes[offset - first.offset] === later.bytes[offset - later.offset]) continue;
      this.#options.onConflict?.({ offset: from, length: to - from, frame: later.frame });
      return;
    }
  }

  /** Hands out what is in order; with `isLast` everything, and in any case what is too much to keep. */
  #drain(isLast: boolean): void {
    if (this.#pieces[0]?.offset === this.#next) this.#deliverRun(false);
    while (this.#pieces.length > 0 && (isLast || this.#isTooMuch)) this.#deliverRun(true);
  }

  /** Whether more waits than is kept, or reaches further than a window, beyond which offsets could no longer be told. */
  get #isTooMuch(): boolean {
    return (
      this.#buffered > this.#maxBytes ||
      this.#pieces.length > this.#maxPieces ||
      this.#highest() - this.#next > MAX_AHEAD_BYTES
    );
  }

  /** Hands out the first piece and those that follow it without a gap. */
  #deliverRun(withGap: boolean): void {
    const pieces = this.#pieces;
    let count = 0;
    for (const piece of pieces) {
      if (piece.offset > this.#next) {
        if (!withGap || count > 0) break;
        this.#gap(piece.offset, 'missing', piece);
      }
      if (piece.bytes === null) this.#gap(piece.end, 'not-captured', piece);
      else this.#hand(piece.offset, piece.bytes, piece);
      this.#next = piece.end;
      count++;
    }
    pieces.splice(0, count);
    this.#stalledSince = Number.POSITIVE_INFINITY;
    for (const { frame } of pieces) this.#stalledSince = Math.min(this.#stalledSince, frame);
  }

  #gap(end: number, reason: StreamGap['reason'], { frame, tNs }: Piece): void {
    const offset = this.#next;
    const acknowledged = this.#acked >= end;
    this.#next = end;
    const length = end - offset;
    this.#options.onItem({ kind: 'gap', offset, length, reason, acknowledged, tNs, frame });
  }

  #hand(offset: number, bytes: Uint8Array, { frame, tNs }: Piece): void {
    this.#buffered -= bytes.length;
    const item: StreamBytes = { kind: 'bytes', offset, bytes, tNs, frame };
    if (this.#historyBytes > 0) {
      this.#history.push(item);
      this.#remembered += bytes.length;
      while (this.#remembered > this.#historyBytes && this.#history.length > 1) {
        this.#remembered -= this.#history.shift()?.bytes.length ?? 0;
      }
    }
    this.#options.onItem(item);
  }
}
