/** finwait and tshark see the same in every capture: segments, connections with their numbers and ends, and bytes in order. */

import { describe, expect, test } from 'vitest';
import { CaptureError } from '../src/base/errors.ts';
import { FIXTURES, OTHER_CAPTURES } from './support/captures.ts';
import { comparable, decodeCapture } from './support/decoded.ts';
import { contentsOf, type Followed, followAll } from './support/followed.ts';
import { byTshark, HAS_TSHARK, type TsharkSegment } from './support/tshark.ts';

/** Frames and payload bytes of each direction, keyed by the sender; one line a connection. */
type Connections = Record<string, Record<string, { frames: number; bytes: number }>>;

function add(
  found: Connections,
  stream: number,
  from: string,
  to: string,
  frames: number,
  bytes: number,
): void {
  found[stream] ??= {};
  const ends = found[stream];
  ends[to] ??= { frames: 0, bytes: 0 };
  ends[from] ??= { frames: 0, bytes: 0 };
  ends[from].frames += frames;
  ends[from].bytes += bytes;
}

function countTheirs(segments: readonly TsharkSegment[]): Connections {
  const found: Connections = {};
  for (const { stream, src, srcPort, dst, dstPort, len } of segments) {
    add(found, stream, `${src} ${srcPort}`, `${dst} ${dstPort}`, 1, len ?? 0);
  }
  return found;
}

function countOurs(followed: Iterable<Followed>): Connections {
  const found: Connections = {};
  for (const { record } of followed) {
    const { stream, client, server, packets, bytes } = record;
    const ends = [`${client.ip} ${client.port}`, `${server.ip} ${server.port}`] as const;
    add(found, stream, ends[0], ends[1], packets.client, bytes.client);
    add(found, stream, ends[1], ends[0], packets.server, bytes.server);
  }
  return found;
}

/** Captures that begin with a block that tshark numbers as a frame (docs/readers.md). */
const WITH_CUSTOM_BLOCK = [
  'fixtures/container/pcapng-blocks.pcapng',
  'fixtures/container/pcapng-blocks-be.pcapng',
];

/** Of a file that is no capture, `nothing`. */
async function orNothing<T>(read: Promise<T>, nothing: T): Promise<T> {
  return read.catch((error: unknown) => {
    if (!(error instanceof CaptureError)) throw error;
    return nothing;
  });
}

/** Senders whose bytes differ from tshark's on purpose (docs/differences.md), by capture and connection: finwait's bytes and tshark's. */
const DIFFERENCES: Record<string, [sender: string, own: number, tshark: number]> = {
  // The text of a RST.
  'real/tcpdump-tcp_rst_data-trunc.pcap 0': ['199.204.31.89:80', 0, 57],
  'fixtures/rst/with-text.pcap 0': ['10.0.0.2:80', 0, 19],
  // Bytes behind a gap that nobody acknowledged.
  'fixtures/rst/at-sack-edge.pcap 0': ['10.0.0.2:80', 200, 100],
};

describe.skipIf(!HAS_TSHARK)('tshark -2 sees the same (skipped where it is not installed)', () => {
  for (const { title, path } of [...FIXTURES, ...OTHER_CAPTURES]) {
    test.concurrent(title, async ({ expect }) => {
      const followed = await orNothing(followAll(path), new Map<number, Followed>());
      const decoded = await orNothing(
        decodeCapture(path).then(({ segments }) => segments),
        [],
      );

      const theirs = await byTshark(path, [...followed.keys()]);

      const blocks = WITH_CUSTOM_BLOCK.includes(title) ? 1 : 0;
      const segments = theirs.segments.map((one) => ({ ...one, frame: one.frame - blocks }));
      expect(segments).toMatchObject(comparable(decoded, segments));
      expect(countOurs(followed.values())).toEqual(countTheirs(segments));
      for (const [stream, one] of followed) {
        const ownBytes = contentsOf(one);
        const theirBytes = theirs.followed.get(stream) ?? {};
        const difference = DIFFERENCES[`${title} ${stream}`];
        if (difference !== undefined) {
          const [sender, ownCount, theirCount] = difference;
          expect(ownBytes[sender] ?? '').toHaveLength(ownCount * 2);
          expect(theirBytes[sender]).toHaveLength(theirCount * 2);
          delete ownBytes[sender];
          delete theirBytes[sender];
        }
        expect(ownBytes, `connection ${stream}`).toEqual(theirBytes);
      }
    });
  }

  test.skipIf(OTHER_CAPTURES.length === 0)(
    'on captures that hold hundreds of connections (skipped without FINWAIT_CAPTURES)',
    async () => {
      const none = new Map<number, Followed>();
      const found = await Promise.all(
        OTHER_CAPTURES.map(({ path }) => orNothing(followAll(path), none)),
      );

      const connections = found.reduce((sum, { size }) => sum + size, 0);
      expect(connections).toBeGreaterThan(300);
    },
  );
});
