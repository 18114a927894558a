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
import { FIXTURES, OTHER_CAPTURES } from '../support/captures.ts';
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

test('in connections that are alike but for one thing', async () => {
  const open = 'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nC > S . 1:1(0) ack 1\n';
  const request = 'C > S P. 1:11(10) ack 1\n';
  const early = 'S > C P. 1:21(20) ack 1\n';
  const answer = 'S > C P. 1:21(20) ack 11\n';
  const closes = (wait: string) =>
    `C > S F. 1:1(0) ack 1\nS > C F. 1:1(0) ack 2 ${wait}\nC > S . 2:2(0) ack 2\n`;
  const again = (wait: string) => `isn C 900000\nC > S S 0:0(0) ${wait}\n`;
  const variants = [
    // A second FIN at once, or held back.
    open + closes('+0.0001'),
    open + closes('+0.02'),
    // The same ports again: never, in TIME_WAIT, after it.
    open + closes('+0.0001') + again('+5'),
    open + closes('+0.0001') + again('+59.999'),
    open + closes('+0.0001') + again('+61'),
    // A RST after data of one side, the other, none.
    `${open}S > C R. 1:1(0) ack 1\n`,
    `${open}C > S P. 1:11(10) ack 1\nS > C R. 1:1(0) ack 11\n`,
    `${open}${request}${answer}S > C R. 21:21(0) ack 11\n`,
    `${open}${request}${answer}C > S R. 11:11(0) ack 21\n`,
    `${open}${request}${answer}C > S R. 11:11(0) ack 1\n`,
    `${open}${request}${answer}C > S . 11:11(0) ack 21\nC > S P. 11:21(10) ack 21\nS > C R. 21:21(0) ack 21\n`,
    `${open}${request}${answer}C > S . 11:11(0) ack 21\nS > C P. 21:31(10) ack 11\nS > C R. 31:31(0) ack 11\n`,
    // A RST that came from somewhere else.
    `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C . 1:1(0) ack 11 ttl 57\nS > C R. 1:1(0) ack 11 ttl 57\n`,
    `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C . 1:1(0) ack 11 ttl 57\nS > C R. 1:1(0) ack 11 ttl 200\n`,
    // The last number of an end was seen, or only what lies behind it.
    `${open}C > S . 1:1(0) ack 1\nS > C . 1:1(0) ack 1\n`,
    `${open}C > S . 2:2(0) ack 1\nS > C . 1:1(0) ack 2\n`,
    `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C P. 1:21(20) ack 11 ttl 57\nS > C R. 21:21(0) ack 11 ttl 57\n`,
    `${open}${request}S > C . 1:1(0) ack 11 ttl 57\nS > C P. 1:21(20) ack 11 ttl 57\nS > C R. 21:21(0) ack 11 ttl 200\n`,
    // The same after keep-alives that nobody answered.
    `${open}${request}S > C . 1:1(0) ack 11\nC > S R. 11:11(0) ack 1\n`,
    `${open}${request}S > C . 1:1(0) ack 11\n${'C > S . 10:10(0) ack 1 +1\n'.repeat(2)}C > S R. 11:11(0) ack 1\n`,
    // Refused; answered with the wrong number; by a RST without ACK.
    'C > S S 0:0(0)\nS > C R. 0:0(0) ack 1\n',
    'C > S S 0:0(0)\nS > C R. 0:0(0) ack 7\n',
    'C > S S 0:0(0)\nS > C R 0:0(0)\n',
    // The passive side sends on, or has its FIN behind data, or acknowledges late.
    `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:1(0) ack 2\nC > S . 2:2(0) ack 2\n`,
    `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:6(5) ack 2\nC > S . 2:2(0) ack 7\n`,
    `${open}C > S F. 1:1(0) ack 1\nS > C F. 1:6(5) ack 2\nC > S . 2:2(0) ack 7\n`,
    `${open}C > S F. 1:1(0) ack 1\nS > C F. 1:1(0) ack 1\nC > S . 2:2(0) ack 2\nS > C . 2:2(0) ack 2\n`,
    `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C F. 1:1(0) ack 2 +11\nC > S . 2:2(0) ack 2\n`,
    // The other side's FIN never comes, and the capture goes on: not long, so long that it says something.
    `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C udp len 10 +9\n`,
    `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C udp len 10 +11\n`,
    `${open}C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\nS > C udp len 10 +61\n`,
    // The handshake's ACK came with data, or not at all.
    `C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n${request}`,
    'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n',
    'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nC > S R 1:1(0)\n',
    'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nC > S . 1:1(0) ack 0\n',
    `C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n${early}C > S . 1:1(0) ack 21\n`,
    `C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\n${early}C > S . 1:1(0) ack 0\n`,
    'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nS > C . 1:21(20) ack 1\nS > C R 21:21(0)\n',
    'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nS > C . 1:1(0) ack 1\nS > C R 1:1(0)\n',
  ];
  const pair = both();
  // Each twice, so that a mold of each is there for the others and for itself.
  const captures = [...variants, ...variants].flatMap((text) => {
    const swapped = text.replaceAll('C >', 'X >').replaceAll('S >', 'C >').replaceAll('X >', 'S >');
    const other = swapped
      .replaceAll('> C', '> X')
      .replaceAll('> S', '> C')
      .replaceAll('> X', '> S');
    return [text, other.replaceAll('isn C', 'isn S')];
  });

  let filled = 0;
  for (const text of captures) filled += await compare(segments`${text}`, pair);

  expect(filled).toBeGreaterThan(variants.length);
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
