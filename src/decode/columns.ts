/** Decoded TCP segments, a column a field: what the flow table and the tracker read of a frame. */

/**
 * Segments the ring holds: powers of two. The last segments stay readable for a while, so that a duplicate
 * frame can be told from a retransmission without storing every segment a second time. A ring that two threads share has room
 * for RING_AHEAD more, as far as the one that decodes may be ahead.
 */
export const SEGMENT_RING = 4096;
export const SHARED_RING = 16_384;
export const RING_AHEAD = SHARED_RING - SEGMENT_RING;

/**
 * A ring of decoded segments. A segment's position is its running number modulo the size of the ring. Every column but
 * the offsets stays valid until its position is written again; offsets hold for the current batch only.
 */
export interface SegmentColumns {
  /** The size of the ring less one. */
  readonly mask: number;
  /** The memory of all columns but `frame`, which the decoder writes at the `…_AT` constants below. */
  readonly memory32: Int32Array;
  readonly memory16: Uint16Array;
  readonly memory8: Uint8Array;
  /** Frame number, from 1, as Wireshark's. */
  readonly frame: Float64Array;
  readonly tsSec: Uint32Array;
  readonly tsNs: Int32Array;
  /** 4 or 6. */
  readonly family: Uint8Array;
  /** Four words a segment, as 32-bit patterns in network order; IPv4 uses the first, the others say nothing then. */
  readonly src: Int32Array;
  readonly dst: Int32Array;
  /** Source port in the upper half, destination port in the lower, as on the wire. */
  readonly ports: Int32Array;
  /** The key (flow/keys.ts): the lower end's address (or IPv6 id), the upper end's, both ports (the lower end's in the upper half), hash, and 1 where the upper end sent it. */
  readonly keyA: Int32Array;
  readonly keyB: Int32Array;
  readonly keyPorts: Int32Array;
  readonly hash: Int32Array;
  readonly fromHigh: Uint8Array;
  /** 32-bit patterns. */
  readonly seq: Int32Array;
  readonly ack: Int32Array;
  /** Twelve bits: reserved and AE, then CWR ECE URG ACK PSH RST SYN FIN (FIN is bit 0). */
  readonly flags: Uint16Array;
  /** As sent, not yet scaled. */
  readonly window: Uint16Array;
  /** Bytes of TCP payload on the wire, from the IP header (or the frame, or the jumbo option, where that is 0). */
  readonly payloadLen: Int32Array;
  /** Bytes of the whole IP packet on the wire: header, extension headers, TCP. */
  readonly ipLen: Int32Array;
  /** TCP checksum as sent. */
  readonly checksum: Uint16Array;
  /** Identification of the IPv4 header, 0 for IPv6. */
  readonly ipId: Uint16Array;
  /** TTL or hop limit. */
  readonly ttl: Uint8Array;
  /** HAS_TIMESTAMPS, HAS_MORE_OPTIONS, and how many SACK blocks there are (from SACK_SHIFT on; not of a SYN). */
  readonly optionBits: Uint8Array;
  /**
   * MORE_WORDS a segment. Of one with SYN what it offers, packed (decode/packed-options.ts); of another the edges of its SACK blocks, left and right in turn, as 32-bit
   * patterns; of most they say nothing.
   */
  readonly more: Int32Array;
  readonly tsVal: Int32Array;
  readonly tsEcr: Int32Array;
  /** Where the TCP header begins; tcp.ts finds the payload by it. */
  readonly headerOffset: Int32Array;
  /** Bytes at the segment's end that were on the wire and not captured. */
  readonly uncaptured: Int32Array;
  /** 1: the offsets point into `spill` (a datagram put together from fragments), 0: into the batch's bytes. */
  readonly inSpill: Uint8Array;
  /** Bytes of reassembled datagrams of the current batch. */
  spill: Uint8Array;
  spillView: DataView;
}

// Where each column begins in the memory that all of them share, in its own unit. The writer goes through one array a
// unit at these constant distances: with twenty arrays in hand V8 loads the base and the length of each again for
// every store. And columns that are powers of two long are set apart by some lines of the cache, or one segment's places
// in all of them would fall into the same set of it. Measured for 20 columns a segment: 38 ns with an array each, 62 ns
// through one array without the gaps, 14 ns as it is here.
const GAP_BYTES = 384;
/** Rows behind the largest ring, in the gaps: for segments that are looked at once more. */
export const FIRST_SPARE = SHARED_RING;
export const SPARE_ROWS = GAP_BYTES / 8;
const ROWS = SHARED_RING + SPARE_ROWS;
const WORDS = SHARED_RING + GAP_BYTES / 4;
const HALVES = SHARED_RING + GAP_BYTES / 2;
const BYTES = SHARED_RING + GAP_BYTES;
const ADDRESS_WORDS = SHARED_RING * 4 + GAP_BYTES / 4;

