/** Measures what a finished connection costs after the tracker: `npx tsx bench/part.ts connections FILE`, nanoseconds a connection. */

import { runAnalysis } from '../src/analyze.ts';
import { openCapture } from '../src/capture/open.ts';
import { fillingOf } from '../src/cli/data-form.ts';
import { TransientRecord } from '../src/report/build-record.ts';
import { ByteText } from '../src/report/byte-text.ts';
import { csvBytes, rowWriter } from '../src/report/csv.ts';
import { recordWriter } from '../src/report/json.ts';
import { conclude } from '../src/tcp/conclude.ts';
import type { FinishedConnection } from '../src/tcp/finished.ts';
import { Molds } from '../src/tcp/molds.ts';
import { PackedConnections } from '../src/tcp/packed.ts';

/** Connections kept, and times that each stage goes over them: the best time counts. */
const CONNECTIONS = 20_000;
const ROUNDS = 8;
const BUFFER_BYTES = 4 * 1024 * 1024;
const TAKE_FROM = 500_000;
const MSL_SEC = 30;

async function firstConnections(file: string): Promise<PackedConnections[]> {
  const buffers = [new PackedConnections(new ArrayBuffer(BUFFER_BYTES))];
  let taken = 0;
  const source = await openCapture(file, {});
  await runAnalysis(source, {
    onRecord() {},
    takeFinished(leaving) {
      const last = buffers[buffers.length - 1] as PackedConnections;
      if (taken++ >= CONNECTIONS) return true;
      leaving.pack(last);
      if (!last.hasRoom) buffers.push(new PackedConnections(new ArrayBuffer(BUFFER_BYTES)));
      return true;
    },
    onChunk: () => taken < CONNECTIONS,
  });
  await source.close();
  return buffers;
}

/** The stages, each with all that it needs of the ones before. */
function stages(file: string): Record<string, (finished: FinishedConnection) => void> {
  const whole = new Molds(MSL_SEC);
  const figures = new Molds(MSL_SEC, fillingOf('csv'));
  const words = new Molds(MSL_SEC, fillingOf('jsonl'));
  const record = new TransientRecord('judged');
  const csv = csvBytes(2 * TAKE_FROM);
  const writeRow = rowWriter(csv);
  const json = new ByteText(2 * TAKE_FROM);
  const write = recordWriter(json);
  return {
    unpack() {},
    judge: (finished) => void conclude(finished, MSL_SEC),
    'judge by mold': (finished) => void whole.conclude(finished),
    'figures by mold': (finished) => void figures.conclude(finished),
    record: (finished) => void record.fill(finished, file, figures.conclude(finished)),
    csv(finished) {
      const conclusion = figures.conclude(finished);
      writeRow(record.fill(finished, file, conclusion), conclusion.mold);
      if (csv.length > TAKE_FROM) csv.take();
    },
    jsonl(finished) {
      const conclusion = words.conclude(finished);
      write(record.fill(finished, file, conclusion), conclusion.mold);
      if (json.length > TAKE_FROM) json.take();
    },
  };
}

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: npx tsx bench/part.ts connections FILE');
  process.exit(2);
}
const buffers = await firstConnections(file);
let count = 0;
for (const packed of buffers) packed.forEach(() => void count++);
const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, take] of Object.entries(stages(file))) {
    const begin = process.hrtime.bigint();
    for (const packed of buffers) packed.forEach(take);
    const ns = Number(process.hrtime.bigint() - begin) / count;
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, ns));
  }
}
console.log(`${count} connections, nanoseconds each, with all stages before:`);
for (const [name, ns] of best) console.log(`${name.padEnd(16)} ${ns.toFixed(0).padStart(6)}`);
