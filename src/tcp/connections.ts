/** The open connections: their packed records, how they come and go, and how long the closed ones stay. */

import { ACK, type SegmentColumns, SYN } from '../decode/columns.ts';
import { hasCookie } from '../decode/packed-options.ts';
import { AddressTable } from '../flow/addresses.ts';
import { writeKey } from '../flow/keys.ts';
import { FlowTable } from '../flow/table.ts';
import type { EndOfTracking } from './finished.ts';
import { FirstLook } from './first-look.ts';
import { GhostMemory } from './ghosts.ts';
import * as L from './layout.ts';
import { Leaving } from './leaving.ts';
import { LingerQueue, MAX_LINGERING } from './linger.ts';
import { StoryPool } from './story.ts';
import type { TrackerCounts, TrackerOptions } from './tracker-options.ts';
import { Transfer } from './transfer.ts';
import { createZeekFacts } from './zeek/facts.ts';
import { ZeekObserver } from './zeek/observer.ts';

/** With fewer connections in progress their memory stays in the caches: a first look costs more than it saves. */
const MANY = 512;
/** Connections that are looked at together before they leave one by one. */
const LEAVE_TOGETHER = 32;
/** Connections handed over between two pauses at the end. */
const FINISH_PART = 4096;

/** The table of open connections, each a record (tcp/layout.ts) and a story; the tracker follows them. */
export class Connections {
  readonly counts: TrackerCounts = {
    segments: 0,
    connections: 0,
    duplicates: 0,
    strays: 0,
    evicted: 0,
  };
  protected readonly columns: SegmentColumns;
  protected readonly options: TrackerOptions;
  protected readonly table: FlowTable;
  protected readonly addresses: AddressTable;
  protected readonly ghosts = new GhostMemory();
  protected readonly pool = new StoryPool();
  protected readonly linger = new LingerQueue();
  protected readonly cookies = new Map<number, string>();
  readonly #zeekFacts = createZeekFacts();
  protected readonly leaving: Leaving;
  protected readonly transfer: Transfer;
  protected readonly zeek: ZeekObserver | null;
  protected watched = -1;
  /** Whether there is an `onSegment`. */
  protected readonly hasListener: boolean;
  /**
   * Seconds of the capture that have passed, added up from steps forward only: a frame from the future, or a clock set back,
   * can't keep the queue from moving.
   */
  protected clock = 0;
  protected lastSec = -1;
  readonly #look: FirstLook;
  readonly #leaveNext = new Int32Array(LEAVE_TOGETHER);

  constructor(columns: SegmentColumns, options: TrackerOptions) {
    this.columns = columns;
    this.options = options;
    this.hasListener = options.onSegment !== undefined;
    this.zeek = options.zeek === true ? new ZeekObserver(columns) : null;
    this.table = new FlowTable(L.RECORD_WORDS, L.COLD + L.LINE_WORDS, options.seed);
    this.addresses = new AddressTable(options.seed);
    this.transfer = new Transfer(this.table, columns);
    this.#look = new FirstLook(this.table, this.ghosts, this.pool, columns);
    this.leaving = new Leaving(
      {
        table: this.table,
        addresses: this.addresses,
        transfer: this.transfer,
        pool: this.pool,
        cookies: this.cookies,
      },
      columns,
      this.zeek === null ? null : this.#zeekFacts,
    );
  }

  /** Connections open or lingering at present. */
  get open(): number {
    return this.table.size;
  }

  /** Ring position at which the next segments are to be written. */
  get position(): number {
    return this.counts.segments & this.columns.mask;
  }

  /** Hands over every connection that is left, in the order of their numbers; pauses after each FINISH_PART. The capture ends at `sec` and `ns`. */
  *finish(sec: number, ns: number): Generator<void> {
    const indexes = new Int32Array(this.table.size);
    // By number, and behind it the place in `indexes`: numbers are sorted several times as fast as by a comparison that looks into records; exact as long as both
    // together are below 2^53: four million places and two billion connections.
    const order = new Float64Array(this.table.size);
    const places = 2 ** Math.ceil(Math.log2(this.table.size + 1));
    let n = 0;
    this.eachOpen((index) => {
      indexes[n] = index;
      order[n] = (this.streamOf(index) >>> 0) * places + n;
      n++;
    });
    order.sort();
    const next = this.#leaveNext;
    for (let i = 0; i < n; i++) {
      const at = i % LEAVE_TOGETHER;
      if (at === 0) {
        const together = Math.min(n - i, LEAVE_TOGETHER);
        for (let k = 0; k < together; k++) next[k] = indexes[order[i + k]! % places]!;
        this.#look.records(next, together);
      }
      this.finishRecord(next[at]!, 'input-ended', -1, sec, ns);
      if (i % FINISH_PART === FINISH_PART - 1) yield;
    }
  }

