/** Content gaps and the end of a stream, as Zeek's reassembler finds them (zeek: analyzer/protocol/tcp/TCP_Reassembler.cc, Reassem.cc). */

import type { Moves } from '../../flow/moves.ts';
import * as M from './memory.ts';
import { CLOSED, ESTABLISHED, INACTIVE, RESET, SYN_SENT } from './states.ts';

const LETTER_GAP = 0x47;
/** Bytes behind a hole, and bytes sent, while nothing was acknowledged: from there on Zeek waits no longer for the other direction. */
const MAX_ABOVE_HOLE_UNACKED = 16_384;
const MAX_INITIAL_WINDOW = 16_384;
/** Unacknowledged bytes beyond which Zeek gives up. */
export const MAX_UNACKED = 10 * 1024 * 1024;
/** Pieces behind holes, of one direction and of all: beyond that a direction is given up, too. */
const MAX_PIECES = 4096;
const MAX_ALL_PIECES = 1_000_000;

/** What of each direction has come, without the bytes. Pieces in order cost nothing; a list is held only behind a hole. */
export class ZeekReassembly extends M.ZeekMemory {
  /** Start and end of each piece behind a hole, in order and apart, by record and end. */
  readonly #pieces = new Map<number, number[]>();
  #pieceCount = 0;

  /** Bytes that this end sent, by sequence numbers. */
  protected size(index: number, d: number): number {
    const base = index * M.RECORD_WORDS;
    const words = this.words;
    const own = base + d * M.END_WORDS;
    const state = words[own + M.STATE]!;
    const peerState = words[base + (1 - d) * M.END_WORDS + M.STATE]! & M.STATE_MASK;
    const acked = this.doubles[(own + M.ACKED) >> 1]!;
    const last = this.doubles[(own + M.LAST) >> 1]!;
    // A half-open connection, discovered and reset: its numbers mean nothing.
    const isAbortedAttempt = state === (RESET | (SYN_SENT << M.PREVIOUS));
    if (isAbortedAttempt && peerState === INACTIVE && acked > 1) return 0;
    let size = Math.max(last, acked);
    if (size > 0) size--;
    if (size > 0 && (words[own + M.END_BITS]! & M.FIN_SEEN) !== 0) size--;
    return Math.max(0, size);
  }

  /** The other end acknowledged everything below `position` of end `d`. */
  protected acknowledged(index: number, d: number, position: number): void {
    const own = index * M.RECORD_WORDS + d * M.END_WORDS;
    const doubles = this.doubles;
    let upTo = position;
    if ((this.words[own + M.END_BITS]! & M.FIN_SEEN) !== 0) {
      const finEnd = doubles[(own + M.FIN_END) >> 1]!;
      if (upTo >= finEnd) upTo = finEnd - 1;
    }
    if (upTo <= doubles[(own + M.TRIMMED) >> 1]!) return;
    if (upTo > doubles[(own + M.DELIVERED) >> 1]!) this.#giveUp(index, d, upTo);
    doubles[(own + M.TRIMMED) >> 1] = upTo;
    this.checkEnd(index, d);
  }

  /** End `d` sent the payload `start` … `end`. */
  protected sent(index: number, d: number, start: number, end: number): void {
    const own = index * M.RECORD_WORDS + d * M.END_WORDS;
    const doubles = this.doubles;
    const words = this.words;
    if ((words[own + M.END_BITS]! & M.SKIPPING) !== 0) return;
    const acked = doubles[(own + M.ACKED) >> 1]!;
    const trimmed = doubles[(own + M.TRIMMED) >> 1]!;
    const from = Math.max(start, acked, trimmed);
    if (end <= acked || end <= trimmed) return;
    const delivered = doubles[(own + M.DELIVERED) >> 1]!;
    if (end > doubles[(own + M.UPPER) >> 1]!) doubles[(own + M.UPPER) >> 1] = end;
    if (from > delivered) this.#addPiece(index, d, from, end);
    else if (end > delivered) this.#deliver(index, d, end);

    const nothingAcked = acked === 0 || acked === 1;
    const now = doubles[(own + M.DELIVERED) >> 1]!;
    if (nothingAcked && now > delivered && this.size(index, d) > MAX_INITIAL_WINDOW) {
      doubles[(own + M.TRIMMED) >> 1] = Math.max(trimmed, now);
    }
    const upper = doubles[(own + M.UPPER) >> 1]!;
    if (
      (nothingAcked && upper - now > MAX_ABOVE_HOLE_UNACKED) ||
      upper - doubles[(own + M.TRIMMED) >> 1]! > MAX_UNACKED
    ) {
      this.#skip(index, d);
    }
  }

