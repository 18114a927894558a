/** Why a frame, or a part of it, is no TCP segment: counted by number, named at the end (docs/decoding.md). */

/** Every reason is explained in docs/decoding.md; a test compares. */
export const REASONS = [
  'unknown-link-type',
  'link-truncated',
  'not-a-data-frame',
  'encrypted-80211',
  'fragment-80211',
  'arp',
  'unknown-ethertype',
  'unknown-payload',
  'ip-truncated',
  'ip-bad-header',
  'icmp',
  'udp',
  'not-tcp',
  'encrypted-ip',
  'tunnel-truncated',
  'tunnel-unsupported',
  'too-many-headers',
  'fragment-pending',
  'fragment-incomplete',
  'fragment-over-limit',
  'tcp-truncated',
  'tcp-bad-data-offset',
] as const;
export type NotDecodedReason = (typeof REASONS)[number];

// The numbers are positions in REASONS; a test compares them.
export const UNKNOWN_LINK_TYPE = 0;
export const LINK_TRUNCATED = 1;
export const NOT_A_DATA_FRAME = 2;
export const ENCRYPTED_80211 = 3;
export const FRAGMENT_80211 = 4;
export const ARP = 5;
export const UNKNOWN_ETHERTYPE = 6;
export const UNKNOWN_PAYLOAD = 7;
export const IP_TRUNCATED = 8;
export const IP_BAD_HEADER = 9;
export const ICMP = 10;
export const UDP = 11;
export const NOT_TCP = 12;
export const ENCRYPTED_IP = 13;
export const TUNNEL_TRUNCATED = 14;
export const TUNNEL_UNSUPPORTED = 15;
export const TOO_MANY_HEADERS = 16;
export const FRAGMENT_PENDING = 17;
export const FRAGMENT_INCOMPLETE = 18;
export const FRAGMENT_OVER_LIMIT = 19;
export const TCP_TRUNCATED = 20;
export const TCP_BAD_DATA_OFFSET = 21;
