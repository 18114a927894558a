/** SHA-1 (FIPS 180-4) of a few words, for names that other tools compute alike. */

/** What is hashed, in its first words; the rest is scratch. */
export const message = new Int32Array(80);
/** The hash made last. */
export const digest = new Int32Array(5);

/** Words that one block has room for beside the padding and the length. */
export const MAX_MESSAGE_WORDS = 13;

/**
 * Hashes the first `count` words of `message`, at most MAX_MESSAGE_WORDS, big-endian, into `digest`.
 *
 * Hot path, once a connection: node:crypto takes longer for its way there and back than for the hash, and hands out a string that has to be
 * read again. The last sixteen words are kept in variables (read back from the array they
 * took 60 of 170 ns), and rotated where they stand: V8 inlines only so many calls.
 */
export function hashMessage(count: number): void {
  const words = message;
  words[count] = 0x8000_0000;
  for (let i = count + 1; i < 15; i++) words[i] = 0;
  words[15] = count * 32;
  schedule(words);
  let a = 0x6745_2301;
  let b = 0xefcd_ab89 | 0;
  let c = 0x98ba_dcfe | 0;
  let d = 0x1032_5476;
  let e = 0xc3d2_e1f0 | 0;
  for (let i = 0; i < 20; i += 5) {
    e = (e + words[i]! + 0x5a82_7999 + (d ^ (b & (c ^ d))) + ((a << 5) | (a >>> 27))) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + words[i + 1]! + 0x5a82_7999 + (c ^ (a & (b ^ c))) + ((e << 5) | (e >>> 27))) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + words[i + 2]! + 0x5a82_7999 + (b ^ (e & (a ^ b))) + ((d << 5) | (d >>> 27))) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + words[i + 3]! + 0x5a82_7999 + (a ^ (d & (e ^ a))) + ((c << 5) | (c >>> 27))) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + words[i + 4]! + 0x5a82_7999 + (e ^ (c & (d ^ e))) + ((b << 5) | (b >>> 27))) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (let i = 20; i < 40; i += 5) {
    e = (e + words[i]! + 0x6ed9_eba1 + (b ^ c ^ d) + ((a << 5) | (a >>> 27))) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + words[i + 1]! + 0x6ed9_eba1 + (a ^ b ^ c) + ((e << 5) | (e >>> 27))) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + words[i + 2]! + 0x6ed9_eba1 + (e ^ a ^ b) + ((d << 5) | (d >>> 27))) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + words[i + 3]! + 0x6ed9_eba1 + (d ^ e ^ a) + ((c << 5) | (c >>> 27))) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + words[i + 4]! + 0x6ed9_eba1 + (c ^ d ^ e) + ((b << 5) | (b >>> 27))) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (let i = 40; i < 60; i += 5) {
    e = (e + words[i]! + 0x8f1b_bcdc + ((b & c) | (d & (b | c))) + ((a << 5) | (a >>> 27))) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + words[i + 1]! + 0x8f1b_bcdc + ((a & b) | (c & (a | b))) + ((e << 5) | (e >>> 27))) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + words[i + 2]! + 0x8f1b_bcdc + ((e & a) | (b & (e | a))) + ((d << 5) | (d >>> 27))) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + words[i + 3]! + 0x8f1b_bcdc + ((d & e) | (a & (d | e))) + ((c << 5) | (c >>> 27))) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + words[i + 4]! + 0x8f1b_bcdc + ((c & d) | (e & (c | d))) + ((b << 5) | (b >>> 27))) | 0;
    c = (c << 30) | (c >>> 2);
  }
  for (let i = 60; i < 80; i += 5) {
    e = (e + words[i]! + 0xca62_c1d6 + (b ^ c ^ d) + ((a << 5) | (a >>> 27))) | 0;
    b = (b << 30) | (b >>> 2);
    d = (d + words[i + 1]! + 0xca62_c1d6 + (a ^ b ^ c) + ((e << 5) | (e >>> 27))) | 0;
    a = (a << 30) | (a >>> 2);
    c = (c + words[i + 2]! + 0xca62_c1d6 + (e ^ a ^ b) + ((d << 5) | (d >>> 27))) | 0;
    e = (e << 30) | (e >>> 2);
    b = (b + words[i + 3]! + 0xca62_c1d6 + (d ^ e ^ a) + ((c << 5) | (c >>> 27))) | 0;
    d = (d << 30) | (d >>> 2);
    a = (a + words[i + 4]! + 0xca62_c1d6 + (c ^ d ^ e) + ((b << 5) | (b >>> 27))) | 0;
    c = (c << 30) | (c >>> 2);
  }
  digest[0] = a + 0x6745_2301;
  digest[1] = b + 0xefcd_ab89;
  digest[2] = c + 0x98ba_dcfe;
  digest[3] = d + 0x1032_5476;
  digest[4] = e + 0xc3d2_e1f0;
}

