/** Random segments nearly by the book, whatever a decoder could hand to the tracker: noted or followed, what leaves is the same. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../../bench/generate/random.ts';
import { createSegmentColumns } from '../../src/decode/columns.ts';
import { FILE_IDLE } from '../../src/tcp/idle.ts';
import * as L from '../../src/tcp/layout.ts';
import { type LeavingConnection, P_RECORD, PackedConnections } from '../../src/tcp/packed.ts';
import { Tracker } from '../../src/tcp/tracker.ts';
import { textOf } from '../support/finished-text.ts';
import { nearlyByTheBook, type Row, writeRow } from '../support/nearly-by-the-book.ts';
import { hasSameOutline } from '../support/outlines.ts';

const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 300);

const SEED = 1;

const columns = createSegmentColumns();
const packed = new PackedConnections(new ArrayBuffer(1 << 20));

interface Surroundings {
  maxConnections: number;
  lingerSec: number;
  /** Segments that come together. */
  batch: number;
  /** Running number of the first. */
  first: number;
  /** What is done between two batches, and after how many. */
  between: 'nothing' | 'compact' | 'wait';
  after: number;
}

/** What leaves the tracker, and its counts; `wants`: whether somebody wants to see each segment. */
function leaving(rows: readonly Row[], wants: boolean, around: Surroundings) {
  const { maxConnections, lingerSec, batch, first, between, after } = around;
  const connections: string[] = [];
  let noted = 0;
  let ordinary = 0;
  const tracker = new Tracker(columns, {
    lingerSec,
    maxConnections,
    idle: FILE_IDLE,
    seed: SEED,
    onFinished(connection: LeavingConnection) {
      packed.used = 0;
      connection.pack(packed);
      if ((packed.words[P_RECORD + L.HOT_BITS]! & L.NOTED) !== 0) {
        noted++;
        if (hasSameOutline(connection, lingerSec / 2)) ordinary++;
      }
      packed.forEach((finished) => {
        connections.push(textOf(finished));
      });
    },
    ...(wants ? { onSegment() {} } : {}),
  });
  // The first that the capture had: one segment again and again.
  for (let p = 0; p < L.MAX_NOTES; p++) writeRow(columns, p, rows[after % rows.length]!, SEED);
  tracker.counts.segments = first;
  for (let i = 0; i < rows.length; i += batch) {
    const part = rows.slice(i, i + batch);
    for (const [k, row] of part.entries())
      writeRow(columns, (first + i + k) & columns.mask, row, SEED);
    tracker.process(part.length);
    if (i < after || i >= after + batch || between === 'nothing') continue;
    if (between === 'compact') tracker.compact();
    else tracker.finishIdle(part.at(-1)!.sec + after * 100, FILE_IDLE);
  }
  const { sec, ns } = rows.at(-1)!;
  for (const _ of tracker.finish(sec, ns));
  return { connections, noted, ordinary, counts: { ...tracker.counts } };
}

test('what leaves the tracker is the same', () => {
  const surroundings = fc.record<Surroundings>({
    maxConnections: fc.constantFrom(1, 2, 16),
    lingerSec: fc.constantFrom(0, 2, 60),
    batch: fc.constantFrom(1, 3, 17, 256),
    first: fc.constantFrom(200, 4000, 0x2000_0000, 0x3fff_fff0),
    between: fc.constantFrom('nothing', 'compact', 'wait'),
    after: fc.nat(99),
  });
  const seen = { noted: 0, ordinary: 0, followed: 0 };

  fc.assert(
    fc.property(fc.nat(), surroundings, (seed, around) => {
      const rows = nearlyByTheBook(new Random(seed));
      const followed = leaving(rows, true, around);
      const now = leaving(rows, false, around);
      expect(followed.noted).toBe(0);
      expect(now.counts).toEqual(followed.counts);
      expect(now.connections).toEqual(followed.connections);
      seen.noted += now.noted;
      seen.ordinary += now.ordinary;
      seen.followed += now.connections.length - now.noted;
    }),
    { seed: 4096, numRuns: RUNS * 5 },
  );

  expect(seen.noted).toBeGreaterThan(RUNS);
  expect(seen.ordinary).toBeGreaterThan(RUNS / 2);
  expect(seen.followed).toBeGreaterThan(RUNS);
});