  /** First pass: the keys of the batch that are not there yet, and a first look at what they lead to. */
  protected keys(count: number): void {
    const { columns, addresses } = this;
    const { family, src, dst, mask } = columns;
    const { seed } = this.options;
    const first = this.counts.segments;
    addresses.sweep();
    for (let i = 0; i < count; i++) {
      const p = (first + i) & mask;
      if (family[p] !== 6) continue;
      writeKey(columns, p, addresses.intern(src, p * 4), addresses.intern(dst, p * 4), 1, seed);
    }
    const inProgress = this.table.size - this.linger.waiting;
    if (inProgress >= MANY) this.#look.segments(first, count);
    else this.#look.reused(first, count);
  }

  /** A record for a 4-tuple not in the table, or -1 where the segment is a late one of a forgotten connection. */
  protected openRecord(p: number, d: number, six: number, isReuse: boolean): number {
    const columns = this.columns;
    const addresses = this.addresses;
    const a = columns.keyA[p]!;
    const b = columns.keyB[p]!;
    const ports = columns.keyPorts[p]!;
    const ghostA = six === 1 ? addresses.fold(a) : a;
    const ghostB = six === 1 ? addresses.fold(b) : b;
    let isReused = isReuse;
    if ((columns.flags[p]! & (SYN | ACK)) !== SYN) {
      if (
        (columns.flags[p]! & SYN) === 0 &&
        this.ghosts.has(ghostA, ghostB, ports, six, this.clock - this.options.lingerSec)
      ) {
        this.counts.strays++;
        if (six === 1) {
          addresses.drop(a);
          addresses.drop(b);
        }
        return -1;
      }
    } else {
      isReused ||= this.ghosts.has(ghostA, ghostB, ports, six, 0);
      this.ghosts.forget(ghostA, ghostB, ports, six);
    }
    if (six === 1) {
      addresses.hold(a);
      addresses.hold(b);
    }
    if (this.table.size >= this.options.maxConnections) this.evict();
    const index = this.table.add(columns.hash[p]!, a, b, ports, six);
    const { words, doubles, bytes } = this.table;
    const h = index * L.RECORD_WORDS;
    const c = h + L.COLD;
    if (isReused) words[h + L.HOT_BITS]! |= L.REUSED;
    words[c + L.C_START_SEC] = columns.tsSec[p]!;
    words[c + L.C_START_NS] = columns.tsNs[p]!;
    doubles[(c + L.C_FIRST_FRAME) >> 1] = columns.frame[p]!;
    words[c + L.C_STREAM] = this.counts.connections;
    bytes[c * 4 + L.B_FIRST_FROM] = d;
    words[h + L.HOT_LAST_SEC] = columns.tsSec[p]!;
    words[h + L.HOT_LAST_NS] = columns.tsNs[p]!;
    this.zeek?.open(index, this.table.capacity, p, d);
    if (this.counts.connections === this.options.watchStream) this.watched = index;
    this.counts.connections++;
    return index;
  }

  /** Moves the clock to second `sec` and writes out the lingering connections whose time is over. */
  protected tick(sec: number): void {
    if (sec > this.lastSec && this.lastSec >= 0) this.clock += sec - this.lastSec;
    this.lastSec = sec;
    const linger = this.linger;
    let left = linger.size;
    while (left > 0 && this.clock > linger.headTime() + this.options.lingerSec) {
      this.takeHead(false);
      left--;
    }
  }

  protected queue(index: number): void {
    const linger = this.linger;
    linger.push(index, this.clock, this.packets(index));
    while (linger.size > MAX_LINGERING) this.takeHead(true);
  }

  /** The number of the connection at `index`. */
  protected streamOf(index: number): number {
    return this.table.words[index * L.RECORD_WORDS + L.COLD + L.C_STREAM]!;
  }