const FRAME_DOUBLES = SHARED_RING + GAP_BYTES / 8;
const FIRST_WORD = FRAME_DOUBLES * 2;
export const TS_SEC_AT = FIRST_WORD + 0 * WORDS;
export const TS_NS_AT = FIRST_WORD + 1 * WORDS;
export const SEQ_AT = FIRST_WORD + 2 * WORDS;
export const ACK_AT = FIRST_WORD + 3 * WORDS;
export const PAYLOAD_LEN_AT = FIRST_WORD + 4 * WORDS;
export const TS_VAL_AT = FIRST_WORD + 5 * WORDS;
export const TS_ECR_AT = FIRST_WORD + 6 * WORDS;
export const HEADER_OFFSET_AT = FIRST_WORD + 7 * WORDS;
export const UNCAPTURED_AT = FIRST_WORD + 8 * WORDS;
export const PORTS_AT = FIRST_WORD + 9 * WORDS;
export const IP_LEN_AT = FIRST_WORD + 10 * WORDS;
const KEY_A_AT = FIRST_WORD + 11 * WORDS;
const KEY_B_AT = FIRST_WORD + 12 * WORDS;
const KEY_PORTS_AT = FIRST_WORD + 13 * WORDS;
const HASH_AT = FIRST_WORD + 14 * WORDS;
export const SRC_AT = FIRST_WORD + 15 * WORDS;
export const DST_AT = SRC_AT + ADDRESS_WORDS;

const FIRST_HALF = (DST_AT + ADDRESS_WORDS) * 2;
export const FLAGS_AT = FIRST_HALF + 0 * HALVES;
export const WINDOW_AT = FIRST_HALF + 1 * HALVES;
export const CHECKSUM_AT = FIRST_HALF + 2 * HALVES;
export const IP_ID_AT = FIRST_HALF + 3 * HALVES;

const FIRST_BYTE = (FIRST_HALF + 4 * HALVES) * 2;
export const FAMILY_AT = FIRST_BYTE + 0 * BYTES;
export const TTL_AT = FIRST_BYTE + 1 * BYTES;
export const OPTION_BITS_AT = FIRST_BYTE + 2 * BYTES;
export const IN_SPILL_AT = FIRST_BYTE + 3 * BYTES;
const FROM_HIGH_AT = FIRST_BYTE + 4 * BYTES;

/** The options of a SYN, or two words for each SACK block. */
export const MORE_WORDS = 8;
export const MORE_AT = (FIRST_BYTE + 5 * BYTES) / 4;

/** What the columns of a ring take. */
export const MEMORY_BYTES = (MORE_AT + ROWS * MORE_WORDS) * 4;

/** An empty ring; the larger one in the MEMORY_BYTES that threads share, if it is given them. */
export function createSegmentColumns(shared: SharedArrayBuffer | null = null): SegmentColumns {
  const memory = shared ?? new ArrayBuffer(MEMORY_BYTES);
  const words = (at: number, count = ROWS) => new Int32Array(memory, at * 4, count);
  const halves = (at: number) => new Uint16Array(memory, at * 2, ROWS);
  const bytes = (at: number) => new Uint8Array(memory, at, ROWS);
  const spill = new Uint8Array(0);
  return {
    mask: (shared === null ? SEGMENT_RING : SHARED_RING) - 1,
    memory32: new Int32Array(memory),
    memory16: new Uint16Array(memory),
    memory8: new Uint8Array(memory),
    frame: new Float64Array(memory, 0, ROWS),
    tsSec: new Uint32Array(memory, TS_SEC_AT * 4, ROWS),
    src: words(SRC_AT, SHARED_RING * 4),
    dst: words(DST_AT, SHARED_RING * 4),
    tsNs: words(TS_NS_AT),
    seq: words(SEQ_AT),
    ack: words(ACK_AT),
    payloadLen: words(PAYLOAD_LEN_AT),
    tsVal: words(TS_VAL_AT),
    tsEcr: words(TS_ECR_AT),
    headerOffset: words(HEADER_OFFSET_AT),
    uncaptured: words(UNCAPTURED_AT),
    ipLen: words(IP_LEN_AT),
    ports: words(PORTS_AT),
    keyA: words(KEY_A_AT),
    keyB: words(KEY_B_AT),
    keyPorts: words(KEY_PORTS_AT),
    hash: words(HASH_AT),
    fromHigh: bytes(FROM_HIGH_AT),
    flags: halves(FLAGS_AT),
    window: halves(WINDOW_AT),
    checksum: halves(CHECKSUM_AT),
    ipId: halves(IP_ID_AT),
    family: bytes(FAMILY_AT),
    ttl: bytes(TTL_AT),
    optionBits: bytes(OPTION_BITS_AT),
    more: words(MORE_AT, ROWS * MORE_WORDS),
    inSpill: bytes(IN_SPILL_AT),
    spill,
    spillView: new DataView(spill.buffer),
  };
}

/** In `optionBits`: the segment has a timestamps option; its options hold more than that (SACK, for one). */
export const HAS_TIMESTAMPS = 1;
export const HAS_MORE_OPTIONS = 2;
export const SACK_SHIFT = 2;

export const FIN = 0x001;
export const SYN = 0x002;
export const RST = 0x004;
export const PSH = 0x008;
export const ACK = 0x010;
export const URG = 0x020;
export const ECE = 0x040;
export const CWR = 0x080;
export const AE = 0x100;

/**
 * Whether the flags make a FIN that counts: without ACK a segment is dropped before its FIN is looked at (RFC 9293
 * §3.10.7.4, fifth step), and a RST ends the matter.
 */
export function isFin(flags: number): boolean {
  return (flags & (FIN | ACK | RST)) === (FIN | ACK);
}
