/** The place in a frame that the decoders hand on to each other, and the names of the headers that may come next. */

/** Headers one frame may have, whatever they are: the longest real stacks have about twenty. */
export const MAX_HEADERS = 64;

/** IP headers one frame may have, each inside the one before. */
export const MAX_IP_HEADERS = 8;

/** A frame's length on the wire is believed up to here, so that an offset behind it is still a 32-bit number. */
export const MAX_WIRE_LEN = 0x3fff_ffff;

/**
 * Where the next header begins and how far the packet around it goes; one record, overwritten by every frame.
 * Offsets point into `view`, which is the batch's memory or, after a reassembly, the spill.
 */
export interface Packet {
  view: DataView;
  bytes: Uint8Array;
  /** 1: `view` is the spill. */
  inSpill: number;
  /** The next header. */
  at: number;
  /** One beyond the last captured byte of the packet. */
  capturedEnd: number;
  /** One beyond the packet's last byte on the wire: never below capturedEnd. */
  wireEnd: number;
  /** EtherType, PPP or IP protocol number of the next header, as the step says. */
  protocol: number;
  /** The innermost IP header. */
  ipAt: number;
  /** 4 or 6. */
  family: number;
  /** Headers of IP so far. */
  ipHeaders: number;
  /** The innermost VLAN tag's identifier, or 0. */
  vlan: number;
  /** The radiotap header says that the 802.11 header is padded to four bytes. */
  dataPadded: boolean;
  tsSec: number;
}

/** A step is the kind of header at `at`; a negative one is the complement of a reason to stop. */
export const STEP_TCP = 0;
export const STEP_ETHERNET = 1;
/** By `protocol`: an EtherType, or the length of an 802.3 frame. */
export const STEP_ETHERTYPE = 2;
/** IPv4 or IPv6, by the version. */
export const STEP_IP = 3;
export const STEP_IPV4 = 4;
export const STEP_IPV6 = 5;
/** By `protocol`: an IP protocol number. */
export const STEP_IP_PROTOCOL = 6;
/** A PPP frame that may begin with address and control. */
export const STEP_PPP = 7;
export const STEP_LLC = 8;
export const STEP_80211 = 9;
export const STEP_MPLS = 10;

/** Ends the packet at `end` where a length field says that it is shorter than what is around it. */
export function endPacket(p: Packet, end: number): void {
  if (end < p.wireEnd) p.wireEnd = end;
  if (p.capturedEnd > p.wireEnd) p.capturedEnd = p.wireEnd;
}

/** A packet over nothing. */
export function createPacket(): Packet {
  const bytes = new Uint8Array(0);
  return {
    view: new DataView(bytes.buffer),
    bytes,
    inSpill: 0,
    at: 0,
    capturedEnd: 0,
    wireEnd: 0,
    protocol: 0,
    ipAt: 0,
    family: 0,
    ipHeaders: 0,
    vlan: 0,
    dataPadded: false,
    tsSec: 0,
  };
}
