/** The outline of an ordinary connection: everything its verdict depends on, in a few words without a single number of its own. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import { FIN_TIMEOUT_S, LONG_CLOSE_WAIT_S } from './findings/close-wait-long.ts';
import { MIN_REPEATS } from './findings/vanished.ts';
import type { FinishedConnection } from './finished.ts';
import { hasCookie } from './packed-options.ts';
import { FROM_HIGH, NEXT_SEQ_KNOWN, PEER_ACK_KNOWN } from './story.ts';

/** Entries of the story that an outline has room for: long stories are rarely alike. */
const MAX_ENTRIES = 30;
/** A word for the connection, and one for each entry. */
export const MAX_OUTLINE_WORDS = 1 + MAX_ENTRIES;

// An entry's word: its marks and flags (16 bits), who sent it (the client: 0), and how it stands to the numbers of both ends.
const FROM_SERVER = 1 << 16;
const HAS_DATA = 1 << 17;
const COVERS_SYN = 1 << 18;
/** Acknowledges the SYN and nothing behind it. */
const COVERS_SYN_ONLY = 1 << 19;
const COVERS_FIN = 1 << 20;
/** Its number is the first behind its sender's SYN. */
const IS_FIRST_NUMBER = 1 << 21;

// The connection's word.
const SILENT_CLIENT = 1 << 0;
const SILENT_SERVER = 1 << 1;
const REUSED = 1 << 2;
const REUSED_EARLY = 1 << 3;

/** The outline made last: `words`, of which `count` are valid. Used again for each connection. */
export const outline = { words: new Int32Array(MAX_OUTLINE_WORDS), count: 0 };

/** What `outlineOf` has met of each end (0 the client, 1 the server). */
const isn = new Int32Array(2);
const hasIsn = [false, false];
const fin = new Int32Array(2);
const hasFin = [false, false];
const hasCovered = [false, false];
/** Where it stood when it first acknowledged the other's FIN. */
const quietFrom = new Int32Array(2);

/**
 * Fills `outline` where the connection is ordinary: begun by one SYN, every kept segment in its place, nothing lost, repeated,
 * doubled, probed or sent on a half-closed connection, at most one RST and that the last, and no long wait. False otherwise.
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
    if (f.ackKnown[end] === 1 && ((f.maxAck[end]! - f.nextSeq[1 - end]!) | 0) > 0) return false;
    hasIsn[e] = false;
    hasFin[e] = false;
    hasCovered[e] = false;
  }
  isn[0] = seq[0]!;
  hasIsn[0] = true;
  const { words } = outline;
  words[1] = marks[0]! & ~FROM_HIGH;
  let hasSynAck = false;
  let firstFinNs = -1;
  for (let i = 1; i < count; i++) {
    const end = from[i]! ^ client;
    const peer = 1 - end;
    const flag = flags[i]!;
    const mark = marks[i]!;
    if (tNs[i]! < tNs[i - 1]!) return false;
    let word = (mark & ~FROM_HIGH) | (end === 1 ? FROM_SERVER : 0);
    if (len[i]! > 0) word |= HAS_DATA;
    if ((flag & SYN) !== 0) {
      // The one SYN-ACK, which answers the one SYN with all and nothing but it.
      if ((flag & (ACK | RST | FIN)) !== ACK || end === 0 || hasSynAck || len[i] !== 0)
        return false;
      if (((ack[i]! - isn[0]! - 1) | 0) !== 0 || (mark & NEXT_SEQ_KNOWN) !== 0) return false;
      hasSynAck = true;
      isn[1] = seq[i]!;
      hasIsn[1] = true;
    } else if (!hasSynAck) {
      // Before a SYN-ACK nothing but the RST that refuses the SYN.
      if ((flag & (RST | ACK)) !== (RST | ACK) || end === 0 || i + 1 < count) return false;
    } else {
      if ((mark & NEXT_SEQ_KNOWN) === 0 || seq[i] !== nextSeq[i]) return false;
      if (((seq[i]! - isn[end]! - 1) | 0) === 0) word |= IS_FIRST_NUMBER;
    }
    if ((flag & RST) !== 0) {
      if (i + 1 < count || hasFin[end]) return false;
      if ((mark & PEER_ACK_KNOWN) !== 0 && ((seq[i]! - peerAck[i]!) | 0) < 0) return false;
    }
    if ((flag & ACK) !== 0) {
      const beyondSyn = hasIsn[peer] ? (ack[i]! - isn[peer]!) | 0 : 0;
      if (beyondSyn > 0) word |= COVERS_SYN;
      if (beyondSyn === 1) word |= COVERS_SYN_ONLY;
      if (hasFin[peer] && ((ack[i]! - fin[peer]!) | 0) > 0) {
        word |= COVERS_FIN;
        if (!hasCovered[peer]) {
          hasCovered[peer] = true;
          // Whatever this end sends from here on, it sends on a half-closed connection.
          if (hasFin[end]) {
            if (((fin[end]! - seq[i]!) | 0) > 0) return false;
          } else {
            if (len[i]! > 0) return false;
            quietFrom[end] = seq[i]!;
          }
        }
      }
    }
    if ((flag & FIN) !== 0 && (flag & RST) === 0) {
      if ((flag & ACK) === 0 || hasFin[end]) return false;
      hasFin[end] = true;
      fin[end] = (seq[i]! + len[i]!) | 0;
      if (firstFinNs < 0) firstFinNs = tNs[i]!;
      if ((mark & PEER_ACK_KNOWN) !== 0 && ((peerAck[i]! - fin[end]!) | 0) > 0) return false;
      if (hasCovered[peer] && (word & COVERS_FIN) === 0) return false;
      if (hasCovered[peer] && fin[end] !== quietFrom[end]) return false;
    }
    words[1 + i] = word;
  }
  for (let e = 0; e < 2; e++) {
    if (hasCovered[1 - e] && !hasFin[e] && f.nextSeq[e ^ client] !== quietFrom[e]) return false;
  }
  const longNs = Math.min(LONG_CLOSE_WAIT_S, FIN_TIMEOUT_S) * 1e9;
  if (firstFinNs >= 0 && f.durationNs - firstFinNs >= longNs) return false;
  let word = 0;
  if (f.packets[client] === 0) word |= SILENT_CLIENT;
  if (f.packets[1 - client] === 0) word |= SILENT_SERVER;
  if (f.reusedFrame !== null) {
    word |= REUSED;
    if (f.reusedNs < tNs[0]! + 2e9 * mslSec) word |= REUSED_EARLY;
    else if (f.reusedNs < tNs[count - 1]! + 2e9 * mslSec) return false;
  }
  words[0] = word;
  outline.count = count + 1;
  return true;
}
