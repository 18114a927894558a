/** `finwait FILE…` over the pieces of a rotated capture. */

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { finwait, recordsOf } from '../support/command.ts';
import { generated } from '../support/generated.ts';
import { cutFrames, DEMO_FRAMES, later, writeParts } from '../support/rotate.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-joined-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const whole = join(folder, 'whole.pcap');
const pieces = ['x.pcap', 'x.pcap1', 'x.pcap2'].map((name) => join(folder, name));
beforeEach(() => {
  writeParts([whole], [DEMO_FRAMES]);
  writeParts(pieces, cutFrames(DEMO_FRAMES, 3));
});

test('the summary of the pieces is that of the whole, under the names of the first and the last', async () => {
  const joined = await finwait('--format', 'summary', ...[...pieces].reverse());

  expect(joined.stderr).toBe('');
  expect(joined.stdout).toBe(
    `${pieces[0]} … ${pieces[2]} (3 files)\n${(await finwait('--format', 'summary', whole)).stdout}`,
  );
});

test('--separate reads each on its own, and --join what would not be one timeline', async () => {
  const separate = recordsOf(await finwait('-f', 'jsonl', '--separate', ...pieces));
  const joined = recordsOf(await finwait('-f', 'jsonl', '--join', ...pieces, whole));

  expect(separate.filter(({ stream }) => stream === 0)).toHaveLength(3);
  expect(joined.filter(({ stream }) => stream === 0)).toHaveLength(1);
});

test.each(['jsonl', 'csv'])(
  '%s of two files of different traffic is that of each alone',
  async (format) => {
    const files = [];
    for (const kind of ['web', 'flood'] as const) {
      const file = join(folder, `${kind}.pcap`);
      writeFileSync(file, await generated({ kind, frames: 4000, concurrency: 20 }));
      files.push(file);
    }

    const both = await finwait('--separate', '-f', format, ...files);

    let expected = '';
    for (const file of files) expected += (await finwait('-f', format, file)).stdout;
    const [header = ''] = expected.split(/(?<=\n)/);
    const alone = format === 'csv' ? header + expected.replaceAll(header, '') : expected;
    expect(both.stdout).toBe(alone);
  },
);

test('damage in the middle is said with the name of its file, and the exit status is 3', async () => {
  const second = pieces[1] ?? '';
  const size = readFileSync(second).length;
  truncateSync(second, size - 5);

  const { status, stderr, stdout } = await finwait('--format', 'summary', ...pieces);

  expect(status).toBe(3);
  expect(stderr).toMatch(
    /^finwait: \S+x\.pcap1: expected .* \(at byte \d+\); the next file is read on\n$/,
  );
  expect(stdout).toContain(', 88 frames,');
});

test('a piece whose time does not go on is said and read on its own', async () => {
  const last = pieces[2] ?? '';
  writeParts([last], [later(DEMO_FRAMES.slice(60), 90_000)]);

  const { status, stderr, stdout } = await finwait('--format', 'summary', ...pieces);

  expect(status).toBe(0);
  expect(stderr).toContain(
    `finwait: ${last}: named as a continuation of ${pieces[0]} … ${pieces[1]} (2 files), but begins before that ends, or more than a day after: analyzed on its own; --join`,
  );
  expect(stdout).toContain(`${pieces[0]} … ${pieces[1]} (2 files)\n`);
  expect(stdout).toContain(`\n${last}\n`);
});

test('a piece that is missing in the middle is said, once, and the exit status stays 0', async () => {
  const gone = join(folder, 'gone.pcap');
  const parts = cutFrames(DEMO_FRAMES, 4);
  writeParts([gone, `${gone}1`, `${gone}3`], [parts[0] ?? [], parts[1] ?? [], parts[3] ?? []]);

  const { status, stderr } = await finwait('-f', 'summary', gone, `${gone}1`, `${gone}3`);
  const quiet = await finwait('-q', '-f', 'summary', gone, `${gone}1`, `${gone}3`);

  expect(status).toBe(0);
  expect(stderr).toBe(
    `finwait: ${gone}3: the piece before it, number 2, is missing: its packets count as lost\n`,
  );
  expect(quiet.stderr).toBe('');
});

test('show and follow take the pieces of one capture, and no two captures', async () => {
  const shown = await finwait('show', ...pieces, '6');
  const [bytes, ofWhole] = [
    await finwait('follow', ...pieces, '6'),
    await finwait('follow', whole, '6'),
  ];

  expect(shown.status).toBe(0);
  expect(shown.stdout.split('\n').slice(1)).toEqual(
    (await finwait('show', whole, '6')).stdout.split('\n').slice(1),
  );
  expect(bytes.stdout).toBe(ofWhole.stdout);
  expect(await finwait('show', whole, pieces[0] ?? '', '6')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('expected one file, or the pieces of one rotated capture'),
  });
});
