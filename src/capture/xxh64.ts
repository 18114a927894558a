/** xxHash, 64 bits, over bytes in pieces: the checksum of zstd frames (xxHash specification 0.1.1, XXH64; RFC 8878 §3.1.1). */

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;
const STRIPE_BYTES = 32;

const PRIME_1_LOW = 0x85ebca87;
const PRIME_1_HIGH = 0x9e3779b1;
const PRIME_2_LOW = 0x27d4eb4f;
const PRIME_2_HIGH = 0xc2b2ae3d;

/**
 * The hash of all bytes given to `update`, with seed 0.
 *
 * Stripes are hashed in halves of 32 bits, at some 100 times the speed of BigInt; the few steps of `digest` use BigInt.
 */
export class Xxh64 {
  /** Four lanes, the low word of each before its high word. */
  readonly #lanes = new Int32Array(8);
  readonly #rest = new Uint8Array(STRIPE_BYTES);
  #restLength = 0;
  #total = 0;

  constructor() {
    const start = [PRIME_1 + PRIME_2, PRIME_2, 0n, -PRIME_1];
    for (const [index, lane] of start.entries()) {
      this.#lanes[index * 2] = Number(BigInt.asIntN(32, lane));
      this.#lanes[index * 2 + 1] = Number(BigInt.asIntN(32, lane >> 32n));
    }
  }

  update(bytes: Uint8Array): void {
    let at = 0;
    this.#total += bytes.length;
    if (this.#restLength > 0) {
      at = Math.min(STRIPE_BYTES - this.#restLength, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restLength);
      this.#restLength += at;
      if (this.#restLength < STRIPE_BYTES) return;
      this.#stripes(this.#rest, 0, STRIPE_BYTES);
    }
    const whole = at + ((bytes.length - at) & ~(STRIPE_BYTES - 1));
    this.#stripes(bytes, at, whole);
    this.#rest.set(bytes.subarray(whole));
    this.#restLength = bytes.length - whole;
  }

  /** The hash, 0 … 2^64-1. */
  digest(): bigint {
    let hash = PRIME_5;
    if (this.#total >= STRIPE_BYTES) {
      const lanes = [0, 1, 2, 3].map((index) => this.#lane(index));
      const turns = [1n, 7n, 12n, 18n];
      hash = lanes.reduce((sum, lane, index) => sum + rotate(lane, turns[index]!), 0n);
      for (const lane of lanes) hash = wrap((wrap(hash) ^ round(0n, lane)) * PRIME_1 + PRIME_4);
    }
    hash = wrap(hash + BigInt(this.#total));

    const view = new DataView(this.#rest.buffer);
    let at = 0;
    for (; at + 8 <= this.#restLength; at += 8) {
      hash ^= round(0n, view.getBigUint64(at, true));
      hash = wrap(rotate(hash, 27n) * PRIME_1 + PRIME_4);
    }
    for (; at + 4 <= this.#restLength; at += 4) {
      hash ^= wrap(BigInt(view.getUint32(at, true)) * PRIME_1);
      hash = wrap(rotate(hash, 23n) * PRIME_2 + PRIME_3);
    }
    for (; at < this.#restLength; at++) {
      hash ^= wrap(BigInt(view.getUint8(at)) * PRIME_5);
      hash = wrap(rotate(hash, 11n) * PRIME_1);
    }
    hash = wrap((hash ^ (hash >> 33n)) * PRIME_2);
    hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
    return hash ^ (hash >> 32n);
  }

  #lane(index: number): bigint {
    const low = BigInt.asUintN(32, BigInt(this.#lanes[index * 2]!));
    const high = BigInt.asUintN(32, BigInt(this.#lanes[index * 2 + 1]!));
    return (high << 32n) | low;
  }

  /** Each lane takes a word of 8 bytes: lane = rotate(lane + word · PRIME_2, 31) · PRIME_1. */
  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lanes = this.#lanes;
    for (let at = start; at < end; at += 8) {
      const index = ((at - start) >> 2) & 6;
      const wordLow = view.getInt32(at, true);
      const wordHigh = view.getInt32(at + 4, true);
      const addLow = Math.imul(wordLow, PRIME_2_LOW);
      const addHigh =
        highProduct(wordLow, PRIME_2_LOW) +
        Math.imul(wordLow, PRIME_2_HIGH) +
        Math.imul(wordHigh, PRIME_2_LOW);
      const sum = (lanes[index]! >>> 0) + (addLow >>> 0);
      const low = sum | 0;
      const high = (lanes[index + 1]! + addHigh + (sum > 0xffffffff ? 1 : 0)) | 0;

      const turnedLow = (low << 31) | (high >>> 1);
      const turnedHigh = (high << 31) | (low >>> 1);
      lanes[index] = Math.imul(turnedLow, PRIME_1_LOW);
      lanes[index + 1] =
        (highProduct(turnedLow, PRIME_1_LOW) +
          Math.imul(turnedLow, PRIME_1_HIGH) +
          Math.imul(turnedHigh, PRIME_1_LOW)) |
        0;
    }
  }
}

/** The upper 32 bits of the product of two unsigned 32-bit words. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middle = aLow * bHigh + (cross & 0xffff);
  return (aHigh * bHigh + Math.floor(cross / 65536) + Math.floor(middle / 65536)) | 0;
}

function round(lane: bigint, word: bigint): bigint {
  return wrap(rotate(wrap(lane + word * PRIME_2), 31n) * PRIME_1);
}

function rotate(value: bigint, bits: bigint): bigint {
  return wrap(value << bits) | (value >> (64n - bits));
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
