/** xxHash, 32 bits, over bytes in pieces: the checksum of LZ4 frames (xxHash specification 0.1.1, XXH32). */

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
const STRIPE_BYTES = 16;

/** The hash of all bytes given to `update`, with seed 0. */
export class Xxh32 {
  readonly #lanes = new Int32Array([PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1]);
  readonly #rest = new Uint8Array(STRIPE_BYTES);
  #restLength = 0;
  #total = 0;

  update(bytes: Uint8Array): void {
    let at = 0;
    this.#total += bytes.length;
    if (this.#restLength > 0) {
      at = Math.min(STRIPE_BYTES - this.#restLength, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restLength);
      this.#restLength += at;
      if (this.#restLength < STRIPE_BYTES) return;
      this.#stripes(this.#rest, 0, STRIPE_BYTES);
      this.#restLength = 0;
    }
    const whole = at + ((bytes.length - at) & ~(STRIPE_BYTES - 1));
    this.#stripes(bytes, at, whole);
    this.#rest.set(bytes.subarray(whole));
    this.#restLength = bytes.length - whole;
  }

  /** The hash, 0 … 2^32-1; further updates may follow. */
  digest(): number {
    const lanes = this.#lanes;
    let hash =
      this.#total >= STRIPE_BYTES
        ? rotate(lanes[0]!, 1) +
          rotate(lanes[1]!, 7) +
          rotate(lanes[2]!, 12) +
          rotate(lanes[3]!, 18)
        : PRIME_5;
    hash = (hash + this.#total) | 0;

    const view = new DataView(this.#rest.buffer);
    let at = 0;
    for (; at + 4 <= this.#restLength; at += 4) {
      hash = (hash + Math.imul(view.getUint32(at, true), PRIME_3)) | 0;
      hash = Math.imul(rotate(hash, 17), PRIME_4);
    }
    for (; at < this.#restLength; at++) {
      hash = (hash + Math.imul(view.getUint8(at), PRIME_5)) | 0;
      hash = Math.imul(rotate(hash, 11), PRIME_1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lanes = this.#lanes;
    let a = lanes[0]!;
    let b = lanes[1]!;
    let c = lanes[2]!;
    let d = lanes[3]!;
    for (let at = start; at < end; at += STRIPE_BYTES) {
      a = round(a, view.getUint32(at, true));
      b = round(b, view.getUint32(at + 4, true));
      c = round(c, view.getUint32(at + 8, true));
      d = round(d, view.getUint32(at + 12, true));
    }
    lanes[0] = a;
    lanes[1] = b;
    lanes[2] = c;
    lanes[3] = d;
  }
}

/** The hash of `bytes` at once. */
export function xxh32(bytes: Uint8Array): number {
  const hash = new Xxh32();
  hash.update(bytes);
  return hash.digest();
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
