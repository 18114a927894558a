/** Round-trip samples of an end: all of the first hundred, a histogram from there on. */

import { RTT_MAX, RTT_MEDIAN, RTT_MIN, RTT_P95, RTT_SAMPLES } from './figures.ts';
import { FEW_SAMPLES } from './transfer-layout.ts';

/** Ends that have a block at once; one more keeps the first four samples that it has (transfer-layout.ts). */
const MAX_RTT_BLOCKS = 65_536;
/** Up to this many samples of an end the median and p95 are exact. */
const MAX_EXACT_SAMPLES = 100;

/** A block: the number of samples (two words), the least and the greatest (a double each), and the body. */
const BODY = 6;
const BODY_WORDS = MAX_EXACT_SAMPLES * 2;
const BLOCK_WORDS = BODY + BODY_WORDS;

/**
 * The body as a histogram: 400 counters of 16 bits. Unit 512 ns; sixteen buckets of one unit, then sixteen to each power of two, so
 * that the middle of a bucket is at most 1/32 of its value off; up to 68 s, and all longer ones in the last.
 */
const UNIT_NS = 512;
const STEPS = 16;
const BUCKETS = BODY_WORDS * 2;
const MAX_UNITS = 2 ** 27 - 1;

const scratch = new Float64Array(MAX_EXACT_SAMPLES);

/** All blocks in one growing array. Block 0 is never used, so that 0 means none. */
export class RttPool {
  #words = new Int32Array(16 * BLOCK_WORDS);
  #doubles = new Float64Array(this.#words.buffer);
  #halves = new Uint16Array(this.#words.buffer);
  #blocks = 1;
  #free: number[] = [];

