/** What decode asks of the reassembly of IP fragments (RFC 791 §3.2, RFC 8200 §4.5); src/flow/fragments.ts does it. */

/** Words of a datagram's key: source, destination (four words each), identification, protocol, family and VLAN. */
export const FRAGMENT_KEY_WORDS = 11;

/** Results of `add` below zero. */
export const PENDING = -1;
export const OVER_LIMIT = -2;

export interface Reassembler {
  /** The key of the fragment that is added next: filled in by the caller, copied by `add`. */
  readonly key: Int32Array;
  /** The datagram that the last `add` finished, from its first byte; holds until the next `add`. */
  readonly datagram: Uint8Array;
  /**
   * Takes a copy of the fragment's bytes. `offset` is its place in the datagram in bytes, `more` the flag of that
   * name, `tsSec` the time of its frame. Returns the length of the finished datagram (1 … 65535), PENDING, or
   * OVER_LIMIT where a limit made it forget the datagram.
   */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    more: boolean,
    tsSec: number,
  ): number;
}
