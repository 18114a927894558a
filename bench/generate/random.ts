/** A small seeded generator of 32-bit numbers (xorshift32: Marsaglia, 2003), and bytes from it. */

export class Random {
  private state: number;

  /** Seeds are mixed, so that neighbouring ones give unlike sequences. */
  constructor(seed: number) {
    let mixed = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    this.state = (mixed ^ (mixed >>> 16)) | 0 || 1;
  }

  /** 0 … 2^32-1. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** 0 … limit-1, for limits far below 2^32. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  fill(bytes: Buffer): void {
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = this.next() >>> 11;
  }
}
