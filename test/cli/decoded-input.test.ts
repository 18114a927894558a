/** A file that another thread reads and decodes gives the records, the totals and the warnings that one thread gives. */

import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunOptions } from '../../src/analysis-run.ts';
import { runAnalysis } from '../../src/analyze.ts';
import { CaptureError } from '../../src/base/errors.ts';
import { openCapture } from '../../src/capture/open.ts';
import { BEGUN, DECODE_FROM_BYTES } from '../../src/cli/decode-job.ts';
import { startThread } from '../../src/cli/start-decoding.ts';
import { SHARED_RING } from '../../src/decode/columns.ts';
import type { SegmentSource } from '../../src/segments.ts';
import { type Built, buildProgram } from '../support/built.ts';
import { FIXTURES, OTHER_CAPTURES } from '../support/captures.ts';
import { finwait } from '../support/command.ts';
import { segments } from '../support/fixtures.ts';
import { generated } from '../support/generated.ts';
import { readPcap, type TestFrame, writePcap } from '../support/pcap.ts';
import { hasSettled } from '../support/settled.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-decoded-'));
let program: Built;

beforeAll(() => {
  program = buildProgram();
}, 60_000);
afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** The segments of what a thread of its own reads. */
async function decoded(path: string): Promise<SegmentSource> {
  const thread = startThread(pathToFileURL(join(program.dist, 'parts/decode-thread.js')), path);
  const source = await thread.opened;
  if (source === null) throw thread.failure;
  return source;
}

/** What there is to compare. */
async function analyzed(path: string, isElsewhere: boolean, options: Partial<RunOptions> = {}) {
  const lines: string[] = [];
  const source = isElsewhere ? await decoded(path) : await openCapture(path, { name: path });
  try {
    const summary = await runAnalysis(source, {
      ...options,
      onRecord: (record) => lines.push(JSON.stringify(record)),
    });
    return { lines, summary, bytes: [source.bytesRead, source.bytesTotal] };
  } finally {
    await source.close();
  }
}

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test('one in four of all captures, and what is none', { timeout: 120_000 }, async () => {
  let compared = 0;
  let refused = 0;

  // A thread for each takes its time.
  const some = [...FIXTURES, ...OTHER_CAPTURES].filter((_, i) => i % 4 === 0);
  const none = fileOf('none.pcap', Buffer.from('no capture'));
  for (const path of [...some.map((capture) => capture.path), none]) {
    const here = await analyzed(path, false).catch((error: CaptureError) => ({ ...error }));
    const there = analyzed(path, true).catch((error: CaptureError) => ({ ...error }));
    expect(await there, path).toEqual(here);
    if ('lines' in here) compared++;
    else refused++;
  }

  expect(compared).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(0);
});

test('more segments than the ring holds, with Zeek’s view of them', async () => {
  for (const kind of ['web', 'flood'] as const) {
    const frames = SHARED_RING * 3;
    const capture = await generated({ kind, frames, concurrency: 300, ipVersion: 6 });
    const path = fileOf('large.pcap', capture);
    const here = await analyzed(path, false, { zeek: true });

    expect(await analyzed(path, true, { zeek: true })).toEqual(here);
    expect(here.summary.tcpFrames).toBe(frames);
  }
});

test('a capture that ends within a frame, and one in which there is no segment', async () => {
  const capture = await generated({ kind: 'web', frames: 5000, concurrency: 20 });
  const cut = fileOf('cut.pcap', capture.subarray(0, capture.length - 7));
  const bare = fileOf('bare.pcap', segments`C > S udp len 9`);

  for (const path of [cut, bare]) {
    expect(await analyzed(path, true)).toEqual(await analyzed(path, false));
  }
  expect((await analyzed(cut, true)).summary.damage?.code).toBe('truncated-record');
});

test('what was read before the run is stopped is taken, and is all that is counted', async () => {
  const capture = await generated({ kind: 'web', frames: SHARED_RING * 4, concurrency: 50 });
  const path = fileOf('stopped.pcap', capture);
  let chunks = 0;

  const stopped = await analyzed(path, true, { onChunk: () => ++chunks < 2 });

  const { connections, frames, tcpFrames } = stopped.summary;
  expect(frames).toBeLessThan(SHARED_RING * 4);
  expect([tcpFrames, connections]).toEqual([frames, stopped.lines.length]);
  const part = fileOf('part.pcap', writePcap(readPcap(capture).slice(0, frames)));
  const { lines } = await analyzed(part, false);
  const withoutFile = (line: string) => line.replace(/"file":"[^"]*"/, '');
  expect(stopped.lines.map(withoutFile)).toEqual(lines.map(withoutFile));
});

test('where the thread can’t read the file, it says why', async () => {
  const path = join(folder, 'missing.pcap');

  const error = await decoded(path).catch((reason: CaptureError) => reason);

  expect(error).toEqual(
    new CaptureError('not-found', path, 'expected a capture file, found no such file'),
  );
});

