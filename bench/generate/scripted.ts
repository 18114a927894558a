/** Many scripted connections at once, interleaved frame by frame: the captures `flood` and `web`. */

import { ACK, FIN, type FrameWriter, SYN } from './frames.ts';
import type { Random } from './random.ts';
import { CROSSED, FROM_SERVER, meanFrames, PAYLOAD_SHIFT, type Script } from './scripts.ts';

export interface Payload {
  /** Even offset in the pool. */
  start: number;
  minLen: number;
  maxLen: number;
}

/** Addresses and ports of the n-th connection. */
export interface Endpoints {
  clientAddr: (n: number) => number;
  clientPort: (n: number) => number;
  serverAddr: (n: number) => number;
  serverPort: number;
}

export interface ScriptedOptions {
  scripts: readonly Script[];
  /** Index 0 is payload 1 of the scripts. */
  payloads: readonly Payload[];
  endpoints: Endpoints;
  /** Connections that are in progress at any moment. */
  concurrency: number;
  gapNs: number;
  /** Frames to write; Infinity never stops. */
  frames: number;
}

const SCRIPT_PICKS = 1024;

/** Owns the state of the connections in progress, a typed array a field. */
export class ScriptedTraffic {
  private readonly writer: FrameWriter;
  private readonly random: Random;
  private readonly options: ScriptedOptions;
  private readonly picks: Uint8Array;
  private readonly plannedConnections: number;
  private readonly number: Float64Array;
  private readonly scriptOf: Uint8Array;
  private readonly stepOf: Uint8Array;
  /** Next sequence numbers, and the last TCP timestamps sent. */
  private readonly clientSeq: Uint32Array;
  private readonly serverSeq: Uint32Array;
  private readonly lastLen: Uint16Array;
  private readonly clientTs: Uint32Array;
  private readonly serverTs: Uint32Array;
  private active: number;
  private opened = 0;
  private ipId = 1;

  constructor(writer: FrameWriter, random: Random, options: ScriptedOptions) {
    this.writer = writer;
    this.random = random;
    this.options = options;
    this.picks = scriptPicks(options.scripts);
    this.plannedConnections = Math.floor(options.frames / meanFrames(options.scripts));
    const slots = Math.max(1, Math.min(options.concurrency, this.plannedConnections));
    this.number = new Float64Array(slots);
    this.scriptOf = new Uint8Array(slots);
    this.stepOf = new Uint8Array(slots);
    this.clientSeq = new Uint32Array(slots);
    this.serverSeq = new Uint32Array(slots);
    this.lastLen = new Uint16Array(slots);
    this.clientTs = new Uint32Array(slots);
    this.serverTs = new Uint32Array(slots);
    this.active = slots;
    for (let slot = 0; slot < slots; slot += 1) this.open(slot);
  }

  /** Hot path: fills the writer's chunk; false once the last frame has been written. */
  fill(): boolean {
    const { writer, random, options } = this;
    while (!writer.isFull) {
      if (writer.frames >= options.frames) return false;
      const slot = random.below(this.active);
      this.step(slot);
      writer.advance(Math.floor(options.gapNs / 2) + random.below(options.gapNs + 1));
    }
    return true;
  }

  private open(slot: number): void {
    this.number[slot] = this.opened;
    this.opened += 1;
    this.scriptOf[slot] = this.picks[this.random.below(SCRIPT_PICKS)] ?? 0;
    this.stepOf[slot] = 0;
    // A later connection of one 4-tuple needs a later ISN (RFC 6191): Linux adds its clock to a hash.
    const isn = Math.imul(this.writer.clockMs, 15_625);
    this.clientSeq[slot] = isn + (this.random.next() & 0xffff);
    this.serverSeq[slot] = this.random.next();
    this.lastLen[slot] = 0;
    this.clientTs[slot] = 0;
    this.serverTs[slot] = 0;
  }

