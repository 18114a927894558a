/** Tells a frame that the capture saw twice from a segment that was sent twice (docs/specification.md §1). */

import { HAS_TIMESTAMPS, SEGMENT_RING, type SegmentColumns } from '../decode/columns.ts';

/** A copy arrives within this time. */
const DUPLICATE_WINDOW_NS = 5_000_000;

/** How many segments of the same end are looked at. */
const MAX_STEPS = 64;

/**
 * Segments back that are still whole in the ring: what is decoded ahead, and a batch at hand, overwrite the oldest. A constant, so that the
 * answer never depends on how the input was cut into batches, or by which thread.
 */
export const RING_REACH = SEGMENT_RING - 256;

/** Running numbers are kept modulo 2^30 and one greater, so that 0 means none. */
export const NUMBER_MASK = 0x3fff_ffff;

/**
 * Whether the segment with running number `current` repeats one of the same end as captured; `latest` is the running number + 1
 * of that end's latest segment (0: none) and `previous` chains them the same way.
 *
 * An IPv4 identification that isn't 0 decides: equal in every copy of a packet, another in a packet sent anew.
 * Without one the timestamps option does, and without both nothing can tell: not a duplicate.
 */
export function isDuplicate(
  columns: SegmentColumns,
  current: number,
  latest: number,
  previous: Int32Array,
): boolean {
  const { seq, ack, flags, payloadLen, checksum, ipId, optionBits, tsVal, ttl, tsSec, tsNs, mask } =
    columns;
  const at = current & mask;
  let number = latest;
  for (let step = 0; step < MAX_STEPS; step++) {
    if (number === 0 || ((current - (number - 1)) & NUMBER_MASK) > RING_REACH) return false;
    const other = (number - 1) & mask;
    const apart = (tsSec[at]! - tsSec[other]!) * 1e9 + (tsNs[at]! - tsNs[other]!);
    if (apart > DUPLICATE_WINDOW_NS || apart < -DUPLICATE_WINDOW_NS) return false;
    if (
      seq[at] === seq[other] &&
      ack[at] === ack[other] &&
      flags[at] === flags[other] &&
      payloadLen[at] === payloadLen[other] &&
      checksum[at] === checksum[other]
    ) {
      const hops = ttl[other]! - ttl[at]!;
      const sameId =
        ipId[at] !== 0 && ipId[other] !== 0
          ? ipId[at] === ipId[other]
          : (optionBits[at]! & optionBits[other]! & HAS_TIMESTAMPS) !== 0 &&
            tsVal[at] === tsVal[other];
      if (sameId && hops >= 0 && hops <= 2) return true;
    }
    number = previous[other]!;
  }
  return false;
}
