/** An analysis under way: capture, decode, flow and tcp joined, driven chunk by chunk by those who wait for input. */

import { fileOfFrame } from './base/files.ts';
import { DEFAULT_MSL_SEC } from './base/time.ts';
import type { ReaderName } from './capture/open.ts';
import type { CaptureSource, FrameBatch, FrameSource } from './capture/source.ts';
import { ACK, type SegmentColumns } from './decode/columns.ts';
import { payloadCapturedAt, payloadOffsetAt } from './decode/tcp.ts';
import type { StreamSegment } from './flow/stream.ts';
import { buildRecord, TransientRecord } from './report/build-record.ts';
import { countRecord } from './report/counts.ts';
import type { CaptureSummary, ConnectionRecord, SegmentView } from './report/record.ts';
import { emptySummary } from './report/totals.ts';
import { Decoding, type SegmentSource, type Segments } from './segments.ts';
import { conclude, type FilledMold } from './tcp/conclude.ts';
import type { FinishedConnection } from './tcp/finished.ts';
import { flagNames } from './tcp/flag-names.ts';
import { FILE_IDLE, LIVE_IDLE } from './tcp/idle.ts';
import { type Filling, Molds } from './tcp/molds.ts';
import { type LeavingConnection, Unpacker } from './tcp/packed.ts';
import { Tracker } from './tcp/tracker.ts';

/** How a capture is analyzed. */
export interface AnalyzeOptions {
  /** Name for the records' `file`; default: the path, or null. */
  file?: string | null;
  /** Maximum segment lifetime in seconds, default 30: TIME_WAIT lasts twice as long. */
  msl?: number;
  /** Connections held at once before the longest idle ones are written out, default 4 million. */
  maxConnections?: number;
  /** Adds `zeek` to each record: the connection as Zeek's conn.log shows it (docs/zeek.md). */
  zeek?: boolean;
  /** Which reader takes the file apart, default `native`. */
  reader?: ReaderName;
}

/** What an analysis hands out, and to whom. */
export interface RunOptions extends AnalyzeOptions {
  /** Silent connections are let go by `finishIdle`, not as frames come. */
  isLive?: boolean;
  /**
   * Called with each finished connection, in the order in which they finish. `mold`: the mold that the record's
   * verdicts lie in, null unless `transient`.
   */
  onRecord: (record: ConnectionRecord, mold: FilledMold | null) => void;
  /** Records may be overwritten once `onRecord` has returned, and lack what isn't wanted of them: several times faster where connections are alike (tcp/molds.ts). */
  transient?: Filling;
  /**
   * Asked first with each finished connection: true where it was taken, and is neither judged nor counted here.
   */
  takeFinished?: (leaving: LeavingConnection) => boolean;
  /** Awaited between chunks, never between frames: a writer's back-pressure. False stops the run early. */
  onChunk?: (progress: Progress) => Promise<boolean> | boolean;
  /**
   * The one connection that is wanted: no other is judged, and reading stops once it has finished, since no later frame can be its
   * own then. The totals are those of what was read.
   */
  only?: number;
  /** Called with every segment of the connection with this number, duplicates included, before its record. */
  watch?: { stream: number; onSegment: (segment: SegmentView) => void };
  /** Hands out payload as it is read. */
  payload?: PayloadListener;
  /**
   * Called after every segment at which something happened, with its connection as it is now (a record that is used again after the
   * call) and the index for `look`. For live captures: it costs more than the analysis itself.
   */
  onHappening?: (now: FinishedConnection, index: number) => void;
  /** Called when connections have got other indexes: `to` tells the one that follows `index`. */
  onMoved?: (to: (index: number) => number) => void;
}

/** Who wants the bytes of connections. */
export interface PayloadListener {
  /** Called with every segment that is no duplicate frame; the record and its bytes are used again after the call. */
  onSegment: (segment: PayloadSegment) => void;
  /** Called after the last segment of a connection, before its record goes to `onRecord`. */
  onFinished: (record: ConnectionRecord, clientEnd: 0 | 1) => void;
}

/** A segment with its payload: `bytes` from `start` to `start + captured`. */
export interface PayloadSegment extends StreamSegment {
  stream: number;
  /** The key's end that sent it: which one is the client is known at the end only. */
  from: 0 | 1;
  srcPort: number;
  dstPort: number;
  ack: number;
  /** Absolute time; `tNs` is not filled in. */
  sec: number;
  ns: number;
}

/** How far an analysis has come. */
export interface Progress {
  frames: number;
  /** As in FrameSource. */
  bytesRead: number;
  bytesTotal: number | null;
  /** Begun so far. */
  connections: number;
}

