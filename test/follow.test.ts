/** Following one connection with the library's `follow`; test/tshark.test.ts compares the bytes. */

import { describe, expect, test } from 'vitest';
import { CaptureError } from '../src/base/errors.ts';
import { type FollowedChunk, follow } from '../src/index.ts';
import { fixturePath, segments } from './support/fixtures.ts';

async function all(chunks: AsyncIterable<FollowedChunk>): Promise<FollowedChunk[]> {
  const found: FollowedChunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

/** `client 0:3 #4`, gaps as `client 3:5 missing #6`. */
function short(chunk: FollowedChunk): string {
  const { from, frame, offset } = chunk;
  const end = offset + (chunk.kind === 'bytes' ? chunk.bytes.length : chunk.length);
  return `${from} ${offset}:${end} ${chunk.kind === 'gap' ? `${chunk.reason} ` : ''}#${frame}`;
}

describe('follow', () => {
  test('yields both directions in the order of the capture, with times and frames', async () => {
    const chunks = await all(follow(fixturePath('demo.pcap'), { stream: 6 }));

    expect(chunks.map(short)).toEqual(['server 0:100 #47']);
    expect(chunks[0]?.t).toBeCloseTo(0.05, 6);
  });

  test('a gap that is never filled keeps its place between the bytes of the other side', async () => {
    const chunks = await all(
      follow(
        segments`
          C > S  S   0:0(0)
          S > C  S.  0:0(0)  ack 1
          C > S  .   1:1(0)  ack 1
          C > S  P.  1:11(10)  ack 1
          S > C  P.  6:11(5)  ack 11
          C > S  P.  11:21(10)  ack 11
          S > C  P.  11:16(5)  ack 21
        `,
        { stream: 0 },
      ),
    );

    expect(chunks.map(short)).toEqual([
      'client 0:10 #4',
      'server 0:5 missing #5',
      'server 5:10 #5',
      'client 10:20 #6',
      'server 10:15 #7',
    ]);
  });

  test('what waited for a segment that came later is read after it', async () => {
    const chunks = await all(
      follow(
        segments`
          C > S  S   0:0(0)
          S > C  S.  0:0(0)  ack 1
          C > S  .   1:1(0)  ack 1
          C > S  P.  11:21(10)  ack 1
          S > C  P.  1:6(5)  ack 1
          C > S  P.  1:11(10)  ack 6
        `,
        { stream: 0 },
      ),
    );

    expect(chunks.map(short)).toEqual(['server 0:5 #5', 'client 0:10 #6', 'client 10:20 #4']);
  });

  test('throws at once, before it reads, for a number that no connection can have', async () => {
    for (const stream of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(all(follow('no-such.pcap', { stream }))).rejects.toThrow(RangeError);
    }
  });

  test('throws for a connection or a file that is not there', async () => {
    await expect(all(follow(fixturePath('demo.pcap'), { stream: 99 }))).rejects.toThrow(RangeError);
    await expect(all(follow('no-such.pcap', { stream: 0 }))).rejects.toThrow(CaptureError);
  });
});
