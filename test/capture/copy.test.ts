/** Bytes copied as one block. */

import { expect, test } from 'vitest';
import { copyBytes } from '../../src/capture/copy.ts';

test.each([
  [0, 0],
  [1, 5],
  [4099, 3],
  [70_000, 8],
])('%i bytes go to place %i and nowhere else, from and to shared memory', (count, at) => {
  const from = new Uint8Array(new SharedArrayBuffer(count + 3), 3);
  for (let i = 0; i < count; i++) from[i] = (i * 7 + 1) % 256 || 1;

  for (const memory of [new ArrayBuffer(count + 20), new SharedArrayBuffer(count + 20)]) {
    const into = new Uint8Array(memory, 1);
    copyBytes(from, into, at);

    expect(into.slice(at, at + count)).toEqual(from.slice());
    expect([...into.subarray(0, at), ...into.subarray(at + count)].every((b) => b === 0)).toBe(
      true,
    );
  }
});
