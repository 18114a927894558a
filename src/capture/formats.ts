/** What the first bytes of an input that is no pcap tell about it, for messages that name it (magic numbers of Wireshark's wiretap). */

export const ZSTD_MAGIC = 0xfd2fb528;
export const LZ4_MAGIC = 0x184d2204;
/** 16 magic numbers whose frames hold user data and are skipped; lz4 and zstd share them. */
const SKIPPABLE_MAGIC = 0x184d2a50;

/** Bytes in Latin-1, so that a magic number reads as in the documentation of its format. */
const UNSUPPORTED_FORMATS: readonly (readonly [magic: string, name: string])[] = [
  ['snoop\0\0\0', 'a snoop capture'],
  ['GMBU', 'a Microsoft Network Monitor 2 capture'],
  ['RTSS', 'a Microsoft Network Monitor 1 capture'],
  ['TRSNIFF data    \x1a', 'a Sniffer capture'],
  ['XCP\0', 'a NetXRay capture'],
  ['TR\0d\0', 'an HP-UX nettl trace'],
  ['iptrace 1.0', 'an AIX iptrace'],
  ['iptrace 2.0', 'an AIX iptrace'],
  ['btsnoop\0', 'a Bluetooth btsnoop log'],
  ['ObserverPktBuffe', 'a Network Instruments Observer capture'],
  ['LOGG', 'a Vector BLF log'],
  ['\x05VNF', 'a Visual Networks capture'],
  ['\xac\x01\x00\x1c', 'an Ixia lcap capture'],
  ['\xab\x01\x00\x1c', 'an Ixia lcap capture'],
  ['\x1c\x00\x01\xac', 'an Ixia lcap capture'],
  ['\x1c\x00\x01\xab', 'an Ixia lcap capture'],
];

const UNSUPPORTED_COMPRESSIONS: readonly (readonly [magic: string, name: string])[] = [
  ['\xfd7zXZ\0', 'xz'],
  ['BZh', 'bzip2'],
  ['\x1f\x9d', 'compress (.Z)'],
  ['LZIP', 'lzip'],
  ['7z\xbc\xaf\x27\x1c', '7-Zip'],
  ['PK\x03\x04', 'zip'],
  ['\x02!L\x18', 'lz4 in the legacy format'],
];

/** Bytes shown of an input that is nothing known. */
const SHOWN_BYTES = 16;

export type Compression = 'gzip' | 'zstd' | 'lz4';

/** What the first four bytes, read little-endian, say of compression that can be undone here, or null. */
export function sniffCompression(magic: number): Compression | null {
  if ((magic & 0xffff) === 0x8b1f) return 'gzip';
  if (magic === ZSTD_MAGIC || isSkippable(magic)) return 'zstd';
  if (magic === LZ4_MAGIC) return 'lz4';
  return null;
}

/** Whether a frame to be skipped begins so: zstd and lz4 have the same. */
export function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
}

/** The capture format that begins with `bytes` and isn't read here, in words, or null. */
export function unsupportedFormat(bytes: Uint8Array): string | null {
  return findMagic(UNSUPPORTED_FORMATS, bytes);
}

/** The compression that begins with `bytes` and isn't undone here, or null. */
export function unsupportedCompression(bytes: Uint8Array): string | null {
  return findMagic(UNSUPPORTED_COMPRESSIONS, bytes);
}

/** The first bytes as a person can read them: as quoted text with escapes, or as hex. Safe to print. */
export function describeBytes(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, SHOWN_BYTES);
  const isText = shown.every((byte) => (byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13));
  if (isText) return `the text ${JSON.stringify(latin1(shown))}`;
  return `the bytes ${Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}`;
}

function findMagic(
  list: readonly (readonly [magic: string, name: string])[],
  bytes: Uint8Array,
): string | null {
  const start = latin1(bytes.subarray(0, SHOWN_BYTES + 1));
  return list.find(([magic]) => start.startsWith(magic))?.[1] ?? null;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
