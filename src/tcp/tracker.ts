/** Follows every connection of a capture: counts what is common, keeps what is rare, and hands over what is finished. */

import { ACK, FIN, isFin, RST, SEGMENT_RING, type SegmentColumns, SYN } from '../decode/columns.ts';
import { AddressTable } from '../flow/addresses.ts';
import { FlowTable } from '../flow/table.ts';
import { isDuplicate, NUMBER_MASK, RING_REACH } from './duplicates.ts';
import { createFinished, type EndOfTracking, type FinishedConnection } from './finished.ts';
import { GhostMemory } from './ghosts.ts';
import {
  type Decision,
  isPlausibleRst,
  KEEP,
  KEEP_FILL,
  keep,
  MAX_OPENING,
  REPLACE_FILL,
  SKIP,
} from './keep.ts';
import * as L from './layout.ts';
import { LingerQueue, MAX_LINGERING } from './linger.ts';
import { hasCookie } from './packed-options.ts';
import {
  FROM_HIGH,
  MAX_STORY_ENTRIES,
  NEXT_SEQ_KNOWN,
  PEER_ACK_KNOWN,
  StoryPool,
} from './story.ts';

const MASK = SEGMENT_RING - 1;
const FLAGGED = SYN | FIN | RST;
/** Segments looked back at when a FIN arrives, and how long before it they may have been captured. */
const MAX_RECALLED = 8;
const REORDERING_NS = 20_000_000;
const BATCH = 256;
/** Connections handed over between two pauses at the end. */
const FINISH_PART = 4096;

/** What the tracker asks of the layers around it. */
export interface TrackerOptions {
  /** Seconds that a closed connection waits for late frames: 2·MSL. */
  lingerSec: number;
  /** Connections held at once, at least 16. */
  maxConnections: number;
  /** Any number: stirs the hashes. */
  seed: number;
  /** Reads the options of the SYN at `position` of the ring: packed, and its Fast Open cookie where it has one. */
  readOptions: (position: number) => number;
  readCookie: (position: number) => string;
  /** Called with a record that is used again after the call. */
  onFinished: (finished: FinishedConnection) => void;
  /** The connection to watch (its stream number), and where its segments go. */
  watchStream?: number;
  onWatched?: (position: number, fromHigh: boolean, isDuplicate: boolean) => void;
  /** Called with every segment of every connection that is no duplicate frame: its stream number, its ring position, its sender. */
  onSegment?: (stream: number, position: number, fromHigh: boolean) => void;
}

/** Counts of a whole capture. */
export interface TrackerCounts {
  segments: number;
  connections: number;
  duplicates: number;
  strays: number;
  evicted: number;
}

/**
 * The table of open connections and what is known of each.
 *
 * `process` is the hot path of the program: it works in three passes over a batch, so that the cache misses of the table and the
 * records overlap (PERFORMANCE: 1.7 times with 100,000 connections open), and leaves the loop only where something happens.
 */
export class Tracker {
  readonly counts: TrackerCounts = {
    segments: 0,
    connections: 0,
    duplicates: 0,
    strays: 0,
    evicted: 0,
  };
  readonly #columns: SegmentColumns;
  readonly #options: TrackerOptions;
  readonly #table: FlowTable;
  readonly #addresses: AddressTable;
  readonly #ghosts = new GhostMemory();
  readonly #pool = new StoryPool();
  readonly #linger = new LingerQueue();
  readonly #cookies = new Map<number, string>();
  readonly #finished = createFinished();
  #cold: Int32Array;
  #coldDoubles: Float64Array;
  #coldBytes: Uint8Array;
  #watched = -1;
  readonly #hasListener: boolean;
  /** Running number of the segment at hand. */
  #number = 0;
  /**
   * Seconds of the capture that have passed, added up from steps forward only: a frame from the future, or a clock set back,
   * can't keep the queue from moving.
   */
  #clock = 0;
  #lastSec = -1;
  /** Of the segment of each ring position: the running number + 1 of the one before from the same end. */
  readonly #previous = new Int32Array(SEGMENT_RING);
  readonly #keyA = new Int32Array(BATCH);
  readonly #keyB = new Int32Array(BATCH);
  readonly #keyPorts = new Int32Array(BATCH);
  readonly #hashes = new Int32Array(BATCH);
  readonly #ends = new Uint8Array(BATCH);
  readonly #found = new Int32Array(BATCH);
  /** Keeps the touching pass from being optimized away. */
  touched = 0;

