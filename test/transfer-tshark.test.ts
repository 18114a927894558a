/** finwait's transfer figures are tshark's tcp.analysis, direction by direction (docs/differences.md says where not). */

import { describe, expect, test } from 'vitest';
import { FIXTURES, OTHER_CAPTURES } from './support/captures.ts';
import {
  COUNTED,
  type Compared,
  type Direction,
  isSmooth,
  transferByFinwait,
  transferByTshark,
} from './support/transfer-tshark.ts';
import { HAS_TSHARK } from './support/tshark.ts';

/** Of the project's own captures those of real sockets: what the others show, test/tcp/transfer.test.ts says. */
const CAPTURES = [
  ...FIXTURES.filter(({ title }) => title.startsWith('fixtures/kernel/')),
  ...OTHER_CAPTURES,
];

/** Captures whose frames lie out of time order, or in part without a time, and one that is cut within the options. */
const WITHOUT_TIMES = [
  'kernel/snaplen68.pcap',
  'real/suricata-tls_DER-incomplete-header.pcap',
  'real/tcpdump-timestamp_invalid_nano.pcap',
  'real/zeek-handshake-reorder.pcap',
  'real/zeek-ipv6-http-atomic-frag.pcap',
];

const COUNTS = [...Object.keys(COUNTED), 'retransmittedBytes'] as Compared[];
const NS = 1.5e-9;

/** The figures in which both must agree; round trips rounded to what tshark prints. */
function expected(
  tshark: Direction,
  own: Direction,
  hasTimes: boolean,
): Partial<Direction['values']> {
  const names = [...COUNTS];
  if (own.hasSyns) names.push('maxWindow');
  if (isSmooth(tshark) && hasTimes) names.push('rttSamples');
  return Object.fromEntries(names.map((name) => [name, tshark.values[name]]));
}

describe.skipIf(!HAS_TSHARK)('tshark counts the same (skipped where it is not installed)', () => {
  for (const { title, path } of CAPTURES) {
    test.concurrent(title, async ({ expect }) => {
      const [tshark, own] = await Promise.all([transferByTshark(path), transferByFinwait(path)]);
      const hasTimes = !WITHOUT_TIMES.includes(title);

      for (const [key, theirs] of tshark) {
        const ours = own.get(key);
        // A duplicate frame is in none of finwait's figures.
        if (ours === undefined || ours.hasDuplicates) continue;
        expect.soft(ours.values, key).toMatchObject(expected(theirs, ours, hasTimes));
        if (!isSmooth(theirs) || !hasTimes) continue;
        // The number of a SYN that is not acknowledged yet is no byte.
        const flight = theirs.values.maxBytesInFlight - ours.values.maxBytesInFlight;
        expect.soft([0, 1], key).toContain(flight);
        for (const name of ['rttMin', 'rttMax'] as const) {
          const apart = Math.abs(theirs.values[name] - ours.values[name]);
          expect.soft(apart, `${key} ${name}`).toBeLessThan(NS);
        }
      }
    });
  }

  test.skipIf(OTHER_CAPTURES.length === 0)(
    'on captures that hold something to count (skipped without FINWAIT_CAPTURES)',
    async () => {
      const path = OTHER_CAPTURES.find(({ title }) => title === 'kernel/soup-300.pcapng')?.path;
      const found = [...(await transferByFinwait(path ?? '')).values()];

      const sum = found.reduce((total, { values }) => total + values.retransmissions, 0);
      expect(sum).toBeGreaterThan(5);
    },
  );
});