  /** An empty block, or 0 where all are taken. */
  allocate(): number {
    const freed = this.#free.pop();
    if (freed === undefined && this.#blocks > MAX_RTT_BLOCKS) return 0;
    const block = freed ?? this.#blocks++;
    if ((block + 1) * BLOCK_WORDS > this.#words.length) {
      const words = new Int32Array(this.#words.length * 2);
      words.set(this.#words);
      this.#words = words;
      this.#doubles = new Float64Array(words.buffer);
      this.#halves = new Uint16Array(words.buffer);
    }
    this.#words[block * BLOCK_WORDS] = 0;
    return block;
  }

  free(block: number): void {
    this.#free.push(block);
  }

  /** Takes over the samples of `block` of `pool`: the number of the block here. */
  adopt(pool: RttPool, block: number): number {
    const to = this.allocate();
    const at = block * BLOCK_WORDS;
    this.#words.set(pool.#words.subarray(at, at + BLOCK_WORDS), to * BLOCK_WORDS);
    return to;
  }

  /** Adds a sample of `ns` nanoseconds, 0 or more. */
  add(block: number, ns: number): void {
    const words = this.#words;
    const at = block * BLOCK_WORDS;
    const count = words[at]!;
    const doubles = this.#doubles;
    const d = at >> 1;
    words[at] = count + 1;
    if (count === 0 || ns < doubles[d + 1]!) doubles[d + 1] = ns;
    if (count === 0 || ns > doubles[d + 2]!) doubles[d + 2] = ns;
    if (count < MAX_EXACT_SAMPLES) {
      doubles[d + BODY / 2 + count] = ns;
      return;
    }
    if (count === MAX_EXACT_SAMPLES) {
      const body = d + BODY / 2;
      scratch.set(doubles.subarray(body, body + MAX_EXACT_SAMPLES));
      words.fill(0, at + BODY, at + BLOCK_WORDS);
      for (const sample of scratch) this.#count(at, sample);
    }
    this.#count(at, ns);
  }

  /** Writes the figures of the block's samples. */
  read(block: number, out: Float64Array): void {
    const at = block * BLOCK_WORDS;
    const d = at >> 1;
    const count = this.#words[at]! >>> 0;
    out[RTT_SAMPLES] = count;
    out[RTT_MIN] = this.#doubles[d + 1]!;
    out[RTT_MAX] = this.#doubles[d + 2]!;
    if (count <= MAX_EXACT_SAMPLES) {
      const body = d + BODY / 2;
      scratch.set(this.#doubles.subarray(body, body + count));
      readExact(scratch, count, out);
    } else {
      out[RTT_MEDIAN] = this.#quantile(at, 0.5);
      out[RTT_P95] = this.#quantile(at, 0.95);
    }
  }

  #count(at: number, ns: number): void {
    const halves = this.#halves;
    const first = (at + BODY) * 2;
    const place = first + bucketOf(ns);
    if (halves[place] === 0xffff) {
      for (let i = first; i < first + BUCKETS; i++) halves[i] = halves[i]! >> 1;
    }
    halves[place]!++;
  }

  #quantile(at: number, q: number): number {
    const halves = this.#halves;
    const first = (at + BODY) * 2;
    let total = 0;
    for (let i = 0; i < BUCKETS; i++) total += halves[first + i]!;
    let left = rank(q, total);
    let bucket = 0;
    while (bucket < BUCKETS - 1 && left > halves[first + bucket]!)
      left -= halves[first + bucket++]!;
    const min = this.#doubles[(at >> 1) + 1]!;
    const max = this.#doubles[(at >> 1) + 2]!;
    return Math.min(max, Math.max(min, middleOf(bucket)));
  }
}

/**
 * Writes the figures of the samples that need no block: three words from `first` on and the one at `last`, each one more than its
 * nanoseconds, 0: none. Hot path, once a connection.
 */
export function readSamples(
  words: Int32Array,
  first: number,
  last: number,
  out: Float64Array,
): void {
  readFew(scratch, gatherSamples(words, first, last, scratch), out);
}

/** Writes the figures of the first `count` of `samples`, at most MAX_EXACT_SAMPLES, in nanoseconds, and sorts these. Hot path, once a connection. */
export function readFew(samples: Float64Array, count: number, out: Float64Array): void {
  out[RTT_SAMPLES] = count;
  if (count === 0) {
    out[RTT_MIN] = out[RTT_MEDIAN] = out[RTT_P95] = out[RTT_MAX] = 0;
    return;
  }
  readExact(samples, count, out);
  out[RTT_MIN] = samples[0]!;
  out[RTT_MAX] = samples[count - 1]!;
}

/** Copies such samples to `out`: how many. */
export function gatherSamples(
  words: Int32Array,
  first: number,
  last: number,
  out: Float64Array,
): number {
  let count = 0;
  for (let at = first; count < FEW_SAMPLES - 1 && words[at] !== 0; at++) {
    out[count++] = words[at]! - 1;
  }
  if (words[last] !== 0) out[count++] = words[last]! - 1;
  return count;
}

/** Sorts the first `count` of `samples` by insertion: there are a hundred at most, and mostly three. */
function readExact(samples: Float64Array, count: number, out: Float64Array): void {
  for (let i = 1; i < count; i++) {
    const value = samples[i]!;
    let k = i;
    for (; k > 0 && samples[k - 1]! > value; k--) samples[k] = samples[k - 1]!;
    samples[k] = value;
  }
  out[RTT_MEDIAN] = samples[rank(0.5, count) - 1]!;
  out[RTT_P95] = samples[rank(0.95, count) - 1]!;
}

/** Nearest rank, from 1. */
function rank(q: number, count: number): number {
  return Math.max(1, Math.ceil(q * count));
}

function bucketOf(ns: number): number {
  const units = Math.min(MAX_UNITS, Math.floor(ns / UNIT_NS));
  if (units < STEPS) return units;
  const power = 31 - Math.clz32(units);
  return (power - 3) * STEPS + ((units >> (power - 4)) & (STEPS - 1));
}

function middleOf(bucket: number): number {
  if (bucket < STEPS) return (bucket + 0.5) * UNIT_NS;
  const power = Math.floor(bucket / STEPS) + 3;
  const width = 2 ** (power - 4);
  return (2 ** power + ((bucket % STEPS) + 0.5) * width) * UNIT_NS;
}
