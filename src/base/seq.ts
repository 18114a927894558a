/** Sequence number arithmetic modulo 2^32 (RFC 9293 §3.4). Numbers of the wire are compared by the sign of their difference, `(a - b) | 0`, nowhere by `<`. */

/**
 * `a - b` modulo 2^32 as a signed number, -2^31 … 2^31-1: positive where `a` lies after `b`.
 * Takes any 32-bit pattern, signed or unsigned. Hot path: one subtraction, no branch.
 */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}

/** `a + n` modulo 2^32 as an unsigned number, 0 … 2^32-1. */
export function seqAdd(a: number, n: number): number {
  return (a + n) >>> 0;
}
