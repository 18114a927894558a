/** Follows one connection: the bytes of both directions put back in order, under the names of client and server. */

import {
  type AnalyzeOptions,
  type CaptureInput,
  checkArguments,
  openInput,
  type PayloadListener,
  type PayloadSegment,
  runInParts,
} from './analyze.ts';
import { ACK, RST, SYN } from './decode/columns.ts';
import { Conversation, type KeyEnd } from './flow/conversation.ts';
import type { StreamItem } from './flow/stream.ts';
import type { ConnectionRecord } from './report/record.ts';
import { copiesDiffer } from './tcp/findings/copies-differ.ts';
import type { Side } from './tcp/verdicts.ts';

/** Bytes in order, from one side. */
export interface FollowedBytes {
  kind: 'bytes';
  from: Side;
  /** Of the first byte in its direction, from 0. */
  offset: number;
  bytes: Uint8Array;
  /** Seconds since the connection's first frame, and the frame, of the segment that brought them first. */
  t: number;
  frame: number;
}

/** Bytes that one side sent and the file does not hold. */
export interface FollowedGap {
  kind: 'gap';
  from: Side;
  /** Of the first byte that is missing, in its direction, from 0. */
  offset: number;
  /** Bytes, at least 1. */
  length: number;
  /** `missing`: in no frame of the file. `not-captured`: their frame was cut by the snap length. */
  reason: 'missing' | 'not-captured';
  /** Whether the other side acknowledged them: it had received what the capture lost. */
  acknowledged: boolean;
  /** Seconds since the connection's first frame, and the frame, of the segment behind the gap, or of the one that was cut. */
  t: number;
  frame: number;
}

/** What `follow` yields. */
export type FollowedChunk = FollowedBytes | FollowedGap;

/** How a connection is followed. */
export interface FollowOptions extends AnalyzeOptions {
  /** Number of the connection, as in its record and as Wireshark's tcp.stream. */
  stream: number;
}

/** Bytes held until it is known who is the client; then the rule that has decided so far is taken. */
const MAX_BYTES_WITHOUT_ROLES = 16 * 1024 * 1024;

/** Frames named of segments that differ from an earlier copy; further ones are counted. */
const MAX_CONFLICTS_NAMED = 20;

/** Puts one connection of a run back in order: a listener for the run's `payload`. */
export class Follower implements PayloadListener {
  /** The connection's record, once it is finished. */
  record: ConnectionRecord | null = null;
  /** Segments that brought other bytes than an earlier one for the same place: the first of them, and how many. */
  readonly conflictFrames: number[] = [];
  conflictCount = 0;
  /** Whether bytes were handed out before a SYN showed that the other end is the client. */
  rolesChanged = false;
  readonly #stream: number;
  readonly #onChunk: (chunk: FollowedChunk) => void;
  readonly #conversation: Conversation;
  #clientEnd: KeyEnd | null = null;
  /** The client as far as can be told before the end. */
  #likelyClient: KeyEnd = 0;
  #isBySynAck = false;
  #hasBegun = false;
  #startSec = 0;
  #startNs = 0;
  #waiting: { item: StreamItem; from: KeyEnd }[] = [];
  #waitingBytes = 0;

  constructor(stream: number, onChunk: (chunk: FollowedChunk) => void) {
    this.#stream = stream;
    this.#onChunk = onChunk;
    this.#conversation = new Conversation({
      onItem: (item, from) => this.#item(item, from),
      onConflict: ({ frame }) => {
        this.conflictCount++;
        if (this.conflictFrames.length < MAX_CONFLICTS_NAMED) this.conflictFrames.push(frame);
      },
    });
  }

  onSegment(segment: PayloadSegment): void {
    if (segment.stream !== this.#stream) return;
    if (!this.#hasBegun) this.#begin(segment);
    const { flags, from } = segment;
    if (this.#clientEnd === null && (flags & (SYN | RST)) === SYN) {
      if ((flags & ACK) === 0) this.#setClient(from);
      else if (!this.#isBySynAck) {
        this.#isBySynAck = true;
        this.#likelyClient = from === 0 ? 1 : 0;
      }
    }
    segment.tNs = (segment.sec - this.#startSec) * 1e9 + (segment.ns - this.#startNs);
    this.#conversation.segment(from, segment, segment.ack);
  }

  onFinished(record: ConnectionRecord, clientEnd: KeyEnd): void {
    if (record.stream !== this.#stream) return;
    this.record = record;
    if (this.#clientEnd === null) this.#setClient(clientEnd);
    this.rolesChanged = this.#clientEnd !== clientEnd;
    this.#conversation.finish();
    if (this.conflictCount > 0) {
      record.findings.push(copiesDiffer(this.conflictFrames, this.conflictCount));
    }
  }

  #begin({ dstPort, from, ns, sec, srcPort }: PayloadSegment): void {
    this.#hasBegun = true;
    this.#startSec = sec;
    this.#startNs = ns;
    // Equal ports: the sender of the first frame (docs/specification.md §1).
    this.#likelyClient = srcPort >= dstPort ? from : from === 0 ? 1 : 0;
  }

  #setClient(end: KeyEnd): void {
    this.#clientEnd = end;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { item, from } of waiting) this.#item(item, from);
  }

  #item(item: StreamItem, fromEnd: KeyEnd): void {
    if (this.#clientEnd === null) {
      this.#waiting.push({ item, from: fromEnd });
      if (item.kind === 'bytes') this.#waitingBytes += item.bytes.length;
      if (this.#waitingBytes > MAX_BYTES_WITHOUT_ROLES) this.#setClient(this.#likelyClient);
      return;
    }
    const from: Side = fromEnd === this.#clientEnd ? 'client' : 'server';
    const { frame, offset } = item;
    const t = item.tNs / 1e9;
    if (item.kind === 'bytes') {
      this.#onChunk({ kind: 'bytes', from, offset, bytes: item.bytes, t, frame });
    } else {
      const { acknowledged, length, reason } = item;
      this.#onChunk({ kind: 'gap', from, offset, length, reason, acknowledged, t, frame });
    }
  }
}

/**
 * Reads a capture and yields the bytes of one connection, both directions, in the order in which their receivers could read them. What the
 * file does not hold comes as a gap. Of bytes sent twice the first copy counts. The loop throws a RangeError where there is no such connection
 * (known at the end of the input) or can be none (at once), and a CaptureError for an input that can't be read.
 *
 * @example
 * for await (const chunk of follow('web.pcapng', { stream: 0 }))
 *   if (chunk.kind === 'bytes' && chunk.from === 'server') process.stdout.write(chunk.bytes);
 */
export async function* follow(
  input: CaptureInput,
  options: FollowOptions,
): AsyncGenerator<FollowedChunk, void, undefined> {
  const { stream, ...rest } = options;
  checkArguments(input, rest);
  if (!(Number.isSafeInteger(stream) && stream >= 0)) {
    throw new RangeError(`stream: expected the number of a connection, found ${stream}`);
  }
  const file = options.file ?? (typeof input === 'string' ? input : null);
  const source = await openInput(input, file, options);
  try {
    let ready: FollowedChunk[] = [];
    const follower = new Follower(stream, (chunk) => ready.push(chunk));
    const onRecord = (): void => {};
    const run = runInParts(source, { ...rest, file, only: stream, payload: follower, onRecord });
    for (let isDone = false; !isDone; ) {
      isDone = (await run.next()).done === true;
      const part = ready;
      ready = [];
      yield* part;
    }
    if (follower.record === null) {
      throw new RangeError(`${file ?? 'capture'}: there is no connection ${stream}`);
    }
  } finally {
    await source.close();
  }
}
