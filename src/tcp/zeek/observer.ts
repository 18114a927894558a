/** Every connection through Zeek's eyes: its state machine of both ends and its history (zeek: packet_analysis/protocol/tcp). */

import { ACK, FIN, RST, type SegmentColumns, SYN } from '../../decode/columns.ts';
import type { ZeekFacts } from './facts.ts';
import { ZeekMachine } from './machine.ts';
import * as M from './memory.ts';
import { MAX_UNACKED } from './reassembly.ts';
import { isFromResponder } from './server-ports.ts';
import {
  CLOSED,
  connState,
  ESTABLISHED,
  INACTIVE,
  RESET,
  SYN_ACK_SENT,
  SYN_SENT,
} from './states.ts';

const FLAGGED = SYN | FIN | RST;

// Letters, and the bit of each in the lower half of SEEN.
const LETTER = { S: 0x53, H: 0x48, F: 0x46, R: 0x52, I: 0x49, D: 0x44, A: 0x41, Q: 0x51 } as const;
const LETTER_RETRANSMITTED = 0x54;
const LETTER_ZERO_WINDOW = 0x57;
const SEEN_SYN = 1 << 0;
const SEEN_FIN = 1 << 1;
const SEEN_RST = 1 << 2;
const SEEN_FIN_RST = 1 << 3;
const SEEN_DATA = 1 << 4;
const SEEN_ACK = 1 << 5;
const SEEN_MULTI = 1 << 6;
const RESPONDER_SHIFT = 16;

/** Farther away than this a SYN or RST is not believed, nor an acknowledgement of 0. */
const TOO_FAR = 1_048_576;

/** Takes every segment of every connection, duplicate frames included, as Zeek does; costs nothing where there is none. */
export class ZeekObserver extends ZeekMachine {
  readonly #columns: SegmentColumns;

  constructor(columns: SegmentColumns) {
    super();
    this.#columns = columns;
  }

  /** A connection begins at record `index`, of `capacity`, with the segment at `p` from end `d`. */
  open(index: number, capacity: number, p: number, d: number): void {
    if (capacity * M.RECORD_WORDS > this.words.length) this.grow(capacity);
    const base = index * M.RECORD_WORDS;
    this.words.fill(0, base, base + M.RECORD_WORDS);
    for (let e = 0; e < 2; e++) {
      const end = base + e * M.END_WORDS;
      this.doubles[(end + M.DELIVERED) >> 1] = 1;
      this.doubles[(end + M.TRIMMED) >> 1] = 1;
    }
    const { flags, ports: portsAt } = this.#columns;
    const ports = portsAt[p]!;
    const syn = flags[p]! & (SYN | ACK);
    const isFlipped =
      syn !== SYN && isFromResponder(ports >>> 16, ports & 0xffff, (syn & SYN) !== 0);
    this.words[base + M.BITS] = isFlipped ? 1 - d : d;
    // The letter has no case.
    if (isFlipped) this.addLetter(index, M.LETTER_FLIPPED, true);
  }