test('a thread that dies before it reads leaves the input to another, and later it says so', async () => {
  const dies = fileOf('dies.mjs', Buffer.from('throw new Error("no memory");'));
  const begins = `import { workerData } from 'node:worker_threads';
    Atomics.store(new Int32Array(workerData.control), ${BEGUN}, 1);`;
  const diesLater = fileOf('later.mjs', Buffer.from(`${begins}\nthrow new Error("a bug");`));
  const endsLater = fileOf('ends.mjs', Buffer.from(begins));
  const opened = (thread: string, input: string) =>
    startThread(pathToFileURL(thread), input).opened;

  expect(await opened(dies, '-')).toBe(null);
  await expect(opened(diesLater, '-')).rejects.toThrow('a bug');
  await expect(opened(endsLater, '-')).rejects.toThrow('ended too early');
  // A file can be read from its beginning by whoever wants to.
  expect(await opened(diesLater, dies)).toBe(null);
});

const hasThread = availableParallelism() > 1;

test('what comes through a pipe is read so, and is the same', async () => {
  const capture = await generated({ kind: 'web', frames: 20_000, concurrency: 50 });
  const path = fileOf('piped.pcap', capture);
  const gzip = fileOf('piped.gz', gzipSync(capture));
  const cut = fileOf('piped-cut.pcap', capture.subarray(0, capture.length - 7));
  const file = program.shell(`finwait ${path} -f summary`);

  for (const input of [path, gzip]) {
    const piped = program.tracedShell(`cat ${input} | finwait - -f summary`);
    expect(piped.modules.includes('parts/start-decoding.js')).toBe(hasThread);
    expect(piped).toMatchObject({ ...file });
  }
  const report = program.tracedShell(`cat ${path} | finwait report -f jsonl -`);
  expect(report.modules.includes('parts/start-decoding.js')).toBe(hasThread);
  const { stdout } = await finwait('report', '-f', 'jsonl', path);
  expect(report.stdout).toBe(stdout.replaceAll(path, '-'));
  expect(program.shell(`cat ${cut} | finwait - -f summary`)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('standard input: expected a record with'),
  });
  expect(program.shell('echo nothing | finwait - -f summary')).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'finwait: standard input: expected a pcap or pcapng capture, found the text "nothing\\n" (at byte 0)\n',
  });
  expect(program.tracedShell(`cat ${path} | finwait - -f csv`).modules).not.toContain(
    'parts/start-decoding.js',
  );
});

test.skipIf(process.platform !== 'linux')(
  'Ctrl-C while the thread waits for a pipe: the result holds what has come',
  async () => {
    const capture = await generated({ kind: 'web', frames: 5000, concurrency: 20 });
    const whole = program.shell(`finwait ${fileOf('begun.pcap', capture)} -f summary`);
    const main = join(program.dist, 'cli/main.js');
    const child = spawn(process.execPath, [main, '-', '-f', 'summary']);
    let stdout = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    child.stdin.write(capture);
    await hasSettled(child.pid ?? 0);

    child.kill('SIGINT');

    expect(await ended).toBe(130);
    expect(stdout).toBe(whole.stdout);
  },
  30_000,
);

test('the summary of a large file is made so, and its rows, and they are the same', {
  timeout: 60_000,
}, async () => {
  const [first] = readPcap(segments`C > S udp len 9`);
  const web = readPcap(await generated({ kind: 'web', frames: 20_000, concurrency: 50 }));
  const half = web.length / 2;
  const { linkType, tsNs, tsSec } = web[half] as TestFrame;
  const start = writePcap(web.slice(0, half));
  const padding = { ...(first as TestFrame), linkType, tsNs, tsSec };
  // Long frames whose bytes are holes in the file but for the first.
  const bytes = new Uint8Array(250_000);
  bytes.set(padding.bytes);
  const record = writePcap([{ ...padding, bytes, originalLen: bytes.length }]).subarray(24);
  const head = record.subarray(0, 100);
  const path = fileOf('padded.pcap', start);
  const file = openSync(path, 'r+');
  let at = start.length;
  for (; at < DECODE_FROM_BYTES; at += record.length) writeSync(file, head, 0, head.length, at);
  const rest = writePcap(web.slice(half)).subarray(24);
  writeSync(file, rest, 0, rest.length, at);
  closeSync(file);

  const built = program.traced(path, '-f', 'summary');
  const source = await finwait(path, '-f', 'summary');

  expect(built.modules.includes('parts/start-decoding.js')).toBe(hasThread);
  expect(built.stdout).toBe(source.stdout);
  const rows = program.traced(path, '-f', 'csv');
  expect(rows.modules.includes('parts/start-decoding.js')).toBe(hasThread);
  expect(rows.stdout).toBe((await finwait(path, '-f', 'csv')).stdout);
  const report = program.traced('report', path);
  expect(report.modules.includes('parts/start-decoding.js')).toBe(hasThread);
  expect(report.stdout).toBe((await finwait('report', path)).stdout);
  expect(program.traced(path, '-f', 'jsonl').modules).not.toContain('parts/start-decoding.js');
});
