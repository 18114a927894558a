/** Finished connections as plain words, to hand them to another thread: what `conclude` needs and nothing else. */

import { COUNTS, type EndFigures, FIGURES } from './figures.ts';
import { createFinished, type EndOfTracking, type FinishedConnection } from './finished.ts';
import { ENTRY_WORDS, MAX_STORY_ENTRIES, readEntries } from './story.ts';
import { createZeekFacts } from './zeek/facts.ts';
import { MAX_ZEEK_WORDS, packZeek, unpackZeek } from './zeek/packed.ts';

const ENDS: readonly EndOfTracking[] = ['input-ended', 'time-wait-over', 'reused', 'evicted'];

/** Words of the fixed part: 8 doubles, then 40 words. */
const DOUBLES = 8;
const FIXED_WORDS = DOUBLES * 2 + 40;
/** Bits of one word; HAS_COUNTS for each end. */
const LOST_FRAMES = 1;
const REUSED_PORTS = 2;
const HAS_COUNTS = 4;
/** A Fast Open cookie has at most 16 bytes, 32 characters of hex: a word each. */
const MAX_COOKIE_CHARS = 32;

/** The most words that one connection takes. */
export const MAX_PACKED_WORDS =
  FIXED_WORDS +
  2 * MAX_COOKIE_CHARS +
  4 * FIGURES +
  MAX_ZEEK_WORDS +
  MAX_STORY_ENTRIES * ENTRY_WORDS;

/** Characters of the cookies of the connection at hand. */
const lengths = [0, 0];

/** Many packed connections, one behind the other, in one transferable piece of memory. */
export class PackedConnections {
  readonly buffer: ArrayBuffer;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  #at = 0;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  /** Words in use. */
  get used(): number {
    return this.#at;
  }

  /** Whether another connection of any size has room. */
  get hasRoom(): boolean {
    return this.#at + MAX_PACKED_WORDS <= this.#words.length;
  }

  /** Appends `f`, its story not yet unfolded; only where `hasRoom`. */
  push(f: FinishedConnection): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const start = this.#at;
    const d = start >> 1;
    doubles[d] = f.firstFrame;
    doubles[d + 1] = f.lastFrame;
    doubles[d + 2] = f.durationNs;
    doubles[d + 3] = f.reusedFrame ?? -1;
    doubles[d + 4] = f.reusedNs;
    doubles[d + 5] = f.bytes[0];
    doubles[d + 6] = f.bytes[1];
    doubles[d + 7] = f.stream;
    let at = start + DOUBLES * 2;
    words[at++] = f.family;
    words[at++] = f.startSec;
    words[at++] = f.startNs;
    words[at++] = f.firstFrom;
    words[at++] = f.duplicates;
    words[at++] = ENDS.indexOf(f.end);
    words[at++] =
      (f.lostFrames ? LOST_FRAMES : 0) |
      (f.reusedPorts ? REUSED_PORTS : 0) |
      (f.transfer[0].hasCounts ? HAS_COUNTS : 0) |
      (f.transfer[1].hasCounts ? HAS_COUNTS << 1 : 0);
    words[at++] = f.lastData;
    for (let e = 0; e < 2; e++) {
      const address = f.address[e]!;
      for (let i = 0; i < 4; i++) words[at++] = address[i]!;
      words[at++] = f.port[e]!;
      words[at++] = f.packets[e]!;
      words[at++] = f.nextSeq[e]!;
      words[at++] = f.maxAck[e]!;
      words[at++] = f.ackKnown[e]!;
      words[at++] = f.repeats[e]!;
      words[at++] = f.zeroWindows[e]!;
      words[at++] = f.options[e]!;
      words[at++] = Math.min(f.cookie[e]!.length, MAX_COOKIE_CHARS);
    }
    const counted = at++;
    words[at] = f.zeek === null ? 0 : 1;
    at = start + FIXED_WORDS;
    for (const cookie of f.cookie) {
      for (let i = 0; i < cookie.length && i < MAX_COOKIE_CHARS; i++) {
        words[at++] = cookie.charCodeAt(i);
      }
    }
    if ((at & 1) !== 0) at++;
    at = this.#pushFigures(at, f.transfer[0]);
    at = this.#pushFigures(at, f.transfer[1]);
    if (f.zeek !== null) at = packZeek(f.zeek, words, doubles, at);
    const from = at;
    at = f.pool === null ? at : f.pool.copy(f.head, f.tail, words, at);
    words[counted] = (at - from) / ENTRY_WORDS;
    this.#at = at;
  }

  /** Counts that are all 0 are left out. */
  #pushFigures(at: number, { values, hasCounts }: EndFigures): number {
    const doubles = this.#doubles;
    let d = at >> 1;
    for (let i = hasCounts ? 0 : COUNTS; i < FIGURES; i++) doubles[d++] = values[i]!;
    return d * 2;
  }

  /** Calls `visit` with each connection in the first `used` words; the record is used again. */
  static forEach(
    buffer: ArrayBuffer,
    used: number,
    visit: (finished: FinishedConnection) => void,
  ): void {
    const words = new Int32Array(buffer);
    const doubles = new Float64Array(buffer);
    const f = createFinished();
    let at = 0;
    while (at < used) {
      at = unpack(words, doubles, at, f);
      visit(f);
    }
  }
}