  /** The segment at `p` of the ring, from end `d`. Hot path, where there is an observer. */
  segment(index: number, p: number, d: number): void {
    const columns = this.#columns;
    const words = this.words;
    const doubles = this.doubles;
    const base = index * M.RECORD_WORDS;
    const own = base + d * M.END_WORDS;
    const peer = base + (1 - d) * M.END_WORDS;
    const flags = columns.flags[p]!;
    const seq = columns.seq[p]!;
    const ack = columns.ack[p]!;
    const len = columns.payloadLen[p]!;
    const isOrig = (words[base + M.BITS]! & M.ORIGINATOR) === d;
    doubles[(own + M.IP_BYTES) >> 1]! += columns.ipLen[p]!;
    if ((flags & FLAGGED) === 0 && this.#isInOrder(base, own, peer, p, isOrig)) return;

    this.#markPartial(base, flags, isOrig);
    const sequenceLen = ((flags & RST) === 0 ? len : 0) + (flags & FIN) + ((flags & SYN) >> 1);
    this.#initialize(own, flags, seq, sequenceLen);
    const last = doubles[(own + M.LAST) >> 1]!;
    // Sums of two exact numbers below 2^53: exact. The difference on the wire is modulo 2^32.
    const at = last + ((seq - (words[own + M.START]! + last)) | 0);

    this.#note(index, own, flags, at, len, isOrig);
    const state = words[own + M.STATE]! & M.STATE_MASK;
    const peerState = words[peer + M.STATE]! & M.STATE_MASK;
    if (columns.window[p] === 0 && (flags & RST) === 0 && peerState !== CLOSED && state !== RESET) {
      this.countLetter(index, own + M.ZERO_WINDOWS, LETTER_ZERO_WINDOW, isOrig);
    }
    if ((words[own + M.END_BITS]! & words[peer + M.END_BITS]! & M.DID_CLOSE) === 0) {
      doubles[(base + M.LAST_US) >> 1] = this.#micros(p);
    }
    if ((flags & FIN) !== 0) {
      words[own + M.END_BITS]! |= M.FIN_SEEN;
      doubles[(own + M.FIN_END) >> 1] = at + sequenceLen;
    }
    const acked = (flags & ACK) === 0 ? 0 : this.#takeAck(peer, flags, ack, peerState);
    this.#advance(index, own, flags, at + sequenceLen, len, isOrig);

    const doesClose = this.step(index, d, flags, seq, len);
    if ((flags & ACK) !== 0) this.acknowledged(index, 1 - d, acked);
    words[base + M.BITS]! |= isOrig ? M.ORIG_SPOKE : M.RESP_SPOKE;
    if (len > 0 && (flags & RST) === 0 && at >= 0 && columns.uncaptured[p] === 0) {
      const start = at + ((flags & SYN) >> 1);
      this.sent(index, d, start, start + len);
    }
    this.checkEnd(index, d);
    if (doesClose) this.closed(index, d);
  }

  /**
   * Takes a segment in order between two established ends, nothing missing and its letter seen, as nearly all are: the rest of `segment` would
   * do no more than this. False where it is anything else; nothing is changed then.
   */
  #isInOrder(base: number, own: number, peer: number, p: number, isOrig: boolean): boolean {
    const columns = this.#columns;
    const words = this.words;
    const doubles = this.doubles;
    if ((words[own + M.STATE]! & M.STATE_MASK) !== ESTABLISHED) return false;
    if ((words[peer + M.STATE]! & M.STATE_MASK) !== ESTABLISHED) return false;
    if ((words[own + M.END_BITS]! | words[peer + M.END_BITS]!) !== 0) return false;
    const len = columns.payloadLen[p]!;
    const letter = len > 0 ? SEEN_DATA : SEEN_ACK;
    if ((words[base + M.SEEN]! & (isOrig ? letter : letter << RESPONDER_SHIFT)) === 0) return false;
    const ack = columns.ack[p]!;
    if ((columns.flags[p]! & ACK) === 0 || ack === 0 || columns.window[p] === 0) return false;

    const last = doubles[(own + M.LAST) >> 1]!;
    const acked = doubles[(peer + M.ACKED) >> 1]!;
    const difference = (ack - (words[peer + M.START]! + acked)) | 0;
    if (((columns.seq[p]! - (words[own + M.START]! + last)) | 0) !== 0 || difference < 0)
      return false;
    const position = acked + difference;
    if (position > doubles[(peer + M.DELIVERED) >> 1]!) return false;
    const end = last + len;
    if (len > 0) {
      // The first bytes, which nobody acknowledged yet, are looked at more closely.
      if (doubles[(own + M.ACKED) >> 1]! <= 1 || columns.uncaptured[p] !== 0) return false;
      if (doubles[(own + M.DELIVERED) >> 1] !== last) return false;
      if (end - doubles[(own + M.TRIMMED) >> 1]! > MAX_UNACKED) return false;
      doubles[(own + M.LAST) >> 1] = end;
      doubles[(own + M.DELIVERED) >> 1] = end;
      doubles[(own + M.UPPER) >> 1] = end;
    }
    if (difference > 0) doubles[(peer + M.ACKED) >> 1] = position;
    if (position > doubles[(peer + M.TRIMMED) >> 1]!) doubles[(peer + M.TRIMMED) >> 1] = position;
    doubles[(base + M.LAST_US) >> 1] = this.#micros(p);
    return true;
  }