  /** End `d` has sent FIN or RST: has all it sent been delivered? */
  protected checkEnd(index: number, d: number): void {
    const base = index * M.RECORD_WORDS;
    const own = base + d * M.END_WORDS;
    const words = this.words;
    const bits = words[own + M.END_BITS]!;
    if ((bits & M.DID_EOF) !== 0) return;
    const state = words[own + M.STATE]! & M.STATE_MASK;
    if ((bits & M.FIN_SEEN) === 0 && state !== CLOSED && state !== RESET) return;
    if (this.#isPending(index, d)) return;
    words[own + M.END_BITS] = bits | M.DID_EOF;
    if ((words[base + M.BITS]! & M.CLOSE_DEFERRED) !== 0) {
      this.closed(index, d);
      words[base + M.BITS]! &= ~M.CLOSE_DEFERRED;
    }
  }

  /** End `d` has closed, at once or, while data is on its way, later. */
  protected closed(index: number, d: number): void {
    const base = index * M.RECORD_WORDS;
    if (this.#isPending(index, d)) {
      this.words[base + M.BITS]! |= M.CLOSE_DEFERRED;
      return;
    }
    this.words[base + M.BITS]! &= ~M.CLOSE_DEFERRED;
    this.words[base + d * M.END_WORDS + M.END_BITS]! |= M.DID_CLOSE;
  }

  override compact(moves: Moves): void {
    super.compact(moves);
    moves.renameKeys(this.#pieces, 2);
  }

  protected override forget(index: number): void {
    super.forget(index);
    for (let d = 0; d < 2; d++) {
      const own = index * M.RECORD_WORDS + d * M.END_WORDS;
      if ((this.words[own + M.END_BITS]! & M.HAS_PIECES) !== 0) this.#setPieces(index, d, []);
    }
  }

  #isPending(index: number, d: number): boolean {
    const base = index * M.RECORD_WORDS;
    const own = base + d * M.END_WORDS;
    const doubles = this.doubles;
    if ((this.words[own + M.END_BITS]! & M.SKIPPING) !== 0) return false;
    const delivered = doubles[(own + M.DELIVERED) >> 1]!;
    const last = doubles[(own + M.LAST) >> 1]!;
    if (last < delivered) return false;
    if (delivered !== last - 1 && delivered !== last) return true;
    const peer = base + (1 - d) * M.END_WORDS;
    return (
      (this.words[own + M.STATE]! & M.STATE_MASK) !== RESET &&
      doubles[(peer + M.UPPER) >> 1]! > doubles[(peer + M.TRIMMED) >> 1]!
    );
  }

  /** What is missing below `upTo` will not come: it was acknowledged. */
  #giveUp(index: number, d: number, upTo: number): void {
    const base = index * M.RECORD_WORDS;
    const own = base + d * M.END_WORDS;
    const doubles = this.doubles;
    // The first byte of a connection whose SYN was not seen: a keep-alive's.
    if (upTo <= 2 && (this.words[base + M.BITS]! & M.IS_PARTIAL) !== 0) return;
    let at = doubles[(own + M.DELIVERED) >> 1]!;
    if ((this.words[own + M.END_BITS]! & M.SKIPPING) === 0) {
      if ((this.words[own + M.END_BITS]! & M.HAS_PIECES) !== 0) {
        const pieces = this.#pieces.get(index * 2 + d) ?? [];
        let taken = 0;
        while (taken < pieces.length && pieces[taken]! < upTo) {
          if (pieces[taken]! > at) this.#gap(index, d, pieces[taken]! - at);
          at = Math.max(at, pieces[taken + 1]!);
          taken += 2;
        }
        this.#setPieces(index, d, pieces.slice(taken));
      }
      if (upTo > at) this.#gap(index, d, upTo - at);
    }
    this.#deliver(index, d, Math.max(at, upTo));
  }