  /** The last frames of a capture only finish what is open, until too little is left to finish. */
  private close(slot: number): void {
    if (this.opened < this.plannedConnections || this.active === 1) {
      this.open(slot);
      return;
    }
    this.active -= 1;
    const last = this.active;
    this.number[slot] = this.number[last] ?? 0;
    this.scriptOf[slot] = this.scriptOf[last] ?? 0;
    this.stepOf[slot] = this.stepOf[last] ?? 0;
    this.clientSeq[slot] = this.clientSeq[last] ?? 0;
    this.serverSeq[slot] = this.serverSeq[last] ?? 0;
    this.lastLen[slot] = this.lastLen[last] ?? 0;
    this.clientTs[slot] = this.clientTs[last] ?? 0;
    this.serverTs[slot] = this.serverTs[last] ?? 0;
  }

  private step(slot: number): void {
    const { endpoints, payloads, scripts } = this.options;
    const s = this.writer.segment;
    const steps = scripts[this.scriptOf[slot] ?? 0]?.steps;
    if (steps === undefined) return;
    const at = this.stepOf[slot] ?? 0;
    const step = steps[at] ?? 0;
    const isServer = (step & FROM_SERVER) !== 0;
    const n = this.number[slot] ?? 0;
    const clientSeq = this.clientSeq[slot] ?? 0;
    const serverSeq = this.serverSeq[slot] ?? 0;

    s.flags = step & 0xff;
    const payload = payloads[(step >> PAYLOAD_SHIFT) - 1];
    s.payloadStart = payload?.start ?? 0;
    s.payloadLen = 0;
    if (payload !== undefined) {
      s.payloadLen = payload.minLen + this.random.below(payload.maxLen - payload.minLen + 1);
    }
    const len = s.payloadLen + ((s.flags & (SYN | FIN)) !== 0 ? 1 : 0);
    const unseen = (step & CROSSED) !== 0 ? (this.lastLen[slot] ?? 0) : 0;
    this.lastLen[slot] = len;
    const ts = this.writer.clockMs;
    s.ipId = this.ipId;
    this.ipId = this.ipId === 0xffff ? 1 : this.ipId + 1;
    if (isServer) {
      s.srcAddr = endpoints.serverAddr(n);
      s.dstAddr = endpoints.clientAddr(n);
      s.srcPort = endpoints.serverPort;
      s.dstPort = endpoints.clientPort(n);
      s.seq = serverSeq;
      s.ack = clientSeq - unseen;
      s.tsVal = ts + 0x3000_0000;
      s.tsEcr = this.clientTs[slot] ?? 0;
      this.serverSeq[slot] = serverSeq + len;
      this.serverTs[slot] = s.tsVal;
    } else {
      s.srcAddr = endpoints.clientAddr(n);
      s.dstAddr = endpoints.serverAddr(n);
      s.srcPort = endpoints.clientPort(n);
      s.dstPort = endpoints.serverPort;
      s.seq = clientSeq;
      s.ack = (s.flags & ACK) === 0 ? 0 : serverSeq - unseen;
      s.tsVal = ts + 0x1000_0000;
      s.tsEcr = this.serverTs[slot] ?? 0;
      this.clientSeq[slot] = clientSeq + len;
      this.clientTs[slot] = s.tsVal;
    }
    s.window = (s.flags & SYN) !== 0 ? 64_240 : 502;
    this.writer.put();

    if (at + 1 < steps.length) this.stepOf[slot] = at + 1;
    else this.close(slot);
  }
}

function scriptPicks(scripts: readonly Script[]): Uint8Array {
  const picks = new Uint8Array(SCRIPT_PICKS);
  const total = scripts.reduce((sum, { weight }) => sum + weight, 0);
  let from = 0;
  let weights = 0;
  for (const [index, { weight }] of scripts.entries()) {
    weights += weight;
    const to = Math.round((weights / total) * SCRIPT_PICKS);
    picks.fill(index, from, to);
    from = to;
  }
  return picks;
}