  #micros(p: number): number {
    return this.#columns.tsSec[p]! * 1e6 + Math.floor(this.#columns.tsNs[p]! / 1000);
  }

  /** Fills `facts` and forgets the connection, whose first segment came at `startUs`. */
  finish(index: number, startUs: number, facts: ZeekFacts): void {
    const base = index * M.RECORD_WORDS;
    const words = this.words;
    const doubles = this.doubles;
    const origin = words[base + M.BITS]! & M.ORIGINATOR;
    facts.originEnd = origin === 0 ? 0 : 1;
    facts.history = this.history(index);
    facts.durationUs = doubles[(base + M.LAST_US) >> 1]! - startUs;
    facts.missedBytes = 0;
    for (let e = 0; e < 2; e++) {
      const d = e === 0 ? origin : 1 - origin;
      const end = base + d * M.END_WORDS;
      facts.bytes[e] = this.size(index, d);
      facts.ipBytes[e] = doubles[(end + M.IP_BYTES) >> 1]!;
      facts.missedBytes += doubles[(end + M.MISSED) >> 1]!;
    }
    facts.connState = connState(
      words[base + origin * M.END_WORDS + M.STATE]! & M.STATE_MASK,
      words[base + (1 - origin) * M.END_WORDS + M.STATE]! & M.STATE_MASK,
      facts.bytes[0] + facts.bytes[1] === 0,
      facts.history,
    );
    this.forget(index);
  }

  /** The first segment of an end without the SYN it should have makes the connection partial. */
  #markPartial(base: number, flags: number, isOrig: boolean): void {
    const bits = this.words[base + M.BITS]!;
    if (isOrig) {
      if ((bits & M.ORIG_SPOKE) !== 0) return;
      const isWhole = (flags & (SYN | ACK)) === SYN;
      this.words[base + M.BITS] = isWhole ? bits & ~M.IS_PARTIAL : bits | M.IS_PARTIAL;
    } else if ((bits & (M.RESP_SPOKE | M.IS_PARTIAL)) === 0 && (flags & SYN) === 0) {
      this.words[base + M.BITS] = bits | M.IS_PARTIAL;
    }
  }

  /** From where the end counts: its first segment, or a SYN that begins it anew. */
  #initialize(own: number, flags: number, seq: number, sequenceLen: number): void {
    const words = this.words;
    const state = words[own + M.STATE]! & M.STATE_MASK;
    const isSyn = (flags & SYN) !== 0;
    if (state === INACTIVE) {
      words[own + M.START] = isSyn ? seq : seq - 1;
      this.doubles[(own + M.ACKED) >> 1] = 0;
      this.doubles[(own + M.LAST) >> 1] = isSyn ? sequenceLen : 1;
      return;
    }
    if (!isSyn || state === CLOSED) return;
    if (state === RESET && words[own + M.STATE]! >> M.PREVIOUS !== INACTIVE) return;
    if ((state === SYN_SENT || state === SYN_ACK_SENT) && seq === words[own + M.START]) return;
    words[own + M.START] = seq;
    this.doubles[(own + M.ACKED) >> 1] = 0;
    this.doubles[(own + M.LAST) >> 1] = sequenceLen;
  }

  /** The letter of the segment, where it is new. */
  #note(index: number, own: number, flags: number, at: number, len: number, isOrig: boolean): void {
    const control = flags & FLAGGED;
    if (control === 0) {
      if (len > 0) this.#once(index, SEEN_DATA, LETTER.D, isOrig);
      else if ((flags & ACK) !== 0) this.#once(index, SEEN_ACK, LETTER.A, isOrig);
    } else if (control === SYN) {
      const letter = (flags & ACK) !== 0 ? LETTER.H : LETTER.S;
      this.#again(index, SEEN_SYN, letter, isOrig, (own + M.SYN_AT) >> 1, at);
    } else if (control === FIN) {
      this.#again(index, SEEN_FIN, LETTER.F, isOrig, (own + M.FIN_AT) >> 1, at + len);
    } else if (control === RST) {
      this.#again(index, SEEN_RST, LETTER.R, isOrig, (own + M.RST_AT) >> 1, at);
    } else if ((control & (FIN | RST)) === (FIN | RST)) {
      this.#once(index, SEEN_FIN_RST, LETTER.I, isOrig);
    } else {
      this.#once(index, SEEN_MULTI, LETTER.Q, isOrig);
    }
  }

  /** True where the letter was there already. */
  #once(index: number, seenBit: number, letter: number, isOrig: boolean): boolean {
    const at = index * M.RECORD_WORDS + M.SEEN;
    const bit = isOrig ? seenBit : seenBit << RESPONDER_SHIFT;
    if ((this.words[at]! & bit) !== 0) return true;
    this.words[at]! |= bit;
    this.addLetter(index, letter, isOrig);
    return false;
  }

  /** Like `#once`, but again where the position differs from the last one's. */
  #again(
    index: number,
    seenBit: number,
    letter: number,
    isOrig: boolean,
    lastAt: number,
    position: number,
  ): void {
    const wasThere = this.#once(index, seenBit, letter, isOrig);
    if (wasThere && this.doubles[lastAt] !== position) this.addLetter(index, letter, isOrig);
    this.doubles[lastAt] = position;
  }

  /** What the acknowledgement says of the other end: its position there, 0 where it lies before that end's beginning. */
  #takeAck(peer: number, flags: number, ack: number, peerState: number): number {
    const doubles = this.doubles;
    if (peerState === INACTIVE) {
      this.words[peer + M.START] = ack - 1;
      doubles[(peer + M.ACKED) >> 1] = 0;
      doubles[(peer + M.LAST) >> 1] = 0;
      return 1;
    }
    const before = doubles[(peer + M.ACKED) >> 1]!;
    const difference = (ack - (this.words[peer + M.START]! + before)) | 0;
    const position = before + difference;
    if (position < 0) return 0;
    const isBroken = ack === 0 && difference > TOO_FAR;
    if ((flags & RST) === 0 && difference > 0 && !isBroken) {
      doubles[(peer + M.ACKED) >> 1] = position;
    }
    return position;
  }

  /** The segment ends at `end`: new sequence space, or payload sent again. */
  #advance(
    index: number,
    own: number,
    flags: number,
    end: number,
    len: number,
    isOrig: boolean,
  ): void {
    const last = this.doubles[(own + M.LAST) >> 1]!;
    const difference = end - last;
    if ((flags & (SYN | RST)) !== 0 && Math.abs(difference) > TOO_FAR) return;
    if ((flags & FIN) !== 0 && last === 1) {
      // Only SYN and FIN of it were seen: there may be more than 2 GiB between them.
      this.doubles[(own + M.LAST) >> 1] = difference < 0 ? end + 2 ** 32 : end;
    } else if ((this.words[own + M.STATE]! & M.STATE_MASK) === RESET) {
      // Its numbers are not believed any more.
    } else if (difference > 0) {
      this.doubles[(own + M.LAST) >> 1] = end;
    } else if (len > 0) {
      this.countLetter(index, own + M.RETRANSMITTED, LETTER_RETRANSMITTED, isOrig);
    }
  }
}