  /** A gap counts between ends that are established, or that closed in an orderly way. */
  #gap(index: number, d: number, bytes: number): void {
    const base = index * M.RECORD_WORDS;
    if (!isClean(this.words[base + M.STATE]!)) return;
    if (!isClean(this.words[base + M.END_WORDS + M.STATE]!)) return;
    const own = base + d * M.END_WORDS;
    const isOrig = (this.words[base + M.BITS]! & M.ORIGINATOR) === d;
    this.countLetter(index, own + M.GAPS, LETTER_GAP, isOrig);
    this.doubles[(own + M.MISSED) >> 1]! += bytes;
  }

  /** Everything up to `end` is there, and with it what follows without a hole. */
  #deliver(index: number, d: number, end: number): void {
    const own = index * M.RECORD_WORDS + d * M.END_WORDS;
    let at = end;
    if ((this.words[own + M.END_BITS]! & M.HAS_PIECES) !== 0) {
      const pieces = this.#pieces.get(index * 2 + d) ?? [];
      let taken = 0;
      while (taken < pieces.length && pieces[taken]! <= at) {
        at = Math.max(at, pieces[taken + 1]!);
        taken += 2;
      }
      if (taken > 0) this.#setPieces(index, d, pieces.slice(taken));
    }
    this.doubles[(own + M.DELIVERED) >> 1] = at;
  }

  #addPiece(index: number, d: number, start: number, end: number): void {
    const pieces = this.#pieces.get(index * 2 + d) ?? [];
    if (pieces.length >= MAX_PIECES * 2 || this.#pieceCount >= MAX_ALL_PIECES) {
      this.#skip(index, d);
      return;
    }
    let first = pieces.length;
    while (first > 0 && pieces[first - 1]! >= start) first -= 2;
    let last = first;
    let from = start;
    let to = end;
    while (last < pieces.length && pieces[last]! <= end) {
      from = Math.min(from, pieces[last]!);
      to = Math.max(to, pieces[last + 1]!);
      last += 2;
    }
    pieces.splice(first, last - first, from, to);
    this.#pieceCount += 1 - (last - first) / 2;
    this.#pieces.set(index * 2 + d, pieces);
    this.words[index * M.RECORD_WORDS + d * M.END_WORDS + M.END_BITS]! |= M.HAS_PIECES;
  }

  #setPieces(index: number, d: number, pieces: number[]): void {
    const key = index * 2 + d;
    const own = index * M.RECORD_WORDS + d * M.END_WORDS;
    this.#pieceCount += (pieces.length - (this.#pieces.get(key)?.length ?? 0)) / 2;
    if (pieces.length > 0) {
      this.#pieces.set(key, pieces);
    } else {
      this.#pieces.delete(key);
      this.words[own + M.END_BITS]! &= ~M.HAS_PIECES;
    }
  }

  #skip(index: number, d: number): void {
    const own = index * M.RECORD_WORDS + d * M.END_WORDS;
    if ((this.words[own + M.END_BITS]! & M.HAS_PIECES) !== 0) this.#setPieces(index, d, []);
    this.words[own + M.END_BITS]! |= M.SKIPPING;
    // Nothing is held any more.
    this.doubles[(own + M.UPPER) >> 1] = 0;
  }
}

function isClean(state: number): boolean {
  const now = state & M.STATE_MASK;
  return now === ESTABLISHED || (now === CLOSED && state >> M.PREVIOUS === ESTABLISHED);
}