/** The words behind the first sixteen of `message`. */
function schedule(words: Int32Array): void {
  let w0 = words[0]!;
  let w1 = words[1]!;
  let w2 = words[2]!;
  let w3 = words[3]!;
  let w4 = words[4]!;
  let w5 = words[5]!;
  let w6 = words[6]!;
  let w7 = words[7]!;
  let w8 = words[8]!;
  let w9 = words[9]!;
  let w10 = words[10]!;
  let w11 = words[11]!;
  let w12 = words[12]!;
  let w13 = words[13]!;
  let w14 = words[14]!;
  let w15 = words[15]!;
  for (let i = 16; i < 80; i += 16) {
    w0 ^= w13 ^ w8 ^ w2;
    w0 = (w0 << 1) | (w0 >>> 31);
    w1 ^= w14 ^ w9 ^ w3;
    w1 = (w1 << 1) | (w1 >>> 31);
    w2 ^= w15 ^ w10 ^ w4;
    w2 = (w2 << 1) | (w2 >>> 31);
    w3 ^= w0 ^ w11 ^ w5;
    w3 = (w3 << 1) | (w3 >>> 31);
    w4 ^= w1 ^ w12 ^ w6;
    w4 = (w4 << 1) | (w4 >>> 31);
    w5 ^= w2 ^ w13 ^ w7;
    w5 = (w5 << 1) | (w5 >>> 31);
    w6 ^= w3 ^ w14 ^ w8;
    w6 = (w6 << 1) | (w6 >>> 31);
    w7 ^= w4 ^ w15 ^ w9;
    w7 = (w7 << 1) | (w7 >>> 31);
    w8 ^= w5 ^ w0 ^ w10;
    w8 = (w8 << 1) | (w8 >>> 31);
    w9 ^= w6 ^ w1 ^ w11;
    w9 = (w9 << 1) | (w9 >>> 31);
    w10 ^= w7 ^ w2 ^ w12;
    w10 = (w10 << 1) | (w10 >>> 31);
    w11 ^= w8 ^ w3 ^ w13;
    w11 = (w11 << 1) | (w11 >>> 31);
    w12 ^= w9 ^ w4 ^ w14;
    w12 = (w12 << 1) | (w12 >>> 31);
    w13 ^= w10 ^ w5 ^ w15;
    w13 = (w13 << 1) | (w13 >>> 31);
    w14 ^= w11 ^ w6 ^ w0;
    w14 = (w14 << 1) | (w14 >>> 31);
    w15 ^= w12 ^ w7 ^ w1;
    w15 = (w15 << 1) | (w15 >>> 31);
    words[i] = w0;
    words[i + 1] = w1;
    words[i + 2] = w2;
    words[i + 3] = w3;
    words[i + 4] = w4;
    words[i + 5] = w5;
    words[i + 6] = w6;
    words[i + 7] = w7;
    words[i + 8] = w8;
    words[i + 9] = w9;
    words[i + 10] = w10;
    words[i + 11] = w11;
    words[i + 12] = w12;
    words[i + 13] = w13;
    words[i + 14] = w14;
    words[i + 15] = w15;
  }
}
