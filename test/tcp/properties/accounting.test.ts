/** Many connections at once: every frame is counted once, every connection is told once, and none depends on its neighbours. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnalyzeOptions, analyze } from '../../../src/analyze.ts';
import type { CaptureSummary, ConnectionRecord } from '../../../src/report/record.ts';
import { simulate } from '../../support/tcp-model.ts';
import {
  conversation,
  type Frame,
  framesOf,
  hostsOf,
  joined,
  pcapOf,
  shotsOf,
} from '../../support/tcp-model-capture.ts';

const SEED = 9293;
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 100);

async function run(
  bytes: Uint8Array,
  options: AnalyzeOptions,
): Promise<{ records: ConnectionRecord[]; summary: CaptureSummary }> {
  const records: ConnectionRecord[] = [];
  const analysis = analyze(bytes, options);
  for await (const record of analysis) records.push(record);
  return { records, summary: await analysis.summary };
}

describe('many connections at once', () => {
  test('every frame is counted once and every connection told once, however few are held', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(conversation, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.5, 1, 30),
        fc.constantFrom(16, 17, 40, 4_000_000),
        async (list, msl, maxConnections) => {
          const frames = framesOf(list);
          fc.pre(frames.length > 0);
          const { records, summary } = await run(joined(frames), { msl, maxConnections });

          const streams = records.map((record) => record.stream).sort((a, b) => a - b);
          expect(streams).toEqual(streams.map((_, i) => i));
          expect(summary.connections).toBe(records.length);
          const packets = records.reduce((n, r) => n + r.packets.client + r.packets.server, 0);
          expect(packets + summary.strayFrames).toBe(frames.length);
          const first = [...records].sort((a, b) => a.stream - b.stream).map((r) => r.firstFrame);
          expect(first).toEqual([...first].sort((a, b) => a - b));
          if (maxConnections === 4_000_000) expect(summary.evicted).toBe(0);
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test('a connection is told as if it were alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(conversation, { minLength: 2, maxLength: 20 }), async (list) => {
        const alone: string[] = [];
        const frames: Frame[] = [];
        for (const [i, { plan, atMs, six, skip }] of list.entries()) {
          const look = { ...plan, hosts: hostsOf(i, six) };
          const shots = shotsOf(simulate(plan).captured)
            .slice(skip)
            .map((shot) => ({ ...shot, tNs: shot.tNs + atMs * 1_000_000 }));
          if (shots.length === 0) continue;
          const { records } = await run(pcapOf(shots, look), {});
          alone.push(...records.map(withoutPlace));
          frames.push(...shots.map((shot) => ({ shot, look })));
        }
        fc.pre(frames.length > 0);
        frames.sort((a, b) => a.shot.tNs - b.shot.tNs);
        const { records } = await run(joined(frames), {});

        expect(records.map(withoutPlace).sort()).toEqual(alone.sort());
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});

/** The record without frame and stream numbers, and without the findings that tell how long it was watched after its last frame. */
function withoutPlace(record: ConnectionRecord): string {
  const isNumber = (key: string): boolean => /frame|stream/i.test(key) && key !== 'duplicateFrames';
  const findings = record.findings.filter(
    ({ code }) => code !== 'close-wait-long' && code !== 'fin-wait-2-long',
  );
  return JSON.stringify({ ...record, findings }, (key, value) =>
    isNumber(key) ? undefined : value,
  );
}
