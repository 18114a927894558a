/** How segments of a connection that is followed come into its story. */

import { ACK, FIN, RST, SYN } from '../decode/columns.ts';
import { NUMBER_MASK, RING_REACH } from './duplicates.ts';
import { type Decision, KEEP, KEEP_FILL, REPLACE_FILL } from './keep.ts';
import * as L from './layout.ts';
import { Noting } from './noting.ts';
import {
  FROM_HIGH,
  MAX_STORY_ENTRIES,
  NEXT_SEQ_KNOWN,
  PEER_ACK_KNOWN,
  PEER_DATA_LAST,
  PEER_LAST,
} from './story.ts';

/** Segments looked back at when a FIN arrives. */
const MAX_RECALLED = 8;

/** The part of the tracker that writes stories. */
export class Telling extends Noting {
  /** Running number of the segment at hand. */
  protected number = 0;

  /**
   * Looks back for segments of the other end that acknowledge the FIN of end `d` and stand before it in the capture (in the wrong
   * order, or its first copy is missing): as ordinary segments they were not kept. True where there is one.
   */
  protected recallAcks(index: number, d: number, position: number): boolean {
    const columns = this.columns;
    const words = this.table.words;
    const peer = index * L.RECORD_WORDS + L.HOT_END + (1 - d);
    // The greatest acknowledgement number says at once that there is none, as nearly always.
    if (((words[peer + L.END_ACK]! - position) | 0) <= 0) return false;
    const current = this.number & NUMBER_MASK;
    let number = words[peer + L.END_RING]!;
    let found = false;
    for (let step = 0; step < MAX_RECALLED; step++) {
      if (number === 0 || ((current - (number - 1)) & NUMBER_MASK) > RING_REACH) break;
      const at = (number - 1) & this.columns.mask;
      const flags = columns.flags[at]!;
      if ((flags & (ACK | SYN | RST | FIN)) === ACK && ((columns.ack[at]! - position) | 0) > 0) {
        this.tell(index, at, 1 - d, false, KEEP);
        found = true;
      }
      number = this.previous[at]!;
    }
    return found;
  }

  /** Adds the segment to the connection's story. */
  protected tell(index: number, p: number, d: number, isFirst: boolean, decision: Decision): void {
    const words = this.table.words;
    const h = index * L.RECORD_WORDS;
    const c = h + L.COLD;
    const bits = words[h + L.HOT_BITS]!;
    const own = h + L.HOT_END + d;
    const peer = h + L.HOT_END + (1 - d);
    let entry = words[own + L.END_LAST_FILL]!;
    if (decision !== REPLACE_FILL) {
      if (words[h + L.REST_COUNT]! >= MAX_STORY_ENTRIES) return;
      entry = this.addEntry(h);
      words[h + L.REST_COUNT]!++;
      if (decision === KEEP_FILL) words[own + L.END_LAST_FILL] = entry;
    }
    const marks =
      (d === 1 ? FROM_HIGH : 0) |
      ((bits & (L.ACK_KNOWN << (1 - d))) !== 0 ? PEER_ACK_KNOWN : 0) |
      ((bits & (L.LAST_DATA << (1 - d))) !== 0 ? PEER_DATA_LAST : 0) |
      (isFirst || isBehind(words[peer + L.END_RING]!, this.previous[p]!) ? PEER_LAST : 0) |
      (isFirst ? 0 : NEXT_SEQ_KNOWN);
    this.pool.write(
      entry,
      this.columns,
      p,
      marks,
      words[peer + L.END_ACK]!,
      words[own + L.END_NEXT]!,
      this.table.doubles[(c + L.C_FIRST_FRAME) >> 1]!,
      words[c + L.C_START_SEC]! >>> 0,
      words[c + L.C_START_NS]!,
    );
  }
}

/** Whether the segment that `latest` tells (0: none) came after the one of `own`: running numbers modulo 2^30, and one more. */
function isBehind(latest: number, own: number): boolean {
  return latest !== 0 && (latest - own) << 2 > 0;
}
