/** Gives memory back after a burst: the connections that are left move together, and everything into memory that fits them. */

import { Connections } from './connections.ts';
import * as L from './layout.ts';
import { blocksOf, type StoryPool } from './story.ts';

/** Records and blocks of stories (144 bytes) that stay as they are: 42 MB and 38 MB. */
export const KEPT_RECORDS = 65_536;
export const KEPT_BLOCKS = 262_144;
/** How many times as many as are in use there may be. To fill them took at least three times as long as moving the rest. */
const SPARE = 4;

/** The part of the tracker that moves records: between batches only, when connections have been let go. */
export class Shrinking extends Connections {
  /** Gives memory back where little of it is in use. */
  shrink(): void {
    const { indexes, size } = this.table;
    const hasRecords = indexes > KEPT_RECORDS && size * SPARE < indexes;
    if (hasRecords || this.#hasBlocks()) this.compact();
  }

  /** Moves every connection; afterwards all are at other indexes, in the same order. */
  compact(): void {
    const moves = this.table.compact(this.addresses.compact());
    moveStories(this.pool, this.table.words, moves.count);
    this.transfer.compact(moves.count);
    this.zeek?.compact(moves);
    this.linger.move(moves);
    moves.renameKeys(this.cookies, 2);
    this.watched = moves.to(this.watched);
    this.options.onMoved?.((index) => moves.to(index));
  }

  /** Whether most blocks of the stories are free. Those in use are counted only where there are many. */
  #hasBlocks(): boolean {
    if (this.pool.blocks <= KEPT_BLOCKS) return false;
    const { words } = this.table;
    let used = 0;
    this.eachOpen((index) => {
      used += blocksOf(entriesOf(words, index * L.RECORD_WORDS));
    });
    return used * SPARE < this.pool.blocks;
  }
}

/** Entries in the memory of stories of the record at word `h`: its story, or the notes for which the record has no room. */
function entriesOf(words: Int32Array, h: number): number {
  if ((words[h + L.HOT_BITS]! & L.NOTED) === 0) return words[h + L.REST_COUNT]!;
  return Math.max(0, L.packetsOf(words, h) - L.NOTES_INSIDE);
}

/** Moves the stories of the first `count` records, entry by entry, and tells the records where they are. */
function moveStories(pool: StoryPool, words: Int32Array, count: number): void {
  const old = pool.renew();
  for (let index = 0; index < count; index++) {
    const h = index * L.RECORD_WORDS;
    const c = h + L.COLD;
    const count = entriesOf(words, h);
    const isTold = (words[h + L.HOT_BITS]! & L.NOTED) === 0;
    const low = h + L.HOT_END + L.END_LAST_FILL;
    const high = low + 1;
    const [lowFill, highFill] = [words[low]!, words[high]!];
    let entry = words[c + L.C_HEAD]!;
    let tail = 0;
    for (let n = 0; n < count; n++) {
      tail = pool.adopt(old, entry, tail);
      if (n === 0) words[c + L.C_HEAD] = tail;
      if (isTold && lowFill === entry) words[low] = tail;
      if (isTold && highFill === entry) words[high] = tail;
      entry = old.after(entry);
    }
    words[c + L.C_TAIL] = tail;
  }
}
