/** Connections that are counted by their outlines add up to what judging each of them gives. */

import { expect, test, vi } from 'vitest';
import { type AnalyzeOptions, runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { buildRecord } from '../../src/report/build-record.ts';
import { Census } from '../../src/report/census.ts';
import { addCounts, countRecord, createCounts } from '../../src/report/counts.ts';
import { countConnection, countsOf, createFigures } from '../../src/report/figures.ts';
import { addTally, createTally, tallyRecord } from '../../src/report/summary.ts';
import { conclude } from '../../src/tcp/conclude.ts';
import { createFinished } from '../../src/tcp/finished.ts';
import { Unpacker } from '../../src/tcp/packed.ts';
import { ALIKE } from '../support/alike.ts';
import { sumOverCaptures } from '../support/captures.ts';
import { segments } from '../support/fixtures.ts';
import { floodAndWeb } from '../support/generated.ts';

const MSL_SEC = 30;

/** Counts a capture in both ways and compares; returns how many connections the census took. */
async function compare(
  input: string | Uint8Array,
  options: Pick<AnalyzeOptions, 'maxConnections'> = {},
): Promise<number> {
  const unpacker = new Unpacker();
  const nothing = () => ({
    counts: createCounts(),
    tally: createTally(),
    figures: createFigures(),
    frames: 0,
    matched: false,
  });
  const all = nothing();
  const rest = nothing();
  const ends = createFinished();
  const fails = ({ close }: { close: { kind: string } }): boolean => close.kind === 'rst';
  const census = new Census(MSL_SEC, fails, (conclusion) => {
    const counted = countsOf(conclusion);
    return (leaving) => {
      leaving.ends(ends);
      countConnection(rest.figures, ends, counted);
      rest.frames += ends.firstFrame;
    };
  });
  let taken = 0;
  const source = await openCapture(input, {});
  await runAnalysis(source, {
    ...options,
    onRecord() {},
    takeFinished(leaving) {
      const isTaken = census.take(leaving);
      if (isTaken) taken++;
      const finished = unpacker.read(leaving);
      const conclusion = conclude(finished, MSL_SEC);
      const record = buildRecord(finished, null, conclusion);
      for (const one of isTaken ? [all] : [all, rest]) {
        countConnection(one.figures, finished, countsOf(conclusion));
        one.frames += finished.firstFrame;
        countRecord(one.counts, record);
        tallyRecord(one.tally, record);
        one.matched ||= fails(record);
      }
      return true;
    },
  });
  await source.close();
  census.settle();
  addCounts(rest.counts, census.counts);
  addTally(rest.tally, census.tally);
  rest.matched ||= census.matched;
  expect(rest).toEqual(all);
  return taken;
}

test('in every fixture and every capture of FINWAIT_CAPTURES', async () => {
  const taken = await sumOverCaptures(compare);

  expect(taken).toBeGreaterThan(15);
});

test('in connections that are alike but for one thing', async () => {
  let taken = 0;
  for (const text of ALIKE) taken += await compare(segments`${text}`);

  expect(taken).toBeGreaterThan(ALIKE.length / 4);
});

test('where there are more outlines than are remembered at once', async () => {
  const many = 1100;
  // The first eleven segments of the client, each with PSH or without.
  const text = Array.from({ length: many }, (_, i) => {
    const flags = Array.from({ length: 11 }, (_, k) => (((i >> k) & 1) === 1 ? 'P.' : '.'));
    return [
      `host C${i} 10.0.1.1:${10_000 + i}`,
      `C${i} > S S 0:0(0)`,
      `S > C${i} S. 0:0(0) ack 1`,
      ...flags.map((flag, k) => `C${i} > S ${flag} ${k + 1}:${k + 2}(1) ack 1`),
    ].join('\n');
  });

  const settle = vi.spyOn(Census.prototype, 'settle');
  const taken = await compare(segments`${[...text, ...text.slice(0, 1)].join('\n')}`);

  expect(taken).toBeGreaterThan(many - 2);
  // Once before the end.
  expect(settle).toHaveBeenCalledTimes(2);
  settle.mockRestore();
});

test('in a flood, and in short connections with their ports used again, over IPv4 and IPv6', async () => {
  for await (const capture of floodAndWeb()) {
    expect(await compare(capture)).toBeGreaterThan(300);
    expect(await compare(capture, { maxConnections: 100 })).toBeGreaterThan(300);
  }
});
