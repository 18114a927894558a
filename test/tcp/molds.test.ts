/** A verdict filled in from a mold, and its line written from a template, are those that judging the connection gives. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AnalyzeOptions, runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { fillingOf } from '../../src/cli/data-form.ts';
import { buildRecord, TransientRecord } from '../../src/report/build-record.ts';
import { ByteText } from '../../src/report/byte-text.ts';
import { countRecord, createCounts } from '../../src/report/counts.ts';
import { csvBytes, rowWriter } from '../../src/report/csv.ts';
import { recordWriter } from '../../src/report/json.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { createTally, tallyRecord } from '../../src/report/summary.ts';
import { conclude } from '../../src/tcp/conclude.ts';
import { Molds } from '../../src/tcp/molds.ts';
import { PackedConnections, Unpacker } from '../../src/tcp/packed.ts';
import { ALIKE } from '../support/alike.ts';
import { sumOverCaptures } from '../support/captures.ts';
import { segments } from '../support/fixtures.ts';
import { generated } from '../support/generated.ts';
import { csvRow } from '../support/lines.ts';
import { simulate } from '../support/tcp-model.ts';
import { pcapOf, plans, shotsOf } from '../support/tcp-model-capture.ts';

const MSL_SEC = 30;
/** A name with what JSON, CSV and spreadsheets take for something else. */
const FILE = '="wéb", 1.pcap';
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 300);

/** Molds that are filled wholly, and as a data format needs them with its writer. */
function both() {
  const json = new ByteText(1 << 16);
  const csv = csvBytes(1 << 16);
  return {
    molds: new Molds(MSL_SEC),
    forJson: new Molds(MSL_SEC, fillingOf('jsonl')),
    json,
    write: recordWriter(json),
    forSummary: new Molds(MSL_SEC, fillingOf('summary')),
    forCsv: new Molds(MSL_SEC, fillingOf('csv')),
    csv,
    writeRow: rowWriter(csv),
    record: new TransientRecord('judged'),
  };
}

/** Holds every connection of a capture against its mold, and counts those that a mold of another one served. */
async function compare(
  input: string | Uint8Array,
  {
    molds,
    forSummary,
    forJson,
    json,
    write,
    forCsv,
    csv,
    writeRow,
    record,
  }: ReturnType<typeof both>,
  options: Pick<AnalyzeOptions, 'maxConnections'> = {},
): Promise<number> {
  const buffer = new PackedConnections(new ArrayBuffer(1 << 20));
  const source = await openCapture(input, {});
  const before = molds.filled;
  const check = (): void => {
    const judged: ConnectionRecord[] = [];
    buffer.forEach((finished) => {
      judged.push(buildRecord(finished, FILE, conclude(finished, MSL_SEC)));
    });
    let at = 0;
    buffer.forEach((finished) => {
      expect(buildRecord(finished, FILE, molds.conclude(finished))).toEqual(judged[at]);
      at++;
    });
    at = 0;
    buffer.forEach((finished) => {
      const conclusion = forJson.conclude(finished);
      write(record.fill(finished, FILE, conclusion), conclusion.mold);
      expect(new TextDecoder().decode(json.take())).toBe(`${JSON.stringify(judged[at])}\n`);
      at++;
    });
    const tallies = [createTally(), createTally()] as const;
    const counts = [createCounts(), createCounts()] as const;
    for (const one of judged) {
      tallyRecord(tallies[0], one);
      countRecord(counts[0], one);
    }
    buffer.forEach((finished) => {
      const one = new TransientRecord('none').fill(finished, FILE, forSummary.conclude(finished));
      tallyRecord(tallies[1], one);
      countRecord(counts[1], one);
    });
    expect(tallies[1]).toEqual(tallies[0]);
    expect(counts[1]).toEqual(counts[0]);
    at = 0;
    buffer.forEach((finished) => {
      const conclusion = forCsv.conclude(finished);
      writeRow(record.fill(finished, FILE, conclusion), conclusion.mold);
      const row = new TextDecoder().decode(csv.take());
      expect(row).toBe(`${csvRow(judged[at] as ConnectionRecord)}\r\n`);
      at++;
    });
    buffer.used = 0;
  };
  await runAnalysis(source, {
    ...options,
    onRecord() {},
    takeFinished(leaving) {
      leaving.pack(buffer);
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
  const filled = await sumOverCaptures((path) => compare(path, pair));

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

test('in connections that are alike but for one thing', async () => {
  const pair = both();
  let filled = 0;
  for (const text of ALIKE) filled += await compare(segments`${text}`, pair);

  expect(filled).toBeGreaterThan(ALIKE.length / 4);
});

test('in connections that were let go early, or were open to the end', async () => {
  const names = [...'ABDEFGHIJKLMNOPQRTUVWXYZ'];
  const hosts = names.map((name, i) => `host ${name} 10.0.1.1:${40000 + i}`);
  const opened = names.map(
    (name) => `${name} > S S 0:0(0)\nS > ${name} S. 0:0(0) ack 1\n${name} > S . 1:1(0) ack 1`,
  );
  const text = [...hosts, ...opened].join('\n');

  // One is judged for those that were let go, one for the 16 that were not.
  expect(await compare(segments`${text}`, both(), { maxConnections: 16 })).toBe(names.length - 2);
});

test('one writer takes the records of several captures, each with molds of its own', async () => {
  const json = new ByteText(1 << 16);
  const write = recordWriter(json);
  const filled: number[] = [];

  for (const kind of ['web', 'flood'] as const) {
    const molds = new Molds(MSL_SEC, fillingOf('jsonl'));
    const record = new TransientRecord();
    const unpacker = new Unpacker();
    const source = await openCapture(await generated({ kind, frames: 4000, concurrency: 20 }), {});
    await runAnalysis(source, {
      onRecord() {},
      takeFinished(leaving) {
        const one = unpacker.read(leaving);
        const judged = buildRecord(one, FILE, conclude(one, MSL_SEC));
        const finished = unpacker.read(leaving);
        const conclusion = molds.conclude(finished);
        write(record.fill(finished, FILE, conclusion), conclusion.mold);
        expect(new TextDecoder().decode(json.take())).toBe(`${JSON.stringify(judged)}\n`);
        return true;
      },
    });
    await source.close();
    filled.push(molds.filled);
  }

  expect(Math.min(...filled)).toBeGreaterThan(100);
});
