/** Following one connection: the library's `follow`, and its bytes beside those of `tshark -z follow,tcp,raw`. */

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { CaptureError } from '../src/base/errors.ts';
import { type FollowedChunk, follow } from '../src/index.ts';
import { FIXTURES, OTHER_CAPTURES } from './support/captures.ts';
import { fixturePath, segments } from './support/fixtures.ts';
import { type Contents, contentsByTshark, contentsOf, followAll } from './support/followed.ts';

const hasTshark = spawnSync('tshark', ['-v']).status === 0;

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

/** Senders whose bytes differ from tshark's on purpose (docs/differences.md), by capture and connection: finwait's bytes and tshark's. */
const DIFFERENCES: Record<string, [sender: string, own: number, tshark: number]> = {
  // The text of a RST.
  'real/tcpdump-tcp_rst_data-trunc.pcap 0': ['199.204.31.89:80', 0, 57],
  'fixtures/rst/with-text.pcap 0': ['10.0.0.2:80', 0, 19],
  // Bytes behind a gap that nobody acknowledged.
  'fixtures/rst/at-sack-edge.pcap 0': ['10.0.0.2:80', 200, 100],
};

describe.skipIf(!hasTshark)(
  'tshark follows the same bytes (skipped where it is not installed)',
  () => {
    for (const { path, title } of [...FIXTURES, ...OTHER_CAPTURES]) {
      test.concurrent(title, async ({ expect }) => {
        const followed = await followAll(path).catch((error: unknown) => {
          if (!(error instanceof CaptureError)) throw error;
          return null;
        });
        if (followed === null) return;
        const byTshark = await contentsByTshark(path, [...followed.keys()]);

        for (const [stream, one] of followed) {
          const own: Contents = contentsOf(one);
          const theirs = byTshark.get(stream) ?? {};
          const difference = DIFFERENCES[`${title} ${stream}`];
          if (difference !== undefined) {
            const [sender, ownBytes, tsharkBytes] = difference;
            expect(own[sender] ?? '').toHaveLength(ownBytes * 2);
            expect(theirs[sender]).toHaveLength(tsharkBytes * 2);
            delete own[sender];
            delete theirs[sender];
          }
          expect(own, `connection ${stream}`).toEqual(theirs);
        }
      });
    }
  },
);