function unpack(
  words: Int32Array,
  doubles: Float64Array,
  start: number,
  f: FinishedConnection,
): number {
  const d = start >> 1;
  f.firstFrame = doubles[d]!;
  f.lastFrame = doubles[d + 1]!;
  f.durationNs = doubles[d + 2]!;
  f.reusedFrame = doubles[d + 3]! < 0 ? null : doubles[d + 3]!;
  f.reusedNs = doubles[d + 4]!;
  f.bytes[0] = doubles[d + 5]!;
  f.bytes[1] = doubles[d + 6]!;
  f.stream = doubles[d + 7]!;
  let at = start + DOUBLES * 2;
  f.family = words[at++] === 6 ? 6 : 4;
  f.startSec = words[at++]! >>> 0;
  f.startNs = words[at++]!;
  f.firstFrom = words[at++] === 0 ? 0 : 1;
  f.duplicates = words[at++]!;
  f.end = ENDS[words[at++]!]!;
  const bits = words[at++]!;
  f.lostFrames = (bits & LOST_FRAMES) !== 0;
  f.reusedPorts = (bits & REUSED_PORTS) !== 0;
  f.lastData = words[at++] as -1 | 0 | 1;
  let chars = 0;
  for (let e = 0; e < 2; e++) {
    const address = f.address[e]!;
    for (let i = 0; i < 4; i++) address[i] = words[at++]!;
    f.port[e] = words[at++]!;
    f.packets[e] = words[at++]! >>> 0;
    f.nextSeq[e] = words[at++]!;
    f.maxAck[e] = words[at++]!;
    f.ackKnown[e] = words[at++]!;
    f.repeats[e] = words[at++]!;
    f.zeroWindows[e] = words[at++]!;
    f.options[e] = words[at++]!;
    lengths[e] = words[at++]!;
    chars += lengths[e]!;
  }
  const count = words[at++]!;
  const hasZeek = words[at] === 1;
  at = start + FIXED_WORDS;
  if (chars > 0) {
    for (let e = 0; e < 2; e++) {
      f.cookie[e] = String.fromCharCode(...words.subarray(at, at + lengths[e]!));
      at += lengths[e]!;
    }
  } else {
    f.cookie[0] = '';
    f.cookie[1] = '';
  }
  if ((at & 1) !== 0) at++;
  at = unpackFigures(doubles, at, f.transfer[0], (bits & HAS_COUNTS) !== 0);
  at = unpackFigures(doubles, at, f.transfer[1], (bits & (HAS_COUNTS << 1)) !== 0);
  if (hasZeek) {
    f.zeek ??= createZeekFacts();
    at = unpackZeek(f.zeek, words, doubles, at);
  }
  readEntries(f.story, words, doubles, at, count, f.firstFrame);
  return at + count * ENTRY_WORDS;
}

function unpackFigures(
  doubles: Float64Array,
  at: number,
  out: EndFigures,
  hasCounts: boolean,
): number {
  if (!hasCounts && out.hasCounts) out.values.fill(0, 0, COUNTS);
  out.hasCounts = hasCounts;
  let d = at >> 1;
  for (let i = hasCounts ? 0 : COUNTS; i < FIGURES; i++) out.values[i] = doubles[d++]!;
  return d * 2;
}