  constructor(columns: SegmentColumns, options: TrackerOptions) {
    this.#columns = columns;
    this.#options = options;
    this.#hasListener = options.onSegment !== undefined;
    this.#table = new FlowTable(L.HOT_WORDS, options.seed);
    this.#addresses = new AddressTable(options.seed);
    this.#cold = new Int32Array(this.#table.capacity * L.COLD_WORDS);
    this.#coldDoubles = new Float64Array(this.#cold.buffer);
    this.#coldBytes = new Uint8Array(this.#cold.buffer);
  }

  /** Connections open or lingering at present. */
  get open(): number {
    return this.#table.size;
  }

  /** Ring position at which the next segments are to be written. */
  get position(): number {
    return this.counts.segments & MASK;
  }

  /** Takes the next `count` (at most 256) segments, which begin at `position`. Hot path. */
  process(count: number): void {
    this.#keys(count);
    const { tsSec } = this.#columns;
    const first = this.counts.segments;
    for (let i = 0; i < count; i++) {
      const number = first + i;
      const position = number & MASK;
      const sec = tsSec[position]!;
      if (sec !== this.#lastSec) this.#tick(sec);
      this.#segment(position, number, i);
    }
    this.counts.segments = first + count;
  }

  /** Hands over every connection that is left, in the order of their numbers; pauses after each FINISH_PART. */
  *finish(): Generator<void> {
    const indexes = new Int32Array(this.#table.size);
    let n = 0;
    this.#eachOpen((index) => {
      indexes[n++] = index;
    });
    const cold = this.#cold;
    const stream = (index: number): number => cold[index * L.COLD_WORDS + L.C_STREAM]!;
    indexes.sort((x, y) => stream(x) - stream(y));
    for (let i = 0; i < n; i++) {
      this.#finish(indexes[i]!, 'input-ended', -1);
      if (i % FINISH_PART === FINISH_PART - 1) yield;
    }
  }

