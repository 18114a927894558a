/** The figures of the benchmark's runner are those of the program that it ran. */

import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { measure } from '../../bench/measure.ts';

const OPTIONS = { limitMs: 20_000, scratchFolder: tmpdir(), keepsStdout: true };

test('a program that fills 200 MB and waits is measured with its memory and its time', async () => {
  const script = 'Buffer.alloc(200e6, 1); setTimeout(() => console.log("done"), 300)';

  const measured = await measure([process.execPath, '-e', script], OPTIONS);

  expect(measured).toMatchObject({ exitCode: 0, timedOut: false, stdout: 'done\n' });
  expect(measured.peakRss).toBeGreaterThan(200e6);
  expect(measured.peakRss).toBeLessThan(400e6);
  expect(measured.seconds).toBeGreaterThan(0.3);
});

test('a program that fails is measured with its exit status and its last words', async () => {
  const measured = await measure(['sh', '-c', 'echo no such thing >&2; exit 3'], OPTIONS);

  expect(measured.exitCode).toBe(3);
  expect(measured.stderr).toContain('no such thing');
});

test('a program that never ends is stopped at the limit, with its children', async () => {
  const measured = await measure(['sh', '-c', 'sleep 60 & wait'], { ...OPTIONS, limitMs: 200 });

  expect(measured.timedOut).toBe(true);
  expect(measured.seconds).toBeLessThan(10);
});
