/** Reassembly of IPv4 and IPv6 fragments (RFC 791 §3.2, RFC 8200 §4.5, RFC 815), within limits. */

import {
  FRAGMENT_KEY_WORDS,
  OVER_LIMIT,
  PENDING,
  type Reassembler,
} from '../decode/reassembler.ts';

/** The longest datagram: the IP length fields have 16 bits. */
const MAX_DATAGRAM_BYTES = 65_535;

/** Datagrams that may wait for fragments at once, as many as fill Linux's default of 4 MiB with small ones. */
export const MAX_PENDING_DATAGRAMS = 4096;

/** Bytes that may wait at once. */
export const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/** Fragments of one datagram: 64 KiB in the smallest MTU of IPv4 in use, 576, make 119. */
export const MAX_FRAGMENTS = 256;

/** How long a datagram waits after its first fragment, in capture time: Linux's net.ipv4.ipfrag_time. */
export const FRAGMENT_TIMEOUT_S = 30;

interface Fragment {
  /** In the datagram. */
  offset: number;
  bytes: Uint8Array;
}

interface Datagram {
  key: Int32Array;
  hash: number;
  /** The next one with the same hash. */
  next: Datagram | null;
  firstSec: number;
  /** By offset; among equals by arrival. */
  fragments: Fragment[];
  bytes: number;
  /** From the fragment without the flag More Fragments, or -1. */
  len: number;
}

/**
 * Waits for the fragments of datagrams and puts them together.
 *
 * Where fragments overlap, the one with the lower offset wins, among equals the first, and the datagram is kept:
 * so does Wireshark, whose stream numbers finwait shares. (RFC 5722 has a host drop such an IPv6 datagram.)
 * Full, it forgets the oldest datagram first.
 */
export class FragmentReassembler implements Reassembler {
  readonly key = new Int32Array(FRAGMENT_KEY_WORDS);
  readonly datagram = new Uint8Array(MAX_DATAGRAM_BYTES);
  /** Datagrams forgotten because time was up, because too much was pending, and because they broke a limit themselves. */
  timedOut = 0;
  evicted = 0;
  overLimit = 0;
  #pendingBytes = 0;
  readonly #byHash = new Map<number, Datagram>();
  /** In the order of their first fragments. */
  readonly #oldestFirst = new Set<Datagram>();

  /** Datagrams that wait. */
  get pending(): number {
    return this.#oldestFirst.size;
  }

  /** Bytes that wait. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    more: boolean,
    tsSec: number,
  ): number {
    this.#dropExpired(tsSec);
    const len = end - start;
    const datagram = this.#find() ?? this.#begin(tsSec);
    if (offset + len > MAX_DATAGRAM_BYTES || datagram.fragments.length === MAX_FRAGMENTS) {
      this.#forget(datagram);
      this.overLimit++;
      return OVER_LIMIT;
    }
    if (!more && datagram.len < 0) datagram.len = offset + len;
    if (insert(datagram.fragments, offset, bytes, start, end)) {
      datagram.bytes += len;
      this.#pendingBytes += len;
    }
    if (isComplete(datagram)) {
      this.#forget(datagram);
      assemble(datagram, this.datagram);
      return datagram.len;
    }
    while (
      this.#oldestFirst.size > MAX_PENDING_DATAGRAMS ||
      this.#pendingBytes > MAX_PENDING_BYTES
    ) {
      this.#forgetOldest();
      this.evicted++;
    }
    return PENDING;
  }

  #find(): Datagram | null {
    let datagram = this.#byHash.get(hashOf(this.key)) ?? null;
    while (datagram !== null && !isSameKey(datagram.key, this.key)) datagram = datagram.next;
    return datagram;
  }

  #begin(tsSec: number): Datagram {
    const hash = hashOf(this.key);
    const datagram: Datagram = {
      key: this.key.slice(),
      hash,
      next: this.#byHash.get(hash) ?? null,
      firstSec: tsSec,
      fragments: [],
      bytes: 0,
      len: -1,
    };
    this.#byHash.set(hash, datagram);
    this.#oldestFirst.add(datagram);
    return datagram;
  }

  #forget(datagram: Datagram): void {
    this.#pendingBytes -= datagram.bytes;
    this.#oldestFirst.delete(datagram);
    const first = this.#byHash.get(datagram.hash);
    if (first === datagram) {
      if (datagram.next === null) this.#byHash.delete(datagram.hash);
      else this.#byHash.set(datagram.hash, datagram.next);
      return;
    }
    let before = first ?? null;
    while (before !== null && before.next !== datagram) before = before.next;
    if (before !== null) before.next = datagram.next;
  }

  #forgetOldest(): void {
    for (const datagram of this.#oldestFirst) {
      this.#forget(datagram);
      return;
    }
  }

  /** Stops at the first that is young enough: a clock that steps back only makes some wait longer. */
  #dropExpired(tsSec: number): void {
    for (const datagram of this.#oldestFirst) {
      if (tsSec - datagram.firstSec <= FRAGMENT_TIMEOUT_S) return;
      this.#forget(datagram);
      this.timedOut++;
    }
  }
}

/** Puts a copy of the bytes in its place; false where the very same range is there already. */
function insert(
  fragments: Fragment[],
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  let at = fragments.length;
  while (at > 0) {
    const before = fragments[at - 1]!;
    if (before.offset === offset && before.bytes.length === end - start) return false;
    if (before.offset <= offset) break;
    at--;
  }
  fragments.splice(at, 0, { offset, bytes: bytes.slice(start, end) });
  return true;
}

/** Whether the fragments cover the datagram from its first byte to its last. */
function isComplete(datagram: Datagram): boolean {
  if (datagram.len < 0) return false;
  let covered = 0;
  for (const { offset, bytes } of datagram.fragments) {
    if (offset > covered) return false;
    covered = Math.max(covered, offset + bytes.length);
  }
  return covered >= datagram.len;
}

/** Copies what lies below the datagram's length; bytes that are there already stay. */
function assemble(datagram: Datagram, out: Uint8Array): void {
  let covered = 0;
  for (const { offset, bytes } of datagram.fragments) {
    const end = Math.min(offset + bytes.length, datagram.len);
    if (end <= covered) continue;
    out.set(bytes.subarray(covered - offset, end - offset), covered);
    covered = end;
  }
}

function isSameKey(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < FRAGMENT_KEY_WORDS; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** FNV-1a over words; a file that makes its datagrams collide makes chains of MAX_PENDING_DATAGRAMS at most. */
function hashOf(key: Int32Array): number {
  let hash = 0x811c9dc5;
  for (const word of key) hash = Math.imul(hash ^ word, 0x01000193);
  return hash;
}