const DEFAULT_MAX_CONNECTIONS = 4_000_000;
/** Segments of a watched connection kept until its roles are known; later ones are left out. */
const MAX_WATCHED_SEGMENTS = 200_000;

interface WatchedSegment {
  sec: number;
  ns: number;
  /** The key's end that sent it. */
  fromEnd: 0 | 1;
  view: SegmentView;
}

/** An analysis under way: `drain` whenever there are frames, at the end `finishInParts`, then `summarize`. */
export class AnalysisRun {
  /** Whether all that was wanted has been handed out. */
  isDone = false;
  readonly #capture: CaptureSource;
  readonly #segments: Segments;
  readonly #columns: SegmentColumns;
  readonly #summary: CaptureSummary;
  readonly #tracker: Tracker;
  readonly #lingerSec: number;
  /** The second to which time has passed without a frame. */
  #advancedSec = -1;
  readonly #watched: WatchedSegment[] = [];
  readonly #unpacker = new Unpacker();

  /** Payload can be handed out only where the frames are decoded here. */
  constructor(capture: FrameSource | SegmentSource, options: RunOptions) {
    const segments = 'next' in capture ? capture : new Decoding(capture);
    this.#capture = capture;
    this.#segments = segments;
    this.#columns = segments.columns;
    const file = options.file === undefined ? capture.name : options.file;
    const mslSec = options.msl ?? DEFAULT_MSL_SEC;
    this.#summary = emptySummary(file, capture);
    const { onHappening, onMoved, payload, watch } = options;
    const filling = options.transient;
    const molds = filling === undefined ? null : new Molds(mslSec, filling);
    const transient = filling === undefined ? null : new TransientRecord(filling.names);
    this.#lingerSec = 2 * mslSec;
    this.#tracker = new Tracker(this.#columns, {
      lingerSec: this.#lingerSec,
      idle: options.isLive === true ? null : FILE_IDLE,
      maxConnections: Math.max(16, options.maxConnections ?? DEFAULT_MAX_CONNECTIONS),
      seed: segments.seed,
      zeek: options.zeek === true,
      onFinished: (leaving) => {
        if (options.only !== undefined) {
          if (leaving.stream !== options.only) return;
          this.isDone = true;
        }
        if (options.takeFinished?.(leaving)) return;
        const finished = this.#unpacker.read(leaving);
        const conclusion = molds === null ? conclude(finished, mslSec) : molds.conclude(finished);
        const { files } = capture;
        const name = files === undefined ? file : fileOfFrame(files, finished.firstFrame);
        const record =
          transient?.fill(finished, name, conclusion) ?? buildRecord(finished, name, conclusion);
        countRecord(this.#summary, record);
        payload?.onFinished(record, finished.clientEnd);
        if (watch?.stream === record.stream) this.#tellWatched(finished, watch.onSegment);
        options.onRecord(record, conclusion.mold);
      },
      ...(watch === undefined
        ? {}
        : { watchStream: watch.stream, onWatched: this.#watch.bind(this) }),
      ...(payload === undefined || !(segments instanceof Decoding)
        ? {}
        : { onSegment: this.#payloadHandler(segments.batch, payload, options.only) }),
      ...(onHappening === undefined
        ? {}
        : { onHappening: (index) => onHappening(this.#now(index), index) }),
      ...(onMoved === undefined ? {} : { onMoved }),
    });
  }

  get progress(): Progress {
    return {
      frames: this.#segments.frames,
      bytesRead: this.#capture.bytesRead,
      bytesTotal: this.#capture.bytesTotal,
      connections: this.#tracker.counts.connections,
    };
  }

  /** Takes all segments that are at hand. Hot path: synchronous, batch after batch. */
  drain(): void {
    const segments = this.#segments;
    const tracker = this.#tracker;
    for (;;) {
      const count = segments.next(tracker.position);
      if (count < 0) return;
      tracker.process(count);
    }
  }

  /** Ends the reading before its time: what was read already is taken. */
  async stop(): Promise<void> {
    await this.#segments.stop();
    this.drain();
  }

  /** Connections open or waiting for late frames. */
  get open(): number {
    return this.#tracker.open;
  }

  /** Lets time pass to second `sec` while no frame comes; see `Tracker.advanceTo`. */
  advanceTo(sec: number): void {
    this.#advancedSec = sec;
    this.#tracker.advanceTo(sec);
  }

  /** Lets go of connections of which nothing was heard for long, and of memory that is not needed any more; `isLive` runs only. */
  finishIdle(sec: number): void {
    this.#tracker.finishIdle(sec, { ...LIVE_IDLE, closingSec: this.#lingerSec });
    this.#tracker.shrink();
  }

  /** The connection that `onHappening`, or since then `onMoved`, gave this index, as it is now; null where it is gone. Used again after the call. */
  look(index: number, stream: number): FinishedConnection | null {
    const now = this.#now(index);
    return now.stream === stream && now.lastFrame > 0 ? now : null;
  }

  #now(index: number): FinishedConnection {
    return this.#unpacker.read(this.#tracker.peek(index));
  }

  /**
   * Writes out what is still open, some thousands at a time. The capture ends with its last frame, TCP or not: of the latest one
   * a frame from the future would make a lie. A live one ends where `advanceTo` has brought it.
   */
  finishInParts(): Generator<void> {
    const { lastNs, lastSec } = this.#segments.totals();
    if (this.#advancedSec > lastSec) return this.#tracker.finish(this.#advancedSec, 0);
    return this.#tracker.finish(lastSec, lastNs);
  }

  /** Adds up. */
  summarize(): CaptureSummary {
    const { counts } = this.#tracker;
    const summary = this.#summary;
    if (this.#capture.files !== undefined) summary.file = this.#capture.name;
    summary.tcpFrames = counts.segments;
    summary.connections = counts.connections;
    summary.duplicateFrames = counts.duplicates;
    summary.strayFrames = counts.strays;
    summary.evicted = counts.evicted;
    Object.assign(summary, this.#segments.totals().figures);
    summary.warnings = [...this.#capture.warnings];
    summary.damage = this.#capture.damage;
    return summary;
  }

  #payloadHandler(batch: FrameBatch, listener: PayloadListener, only: number | undefined) {
    const columns = this.#columns;
    const segment = createPayloadSegment();
    return (stream: number, p: number, fromHigh: boolean): void => {
      if (only !== undefined && stream !== only) return;
      segment.stream = stream;
      segment.from = fromHigh ? 1 : 0;
      const ports = columns.ports[p] ?? 0;
      segment.srcPort = ports >>> 16;
      segment.dstPort = ports & 0xffff;
      segment.seq = (columns.seq[p] ?? 0) >>> 0;
      segment.ack = (columns.ack[p] ?? 0) >>> 0;
      segment.flags = columns.flags[p] ?? 0;
      segment.len = columns.payloadLen[p] ?? 0;
      const { bytes, view } = batch;
      const isSpilled = columns.inSpill[p] === 1;
      segment.bytes = isSpilled ? columns.spill : bytes;
      segment.start = payloadOffsetAt(columns, isSpilled ? columns.spillView : view, p);
      segment.captured = payloadCapturedAt(columns, p);
      segment.frame = columns.frame[p] ?? 0;
      segment.sec = columns.tsSec[p] ?? 0;
      segment.ns = columns.tsNs[p] ?? 0;
      listener.onSegment(segment);
    };
  }

  #watch(p: number, fromHigh: boolean, duplicate: boolean): void {
    if (this.#watched.length >= MAX_WATCHED_SEGMENTS) return;
    const columns = this.#columns;
    const flags = columns.flags[p] ?? 0;
    this.#watched.push({
      sec: columns.tsSec[p] ?? 0,
      ns: columns.tsNs[p] ?? 0,
      fromEnd: fromHigh ? 1 : 0,
      view: {
        frame: columns.frame[p] ?? 0,
        t: 0,
        from: 'client',
        flags: flagNames(flags),
        seq: (columns.seq[p] ?? 0) >>> 0,
        ack: (flags & ACK) === 0 ? null : (columns.ack[p] ?? 0) >>> 0,
        len: columns.payloadLen[p] ?? 0,
        window: columns.window[p] ?? 0,
        duplicate,
      },
    });
  }

  /** Now that the roles are known. */
  #tellWatched(finished: FinishedConnection, onSegment: (segment: SegmentView) => void): void {
    for (const { sec, ns, fromEnd, view } of this.#watched) {
      view.t = ((sec - finished.startSec) * 1e9 + (ns - finished.startNs)) / 1e9;
      view.from = fromEnd === finished.clientEnd ? 'client' : 'server';
      onSegment(view);
    }
  }
}

function createPayloadSegment(): PayloadSegment {
  return {
    stream: 0,
    from: 0,
    srcPort: 0,
    dstPort: 0,
    seq: 0,
    ack: 0,
    flags: 0,
    len: 0,
    captured: 0,
    bytes: new Uint8Array(0),
    start: 0,
    frame: 0,
    sec: 0,
    ns: 0,
    tNs: 0,
  };
}
