/** A connection as Zeek's conn.log shows it: the tracker's facts with addresses, times and a uid (docs/zeek.md). */

import type { FinishedConnection } from '../tcp/finished.ts';
import type { ZeekFacts } from '../tcp/zeek/facts.ts';
import type { ConnState } from '../tcp/zeek/states.ts';
import { addressOf } from './names.ts';
import type { EndpointAddress } from './record.ts';
import { digest, hashMessage, message } from './sha1.ts';
import { isLocal } from './zeek-local.ts';

/** One end of it. Bytes are payload by sequence numbers, as Zeek counts them: null where the duration is. */
export interface ZeekEnd extends EndpointAddress {
  /** In an address block that Zeek takes for local unless told otherwise. */
  isLocal: boolean;
  bytes: number | null;
  packets: number;
  ipBytes: number;
}

/** The fields of conn.log that finwait can fill. */
export interface ZeekView {
  /** Microseconds since 1970 of the first frame. */
  startUs: number;
  uid: string;
  originator: ZeekEnd;
  responder: ZeekEnd;
  /** Microseconds, more than 0; or null. */
  durationUs: number | null;
  connState: ConnState;
  missedBytes: number;
  /** Null where no segment had a letter. */
  history: string | null;
}

/** Zeek's view of `finished`. */
export function zeekView(finished: FinishedConnection, zeek: ZeekFacts): ZeekView {
  const startUs = finished.startSec * 1e6 + Math.floor(finished.startNs / 1000);
  const hasDuration = zeek.durationUs > 0;
  const end = (which: 0 | 1): ZeekEnd => {
    const at = which === 0 ? zeek.originEnd : zeek.originEnd === 0 ? 1 : 0;
    return {
      ip: addressOf(finished, at),
      port: finished.port[at],
      isLocal: isLocal(finished.family, finished.address[at]),
      bytes: hasDuration ? zeek.bytes[which] : null,
      packets: finished.packets[at],
      ipBytes: zeek.ipBytes[which],
    };
  };
  return {
    startUs,
    uid: uidOf(finished, startUs),
    originator: end(0),
    responder: end(1),
    durationUs: hasDuration ? zeek.durationUs : null,
    connState: zeek.connState,
    missedBytes: zeek.missedBytes,
    history: zeek.history === '' ? null : zeek.history,
  };
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Digits of a uid: Zeek's 96 bits take as many. */
const UID_DIGITS = 17;

/** Start time (a double), addresses, ports: the words that name a connection. */
const SEED_WORDS = 2 + 8 + 1;
const seed = new DataView(new ArrayBuffer(8));

/**
 * `C` and 17 digits of base 62, one for each of the first bytes of the SHA-1 of start time, addresses and ports (the lower end first).
 * The same connection has the same uid in every file and every run; Zeek's own are random.
 */
function uidOf(finished: FinishedConnection, startUs: number): string {
  seed.setFloat64(0, startUs);
  message[0] = seed.getInt32(0);
  message[1] = seed.getInt32(4);
  const words = finished.family === 4 ? 1 : 4;
  const lower = lowerEnd(finished, words);
  const upper = lower === 0 ? 1 : 0;
  const { address, port } = finished;
  for (let i = 0; i < 4; i++) {
    message[2 + i] = i < words ? (address[lower][i] ?? 0) : 0;
    message[6 + i] = i < words ? (address[upper][i] ?? 0) : 0;
  }
  message[10] = (port[lower] << 16) | port[upper];
  hashMessage(SEED_WORDS);
  let uid = 'C';
  for (let i = 0; i < UID_DIGITS; i++) uid += BASE62.charAt(byteOf(i) % BASE62.length);
  return uid;
}

/** Byte `i` of the hash. */
function byteOf(i: number): number {
  return ((digest[i >> 2] ?? 0) >>> (24 - (i & 3) * 8)) & 0xff;
}

/** The end with the lower address, then port. The key's lower one hangs, in IPv6, on which address was seen first. */
function lowerEnd({ address, port }: FinishedConnection, words: number): 0 | 1 {
  for (let i = 0; i < words; i++) {
    const difference = (address[0][i] ?? 0) - (address[1][i] ?? 0);
    if (difference !== 0) return difference < 0 ? 0 : 1;
  }
  return port[0] <= port[1] ? 0 : 1;
}
