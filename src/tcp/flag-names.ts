/** The names of the flag bits (RFC 9293 §3.1, RFC 3168, RFC 9768 for AE). */

const NAMES: readonly (readonly [number, string])[] = [
  [0x002, 'SYN'],
  [0x001, 'FIN'],
  [0x004, 'RST'],
  [0x008, 'PSH'],
  [0x010, 'ACK'],
  [0x020, 'URG'],
  [0x040, 'ECE'],
  [0x080, 'CWR'],
  [0x100, 'AE'],
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
