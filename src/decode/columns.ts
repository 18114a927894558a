/** Decoded TCP segments, a column a field: what the flow table and the tracker read of a frame. */

/**
 * Segments the ring holds: a power of two. The last segments stay readable for a while, so that a duplicate
 * frame can be told from a retransmission without storing every segment a second time.
 */
export const SEGMENT_RING = 4096;

/**
 * A ring of decoded segments. A segment's position is its running number modulo SEGMENT_RING. Every column but
 * the offsets stays valid until its position is written again; offsets hold for the current batch only.
 */
export interface SegmentColumns {
  /** Frame number, from 1, as Wireshark's. */
  readonly frame: Float64Array;
  readonly tsSec: Uint32Array;
  readonly tsNs: Int32Array;
  /** 4 or 6. */
  readonly family: Uint8Array;
  /** Four words a segment, as 32-bit patterns in network order; IPv4 uses the first and leaves the others 0. */
  readonly src: Int32Array;
  readonly dst: Int32Array;
  readonly srcPort: Uint16Array;
  readonly dstPort: Uint16Array;
  /** 32-bit patterns. */
  readonly seq: Int32Array;
  readonly ack: Int32Array;
  /** Twelve bits: reserved and AE, then CWR ECE URG ACK PSH RST SYN FIN (FIN is bit 0). */
  readonly flags: Uint16Array;
  /** As sent, not yet scaled. */
  readonly window: Uint16Array;
  /** Bytes of TCP payload on the wire, from the IP header (or the frame, or the jumbo option, where that is 0). */
  readonly payloadLen: Int32Array;
  /** TCP checksum as sent. */
  readonly checksum: Uint16Array;
  /** Identification of the IPv4 header, 0 for IPv6. */
  readonly ipId: Uint16Array;
  /** TTL or hop limit. */
  readonly ttl: Uint8Array;
  /** 1 where the segment has a timestamps option. */
  readonly hasTs: Uint8Array;
  readonly tsVal: Int32Array;
  readonly tsEcr: Int32Array;
  /** 1 where the frame was snapped before the end of its payload. */
  readonly snapped: Uint8Array;
  /** Where the TCP options begin, and how many bytes of them were captured; in `spill` where `inSpill` is 1. */
  readonly optionsOffset: Int32Array;
  readonly optionsLen: Uint8Array;
  /** Where the payload begins and how many bytes of it were captured. */
  readonly payloadOffset: Int32Array;
  readonly payloadCaptured: Int32Array;
  /** 1: the offsets point into `spill` (a datagram put together from fragments), 0: into the batch's bytes. */
  readonly inSpill: Uint8Array;
  /** Bytes of reassembled datagrams of the current batch. */
  spill: Uint8Array;
  spillView: DataView;
}

/** An empty ring. */
export function createSegmentColumns(): SegmentColumns {
  const spill = new Uint8Array(0);
  return {
    frame: new Float64Array(SEGMENT_RING),
    tsSec: new Uint32Array(SEGMENT_RING),
    tsNs: new Int32Array(SEGMENT_RING),
    family: new Uint8Array(SEGMENT_RING),
    src: new Int32Array(SEGMENT_RING * 4),
    dst: new Int32Array(SEGMENT_RING * 4),
    srcPort: new Uint16Array(SEGMENT_RING),
    dstPort: new Uint16Array(SEGMENT_RING),
    seq: new Int32Array(SEGMENT_RING),
    ack: new Int32Array(SEGMENT_RING),
    flags: new Uint16Array(SEGMENT_RING),
    window: new Uint16Array(SEGMENT_RING),
    payloadLen: new Int32Array(SEGMENT_RING),
    checksum: new Uint16Array(SEGMENT_RING),
    ipId: new Uint16Array(SEGMENT_RING),
    ttl: new Uint8Array(SEGMENT_RING),
    hasTs: new Uint8Array(SEGMENT_RING),
    tsVal: new Int32Array(SEGMENT_RING),
    tsEcr: new Int32Array(SEGMENT_RING),
    snapped: new Uint8Array(SEGMENT_RING),
    optionsOffset: new Int32Array(SEGMENT_RING),
    optionsLen: new Uint8Array(SEGMENT_RING),
    payloadOffset: new Int32Array(SEGMENT_RING),
    payloadCaptured: new Int32Array(SEGMENT_RING),
    inSpill: new Uint8Array(SEGMENT_RING),
    spill,
    spillView: new DataView(spill.buffer),
  };
}

export const FIN = 0x001;
export const SYN = 0x002;
export const RST = 0x004;
export const PSH = 0x008;
export const ACK = 0x010;
export const URG = 0x020;
export const ECE = 0x040;
export const CWR = 0x080;
export const AE = 0x100;
