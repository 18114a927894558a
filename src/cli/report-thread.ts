/** A thread of a large run: judges finished connections and writes their records when it is their turn. */

import { parentPort, workerData } from 'node:worker_threads';
import { fileOfFrame } from '../base/files.ts';
import { TransientRecord } from '../report/build-record.ts';
import { countRecord, createCounts } from '../report/counts.ts';
import { compileFailOn, compileSelection } from '../report/select.ts';
import { createTally, tallyRecord } from '../report/summary.ts';
import { createFinished } from '../tcp/finished.ts';
import { Molds } from '../tcp/molds.ts';
import { PackedConnections } from '../tcp/packed.ts';
import { dataForm, fillingOf } from './data-form.ts';
import type { FromReport, ReportJob, ToReport } from './report-job.ts';
import { fdWriter } from './writer.ts';

const port = parentPort;
if (port === null) throw new Error('report-thread.js runs as a worker thread only');
const job = workerData as ReportJob;
const turn = new Int32Array(job.turn);
const writer = fdWriter(job.fd);
/** The records of the message at hand, a view on the form's buffer, until it is their turn. */
let held: string | Uint8Array = '';
const holder = {
  write: (data: string | Uint8Array): void => {
    held = data;
  },
};
const form =
  job.format === 'summary'
    ? null
    : await dataForm(job.format, holder, { chunkBytes: Number.POSITIVE_INFINITY });
const selected = compileSelection(job.selection);
const fails = compileFailOn(job.failOn);
const filling = fillingOf(job.format, job.selection);
const molds = new Molds(job.mslSec, filling);
const counts = createCounts();
const tally = createTally();
/** Each connection, one after the other. */
const records = new TransientRecord(filling.names);
const unpacked = createFinished();
let matched = false;
let gone = false;

const answer = (message: FromReport): void => port.postMessage(message);

/** Waits for the turn of message `number`; the threads before it never wait for this one. */
function awaitTurn(number: number): void {
  for (let now = Atomics.load(turn, 0); now !== number; now = Atomics.load(turn, 0)) {
    Atomics.wait(turn, 0, now);
  }
}

async function take(message: ToReport): Promise<void> {
  if (message === null) {
    answer({ result: { counts, tally, matched } });
    port?.close();
    return;
  }
  new PackedConnections(message.memory, message.used).forEach((finished) => {
    const conclusion = molds.conclude(finished);
    const file = fileOfFrame(message.files, finished.firstFrame);
    const record = records.fill(finished, file, conclusion);
    // Only a summary shows what is counted.
    if (form === null) countRecord(counts, record);
    if (!selected(record)) return;
    if (job.failOn.length > 0 && !matched) matched = fails(record);
    if (form === null) tallyRecord(tally, record);
    else if (!gone) form.record(record, conclusion.mold);
  }, unpacked);
  if (form !== null) {
    form.flush();
    awaitTurn(message.number);
    writer.write(held);
    held = '';
    gone = !(await writer.drain());
    Atomics.add(turn, 0, 1);
    Atomics.notify(turn, 0);
  }
  answer({ memory: message.memory, gone });
}

// One after the other, also while a full pipe makes one wait.
let queue = Promise.resolve();
port.on('message', (message: ToReport) => {
  queue = queue.then(() => take(message));
});
