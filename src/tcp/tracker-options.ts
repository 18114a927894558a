/** What a tracker is told, and what it counts. */

import type { IdleLimits } from './idle.ts';
import type { LeavingConnection } from './packed.ts';

/** What the tracker asks of the layers around it. */
export interface TrackerOptions {
  /** Seconds that a closed connection waits for late frames: 2·MSL. */
  lingerSec: number;
  /** After which silence connections are let go as the segments come; null: only by `finishIdle`. */
  idle: IdleLimits | null;
  /** Connections held at once, at least 16. */
  maxConnections: number;
  /** Any number, that with which the keys of IPv4 were made (flow/keys.ts): stirs the hashes. */
  seed: number;
  onFinished: (leaving: LeavingConnection) => void;
  /** The connection to watch (its stream number), and where its segments go. */
  watchStream?: number;
  onWatched?: (position: number, fromHigh: boolean, isDuplicate: boolean) => void;
  /** Whether each finished connection gets Zeek's view of it (`FinishedConnection.zeek`). */
  zeek?: boolean;
  /** Called with every segment that is no duplicate frame: its stream number, its ring position, its sender. */
  onSegment?: (stream: number, position: number, fromHigh: boolean) => void;
  /** Called after every segment at which something happened, with the record's index: what `peek` takes. */
  onHappening?: (index: number) => void;
  /** Called when records have moved: `to` tells where the one at an index is now. Indexes from before mean nothing any more. */
  onMoved?: (to: (index: number) => number) => void;
}

/** Counts of a whole capture. */
export interface TrackerCounts {
  segments: number;
  connections: number;
  duplicates: number;
  strays: number;
  /** Let go before their end: too many open, or silent for too long. */
  evicted: number;
}
