/** The package as a program uses it: `import { analyze } from 'finwait'`. */

import { spawnSync } from 'node:child_process';
import { createReadStream, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { analyze, CaptureError, type ConnectionRecord } from '../src/index.ts';
import { ROOT } from './support/command.ts';
import { fixturePath } from './support/fixtures.ts';

const DEMO = fixturePath('demo.pcap');

async function all(input: AsyncIterable<ConnectionRecord>): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const record of input) records.push(record);
  return records;
}

/** How often this process has a file open, or null where the system doesn't tell. */
function timesOpen(path: string): number | null {
  try {
    const fds = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    return fds.filter((target) => target === path).length;
  } catch {
    return null;
  }
}

describe('analyze', () => {
  test('yields the same records from a path, a Readable and bytes', async () => {
    const bytes = readFileSync(DEMO);

    const fromPath = await all(analyze(DEMO, { file: 'demo' }));
    const fromStream = await all(analyze(createReadStream(DEMO), { file: 'demo' }));
    const fromPieces = await all(
      analyze(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]), { file: 'demo' }),
    );
    const fromBytes = await all(analyze(new Uint8Array(bytes), { file: 'demo' }));

    expect(fromPath).toHaveLength(12);
    expect(fromStream).toEqual(fromPath);
    expect(fromPieces).toEqual(fromPath);
    expect(fromBytes).toEqual(fromPath);
  });

  test('names a record after its path, or as it was told, or not at all', async () => {
    const [ofPath] = await all(analyze(DEMO));
    const [told] = await all(analyze(DEMO, { file: 'web' }));
    const [ofBytes] = await all(analyze(readFileSync(DEMO)));

    expect([ofPath?.file, told?.file, ofBytes?.file]).toEqual([DEMO, 'web', null]);
  });

  test('tells the totals once the records are all taken', async () => {
    const analysis = analyze(DEMO);
    let isSettled = false;
    const settled = analysis.summary.then((summary) => {
      isSettled = true;
      return summary;
    });

    let before = false;
    for await (const _ of analysis) before ||= isSettled;
    const summary = await settled;

    expect(before).toBe(false);
    expect(summary).toMatchObject({ connections: 12, frames: 89, damage: null, format: 'pcap' });
    const closes = Object.values(summary.closes).reduce((sum, count) => sum + count, 0);
    expect(closes).toBe(12);
  });

  test('heeds the maximum segment lifetime it is given', async () => {
    const [record] = await all(analyze(fixturePath('close/3-way-merged.pcap'), { msl: 5 }));

    const [timeWait, closed] = record?.states.client.slice(-2) ?? [];

    expect([timeWait?.state, closed?.state]).toEqual(['TIME_WAIT', 'CLOSED']);
    expect((closed?.t ?? 0) - (timeWait?.t ?? 0)).toBeCloseTo(10, 9);
  });

  test('closes the file when its reader leaves early', async ({ skip }) => {
    const before = timesOpen(DEMO);
    skip(before === null, 'this system does not tell which files are open');

    let during: number | null = null;
    for await (const _ of analyze(DEMO)) {
      during = timesOpen(DEMO);
      break;
    }

    expect(during).toBeLessThanOrEqual(1);
    expect(timesOpen(DEMO)).toBe(before);
  });

  test('destroys a stream when its reader leaves early', async () => {
    const stream = createReadStream(DEMO);

    for await (const _ of analyze(stream)) break;

    expect(stream.destroyed).toBe(true);
  });

  test('throws a CaptureError with code, source and offset, and rejects the summary with it', async () => {
    const text = Buffer.from('this is no capture but a text of some length');
    const analysis = analyze(text, { file: 'notes.txt' });

    await expect(all(analysis)).rejects.toThrow(CaptureError);
    await expect(analysis.summary).rejects.toMatchObject({
      name: 'CaptureError',
      code: 'not-a-capture',
      source: 'notes.txt',
      offset: 0,
    });
  });

  test('throws a CaptureError for a path without a file', async () => {
    await expect(all(analyze('no-such.pcap'))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('ends early at damage and says in the summary where it was', async () => {
    const bytes = readFileSync(DEMO);
    const analysis = analyze(bytes.subarray(0, bytes.length - 5));

    const records = await all(analysis);
    const { damage, frames } = await analysis.summary;

    expect(records.length).toBeGreaterThan(0);
    expect(frames).toBe(88);
    expect(damage).toMatchObject({ code: 'truncated-record', offset: expect.any(Number) });
  });
});

test('the example of the README runs and prints what the README says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/m.exec(readme);
  const source = (example?.[1] ?? '').replace("'finwait'", "'./src/index.ts'");

  const args = ['--import', 'tsx', '--input-type=module', '--eval', source];
  const run = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });

  expect(source).toContain('analyze(');
  expect(run.stderr).toBe('');
  expect(run.stdout).toBe(example?.[2]);
});
