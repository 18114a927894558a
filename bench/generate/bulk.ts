/** Downloads of one large file over a few connections at a time, full-size frames: the capture `bulk`. */

import { ACK, FIN, type FrameWriter, PSH, SYN } from './frames.ts';
import type { Random } from './random.ts';
import type { Payload } from './scripted.ts';

export interface BulkOptions {
  /** Bytes that the server sends on each connection. */
  fileLen: number;
  concurrency: number;
  gapNs: number;
  /** Frames to write; Infinity never stops. */
  frames: number;
  request: Payload;
  /** Full-size segments are taken from the pool at even offsets below this one. */
  poolLen: number;
}

const CLIENT_ADDR = 0x0ac8_0001;
const SERVER_ADDR = 0x0ac8_0002;
/** Segments in flight before the client acknowledges them: as seen with GRO off on a veth pair. */
const SEGMENTS_PER_ACK = 5;

/** Owns the state of the downloads in progress. */
export class BulkTraffic {
  private readonly writer: FrameWriter;
  private readonly random: Random;
  private readonly options: BulkOptions;
  private readonly port: Uint16Array;
  private readonly clientSeq: Uint32Array;
  private readonly serverSeq: Uint32Array;
  private readonly left: Float64Array;
  private opened = 0;
  private ipId = 1;

  constructor(writer: FrameWriter, random: Random, options: BulkOptions) {
    this.writer = writer;
    this.random = random;
    this.options = options;
    const slots = options.concurrency;
    this.port = new Uint16Array(slots);
    this.clientSeq = new Uint32Array(slots);
    this.serverSeq = new Uint32Array(slots);
    this.left = new Float64Array(slots);
  }

  /** Hot path: fills the writer's chunk; false once the last frame has been written. */
  fill(): boolean {
    const { writer, random, options } = this;
    while (!writer.isFull) {
      const slot = random.below(options.concurrency);
      if (this.left[slot] === 0) this.open(slot);
      else this.send(slot);
      if (writer.frames >= options.frames) return false;
    }
    return true;
  }

  private open(slot: number): void {
    this.port[slot] = 32_768 + (this.opened % 28_232);
    this.opened += 1;
    this.clientSeq[slot] = this.random.next();
    this.serverSeq[slot] = this.random.next();
    this.left[slot] = this.options.fileLen;
    this.put(slot, false, SYN, 0, 0);
    this.put(slot, true, SYN | ACK, 0, 0);
    this.put(slot, false, ACK, 0, 0);
    const { start, maxLen } = this.options.request;
    this.put(slot, false, PSH | ACK, start, maxLen);
    this.put(slot, true, ACK, 0, 0);
  }

  private send(slot: number): void {
    const full = this.writer.fullPayloadLen;
    for (let i = 0; i < SEGMENTS_PER_ACK; i += 1) {
      const left = this.left[slot] ?? 0;
      const len = Math.min(left, full);
      if (len === 0) break;
      const start = this.random.below((this.options.poolLen - full) >> 1) * 2;
      this.left[slot] = left - len;
      this.put(slot, true, left === len ? PSH | ACK : ACK, start, len);
    }
    this.put(slot, false, ACK, 0, 0);
    if (this.left[slot] === 0) {
      this.put(slot, true, FIN | ACK, 0, 0);
      this.put(slot, false, FIN | ACK, 0, 0);
      this.put(slot, true, ACK, 0, 0);
    }
  }

  private put(slot: number, isServer: boolean, flags: number, start: number, len: number): void {
    const { writer, options } = this;
    if (writer.frames >= options.frames) return;
    const s = writer.segment;
    const clientSeq = this.clientSeq[slot] ?? 0;
    const serverSeq = this.serverSeq[slot] ?? 0;
    const port = this.port[slot] ?? 0;
    const next = len + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
    s.flags = flags;
    s.payloadStart = start;
    s.payloadLen = len;
    s.window = (flags & SYN) !== 0 ? 64_240 : 24_000;
    s.tsVal = writer.clockMs + (isServer ? 0x3000_0000 : 0x1000_0000);
    s.tsEcr = writer.clockMs + (isServer ? 0x1000_0000 : 0x3000_0000);
    s.ipId = this.ipId;
    this.ipId = this.ipId === 0xffff ? 1 : this.ipId + 1;
    if (isServer) {
      s.srcAddr = SERVER_ADDR;
      s.dstAddr = CLIENT_ADDR;
      s.srcPort = 80;
      s.dstPort = port;
      s.seq = serverSeq;
      s.ack = clientSeq;
      this.serverSeq[slot] = serverSeq + next;
    } else {
      s.srcAddr = CLIENT_ADDR;
      s.dstAddr = SERVER_ADDR;
      s.srcPort = port;
      s.dstPort = 80;
      s.seq = clientSeq;
      s.ack = (flags & ACK) === 0 ? 0 : serverSeq;
      if ((flags & ACK) === 0) s.tsEcr = 0;
      this.clientSeq[slot] = clientSeq + next;
    }
    writer.put();
    writer.advance(Math.floor(options.gapNs / 2) + this.random.below(options.gapNs + 1));
  }
}
