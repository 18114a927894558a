/** A verdict filled in from a mold, and its line written from a template, are those that judging the connection gives. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { buildRecord } from '../../src/report/build-record.ts';
import { ByteText } from '../../src/report/byte-text.ts';
import { recordWriter } from '../../src/report/json.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { conclude } from '../../src/tcp/conclude.ts';
import { Molds } from '../../src/tcp/molds.ts';
import { PackedConnections } from '../../src/tcp/packed.ts';
import { FIXTURES, OTHER_CAPTURES } from '../support/captures.ts';
import { simulate } from '../support/tcp-model.ts';
import { pcapOf, plans, shotsOf } from '../support/tcp-model-capture.ts';

const MSL_SEC = 30;
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 300);

/** Molds, and a writer for what comes out of them. */
function both() {
  const text = new ByteText(1 << 16);
  return { molds: new Molds(MSL_SEC), text, write: recordWriter(text) };
}

/** Holds every connection of a capture against its mold, and counts those that a mold of another one served. */
async function compare(
  input: string | Uint8Array,
  { molds, text, write }: ReturnType<typeof both>,
): Promise<number> {
  let buffer = new PackedConnections(new ArrayBuffer(1 << 20));
  const source = await openCapture(input, {});
  const before = molds.filled;
  const check = (): void => {
    const judged: ConnectionRecord[] = [];
    PackedConnections.forEach(buffer.buffer, buffer.used, (finished) => {
      judged.push(buildRecord(finished, null, conclude(finished, MSL_SEC)));
    });
    let at = 0;
    PackedConnections.forEach(buffer.buffer, buffer.used, (finished) => {
      const conclusion = molds.conclude(finished);
      const record = buildRecord(finished, null, conclusion);
      expect(record).toEqual(judged[at]);
      write(record, conclusion.mold);
      expect(new TextDecoder().decode(text.take())).toBe(`${JSON.stringify(judged[at])}\n`);
      at++;
    });
    buffer = new PackedConnections(buffer.buffer);
  };
  await runAnalysis(source, {
    onRecord() {},
    takeFinished(finished) {
      buffer.push(finished);
      if (!buffer.hasRoom) check();
      return true;
    },
  });
  check();
  await source.close();
  return molds.filled - before;
}

test('in every fixture and every capture of FINWAIT_CAPTURES', async () => {
  const pair = both();
  let filled = 0;

  for (const { path } of [...FIXTURES, ...OTHER_CAPTURES]) {
    filled += await compare(path, pair).catch((error: unknown) => {
      // What can't be read is tested elsewhere.
      if (error instanceof Error && error.name === 'CaptureError') return 0;
      throw error;
    });
  }

  expect(filled).toBeGreaterThan(40);
});

test('in random conversations, their frames lost, doubled and out of order', async () => {
  const pair = both();
  const one = fc.record({
    plan: plans({ resets: true, losses: ['none', 'none', 'before', 'after'], spareAcks: true }),
    drop: fc.array(fc.nat(30), { maxLength: 2 }),
    swap: fc.array(fc.nat(30), { maxLength: 2 }),
  });
  let filled = 0;

  await fc.assert(
    fc.asyncProperty(one, async ({ plan, drop, swap }) => {
      const shots = shotsOf(simulate(plan).captured).filter((_, i) => !drop.includes(i));
      for (const i of swap) {
        const [a, b] = [shots[i], shots[i + 1]];
        if (a === undefined || b === undefined) continue;
        shots.splice(i, 2, { ...b, tNs: a.tNs }, { ...a, tNs: b.tNs });
      }
      filled += await compare(pcapOf(shots, plan), pair);
    }),
    { seed: 9293, numRuns: RUNS * 3 },
  );

  expect(filled).toBeGreaterThan(RUNS / 10);
});
