/** Writes TCP frames into pcap or pcapng chunks (draft-ietf-opsawg-pcap, -pcapng; RFC 9293 §3.1). */

export type Container = 'pcap' | 'pcapng';

export interface FrameOptions {
  container: Container;
  ipVersion: 4 | 6;
  vlan: boolean;
}

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

/** A frame's fields; one object, overwritten for every frame. Addresses are the low 32 bits of each. */
export interface Segment {
  srcAddr: number;
  dstAddr: number;
  srcPort: number;
  dstPort: number;
  seq: number;
  ack: number;
  flags: number;
  /** As sent, unscaled. */
  window: number;
  tsVal: number;
  tsEcr: number;
  /** Where its payload begins in the pool given to `FrameWriter`: an even offset. */
  payloadStart: number;
  payloadLen: number;
  /** IPv4 identification. */
  ipId: number;
}

const CHUNK_LEN = 1 << 20;
/** Room behind a full chunk: `isFull` is asked once per burst, and none has more than ten full-size frames. */
const BURST_LEN = 16_384;
const MTU = 1500;
const SYN_OPTIONS_LEN = 20;
const OPTIONS_LEN = 12;
/** 2026-01-01T00:00:00Z in seconds. */
const EPOCH_S = 1_767_225_600;
const NS_PER_S = 1_000_000_000;

/** Owns one chunk and the capture clock: `put` a frame at a time, `takeChunk` when `isFull`. */
export class FrameWriter {
  readonly mss: number;
  readonly segment: Segment = {
    srcAddr: 0,
    dstAddr: 0,
    srcPort: 0,
    dstPort: 0,
    seq: 0,
    ack: 0,
    flags: 0,
    window: 0,
    tsVal: 0,
    tsEcr: 0,
    payloadStart: 0,
    payloadLen: 0,
    ipId: 0,
  };
  /** Frames written so far. */
  frames = 0;
  private readonly buffer = Buffer.alloc(CHUNK_LEN + BURST_LEN);
  private readonly view = new DataView(this.buffer.buffer, this.buffer.byteOffset);
  private readonly pool: Buffer;
  /** Sum of the big-endian 16-bit words of the pool before word i. */
  private readonly poolSums: Float64Array;
  private readonly isPcapng: boolean;
  private readonly isV6: boolean;
  private readonly recordHeaderLen: number;
  private readonly l2Len: number;
  private readonly vlan: boolean;
  private end = 0;
  private clockS = EPOCH_S;
  private clockNs = 0;

  constructor(options: FrameOptions, pool: Buffer) {
    this.pool = pool;
    this.poolSums = wordSums(pool);
    this.isPcapng = options.container === 'pcapng';
    this.isV6 = options.ipVersion === 6;
    this.vlan = options.vlan;
    this.recordHeaderLen = this.isPcapng ? 28 : 16;
    this.l2Len = options.vlan ? 18 : 14;
    this.mss = MTU - (this.isV6 ? 40 : 20) - 20;
    this.putFileHeader();
  }

  /** The payload of a full-size segment: the MSS less the timestamps option. */
  get fullPayloadLen(): number {
    return this.mss - OPTIONS_LEN;
  }

  get isFull(): boolean {
    return this.end >= CHUNK_LEN;
  }

  /** Milliseconds of capture time, as a host's TCP timestamp clock counts them. */
  get clockMs(): number {
    return ((this.clockS - EPOCH_S) * 1000 + Math.floor(this.clockNs / 1_000_000)) >>> 0;
  }

  /** The bytes written since the last call: a view, valid until the next `put`. */
  borrowChunk(): Buffer {
    const chunk = this.buffer.subarray(0, this.end);
    this.end = 0;
    return chunk;
  }

  advance(gapNs: number): void {
    this.clockNs += gapNs;
    while (this.clockNs >= NS_PER_S) {
      this.clockNs -= NS_PER_S;
      this.clockS += 1;
    }
  }

