/** The state machine of both ends, as Zeek has it (zeek: packet_analysis/protocol/tcp/TCPSessionAdapter.cc, UpdateStateMachine). */

import { ACK, FIN, RST, SYN } from '../../decode/columns.ts';
import * as M from './memory.ts';
import { ZeekReassembly } from './reassembly.ts';
import { CLOSED, ESTABLISHED, INACTIVE, PARTIAL, RESET, SYN_ACK_SENT, SYN_SENT } from './states.ts';

/** Which originator, in which state each end is. */
export class ZeekMachine extends ZeekReassembly {
  /** What the flags do to the states of both ends. True where the end closed. */
  protected step(index: number, d: number, flags: number, seq: number, len: number): boolean {
    const base = index * M.RECORD_WORDS;
    const own = base + d * M.END_WORDS;
    const peer = base + (1 - d) * M.END_WORDS;
    const peerState = this.words[peer + M.STATE]! & M.STATE_MASK;
    switch (this.words[own + M.STATE]! & M.STATE_MASK) {
      case INACTIVE:
        return this.#begin(index, d, flags, seq, len);
      case SYN_SENT:
      case SYN_ACK_SENT:
        if ((flags & FIN) !== 0) this.#enter(own, CLOSED);
        if ((flags & RST) !== 0) this.#enter(own, RESET);
        return (flags & (FIN | RST)) !== 0;
      case PARTIAL:
      case ESTABLISHED:
        if ((this.words[own + M.STATE]! & M.STATE_MASK) === PARTIAL && peerState === INACTIVE) {
          if ((flags & (SYN | ACK)) === SYN) this.#enter(own, SYN_SENT);
        }
        if ((flags & (FIN | RST)) === FIN) {
          this.#enter(own, CLOSED);
          // FIN, then RST of the other end: an orderly end after all.
          if (this.words[peer + M.STATE] === (RESET | (CLOSED << M.PREVIOUS))) {
            this.#enter(peer, CLOSED);
          }
        }
        if ((flags & RST) !== 0) this.#enter(own, RESET);
        return (flags & (FIN | RST)) !== 0;
      case CLOSED:
        if ((flags & RST) === 0 || peerState === CLOSED) return false;
        this.#enter(own, RESET);
        return (this.words[own + M.END_BITS]! & M.DID_CLOSE) === 0;
      default:
        return false;
    }
  }

  /** The first segment of an end. True where it closed with it. */
  #begin(index: number, d: number, flags: number, seq: number, len: number): boolean {
    const words = this.words;
    const base = index * M.RECORD_WORDS;
    const own = base + d * M.END_WORDS;
    const peer = base + (1 - d) * M.END_WORDS;
    const isOrig = (words[base + M.BITS]! & M.ORIGINATOR) === d;
    if ((flags & SYN) !== 0) {
      const peerState = words[peer + M.STATE]! & M.STATE_MASK;
      if (isOrig) {
        this.#enter(own, (flags & ACK) !== 0 ? SYN_ACK_SENT : SYN_SENT);
      } else {
        if ((flags & ACK) === 0 && peerState === SYN_ACK_SENT && seq === words[own + M.START]) {
          this.#flip(index);
          this.#enter(peer, ESTABLISHED);
        } else if (peerState === SYN_SENT) {
          this.#enter(peer, ESTABLISHED);
        }
        this.#enter(own, ESTABLISHED);
      }
    }
    if ((flags & FIN) !== 0) this.#enter(own, CLOSED);
    if ((flags & RST) !== 0) this.#enter(own, RESET);
    if ((words[own + M.STATE]! & M.STATE_MASK) === INACTIVE) {
      const peerState = words[peer + M.STATE]! & M.STATE_MASK;
      // Some answer a SYN with a bare ACK before their SYN-ACK: that begins nothing.
      if (isOrig || len > 0 || peerState !== SYN_SENT) {
        if ((flags & ACK) !== 0 && peerState === ESTABLISHED) {
          this.#enter(own, ESTABLISHED);
          words[base + M.BITS]! &= ~M.IS_PARTIAL;
          words[base + M.BITS]! |= isOrig ? M.ORIG_SPOKE : M.RESP_SPOKE;
        } else {
          this.#enter(own, PARTIAL);
        }
      }
    }
    return (flags & (FIN | RST)) !== 0;
  }

  #enter(end: number, state: number): void {
    const now = this.words[end + M.STATE]! & M.STATE_MASK;
    if (now !== state) this.words[end + M.STATE] = state | (now << M.PREVIOUS);
  }

  /** The SYN-ACK was captured before its SYN: what had been taken for the originator is the responder. */
  #flip(index: number): void {
    const at = index * M.RECORD_WORDS + M.BITS;
    const bits = this.words[at]!;
    let flipped = (bits ^ M.ORIGINATOR) & ~(M.IS_PARTIAL | M.ORIG_SPOKE | M.RESP_SPOKE);
    if ((bits & M.ORIG_SPOKE) !== 0) flipped |= M.RESP_SPOKE;
    if ((bits & M.RESP_SPOKE) !== 0) flipped |= M.ORIG_SPOKE;
    // SetFirstPacketSeen(true) of Zeek: the SYN's sender has spoken.
    this.words[at] = flipped | M.ORIG_SPOKE;
    this.addLetter(index, M.LETTER_FLIPPED, true);
  }
}
