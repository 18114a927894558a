/** The package as a program uses it: `import { analyze } from 'finwait'`. */

import { spawnSync } from 'node:child_process';
import { createReadStream, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { analyze, CaptureError, type ConnectionRecord } from '../src/index.ts';
import { ROOT } from './support/command.ts';
import { fixturePath } from './support/fixtures.ts';
import { generated } from './support/generated.ts';

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

  test('reads the input for the totals alone where nobody takes the records', async () => {
    const taken = analyze(DEMO);
    await all(taken);
    const input = readFileSync(DEMO);

    expect(await analyze(DEMO).summary).toEqual(await taken.summary);
    expect(await analyze(createReadStream(DEMO), { file: DEMO }).summary).toEqual(
      await taken.summary,
    );
    expect(await analyze(input.subarray(0, -5)).summary).toMatchObject({
      connections: 12,
      damage: { code: 'truncated-record' },
    });
    await expect(analyze('no-such.pcap').summary).rejects.toMatchObject({ code: 'not-found' });
  });

  test('leaves the records to a loop that begins as the totals are waited for, or later', async () => {
    const stream = createReadStream(DEMO);
    const analysis = analyze(stream);
    const { summary } = analysis;
    await new Promise((resolve) => setTimeout(resolve, 20));

    const [totals, records] = await Promise.all([summary, all(analysis)]);

    expect([totals.connections, records.length]).toEqual([12, 12]);
  });

  test('rejects the totals, asked for before or after, where the loop was left early', async () => {
    for (const input of [DEMO, createReadStream(DEMO)]) {
      const before = analyze(input);
      const asked = before.summary.then(
        () => null,
        (error: Error) => error.message,
      );
      for await (const _ of before) break;
      expect(await asked).toBe(
        'there are no totals: the loop over the records was left before the end',
      );
    }
    const after = analyze(DEMO);
    const thrown = new Error('thrown in the loop');
    const loop = async (): Promise<void> => {
      for await (const _ of after) throw thrown;
    };
    await expect(loop()).rejects.toBe(thrown);
    await expect(after.summary).rejects.toThrow('left before the end');
  });

  test('reads a path or bytes anew in each loop, and a stream once', async () => {
    for (const input of [DEMO, readFileSync(DEMO)]) {
      const again = analyze(input);
      for await (const _ of again) break;

      expect(await all(again)).toHaveLength(12);
      expect(await all(again)).toHaveLength(12);
      expect((await again.summary).connections).toBe(12);
    }
    const once = analyze(createReadStream(DEMO));
    const counted = analyze(createReadStream(DEMO));
    await counted.summary;

    const [first, second] = await Promise.allSettled([all(once), all(once)]);

    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
    expect((await once.summary).connections).toBe(12);
    await expect(all(once)).rejects.toThrow('expected a stream not read before');
    await expect(all(counted)).rejects.toThrow('expected a stream not read before');
  });

  test('does not keep timers waiting while it reads what is there at once', async () => {
    const bytes = await generated({ kind: 'web', frames: 80_000, concurrency: 50 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);

    const records = await all(analyze(bytes));
    clearInterval(timer);

    expect(records.length).toBeGreaterThan(1000);
    expect(ticks).toBeGreaterThan(0);
  });

  test('throws at once for arguments that can be none', () => {
    const wrong = (input: unknown, options?: unknown) => () =>
      analyze(input as string, options as object);

    expect(wrong(undefined)).toThrow(TypeError);
    expect(wrong(new URL(`file://${DEMO}`))).toThrow(
      'expected a path, a Readable or a Uint8Array, found URL',
    );
    for (const msl of [-1, Number.NaN, '5']) expect(wrong(DEMO, { msl })).toThrow(RangeError);
    for (const maxConnections of [0, 1.5, Number.NaN]) {
      expect(wrong(DEMO, { maxConnections })).toThrow(RangeError);
    }
    expect(wrong(DEMO, { reader: 'other' })).toThrow(RangeError);
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
