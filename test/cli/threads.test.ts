/** Large captures are judged and written on further threads: what comes out must not tell. */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OFFLOAD_FROM_CONNECTIONS } from '../../src/cli/report-job.ts';
import { type Built, buildProgram } from '../support/built.ts';
import { finwait } from '../support/command.ts';
import { generated } from '../support/generated.ts';

/** Of the flood, a little more than it has: more connections begin than one thread takes. */
const FRAMES_PER_CONNECTION = 14;
const folder = mkdtempSync(join(tmpdir(), 'finwait-threads-'));
const capture = join(folder, 'flood.pcap');
let program: Built;

beforeAll(async () => {
  program = buildProgram();
  const frames = OFFLOAD_FROM_CONNECTIONS * FRAMES_PER_CONNECTION;
  const bytes = await generated({ kind: 'flood', seed: 11, frames, concurrency: 2000 });
  writeFileSync(capture, bytes);
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
    expect(statSync(one).size).toBeGreaterThan(OFFLOAD_FROM_CONNECTIONS * 100);
    expect(hash(many)).toBe(hash(one));
  },
);

test('the summary counted by threads is the same', { timeout: 60_000 }, async () => {
  const args = [capture, '-f', 'summary', '--fail-on', 'rst'];

  const built = program.traced(...args);
  const source = await finwait(...args);

  expect(built.modules).toContain('parts/offload.js');
  expect({ status: built.status, stdout: built.stdout }).toEqual({
    status: 1,
    stdout: source.stdout,
  });
});
