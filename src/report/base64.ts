/** Base64 (RFC 4648 §4) of a hash. */

/** Characters that the base64 of five words takes, the sign that fills it up included. */
export const DIGEST_CHARS = 28;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const FILL = 0x3d;

/** The two characters of twelve bits, the first in the lower byte. */
const PAIRS = Uint16Array.from(
  { length: 4096 },
  (_, bits) => ALPHABET.charCodeAt(bits >> 6) | (ALPHABET.charCodeAt(bits & 63) << 8),
);

/** Writes the base64 of the five words of `digest`, big-endian, at `at`: where the next byte goes. Hot path, once a connection. */
export function writeDigest(view: DataView, at: number, digest: Int32Array): number {
  const [a, b, c, d, e] = [digest[0]!, digest[1]!, digest[2]!, digest[3]!, digest[4]!];
  writePairs(view, at, a >>> 20, (a >>> 8) & 0xfff);
  writePairs(view, at + 4, ((a & 0xff) << 4) | (b >>> 28), (b >>> 16) & 0xfff);
  writePairs(view, at + 8, (b >>> 4) & 0xfff, ((b & 0xf) << 8) | (c >>> 24));
  writePairs(view, at + 12, (c >>> 12) & 0xfff, c & 0xfff);
  writePairs(view, at + 16, d >>> 20, (d >>> 8) & 0xfff);
  writePairs(view, at + 20, ((d & 0xff) << 4) | (e >>> 28), (e >>> 16) & 0xfff);
  writePairs(view, at + 24, (e >>> 4) & 0xfff, (e & 0xf) << 8);
  view.setUint8(at + 27, FILL);
  return at + DIGEST_CHARS;
}

function writePairs(view: DataView, at: number, first: number, second: number): void {
  view.setUint32(at, PAIRS[first]! | (PAIRS[second]! << 16), true);
}
