/** How long a writer waits while a pipe is full: as long as whoever reads it needs. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const PIPE_BYTES = 65_536;

/** What a pipe that doesn't block takes at each write: bytes, or nothing while it is full. */
const pipe = vi.hoisted(() => ({ takes: (): number => 0, written: [] as Uint8Array[] }));
const pauses = vi.hoisted(() => [] as number[]);

vi.mock('node:fs', async (original) => ({
  ...(await original<object>()),
  writeSync(_: number, bytes: Uint8Array): number {
    const count = Math.min(bytes.length, pipe.takes());
    if (count === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
    pipe.written.push(Uint8Array.from(bytes.subarray(0, count)));
    return count;
  },
}));
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<object>()),
  async setTimeout(ms: number): Promise<void> {
    pauses.push(ms);
  },
}));

const { fdWriter } = await import('../../src/cli/writer.ts');

beforeEach(() => {
  pipe.written = [];
  pauses.length = 0;
  vi.spyOn(Atomics, 'wait').mockImplementation((_, __, ___, ms = 0) => {
    pauses.push(ms);
    return 'timed-out';
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Bytes of which no two neighbours are alike. */
function someBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

test('a pipe that somebody empties again and again is never left waiting for a timer', async () => {
  const bytes = someBytes(PIPE_BYTES * 32);
  let writes = 0;
  pipe.takes = () => (writes++ % 3 === 0 ? PIPE_BYTES : 0);
  const writer = fdWriter(1);

  writer.write(bytes);
  expect(await writer.drain()).toBe(true);

  expect(Buffer.concat(pipe.written).equals(bytes)).toBe(true);
  expect(pauses.length).toBeGreaterThan(31);
  expect(Math.max(...pauses)).toBeLessThan(1);
});

test('pauses grow while nobody reads, and are short again once somebody does', async () => {
  const bytes = someBytes(PIPE_BYTES * 3);
  let writes = 0;
  pipe.takes = () => (++writes === 1 || writes > 20 ? (writes % 2) * PIPE_BYTES : 0);
  const writer = fdWriter(1);

  writer.write(bytes);
  expect(await writer.drain()).toBe(true);

  expect(Buffer.concat(pipe.written).equals(bytes)).toBe(true);
  const longest = Math.max(...pauses);
  expect(longest).toBe(20);
  expect(pauses.filter((ms) => ms === longest).length).toBeGreaterThan(5);
  expect(pauses.at(-1)).toBeLessThan(1);
});
