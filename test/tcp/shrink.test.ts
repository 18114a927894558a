/** Memory given back after a burst, and that nothing else shows of it. */

import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { AnalysisRun, type RunOptions } from '../../src/analysis-run.ts';
import { runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { createSegmentColumns } from '../../src/decode/columns.ts';
import type { LeavingConnection } from '../../src/tcp/packed.ts';
import { KEPT_BLOCKS } from '../../src/tcp/shrink.ts';
import { Tracker } from '../../src/tcp/tracker.ts';
import { BURST, fromAnother } from '../support/burst.ts';
import { FIXTURES, OTHER_CAPTURES } from '../support/captures.ts';
import { OPENED_AND_CLOSED, segments } from '../support/fixtures.ts';
import { readPcap, type TestFrame, writePcap } from '../support/pcap.ts';
import { conversation, framesOf, joined } from '../support/tcp-model-capture.ts';

const SEED = 9293;
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 100);
/** Zeek's view, for which every connection is followed from its first segment on, and is not only noted; and none. */
const EVERY_OR_NONE = [true, false] as const;
/** `process` and `shrink` as they are, whatever a test makes of them. */
const { process: takeBatch, shrink } = Tracker.prototype;

afterEach(() => {
  Tracker.prototype.process = takeBatch;
  Tracker.prototype.shrink = shrink;
});

/** From here on connections move after segment `n` where `moves(n)` says so, counted from 1 in each capture. */
function moveAfter(moves: (n: number) => boolean): void {
  Tracker.prototype.shrink = () => {};
  Tracker.prototype.process = function (count) {
    for (let i = 0; i < count; i++) {
      takeBatch.call(this, 1);
      if (moves(this.counts.segments)) this.compact();
    }
  };
}

/** From here on memory never shrinks. */
function neverShrink(): void {
  Tracker.prototype.process = takeBatch;
  Tracker.prototype.shrink = () => {};
}

/** Every record and the totals, as lines of JSON in the order in which they come; null where the capture can't be read. */
async function linesOf(
  input: string | Uint8Array,
  options: Partial<RunOptions> = {},
): Promise<string[] | null> {
  const lines: string[] = [];
  try {
    const source = await openCapture(input, {});
    const summary = await runAnalysis(source, {
      ...{ file: 'x', zeek: true },
      ...options,
      onRecord: (record) => lines.push(JSON.stringify(record)),
    });
    await source.close();
    lines.push(JSON.stringify(summary));
  } catch (error) {
    if (error instanceof Error && error.name === 'CaptureError') return null;
    throw error;
  }
  return lines;
}

describe('connections that are moved after any segment have the same records', () => {
  test('in every fixture and every capture of FINWAIT_CAPTURES', async () => {
    for (const { path, title } of [...FIXTURES, ...OTHER_CAPTURES]) {
      for (const zeek of EVERY_OR_NONE) {
        neverShrink();
        const expected = await linesOf(path, { zeek });
        moveAfter((n) => n < 300 || n % 61 === 0);
        expect(await linesOf(path, { zeek }), title).toEqual(expected);
      }
    }
  });

  test('among many random conversations that come and go', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(conversation, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.5, 1, 30),
        fc.constantFrom(16, 40, 4_000_000),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(...EVERY_OR_NONE),
        async (list, msl, maxConnections, every, zeek) => {
          const frames = framesOf(list);
          fc.pre(frames.length > 0);
          const capture = joined(frames);
          neverShrink();
          const expected = await linesOf(capture, { msl, maxConnections, zeek });
          moveAfter((n) => n % every === 0);

          expect(await linesOf(capture, { msl, maxConnections, zeek })).toEqual(expected);
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
  });
});

const V4 = 'client 10.0.0.1:40000\nserver 10.0.0.2:80\n';
const V6 = 'client [2001:db8::1]:40000\nserver [2001:db8::2]:80\n';

/** All that is kept beside a record: cookies, holes, SACK, counts, more than four round trips, segments that wait for an ACK, a FIN behind a hole and what fills it, more often than is kept: the last time takes the place of the time before. */
const BEFORE = `
  C > S S 0:0(0) <mss 1460,sackOK,tfo 0102030405060708>
  S > C S. 0:0(0) ack 1 <mss 1400,sackOK,tfo 1112131415161718>
  C > S . 1:1(0) ack 1
  S > C P. 1:1001(1000) ack 1
  S > C P. 2001:3001(1000) ack 1
  S > C P. 4001:5001(1000) ack 1
  C > S . 1:1(0) ack 1001 <nop,nop,sack 2001:3001 4001:5001>
  C > S . 1:1(0) ack 1001 <nop,nop,sack 2001:3001 4001:5001>
${[1, 11, 21, 31, 41, 51]
  .map((n) => `  C > S P. ${n}:${n + 10}(10) ack 1001\n  S > C . 5001:5001(0) ack ${n + 10}`)
  .join('\n')}
  C > S P. 61:71(10) ack 1001
  C > S P. 71:81(10) ack 1001
  C > S F. 91:91(0) ack 1001
  S > C . 5001:5001(0) ack 71
${'  C > S P. 71:81(10) ack 1001\n'.repeat(30)}
`;
const AFTER = `
  C > S P. 71:81(10) ack 1001 @3690
  C > S P. 81:91(10) ack 1001 @3700
  S > C . 5001:5001(0) ack 81
  S > C . 5001:5001(0) ack 92
  S > C P. 1001:2001(1000) ack 92
  S > C P. 3001:4001(1000) ack 92
  C > S . 92:92(0) ack 5001
  S > C F. 5001:5001(0) ack 92
  C > S . 92:92(0) ack 5002
`;
/** Closed shortly before the connections move, its ports used again, and a FIN comes late. */
const LINGERING = `
  client 10.0.0.3:40000
  server 10.0.0.2:80
  C > S S 0:0(0) @999
${OPENED_AND_CLOSED}
  isn C 900000
${OPENED_AND_CLOSED}
  S > C F. 1:1(0) ack 2 @1003
`;