  protected packets(index: number): number {
    return L.packetsOf(this.table.words, index * L.RECORD_WORDS);
  }

  /** Takes the head off the queue: finished if nothing was heard of it meanwhile (or `isForced`), else back to the end. */
  protected takeHead(isForced: boolean): void {
    const linger = this.linger;
    if (linger.isHeadUnseen) this.#look.records(this.#leaveNext, linger.look(this.#leaveNext));
    const index = linger.headIndex();
    const packets = linger.headPackets();
    linger.pop();
    if (index < 0) return;
    const words = this.table.words;
    const h = index * L.RECORD_WORDS;
    const now = this.packets(index);
    const isClosed = (words[h + L.HOT_BITS]! & L.CLOSED) !== 0;
    if (isClosed && !isForced && now !== packets) {
      linger.push(index, this.clock, now);
      return;
    }
    words[h + L.HOT_BITS]! &= ~L.QUEUED;
    if (isClosed) this.finishRecord(index, 'time-wait-over', -1);
  }

  /** Calls `visit` with the index of every record in use. */
  protected eachOpen(visit: (index: number) => void): void {
    const words = this.table.words;
    for (let index = 0; index < this.table.indexes; index++) {
      const packets = index * L.RECORD_WORDS + L.HOT_END + L.END_PACKETS;
      if ((words[packets]! | words[packets + 1]!) !== 0) visit(index);
    }
  }

  /** Writes out a sixteenth of the connections, the longest idle first: a scan of the table serves many evictions. */
  protected evict(): void {
    const words = this.table.words;
    const indexes: number[] = [];
    this.eachOpen((index) => indexes.push(index));
    const age = (index: number): number =>
      (words[index * L.RECORD_WORDS + L.HOT_LAST_SEC]! >>> 0) * 1e9 +
      words[index * L.RECORD_WORDS + L.HOT_LAST_NS]!;
    indexes.sort((x, y) => age(x) - age(y) || this.streamOf(x) - this.streamOf(y));
    const many = Math.max(1, indexes.length >> 4);
    for (let i = 0; i < many; i++) {
      this.finishRecord(indexes[i]!, 'evicted', -1);
      this.counts.evicted++;
    }
  }

  /**
   * Hands the connection over and frees its record. `reusedAt`: position of the SYN that follows it, or -1. It leaves at `sec` and `ns`
   * of the capture's time.
   */
  protected finishRecord(
    index: number,
    end: EndOfTracking,
    reusedAt: number,
    sec = this.lastSec,
    ns = 0,
  ): void {
    const words = this.table.words;
    const h = index * L.RECORD_WORDS;
    const c = h + L.COLD;
    if (this.zeek !== null) {
      const startUs =
        (words[c + L.C_START_SEC]! >>> 0) * 1e6 + Math.floor(words[c + L.C_START_NS]! / 1000);
      this.zeek.finish(index, startUs, this.#zeekFacts);
    }
    this.options.onFinished(this.leaving.point(index, end, reusedAt, sec, ns));
    const addresses = this.addresses;
    const a = words[h]!;
    const b = words[h + 1]!;
    const six = words[h + L.HOT_BITS]! & 1;
    for (let d = 0; d < 2; d++) {
      if (hasCookie(words[c + L.C_OPTIONS + d]!)) this.cookies.delete(index * 2 + d);
    }
    if (end === 'time-wait-over') {
      const ports = words[h + 2]!;
      if (six === 1)
        this.ghosts.remember(addresses.fold(a), addresses.fold(b), ports, 1, this.clock);
      else this.ghosts.remember(a, b, ports, 0, this.clock);
    }
    if ((words[h + L.HOT_BITS]! & L.NOTED) === 0) this.transfer.finish(index);
    this.pool.release(words[c + L.C_HEAD]!, words[c + L.C_TAIL]!);
    if ((words[h + L.HOT_BITS]! & L.QUEUED) !== 0) this.linger.leave(index);
    this.table.remove(index);
    words[h + L.HOT_BITS] = 0;
    words[h + L.HOT_END + L.END_PACKETS] = 0;
    words[h + L.HOT_END + L.END_PACKETS + 1] = 0;
    if (six === 1) {
      addresses.release(a);
      addresses.release(b);
    }
    if (index === this.watched) this.watched = -1;
  }
}
