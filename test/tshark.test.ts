/** finwait and tshark see the same connections in every capture: number, ends, numbering, frames and payload bytes. */

import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { analyze } from '../src/analyze.ts';
import { CaptureError } from '../src/base/errors.ts';
import { FIXTURES, OTHER_CAPTURES } from './support/captures.ts';

const hasTshark = spawnSync('tshark', ['-v']).status === 0;
const execute = promisify(execFile);

/** Frames and payload bytes of each direction, keyed by the sender; one line a connection. */
type Connections = Record<string, Record<string, { frames: number; bytes: number }>>;

const FIELDS = [
  ...['tcp.stream', 'tcp.srcport', 'tcp.dstport', 'tcp.len'],
  ...['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'frame.protocols'],
];

/**
 * The streams as tshark counts them. TCP quoted in ICMP is left out (docs/differences.md). Where a frame holds several
 * headers the innermost counts.
 */
async function byTshark(path: string): Promise<Connections> {
  const filter = 'tcp.stream && tcp.flags && !icmp && !icmpv6';
  const args = ['-n', '-2', '-r', path, '-Y', filter, '-T', 'fields', '-E', 'separator=|'];
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  // A damaged file ends with a non-zero status, after everything before the damage.
  const { stdout } = await execute('tshark', [...args, ...fields], { maxBuffer: 1 << 28 }).catch(
    (error: { stdout: string }) => error,
  );
  const found: Connections = {};
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const values = new Map(line.split('|').map((value, i) => [FIELDS[i], value.split(',').at(-1)]));
    const get = (field: string): string => values.get(field) ?? '';
    const protocols = get('frame.protocols').split(':');
    const ip = protocols.lastIndexOf('ipv6') > protocols.lastIndexOf('ip') ? 'ipv6' : 'ip';
    const from = `${get(`${ip}.src`)} ${get('tcp.srcport')}`;
    const to = `${get(`${ip}.dst`)} ${get('tcp.dstport')}`;
    add(found, Number(get('tcp.stream')), from, to, 1, Number(get('tcp.len')));
  }
  return found;
}

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

async function byFinwait(path: string): Promise<Connections> {
  const found: Connections = {};
  try {
    for await (const { stream, client, server, packets, bytes } of analyze(path)) {
      const ends = [`${client.ip} ${client.port}`, `${server.ip} ${server.port}`] as const;
      add(found, stream, ends[0], ends[1], packets.client, bytes.client);
      add(found, stream, ends[1], ends[0], packets.server, bytes.server);
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
  }
  return found;
}

describe.skipIf(!hasTshark)('tshark -2 counts the same (skipped where it is not installed)', () => {
  for (const { title, path } of [...FIXTURES, ...OTHER_CAPTURES]) {
    test.concurrent(title, async ({ expect }) => {
      const [tshark, own] = await Promise.all([byTshark(path), byFinwait(path)]);

      expect(own).toEqual(tshark);
    });
  }

  test.skipIf(OTHER_CAPTURES.length === 0)(
    'on captures that hold hundreds of connections (skipped without FINWAIT_CAPTURES)',
    async () => {
      const counts = await Promise.all(OTHER_CAPTURES.map(({ path }) => byFinwait(path)));

      const connections = counts.reduce((sum, found) => sum + Object.keys(found).length, 0);
      expect(connections).toBeGreaterThan(300);
    },
  );
});
