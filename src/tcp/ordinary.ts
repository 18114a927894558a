/** Which connections are ordinary, and the outline of one that was followed (tcp/noted-outline.ts makes those of the others). */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import { hasCookie } from '../decode/packed-options.ts';
import { hasGivenUp } from './findings/abortive-close.ts';
import { isDelayedAck } from './findings/merged-by-delayed-ack.ts';
import { expectedTtl } from './findings/rst-forged.ts';
import { isAnswerOfNone } from './findings/rst-no-such-connection.ts';
import { MIN_REPEATS } from './findings/vanished.ts';
import type { FinishedConnection } from './finished.ts';
import {
  COVERS_FIN,
  COVERS_SYN,
  COVERS_SYN_ONLY,
  FROM_SERVER,
  finishOutline,
  IS_AFTER_DATA,
  IS_ANSWER_OF_NONE,
  IS_DELAYED,
  IS_FIRST_NUMBER,
  KEPT_MARKS,
  MAX_ENTRIES,
  outline,
} from './outline.ts';
import { NEXT_SEQ_KNOWN, PEER_ACK_KNOWN, PEER_DATA_LAST } from './story.ts';

/** What `outlineOf` has met of each end (0 the client, 1 the server). */
const isn = new Int32Array(2);
const hasIsn = [false, false];
const fin = new Int32Array(2);
const hasFin = [false, false];
const hasCovered = [false, false];
/** Where it stood when it first acknowledged the other's FIN, its own not counted. */
const coversFrom = new Int32Array(2);
const finNs = new Float64Array(2);
/** From the capture point to the end and back, from the handshake; 0: unknown. */
const rttNs = new Float64Array(2);

/**
 * Fills `outline` where the connection is ordinary: begun by one SYN, every kept segment in its place, nothing lost, repeated,
 * doubled or probed, at most one RST and that the last, and no wait of unknown length (tcp/outline.ts). False otherwise.
 *
 * Two ordinary connections with the same outline have the same verdict: `judge` reads of an ordinary story only in which order its
 * segments stand, their flags, and which numbers they cover, and that is what an outline holds. test/tcp/molds.test.ts compares.
 */