/** `count` SYNs of as many hosts, half of them in each family, at second `sec`; `before`: conversations in both. */
function burst(before: readonly TestFrame[], sec: number, first: number, count: number) {
  return Array.from({ length: count }, (_, i): TestFrame => {
    const syn = before[i % 2 === 0 ? 0 : before.length / 2];
    if (syn === undefined) throw new Error('no segment to start from');
    return { ...fromAnother(syn, first + i), tsSec: syn.tsSec + sec };
  });
}

/** From second `sec` on so many segments of one other connection in four seconds that silence is looked for twice. */
function chatter(sec: number): TestFrame[] {
  const [segment] = readPcap(segments`client 10.0.0.4:40000
    server 10.0.0.2:80
    C > S . 1:1(0) ack 1 @${sec}`);
  if (segment === undefined) throw new Error('no segment');
  return Array.from({ length: 16_384 }, (_, i): TestFrame => {
    const bytes = new Uint8Array(segment.bytes);
    new DataView(bytes.buffer).setUint32(42, 1001 + sec + i);
    return { ...segment, bytes, tsSec: segment.tsSec + (i >> 12) };
  });
}

/** Where the connections are in the burst, which begins before them so that they move; and how many come when all that has left. */
const BEGIN = 100;
const LATE = 20;

function capture(): Uint8Array {
  const read = (text: string): TestFrame[] => readPcap(segments`${text}`);
  const all = [V4, V6].map((hosts) => read(hosts + BEFORE + AFTER));
  const isLate = ({ tsSec }: TestFrame): boolean => tsSec > (all[0]?.[0]?.tsSec ?? 0) + 60;
  const before = all.flatMap((frames) => frames.filter((frame) => !isLate(frame)));
  const frames = [
    ...burst(before, 0, 0, BEGIN),
    ...before,
    ...burst(before, 1, BEGIN, BURST - BEGIN),
    ...read(LINGERING),
    ...chatter(1000),
    ...burst(before, 1010, BURST, LATE),
    ...chatter(2000),
    ...all.flatMap((list) => list.filter(isLate)),
  ];
  return writePcap(
    frames.map((frame, i) => ({ ...frame, i })).sort((a, b) => a.tsSec - b.tsSec || a.i - b.i),
  );
}

describe('after a burst', () => {
  const bytes = capture();

  test('connections that were open during it and closed afterwards have the same records', async () => {
    let order: number[] = [];
    // The burst's own are alike, and would take seconds to judge.
    const takeFinished = ({ stream }: LeavingConnection): boolean =>
      order.push(stream) > 0 && stream < BURST && ![BEGIN, BEGIN + 1].includes(stream);
    let moved = 0;
    const options = { takeFinished, onMoved: () => moved++ };
    neverShrink();
    const expected = await linesOf(bytes, options);
    const expectedOrder = order;
    expect(moved).toBe(0);
    order = [];
    Tracker.prototype.shrink = shrink;

    expect(await linesOf(bytes, options)).toEqual(expected);
    expect(order).toEqual(expectedOrder);
    expect(moved).toBe(1);
    expect(order).toHaveLength(BURST + LATE + 5);
    for (const stream of [BEGIN, BEGIN + 1]) {
      const line = expected?.find((one) => one.includes(`"stream":${stream},`));
      expect(JSON.parse(line ?? '')).toMatchObject({
        close: { kind: '4-way', complete: true },
        handshake: { options: { client: { fastOpenCookie: '0102030405060708' } } },
        transfer: {
          client: { missingBytes: 0, lostSegments: 1, rtt: { samples: 8 } },
          server: { missingBytes: 0, lostSegments: 2 },
        },
      });
    }
  });

  test('what a tracker holds is small again', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const measure = async (): Promise<number> => {
      // A collection ends on other threads: the next one waits for them.
      for (let i = 0; i < 3; i++) {
        collect();
        await setTimeout(20);
      }
      return process.memoryUsage().arrayBuffers;
    };
    const held = async (): Promise<number> => {
      const before = await measure();
      const source = await openCapture(bytes, {});
      const run = new AnalysisRun(source, {
        ...{ onRecord() {}, takeFinished: () => true, zeek: true },
      });
      do run.drain();
      while (await source.more());
      const now = await measure();
      expect(run.open).toBeLessThan(10);
      return now - before;
    };

    const shrunk = await held();
    neverShrink();
    const kept = await held();

    // Mostly the decoder's columns, the reader's chunk, and the first thousand records.
    expect(shrunk).toBeLessThan(8e6);
    expect(kept).toBeGreaterThan(200e6);
  });
});

/** A tracker whose stories have had `blocks` blocks, none of them in use. */
class Told extends Tracker {
  constructor(blocks: number, onMoved: () => void) {
    super(createSegmentColumns(), {
      ...{ lingerSec: 60, idle: null, maxConnections: 16, seed: 1 },
      onFinished() {},
      onMoved,
    });
    for (let i = 0; i < blocks; i++) this.pool.reserve(0);
  }
}

test.each([
  [KEPT_BLOCKS - 1, 0],
  [KEPT_BLOCKS, 1],
])('stories of few connections that took %i blocks are moved %i times', (blocks, times) => {
  let moved = 0;
  const tracker = new Told(blocks, () => {
    moved++;
  });
  tracker.shrink();
  tracker.shrink();

  expect(moved).toBe(times);
});
