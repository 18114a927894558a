/** A pipe gives its bytes in order, whoever of reader and writer is faster. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, open, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PipeInput } from '../../src/capture/pipe-input.ts';

/** Writes `total` bytes, `piece` at a time and `pauseMs` apart; byte n is n modulo 251. */
const WRITER = `
  const [total, piece, pauseMs] = process.argv.slice(1).map(Number);
  const bytes = Uint8Array.from({ length: total }, (_, n) => n % 251);
  const bed = new Int32Array(new SharedArrayBuffer(4));
  for (let at = 0; at < total; ) {
    at += require('node:fs').writeSync(1, bytes, at, Math.min(piece, total - at));
    if (pauseMs > 0) Atomics.wait(bed, 0, 0, pauseMs);
  }`;

function expected(total: number): string {
  const bytes = Buffer.from(Array.from({ length: total }, (_, n) => n % 251));
  return createHash('sha256').update(bytes).digest('hex');
}

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  let folder = '';
  let writer: ChildProcess;
  let input: PipeInput;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'finwait-pipe-'));
  });
  afterEach(async () => {
    await input.close();
    writer.kill();
    rmSync(folder, { recursive: true });
  });

  async function start(writes: string[], chunkBytes?: number): Promise<PipeInput> {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    const program = `exec "$0" -e "$1" ${writes.join(' ')} > "${path}"`;
    writer = spawn('sh', ['-c', program, process.execPath, WRITER]);
    input = new PipeInput(await promisify(open)(path, 'r'), chunkBytes);
    return input;
  }

  test.each([
    ['all at once', ['3000000', '3000000', '0'], undefined, 0],
    ['in small pieces', ['400000', '777', '0'], undefined, 0],
    ['slowly, so that the reader waits', ['60000', '1500', '2'], undefined, 0],
    ['to a slow reader', ['700000', '700000', '0'], undefined, 3],
    ['to one with little room', ['300000', '65536', '0'], 1000, 0],
  ])('written %s gives every byte in order', async (_, writes, chunkBytes, restMs) => {
    const input = await start(writes, chunkBytes);
    const hash = createHash('sha256');
    const room = new Uint8Array(200_000);
    const total = Number(writes[0]);

    for (;;) {
      const count = await input.read(room, 7);
      if (count === 0) break;
      expect(count).toBeLessThanOrEqual(chunkBytes ?? room.length - 7);
      hash.update(room.subarray(7, 7 + count));
      if (restMs > 0) await setTimeout(restMs);
    }

    expect({ bytes: input.bytesRead, damage: input.damage }).toEqual({
      bytes: total,
      damage: null,
    });
    expect(hash.digest('hex')).toBe(expected(total));
    expect(await input.read(room, 0)).toBe(0);
  });

  test('that is closed while somebody waits for it ends', async () => {
    const input = await start(['10', '10', '60000']);
    const room = new Uint8Array(100);

    expect(await input.read(room, 0)).toBe(10);
    const waiting = input.read(room, 0);
    await input.close();

    expect(await waiting).toBe(0);
    expect(input.damage).toBeNull();
  });
});
