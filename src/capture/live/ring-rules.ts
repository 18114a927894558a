/** When a capture that is kept goes on in its next file (dumpcap(1), -b). */

/** When the next file is begun, and how many are left; null: no such rule. */
export interface RingRules {
  /** Units of 1000 bytes. */
  filesizeKb: number | null;
  durationSec: number | null;
  /** As duration, but at whole multiples of it on the clock. */
  intervalSec: number | null;
  packets: number | null;
  /** Files that are kept; the oldest are deleted. */
  files: number | null;
}

/** Whether any of the rules begins a next file. */
export function beginsFiles({ durationSec, filesizeKb, intervalSec, packets }: RingRules): boolean {
  return (durationSec ?? filesizeKb ?? intervalSec ?? packets) !== null;
}

export const NO_RING: RingRules = {
  filesizeKb: null,
  durationSec: null,
  intervalSec: null,
  packets: null,
  files: null,
};
