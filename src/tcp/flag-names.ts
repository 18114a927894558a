/** The names of the flag bits (RFC 9293 §3.1, RFC 3168, RFC 9768 for AE). */

import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../decode/columns.ts';

const NAMES: readonly (readonly [number, string])[] = [
  [SYN, 'SYN'],
  [FIN, 'FIN'],
  [RST, 'RST'],
  [PSH, 'PSH'],
  [ACK, 'ACK'],
  [URG, 'URG'],
  [ECE, 'ECE'],
  [CWR, 'CWR'],
  [AE, 'AE'],
];

const cache = new Map<number, string>();

/** Names joined by commas, e.g. `SYN,ACK`; the empty string without any flag. At most 4096 different ones. */
export function flagNames(flags: number): string {
  let names = cache.get(flags);
  if (names === undefined) {
    names = NAMES.filter(([bit]) => (flags & bit) !== 0)
      .map(([, name]) => name)
      .join(',');
    cache.set(flags, names);
  }
  return names;
}
