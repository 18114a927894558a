/** Large captures are judged and written on further threads: what comes out must not tell. */

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COUNT_FROM_CONNECTIONS } from '../../src/cli/report-job.ts';
import { type Built, buildProgram } from '../support/built.ts';
import { fromAnother } from '../support/burst.ts';
import { finwait } from '../support/command.ts';
import { generated } from '../support/generated.ts';
import { readPcap, writePcap } from '../support/pcap.ts';

const FLOOD_FRAMES = 80_000;
const folder = mkdtempSync(join(tmpdir(), 'finwait-threads-'));
const capture = join(folder, 'flood.pcap');
let program: Built;

beforeAll(async () => {
  program = buildProgram();
  const flood = readPcap(
    await generated({ kind: 'flood', seed: 11, frames: FLOOD_FRAMES, concurrency: 2000 }),
  );
  const [syn] = flood;
  const half = FLOOD_FRAMES / 2;
  const middle = flood[half];
  if (syn === undefined || middle === undefined) throw new Error('the flood is empty');
  // More connections than one thread takes, in a frame each.
  const { tsNs, tsSec } = middle;
  const burst = Array.from({ length: COUNT_FROM_CONNECTIONS }, (_, i) => ({
    ...fromAnother(syn, i),
    ...{ tsNs, tsSec },
  }));
  writeFileSync(capture, writePcap([...flood.slice(0, half), ...burst, ...flood.slice(half)]));
}, 60_000);
afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

const hash = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex');

test.each(['csv', 'jsonl'])(
  '%s written by threads is the same bytes as written by one',
  { timeout: 60_000 },
  async (format) => {
    const many = join(folder, `many.${format}`);
    const one = join(folder, `one.${format}`);
    const form = ['-f', format];

    const built = program.traced(capture, '-q', ...form, '-o', many);
    // From TypeScript no thread can be started.
    const source = await finwait(capture, '-q', ...form, '-o', one);

    expect([built.status, source.status]).toEqual([0, 0]);
    expect(built.modules).toContain('parts/offload.js');
    expect(statSync(one).size).toBeGreaterThan(COUNT_FROM_CONNECTIONS * 100);
    expect(hash(many)).toBe(hash(one));
  },
);

test('the summary counted by threads is the same', { timeout: 60_000 }, async () => {
  // Whoever selects nothing needs no thread: those that are alike are counted as they leave.
  const all = [capture, '-f', 'summary', '--fail-on', 'rst'];
  const selected = [...all, '--handshake', '3-way,unanswered'];

  for (const args of [selected, all]) {
    const built = program.traced(...args);
    const source = await finwait(...args);

    expect(built.modules.includes('parts/offload.js')).toBe(args === selected);
    expect({ status: built.status, stdout: built.stdout }).toEqual({
      status: 1,
      stdout: source.stdout,
    });
  }
});

test.skipIf(process.platform !== 'linux')(
  'a thread that can write no more says to which file, and leaves no part of it',
  { timeout: 60_000 },
  () => {
    const out = join(folder, 'too-large.csv');
    // Blocks of 512 bytes: what this thread writes before the others have started has room.
    const { status, stderr } = program.shell(
      `ulimit -f 8000; finwait ${capture} -q -f csv -o ${out}`,
    );

    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `finwait: -o ${out}: larger than a file may be there\n`,
    });
    expect(existsSync(out)).toBe(false);
  },
);