  /** Hot path: appends `segment` as a frame at the present capture time; every checksum is right. */
  put(): void {
    const s = this.segment;
    const view = this.view;
    const optionsLen = (s.flags & SYN) !== 0 ? SYN_OPTIONS_LEN : OPTIONS_LEN;
    const tcpLen = 20 + optionsLen + s.payloadLen;
    const frameLen = this.l2Len + (this.isV6 ? 40 : 20) + tcpLen;
    const record = this.end;
    this.putRecordHeader(record, frameLen);
    const l2 = record + this.recordHeaderLen;

    view.setUint32(l2, 0x0200_0000);
    view.setUint32(l2 + 4, 0x0001_0200);
    view.setUint32(l2 + 8, 0x0000_0002);
    const etherType = this.isV6 ? 0x86dd : 0x0800;
    if (this.vlan) {
      view.setUint32(l2 + 12, 0x8100_0064);
      view.setUint16(l2 + 16, etherType);
    } else {
      view.setUint16(l2 + 12, etherType);
    }

    const ip = l2 + this.l2Len;
    let sum = 0;
    let tcp = ip + 20;
    if (this.isV6) {
      tcp = ip + 40;
      sum = this.putIpv6(ip, tcpLen);
    } else {
      sum = this.putIpv4(ip, tcpLen);
    }
    this.putTcp(tcp, optionsLen, sum + 6 + tcpLen);

    this.frames += 1;
    this.end = l2 + frameLen;
    if (this.isPcapng) {
      while ((this.end & 3) !== 0) view.setUint8(this.end++, 0);
      this.end += 4;
      const blockLen = this.end - record;
      view.setUint32(record + 4, blockLen, true);
      view.setUint32(this.end - 4, blockLen, true);
    }
  }

  private putRecordHeader(at: number, frameLen: number): void {
    const view = this.view;
    if (!this.isPcapng) {
      view.setUint32(at, this.clockS, true);
      view.setUint32(at + 4, Math.floor(this.clockNs / 1000), true);
      view.setUint32(at + 8, frameLen, true);
      view.setUint32(at + 12, frameLen, true);
      return;
    }
    // Nanoseconds since 1970 in two words: seconds * 10^9 exceed 2^53, so the halves are made apart.
    const low = (this.clockS % 0x10000) * NS_PER_S + this.clockNs;
    const high = Math.floor(this.clockS / 0x10000) * NS_PER_S + Math.floor(low / 0x10000);
    view.setUint32(at, 6, true);
    view.setUint32(at + 8, 0, true);
    view.setUint32(at + 12, Math.floor(high / 0x10000), true);
    view.setUint32(at + 16, (high % 0x10000) * 0x10000 + (low % 0x10000), true);
    view.setUint32(at + 20, frameLen, true);
    view.setUint32(at + 24, frameLen, true);
  }

  /** Returns the sum of the addresses' words, for the pseudo-header. */
  private putIpv4(ip: number, tcpLen: number): number {
    const s = this.segment;
    const view = this.view;
    const totalLen = 20 + tcpLen;
    const addresses = addressSum(s.srcAddr) + addressSum(s.dstAddr);
    view.setUint16(ip, 0x4500);
    view.setUint16(ip + 2, totalLen);
    view.setUint16(ip + 4, s.ipId);
    view.setUint16(ip + 6, 0x4000);
    view.setUint16(ip + 8, 0x4006);
    view.setUint16(ip + 10, checksum(0x4500 + totalLen + s.ipId + 0x4000 + 0x4006 + addresses));
    view.setUint32(ip + 12, s.srcAddr);
    view.setUint32(ip + 16, s.dstAddr);
    return addresses;
  }