  /** First two passes: the keys of the batch, and a first look at what they lead to. */
  #keys(count: number): void {
    const { family, src, dst, srcPort, dstPort } = this.#columns;
    const table = this.#table;
    const addresses = this.#addresses;
    addresses.sweep();
    const keyA = this.#keyA;
    const keyB = this.#keyB;
    const keyPorts = this.#keyPorts;
    const hashes = this.#hashes;
    const ends = this.#ends;
    const first = this.counts.segments;
    for (let i = 0; i < count; i++) {
      const p = (first + i) & MASK;
      const six = family[p] === 6 ? 1 : 0;
      const s = six === 1 ? addresses.intern(src, p * 4) : src[p * 4]!;
      const d = six === 1 ? addresses.intern(dst, p * 4) : dst[p * 4]!;
      const sp = srcPort[p]!;
      const dp = dstPort[p]!;
      const high = s > d || (s === d && sp > dp);
      const a = high ? d : s;
      const b = high ? s : d;
      const ports = high ? (dp << 16) | sp : (sp << 16) | dp;
      keyA[i] = a;
      keyB[i] = b;
      keyPorts[i] = ports;
      ends[i] = high ? 1 : 0;
      hashes[i] = table.hash(a, b, ports, six);
    }
    const found = this.#found;
    const cold = this.#cold;
    const pool = this.#pool;
    let touched = 0;
    for (let i = 0; i < count; i++) found[i] = table.guess(hashes[i]!);
    for (let i = 0; i < count; i++) {
      const h = found[i]! * L.HOT_WORDS;
      touched ^= table.words[h]! ^ table.words[h + L.HOT_WORDS / 2]!;
    }
    for (let i = 0; i < count; i++) found[i] = cold[found[i]! * L.COLD_WORDS + L.C_TAIL]!;
    for (let i = 0; i < count; i++) touched ^= pool.touch(found[i]!);
    this.touched = touched;
  }

  /** Third pass: one segment. */
  #segment(p: number, number: number, i: number): void {
    this.#number = number;
    const columns = this.#columns;
    const table = this.#table;
    const d = this.#ends[i]!;
    const six = columns.family[p] === 6 ? 1 : 0;
    const flags = columns.flags[p]!;
    const seq = columns.seq[p]!;
    let index = table.find(
      this.#hashes[i]!,
      this.#keyA[i]!,
      this.#keyB[i]!,
      this.#keyPorts[i]!,
      six,
    );
    if (index >= 0 && (flags & (SYN | ACK)) === SYN) {
      // A SYN with another sequence number than this end's first is a new incarnation (Wireshark's tcp.stream).
      const h = index * L.HOT_WORDS;
      const isBased = (table.words[h + L.HOT_BITS]! & (L.BASE_SET << d)) !== 0;
      if (isBased && table.words[h + L.HOT_END + d * L.END_WORDS + L.END_BASE] !== seq) {
        this.#finish(index, 'reused', p);
        index = -1;
      }
    }
    if (index < 0) {
      index = this.#open(p, i, d, six);
      if (index < 0) return;
    }
    const words = table.words;
    const h = index * L.HOT_WORDS;
    const own = h + L.HOT_END + d * L.END_WORDS;
    const peer = h + L.HOT_END + (1 - d) * L.END_WORDS;
    let bits = words[h + L.HOT_BITS]!;
    const len = columns.payloadLen[p]!;
    const ack = columns.ack[p]!;
    const end = (seq + len + (flags & FIN) + ((flags & SYN) >> 1)) | 0;
    const packets = words[own + L.END_PACKETS]!;
    const isFirst = packets === 0;

    words[own + L.END_PACKETS] = packets + 1;
    table.doubles[(own + L.END_BYTES) >> 1]! += len;
    table.doubles[(h + L.HOT_LAST_FRAME) >> 1] = columns.frame[p]!;
    const sec = columns.tsSec[p]!;
    const lastSec = words[h + L.HOT_LAST_SEC]! >>> 0;
    if (sec > lastSec || (sec === lastSec && columns.tsNs[p]! > words[h + L.HOT_LAST_NS]!)) {
      words[h + L.HOT_LAST_SEC] = sec;
      words[h + L.HOT_LAST_NS] = columns.tsNs[p]!;
    }

    const advancesSeq = isFirst || ((end - words[own + L.END_NEXT]!) | 0) > 0;
    const advancesAck =
      (flags & ACK) !== 0 &&
      ((bits & (L.ACK_KNOWN << d)) === 0 || ((ack - words[own + L.END_ACK]!) | 0) > 0);
    const latest = words[own + L.END_RING]!;
    this.#previous[p] = latest;
    words[own + L.END_RING] = (number & NUMBER_MASK) + 1;
    if ((!advancesSeq && !advancesAck) || (flags & RST) !== 0) {
      if (isDuplicate(columns, number & NUMBER_MASK, latest, this.#previous)) {
        this.#cold[index * L.COLD_WORDS + L.C_DUPLICATES]!++;
        this.counts.duplicates++;
        if (index === this.#watched) this.#options.onWatched?.(p, d === 1, true);
        return;
      }
      if (len > 0 || seq !== words[own + L.END_NEXT]) words[own + L.END_REPEATS]!++;
    } else {
      words[own + L.END_REPEATS] = 0;
    }
    words[peer + L.END_REPEATS] = 0;
    if (index === this.#watched) this.#options.onWatched?.(p, d === 1, false);
    if (this.#hasListener) {
      this.#options.onSegment?.(this.#cold[index * L.COLD_WORDS + L.C_STREAM]!, p, d === 1);
    }

    if (advancesSeq && !isFirst && (bits & (L.ACK_KNOWN << (1 - d))) !== 0 && (flags & RST) === 0) {
      const next = words[own + L.END_NEXT]!;
      // A gap that the other end has acknowledged already: the capture lost what it held.
      if (((seq - next) | 0) > 0 && ((words[peer + L.END_ACK]! - seq) | 0) >= 0) {
        bits |= L.LOST_SEEN;
        words[h + L.HOT_BITS] = bits;
      }
    }
    let isNotable = (bits & L.STEADY) === 0 || (flags & FLAGGED) !== 0 || isFirst;
    if (columns.window[p] === 0 && (flags & FLAGGED) === 0) {
      isNotable ||= words[own + L.END_ZERO_WINDOWS] === 0;
      words[own + L.END_ZERO_WINDOWS]!++;
    }
    if (isNotable) {
      this.#happen(index, p, d, flags, seq, ack, len, end, isFirst);
      return;
    }
    if (advancesSeq) words[own + L.END_NEXT] = end;
    if (advancesAck) {
      words[own + L.END_ACK] = ack;
      words[h + L.HOT_BITS] = bits | (L.ACK_KNOWN << d);
    }
  }

  /** A segment of a connection that is opening or closing, or that has SYN, FIN or RST. */
  #happen(
    index: number,
    p: number,
    d: number,
    flags: number,
    seq: number,
    ack: number,
    len: number,
    end: number,
    isFirst: boolean,
  ): void {
    const words = this.#table.words;
    const cold = this.#cold;
    const h = index * L.HOT_WORDS;
    const c = index * L.COLD_WORDS;
    const own = h + L.HOT_END + d * L.END_WORDS;
    const peer = h + L.HOT_END + (1 - d) * L.END_WORDS;

    const bytes = index * L.COLD_BYTES;
    const isPlausible = (flags & RST) === 0 || isPlausibleRst(words, h, d, seq);
    const decision = keep(words, h, this.#coldBytes, bytes, d, flags, seq, ack, len);
    if (decision !== SKIP) this.#tell(index, p, d, isFirst, decision);

    let bits = words[h + L.HOT_BITS]!;
    const other = 1 - d;
    if ((bits & (L.BASE_SET << d)) === 0) {
      bits |= L.BASE_SET << d;
      words[own + L.END_BASE] = (flags & SYN) !== 0 ? seq : (seq - 1) | 0;
    }
    if ((flags & ACK) !== 0 && (bits & (L.BASE_SET << other)) === 0) {
      bits |= L.BASE_SET << other;
      words[peer + L.END_BASE] = (ack - 1) | 0;
    }

    if ((flags & SYN) !== 0) {
      const synBit = (flags & ACK) !== 0 ? L.SYN_ACK_SENT << d : L.SYN_SENT << d;
      if ((bits & synBit) === 0 && (bits & (L.SPOKE << d)) === 0) {
        // Whatever this end sent before belongs to an earlier connection, a FIN too.
        bits &= ~((L.FIN_SENT | L.FIN_COVERED) << d);
        words[own + L.END_NEXT] = end;
        if ((flags & ACK) !== 0) {
          words[own + L.END_ACK] = ack;
          bits |= L.ACK_KNOWN << d;
        }
      }
      bits |= synBit;
      bits &= ~(L.STEADY | L.SPOKE | (L.SPOKE << 1));
      if (cold[c + L.C_OPTIONS + d] === 0) {
        const packed = this.#options.readOptions(p);
        cold[c + L.C_OPTIONS + d] = packed;
        if (hasCookie(packed)) this.#cookies.set(index * 2 + d, this.#options.readCookie(p));
      }
    } else if ((flags & RST) === 0) {
      if ((flags & ACK) !== 0) bits |= L.SPOKE << d;
    }

    if ((flags & RST) === 0) {
      if (isFirst || ((end - words[own + L.END_NEXT]!) | 0) > 0) words[own + L.END_NEXT] = end;
      if ((flags & ACK) !== 0) {
        if ((bits & (L.ACK_KNOWN << d)) === 0 || ((ack - words[own + L.END_ACK]!) | 0) > 0) {
          words[own + L.END_ACK] = ack;
        }
        bits |= L.ACK_KNOWN << d;
      }
    } else if (isFirst) {
      words[own + L.END_NEXT] = end;
    }

    if (isFin(flags)) {
      const position = (seq + len + ((flags & SYN) >> 1)) | 0;
      const isFirst = (bits & (L.FIN_SENT << d)) === 0;
      // One further back refutes the first, unless that was acknowledged (facts.ts judges the same way).
      const refutes =
        (bits & (L.FIN_COVERED << d)) === 0 && ((position - words[own + L.END_FIN]!) | 0) < 0;
      if (isFirst || refutes) {
        bits |= L.FIN_SENT << d;
        words[own + L.END_FIN] = position;
        if (isFirst && this.#recallAcks(index, d, position, p)) bits |= L.FIN_COVERED << d;
      }
    }
    if ((flags & ACK) !== 0 && (bits & (L.FIN_SENT << other)) !== 0) {
      if (((ack - words[peer + L.END_FIN]!) | 0) > 0) bits |= L.FIN_COVERED << other;
    }
    if ((flags & RST) !== 0) bits |= L.RST_SEEN;

    const bothSpoke = (bits & L.SPOKE) !== 0 && (bits & (L.SPOKE << 1)) !== 0;
    const goesOn = (bits & L.RST_SEEN) !== 0 && this.#goesOnAfterRst(bytes);
    if (goesOn) bits &= ~L.CLOSED;
    if ((bits & (L.FIN_SENT | (L.FIN_SENT << 1))) !== 0) bits &= ~L.STEADY;
    else if ((bits & L.RST_SEEN) !== 0 && !goesOn) bits &= ~L.STEADY;
    else if (bothSpoke || this.#coldBytes[bytes + L.B_OPENING]! >= MAX_OPENING) bits |= L.STEADY;
    const bothCovered = (bits & L.FIN_COVERED) !== 0 && (bits & (L.FIN_COVERED << 1)) !== 0;
    const isEndedByRst = (flags & RST) !== 0 && !goesOn && isPlausible;
    if (bothCovered || isEndedByRst) {
      bits |= L.CLOSED;
      if ((bits & L.QUEUED) === 0) {
        bits |= L.QUEUED;
        words[h + L.HOT_BITS] = bits;
        this.#queue(index);
        return;
      }
    }
    words[h + L.HOT_BITS] = bits;
  }

  /**
   * Looks back for segments of the other end that acknowledge the FIN of end `d` and stand just before it in the capture: as
   * ordinary segments they were not kept. True where there is one.
   */
  #recallAcks(index: number, d: number, position: number, p: number): boolean {
    const columns = this.#columns;
    const words = this.#table.words;
    const peer = index * L.HOT_WORDS + L.HOT_END + (1 - d) * L.END_WORDS;
    const current = this.#number & NUMBER_MASK;
    let number = words[peer + L.END_RING]!;
    let found = false;
    for (let step = 0; step < MAX_RECALLED; step++) {
      if (number === 0 || ((current - (number - 1)) & NUMBER_MASK) > RING_REACH) break;
      const at = (number - 1) & MASK;
      const apart =
        (columns.tsSec[p]! - columns.tsSec[at]!) * 1e9 + (columns.tsNs[p]! - columns.tsNs[at]!);
      if (apart > REORDERING_NS || apart < -REORDERING_NS) break;
      const flags = columns.flags[at]!;
      if ((flags & (ACK | SYN | RST | FIN)) === ACK && ((columns.ack[at]! - position) | 0) > 0) {
        this.#tell(index, at, 1 - d, false, KEEP);
        found = true;
      }
      number = this.#previous[at]!;
    }
    return found;
  }

  /** Both ends sent on after a RST: it ended nothing. */
  #goesOnAfterRst(bytes: number): boolean {
    const counts = this.#coldBytes;
    return counts[bytes + L.B_AFTER_RST]! >= 2 && counts[bytes + L.B_AFTER_RST + 1]! >= 2;
  }

  /** Adds the segment to the connection's story. */
  #tell(index: number, p: number, d: number, isFirst: boolean, decision: Decision): void {
    const words = this.#table.words;
    const cold = this.#cold;
    const c = index * L.COLD_WORDS;
    const h = index * L.HOT_WORDS;
    const bits = words[h + L.HOT_BITS]!;
    const own = h + L.HOT_END + d * L.END_WORDS;
    const peer = h + L.HOT_END + (1 - d) * L.END_WORDS;
    let entry = words[own + L.END_LAST_FILL]!;
    if (decision !== REPLACE_FILL) {
      if (cold[c + L.C_COUNT]! >= MAX_STORY_ENTRIES) return;
      entry = this.#pool.reserve(cold[c + L.C_TAIL]!);
      if (cold[c + L.C_HEAD] === 0) cold[c + L.C_HEAD] = entry;
      cold[c + L.C_TAIL] = entry;
      cold[c + L.C_COUNT]!++;
      if (decision === KEEP_FILL) words[own + L.END_LAST_FILL] = entry;
    }
    const marks =
      (d === 1 ? FROM_HIGH : 0) |
      ((bits & (L.ACK_KNOWN << (1 - d))) !== 0 ? PEER_ACK_KNOWN : 0) |
      (isFirst ? 0 : NEXT_SEQ_KNOWN);
    this.#pool.write(
      entry,
      this.#columns,
      p,
      marks,
      words[peer + L.END_ACK]!,
      words[own + L.END_NEXT]!,
      this.#coldDoubles[(c + L.C_FIRST_FRAME) >> 1]!,
      cold[c + L.C_START_SEC]! >>> 0,
      cold[c + L.C_START_NS]!,
    );
  }

  /** A record for a 4-tuple not in the table, or -1 where the segment is a late one of a forgotten connection. */
  #open(p: number, i: number, d: number, six: number): number {
    const columns = this.#columns;
    const addresses = this.#addresses;
    const a = this.#keyA[i]!;
    const b = this.#keyB[i]!;
    const ports = this.#keyPorts[i]!;
    const ghostA = six === 1 ? addresses.fold(a) : a;
    const ghostB = six === 1 ? addresses.fold(b) : b;
    if ((columns.flags[p]! & (SYN | ACK)) !== SYN) {
      if (
        (columns.flags[p]! & SYN) === 0 &&
        this.#ghosts.has(ghostA, ghostB, ports, six, this.#clock - this.#options.lingerSec)
      ) {
        this.counts.strays++;
        if (six === 1) {
          addresses.drop(a);
          addresses.drop(b);
        }
        return -1;
      }
    } else {
      this.#ghosts.forget(ghostA, ghostB, ports, six);
    }
    if (six === 1) {
      addresses.hold(a);
      addresses.hold(b);
    }
    if (this.#table.size >= this.#options.maxConnections) this.#evict();
    const index = this.#table.add(this.#hashes[i]!, a, b, ports, six);
    if (this.#table.capacity * L.COLD_WORDS > this.#cold.length) {
      const cold = new Int32Array(this.#table.capacity * L.COLD_WORDS);
      cold.set(this.#cold);
      this.#cold = cold;
      this.#coldDoubles = new Float64Array(cold.buffer);
      this.#coldBytes = new Uint8Array(cold.buffer);
    }
    const cold = this.#cold;
    const c = index * L.COLD_WORDS;
    cold.fill(0, c, c + L.COLD_WORDS);
    cold[c + L.C_START_SEC] = columns.tsSec[p]!;
    cold[c + L.C_START_NS] = columns.tsNs[p]!;
    this.#coldDoubles[(c + L.C_FIRST_FRAME) >> 1] = columns.frame[p]!;
    cold[c + L.C_STREAM] = this.counts.connections;
    this.#coldBytes[index * L.COLD_BYTES + L.B_FIRST_FROM] = d;
    const h = index * L.HOT_WORDS;
    this.#table.words[h + L.HOT_LAST_SEC] = columns.tsSec[p]!;
    this.#table.words[h + L.HOT_LAST_NS] = columns.tsNs[p]!;
    if (this.counts.connections === this.#options.watchStream) this.#watched = index;
    this.counts.connections++;
    return index;
  }

  /** Moves the clock to second `sec` and writes out the lingering connections whose time is over. */
  #tick(sec: number): void {
    if (sec > this.#lastSec && this.#lastSec >= 0) this.#clock += sec - this.#lastSec;
    this.#lastSec = sec;
    const linger = this.#linger;
    let left = linger.size;
    while (left > 0 && this.#clock > linger.headTime() + this.#options.lingerSec) {
      this.#leave(false);
      left--;
    }
  }

  #queue(index: number): void {
    const linger = this.#linger;
    linger.push(
      index,
      this.#cold[index * L.COLD_WORDS + L.C_STREAM]!,
      this.#clock,
      this.#packets(index),
    );
    while (linger.size > MAX_LINGERING) this.#leave(true);
  }

  #packets(index: number): number {
    const at = index * L.HOT_WORDS + L.HOT_END + L.END_PACKETS;
    const words = this.#table.words;
    return (words[at]! + words[at + L.END_WORDS]!) >>> 0;
  }

  /** Takes the head off the queue: finished if nothing was heard of it meanwhile (or `isForced`), else back to the end. */
  #leave(isForced: boolean): void {
    const linger = this.#linger;
    const index = linger.headIndex();
    const stream = linger.headStream();
    const packets = linger.headPackets();
    linger.pop();
    if (!this.#isQueued(index, stream)) return;
    const words = this.#table.words;
    const h = index * L.HOT_WORDS;
    const now = this.#packets(index);
    if ((words[h + L.HOT_BITS]! & L.CLOSED) === 0) words[h + L.HOT_BITS]! &= ~L.QUEUED;
    else if (isForced || now === packets) this.#finish(index, 'time-wait-over', -1);
    else linger.push(index, stream, this.#clock, now);
  }

  #isQueued(index: number, stream: number): boolean {
    return (
      (this.#table.words[index * L.HOT_WORDS + L.HOT_BITS]! & L.QUEUED) !== 0 &&
      this.#cold[index * L.COLD_WORDS + L.C_STREAM] === stream
    );
  }

  /** Calls `visit` with the index of every record in use. */
  #eachOpen(visit: (index: number) => void): void {
    const words = this.#table.words;
    for (let index = 0; index < this.#table.capacity; index++) {
      if (words[index * L.HOT_WORDS + L.HOT_LAST_FRAME] !== 0) visit(index);
      else if (words[index * L.HOT_WORDS + L.HOT_LAST_FRAME + 1] !== 0) visit(index);
    }
  }

  /** Writes out a sixteenth of the connections, the longest idle first: a scan of the table serves many evictions. */
  #evict(): void {
    const words = this.#table.words;
    const indexes: number[] = [];
    this.#eachOpen((index) => indexes.push(index));
    const age = (index: number): number =>
      (words[index * L.HOT_WORDS + L.HOT_LAST_SEC]! >>> 0) * 1e9 +
      words[index * L.HOT_WORDS + L.HOT_LAST_NS]!;
    const cold = this.#cold;
    const stream = (index: number): number => cold[index * L.COLD_WORDS + L.C_STREAM]!;
    indexes.sort((x, y) => age(x) - age(y) || stream(x) - stream(y));
    const many = Math.max(1, indexes.length >> 4);
    for (let i = 0; i < many; i++) {
      this.#finish(indexes[i]!, 'evicted', -1);
      this.counts.evicted++;
    }
  }

  /** Hands the connection over and frees its record. `reusedAt`: position of the SYN that follows it, or -1. */
  #finish(index: number, end: EndOfTracking, reusedAt: number): void {
    const table = this.#table;
    const words = table.words;
    const doubles = table.doubles;
    const cold = this.#cold;
    const h = index * L.HOT_WORDS;
    const c = index * L.COLD_WORDS;
    const f = this.#finished;
    const addresses = this.#addresses;
    const a = words[h]!;
    const b = words[h + 1]!;
    const ports = words[h + 2]!;
    const bits = words[h + L.HOT_BITS]!;
    const six = bits & 1;
    f.stream = cold[c + L.C_STREAM]!;
    f.family = six === 1 ? 6 : 4;
    if (six === 1) {
      addresses.copy(a, f.address[0]);
      addresses.copy(b, f.address[1]);
    } else {
      f.address[0][0] = a;
      f.address[1][0] = b;
    }
    f.port[0] = ports >>> 16;
    f.port[1] = ports & 0xffff;
    f.startSec = cold[c + L.C_START_SEC]! >>> 0;
    f.startNs = cold[c + L.C_START_NS]!;
    f.durationNs = Math.max(
      0,
      ((words[h + L.HOT_LAST_SEC]! >>> 0) - f.startSec) * 1e9 +
        (words[h + L.HOT_LAST_NS]! - f.startNs),
    );
    f.firstFrame = this.#coldDoubles[(c + L.C_FIRST_FRAME) >> 1]!;
    f.lastFrame = doubles[(h + L.HOT_LAST_FRAME) >> 1]!;
    f.firstFrom = this.#coldBytes[index * L.COLD_BYTES + L.B_FIRST_FROM] === 0 ? 0 : 1;
    f.duplicates = cold[c + L.C_DUPLICATES]!;
    f.end = end;
    f.reusedFrame = null;
    f.reusedNs = 0;
    if (reusedAt >= 0) {
      const columns = this.#columns;
      f.reusedFrame = columns.frame[reusedAt]!;
      f.reusedNs =
        (columns.tsSec[reusedAt]! - f.startSec) * 1e9 + (columns.tsNs[reusedAt]! - f.startNs);
    }
    for (let d = 0; d < 2; d++) {
      const own = h + L.HOT_END + d * L.END_WORDS;
      f.packets[d] = words[own + L.END_PACKETS]! >>> 0;
      f.bytes[d] = doubles[(own + L.END_BYTES) >> 1]!;
      f.nextSeq[d] = words[own + L.END_NEXT]!;
      f.maxAck[d] = words[own + L.END_ACK]!;
      f.ackKnown[d] = (bits & (L.ACK_KNOWN << d)) === 0 ? 0 : 1;
      f.repeats[d] = words[own + L.END_REPEATS]!;
      f.lostFrames = (bits & L.LOST_SEEN) !== 0;
      f.zeroWindows[d] = words[own + L.END_ZERO_WINDOWS]!;
      const packed = cold[c + L.C_OPTIONS + d]!;
      f.options[d] = packed;
      f.cookie[d] = '';
      if (hasCookie(packed)) {
        f.cookie[d] = this.#cookies.get(index * 2 + d) ?? '';
        this.#cookies.delete(index * 2 + d);
      }
    }
    this.#pool.read(cold[c + L.C_HEAD]!, cold[c + L.C_TAIL]!, f.firstFrame, f.story);
    this.#pool.release(cold[c + L.C_HEAD]!, cold[c + L.C_TAIL]!);
    if (end === 'time-wait-over') {
      if (six === 1)
        this.#ghosts.remember(addresses.fold(a), addresses.fold(b), ports, 1, this.#clock);
      else this.#ghosts.remember(a, b, ports, 0, this.#clock);
    }
    table.remove(index);
    words.fill(0, h + L.HOT_BITS, h + L.HOT_LAST_FRAME + 2);
    if (six === 1) {
      addresses.release(a);
      addresses.release(b);
    }
    if (index === this.#watched) this.#watched = -1;
    this.#options.onFinished(f);
  }
}