export function outlineOf(f: FinishedConnection, mslSec: number): boolean {
  const { flags, from, marks, seq, ack, len, tNs, nextSeq, peerAck, count } = f.story;
  if (count === 0 || count > MAX_ENTRIES) return false;
  if ((flags[0]! & (SYN | ACK | RST | FIN)) !== SYN || len[0] !== 0) return false;
  if (f.lostFrames || hasCookie(f.options[0]) || hasCookie(f.options[1])) return false;
  const client = from[0]!;
  for (let e = 0; e < 2; e++) {
    const end = e ^ client;
    if (f.repeats[end]! >= MIN_REPEATS || f.zeroWindows[end] !== 0) return false;
    if (f.lacksLast[end] === 1) return false;
    if (f.ackKnown[end] === 1 && ((f.maxAck[end]! - f.nextSeq[1 - end]!) | 0) > 0) return false;
    hasIsn[e] = false;
    hasFin[e] = false;
    hasCovered[e] = false;
    rttNs[e] = 0;
  }
  isn[0] = seq[0]!;
  hasIsn[0] = true;
  const { words } = outline;
  words[1] = flags[0]! | (marks[0]! & KEPT_MARKS);
  let hasSynAck = false;
  let synAckNs = 0;
  let isAnswered = false;
  let firstFinNs = Number.POSITIVE_INFINITY;
  for (let i = 1; i < count; i++) {
    const end = from[i]! ^ client;
    const peer = 1 - end;
    const flag = flags[i]!;
    const mark = marks[i]!;
    if (tNs[i]! < tNs[i - 1]!) return false;
    let word = flag | (mark & KEPT_MARKS) | (end === 1 ? FROM_SERVER : 0);
    if ((flag & SYN) !== 0) {
      // The one SYN-ACK, which answers the one SYN with all and nothing but it.
      if ((flag & (ACK | RST | FIN)) !== ACK || end === 0 || hasSynAck || len[i] !== 0)
        return false;
      if (((ack[i]! - isn[0]! - 1) | 0) !== 0 || (mark & NEXT_SEQ_KNOWN) !== 0) return false;
      hasSynAck = true;
      isn[1] = seq[i]!;
      hasIsn[1] = true;
      rttNs[1] = tNs[i]! - tNs[0]!;
      synAckNs = tNs[i]!;
    } else if (!hasSynAck) {
      // Before a SYN-ACK nothing but the RST that refuses the SYN.
      if ((flag & (RST | ACK)) !== (RST | ACK) || end === 0 || i + 1 < count) return false;
    } else {
      if ((mark & NEXT_SEQ_KNOWN) === 0 || seq[i] !== nextSeq[i]) return false;
      if (((seq[i]! - isn[end]! - 1) | 0) === 0) word |= IS_FIRST_NUMBER;
    }
    if ((flag & RST) !== 0) {
      if (i + 1 < count || hasFin[end] || expectedTtl(f, i, from[i] === 0 ? 0 : 1) !== null)
        return false;
      if ((mark & PEER_DATA_LAST) !== 0) word |= IS_AFTER_DATA;
      if (isAnswerOfNone(f.story, i)) word |= IS_ANSWER_OF_NONE;
      if (hasGivenUp(f, from[i] === 0 ? 0 : 1)) return false;
      if ((mark & PEER_ACK_KNOWN) !== 0 && ((seq[i]! - peerAck[i]!) | 0) < 0) return false;
    }
    if ((flag & ACK) !== 0) {
      const beyondSyn = hasIsn[peer] ? (ack[i]! - isn[peer]!) | 0 : 0;
      if (beyondSyn > 0) word |= COVERS_SYN;
      if (beyondSyn > 0 && end === 0 && !isAnswered && (flag & RST) === 0) {
        isAnswered = true;
        rttNs[0] = tNs[i]! - synAckNs;
      }
      if (beyondSyn === 1) word |= COVERS_SYN_ONLY;
      if (hasFin[peer] && ((ack[i]! - fin[peer]!) | 0) > 0) {
        word |= COVERS_FIN;
        if (!hasCovered[peer]) {
          hasCovered[peer] = true;
          // One that left before its sender's FIN and stands behind it in the capture.
          if (hasFin[end] && ((fin[end]! - seq[i]!) | 0) > 0) return false;
          coversFrom[end] = hasFin[end] ? fin[end]! : seq[i]!;
        }
      }
    }
    if ((flag & FIN) !== 0 && (flag & RST) === 0) {
      if ((flag & ACK) === 0 || hasFin[end]) return false;
      hasFin[end] = true;
      fin[end] = (seq[i]! + len[i]!) | 0;
      if (firstFinNs === Number.POSITIVE_INFINITY) firstFinNs = tNs[i]!;
      finNs[end] = tNs[i]!;
      const isMerged = (word & COVERS_FIN) !== 0;
      if (isMerged && isDelayedAck(tNs[i]! - finNs[peer]! - rttNs[end]!)) word |= IS_DELAYED;
      if ((mark & PEER_ACK_KNOWN) !== 0 && ((peerAck[i]! - fin[end]!) | 0) > 0) return false;
      if (hasCovered[peer] && (word & COVERS_FIN) === 0) return false;
    }
    words[1 + i] = word;
  }
  let bytesAfterFin = 0;
  for (let e = 0; e < 2; e++) {
    const sent = hasFin[e] ? fin[e]! : f.nextSeq[e ^ client]!;
    if (hasCovered[1 - e]) bytesAfterFin += (sent - coversFrom[e]!) | 0;
  }
  outline.bytesAfterFin = bytesAfterFin;
  outline.count = count + 1;
  outline.firstFinNs = firstFinNs;
  outline.lastNs = tNs[count - 1]!;
  const reusedNs = f.reusedFrame === null ? Number.NaN : f.reusedNs - tNs[0]!;
  return finishOutline(f.end === 'evicted', reusedNs, f.watchedNs, mslSec);
}