  private putIpv6(ip: number, tcpLen: number): number {
    const s = this.segment;
    const view = this.view;
    view.setUint32(ip, 0x6000_0000);
    view.setUint16(ip + 4, tcpLen);
    view.setUint16(ip + 6, 0x0640);
    for (let at = ip + 8; at < ip + 40; at += 16) {
      view.setUint32(at, 0x2001_0db8);
      view.setUint32(at + 4, 0);
      view.setUint32(at + 8, 0);
    }
    view.setUint32(ip + 20, s.srcAddr);
    view.setUint32(ip + 36, s.dstAddr);
    return 2 * (0x2001 + 0x0db8) + addressSum(s.srcAddr) + addressSum(s.dstAddr);
  }

  private putTcp(tcp: number, optionsLen: number, pseudoSum: number): void {
    const s = this.segment;
    const view = this.view;
    const offsetAndFlags = ((20 + optionsLen) << 10) | s.flags;
    view.setUint16(tcp, s.srcPort);
    view.setUint16(tcp + 2, s.dstPort);
    view.setUint32(tcp + 4, s.seq);
    view.setUint32(tcp + 8, s.ack);
    view.setUint16(tcp + 12, offsetAndFlags);
    view.setUint16(tcp + 14, s.window);
    view.setUint16(tcp + 18, 0);
    let sum = pseudoSum + s.srcPort + s.dstPort + addressSum(s.seq) + addressSum(s.ack);
    sum += offsetAndFlags + s.window + addressSum(s.tsVal) + addressSum(s.tsEcr);
    const options = tcp + 20;
    if (optionsLen === SYN_OPTIONS_LEN) {
      view.setUint16(options, 0x0204);
      view.setUint16(options + 2, this.mss);
      view.setUint32(options + 4, 0x0402_080a);
      view.setUint32(options + 8, s.tsVal);
      view.setUint32(options + 12, s.tsEcr);
      view.setUint32(options + 16, 0x0103_0307);
      sum += 0x0204 + this.mss + 0x0402 + 0x080a + 0x0103 + 0x0307;
    } else {
      view.setUint32(options, 0x0101_080a);
      view.setUint32(options + 4, s.tsVal);
      view.setUint32(options + 8, s.tsEcr);
      sum += 0x0101 + 0x080a;
    }
    if (s.payloadLen > 0) {
      const end = s.payloadStart + s.payloadLen;
      this.pool.copy(this.buffer, options + optionsLen, s.payloadStart, end);
      sum += this.poolSums[end >> 1] ?? 0;
      sum -= this.poolSums[s.payloadStart >> 1] ?? 0;
      if ((end & 1) !== 0) sum += (this.pool[end - 1] ?? 0) << 8;
    }
    view.setUint16(tcp + 16, checksum(sum));
  }

  private putFileHeader(): void {
    const view = this.view;
    if (!this.isPcapng) {
      view.setUint32(0, 0xa1b2_c3d4, true);
      view.setUint16(4, 2, true);
      view.setUint16(6, 4, true);
      view.setUint32(16, 262_144, true);
      view.setUint32(20, 1, true);
      this.end = 24;
      return;
    }
    // Section Header Block, unknown section length; Interface Description Block with if_tsresol 9.
    const words = [0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, 0xffff_ffff, 0xffff_ffff, 28];
    words.push(1, 32, 1, 262_144, 0x0001_0009, 9, 0, 32);
    for (const word of words) {
      view.setUint32(this.end, word, true);
      this.end += 4;
    }
  }
}

function addressSum(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

/** The Internet checksum (RFC 1071) of a sum of 16-bit words below 2^31. */
function checksum(sum: number): number {
  let folded = (sum >>> 16) + (sum & 0xffff);
  folded += folded >>> 16;
  return ~folded & 0xffff;
}

function wordSums(pool: Buffer): Float64Array {
  const sums = new Float64Array((pool.length >> 1) + 1);
  let sum = 0;
  for (let word = 0; word < pool.length >> 1; word += 1) {
    sum += pool.readUInt16BE(word * 2);
    sums[word + 1] = sum;
  }
  return sums;
}
