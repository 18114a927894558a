/** What is known of a connection that left the tracker: numbers only, no verdicts. */

import { FIN, RST, SYN } from '../decode/columns.ts';
import { createFigures, type EndFigures, figuresOfEnd } from './figures.ts';
import { createStory, type Story } from './story.ts';
import type { ZeekFacts } from './zeek/facts.ts';

/** Why the tracker let go of a connection. */
export type EndOfTracking = 'input-ended' | 'time-wait-over' | 'reused' | 'evicted';

/** Where notes stand that were not read yet: the NOTED record at word `h`, the notes for which it has no room at word `more`. */
export interface UnreadNotes {
  words: Int32Array;
  h: number;
  more: number;
}

/** One record, filled anew for each connection. Pairs are indexed by end: 0 the lower end of the key, 1 the upper. */
export interface FinishedConnection {
  stream: number;
  family: 4 | 6;
  /** IPv4: the first word; IPv6: four words in network order. */
  readonly address: readonly [Int32Array, Int32Array];
  readonly port: [number, number];
  startSec: number;
  startNs: number;
  durationNs: number;
  /**
   * How long it was watched, from its first frame to the time of the capture at which it left the tracker; of one that had
   * closed by then `durationNs`. At least that.
   */
  watchedNs: number;
  firstFrame: number;
  lastFrame: number;
  firstFrom: 0 | 1;
  /** Set by `gatherFacts`: which end is the client. */
  clientEnd: 0 | 1;
  duplicates: number;
  end: EndOfTracking;
  /** The SYN of the next incarnation, if that ended this one, and its time since this one's first frame. */
  reusedFrame: number | null;
  reusedNs: number;
  readonly packets: [number, number];
  readonly bytes: [number, number];
  /** The greatest end of a segment, and the greatest acknowledgement number (valid with ackKnown). */
  readonly nextSeq: [number, number];
  readonly maxAck: [number, number];
  readonly ackKnown: [number, number];
  /** Segments that repeated something since the other end was last heard. */
  readonly repeats: [number, number];
  /** TTL of its latest segment that brought something new, SYNs and RSTs not counted; 0: none. */
  readonly lastTtl: [number, number];
  /** Segments without SYN, FIN and RST that announced a window of 0. */
  readonly zeroWindows: [number, number];
  /** Something was acknowledged that the capture never saw, anywhere in the connection. */
  lostFrames: boolean;
  /** 1: the last numbers that the end used are not in the capture, though acknowledged and behind them it spoke on. */
  readonly lacksLast: [number, number];
  /** Packed options of each end's first SYN (decode/packed-options.ts), 0: no SYN; and its Fast Open cookie in hex. */
  readonly options: [number, number];
  readonly cookie: [string, string];
  /** The capture holds an earlier connection of the same two ends. */
  reusedPorts: boolean;
  /** Null: read already. Else figures and story mean nothing until `readNotes` (tcp/notes.ts), which `conclude` begins with. */
  unread: UnreadNotes | null;
  /** The figures of transfer, FIGURES_OF_END for each end; and those of each. */
  readonly figures: Float64Array;
  readonly transfer: readonly [EndFigures, EndFigures];
  readonly story: Story;
  /** Null where nobody asked for it. */
  zeek: ZeekFacts | null;
}

/** Who talked to whom, and how much. */
export type Ends = Pick<
  FinishedConnection,
  'address' | 'bytes' | 'clientEnd' | 'family' | 'firstFrame' | 'port'
>;

/** An empty record. */
export function createFinished(): FinishedConnection {
  const figures = createFigures();
  return {
    stream: 0,
    family: 4,
    address: [new Int32Array(4), new Int32Array(4)],
    port: [0, 0],
    startSec: 0,
    startNs: 0,
    durationNs: 0,
    watchedNs: 0,
    firstFrame: 0,
    lastFrame: 0,
    firstFrom: 0,
    clientEnd: 0,
    duplicates: 0,
    end: 'input-ended',
    reusedFrame: null,
    reusedNs: 0,
    packets: [0, 0],
    bytes: [0, 0],
    nextSeq: [0, 0],
    maxAck: [0, 0],
    ackKnown: [0, 0],
    repeats: [0, 0],
    lastTtl: [0, 0],
    zeroWindows: [0, 0],
    lostFrames: false,
    lacksLast: [0, 0],
    options: [0, 0],
    cookie: ['', ''],
    reusedPorts: false,
    unread: null,
    figures,
    transfer: [figuresOfEnd(figures, 0), figuresOfEnd(figures, 1)],
    story: createStory(),
    zeek: null,
  };
}

/** Nothing but SYN, FIN and RST was captured: a filter kept out the rest. */
export function isOfFlaggedOnly({ packets, duplicates, story }: FinishedConnection): boolean {
  if (packets[0] + packets[1] - duplicates !== story.count) return false;
  for (let i = 0; i < story.count; i++) {
    if ((story.flags[i]! & (SYN | FIN | RST)) === 0) return false;
  }
  return true;
}
