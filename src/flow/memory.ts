/** Memory for records of whole cache lines. */

/** Bytes of a cache line, and where memory that was asked for alone begins in one: malloc of glibc puts its 16 bytes before it. */
const LINE_BYTES = 64;
const MALLOC_BYTES = 16;

/**
 * `count` words, all 0, the first at the beginning of a cache line where the memory is large and malloc is glibc's (elsewhere it may lie anywhere in one).
 *
 * A record of two lines that begins anywhere touches three: with 100,000 connections open that made tracking a frame 10 to 20 % slower.
 */
export function alignedWords(count: number): Int32Array<ArrayBuffer> {
  const offset = LINE_BYTES - MALLOC_BYTES;
  return new Int32Array(new ArrayBuffer(offset + count * 4), offset, count);
}

/** The same memory as doubles. */
export function doublesOf<B extends ArrayBufferLike>(words: Int32Array<B>): Float64Array<B> {
  return new Float64Array(words.buffer, words.byteOffset, words.length >> 1);
}

/** The same memory as bytes. */
export function bytesOf<B extends ArrayBufferLike>(words: Int32Array<B>): Uint8Array<B> {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
