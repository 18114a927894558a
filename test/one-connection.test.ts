/** One connection read alone, as `show` and `follow` do: the same as from the whole capture, without reading all of it. */

import { describe, expect, test } from 'vitest';
import { type RunOptions, runAnalysis } from '../src/analyze.ts';
import { CaptureError } from '../src/base/errors.ts';
import { openCapture } from '../src/capture/open.ts';
import { type FollowedChunk, Follower } from '../src/follow.ts';
import type { SegmentView } from '../src/report/record.ts';
import { FIXTURES, OTHER_CAPTURES } from './support/captures.ts';
import { generated } from './support/generated.ts';
import { jsonLine } from './support/lines.ts';

/** Small, so that there is something left to read when a connection has finished. */
const CHUNK_BYTES = 2048;
/** Connections of one capture that are compared: the first ones and the last ones, which end in different ways. */
const FIRST = 6;
const LAST = 3;

/** All that can be said of a connection, and how much was read for it. */
async function read(input: string | Uint8Array, stream: number, alone: Pick<RunOptions, 'only'>) {
  const source = await openCapture(input, { name: 'capture', chunkBytes: CHUNK_BYTES });
  const segments: SegmentView[] = [];
  const chunks: FollowedChunk[] = [];
  const follower = new Follower(stream, (chunk) => {
    chunks.push(chunk.kind === 'bytes' ? { ...chunk, bytes: Buffer.from(chunk.bytes) } : chunk);
  });
  let record = '';
  try {
    const { connections, damage } = await runAnalysis(source, {
      ...alone,
      file: 'capture',
      payload: follower,
      watch: { stream, onSegment: (segment) => segments.push({ ...segment }) },
      onRecord: (found) => {
        if (found.stream === stream) record = jsonLine(found);
      },
    });
    const said = { record, segments, chunks, conflicts: follower.conflictCount };
    return { said, connections, damage, frames: segments.length, bytesRead: source.bytesRead };
  } finally {
    await source.close();
  }
}

describe('is the same as from the whole capture', () => {
  const ALL = [...FIXTURES, ...OTHER_CAPTURES];
  test.each(ALL.map(({ title, path }) => [title, path]))('%s', async (_, path) => {
    const first = await read(path, 0, {}).catch((error: unknown) => {
      if (error instanceof CaptureError) return null;
      throw error;
    });
    if (first === null) return;
    const { connections } = first;
    const numbers = Array.from({ length: connections }, (_, number) => number);
    const streams = new Set([...numbers.slice(0, FIRST), ...numbers.slice(-LAST)]);

    for (const stream of streams) {
      const whole = await read(path, stream, {});
      const alone = await read(path, stream, { only: stream });

      expect(whole.said.record).not.toBe('');
      expect(alone.said, `connection ${stream}`).toEqual(whole.said);
      if (alone.bytesRead === whole.bytesRead) expect(alone.damage).toEqual(whole.damage);
    }
  });
});

/** 300 connections, four at a time, over ten minutes of capture time. */
function longCapture(): Promise<Uint8Array> {
  return generated({ kind: 'web', seed: 3, frames: 3600, concurrency: 4, gapNs: 170_000_000 });
}

test('a connection at the start of a long capture is known long before its end', async () => {
  const capture = await longCapture();

  const alone = await read(capture, 0, { only: 0 });
  const whole = await read(capture, 0, {});

  expect(alone.said).toEqual(whole.said);
  expect(whole.bytesRead).toBe(capture.length);
  expect(alone.bytesRead).toBeLessThan(capture.length / 4);
});

test('a connection that is still open at the end of the capture is read to the end', async () => {
  const capture = await longCapture();
  const { connections } = await read(capture, 0, {});

  const alone = await read(capture, connections - 1, { only: connections - 1 });

  expect(alone.bytesRead).toBe(capture.length);
  expect(alone.said).toEqual((await read(capture, connections - 1, {})).said);
});

test('a number that no connection has reads everything and hands out nothing', async () => {
  const capture = await longCapture();

  const alone = await read(capture, 99_999, { only: 99_999 });

  expect(alone.said.record).toBe('');
  expect(alone.bytesRead).toBe(capture.length);
  expect(alone.connections).toBe((await read(capture, 0, {})).connections);
});
