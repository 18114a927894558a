/** Every connection of a capture put back in order: by finwait in one run, and by tshark's follow. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runInParts } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { type FollowedChunk, Follower } from '../../src/follow.ts';
import { endpointText } from '../../src/report/address.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';

const execute = promisify(execFile);

export interface Followed {
  record: ConnectionRecord;
  chunks: FollowedChunk[];
}

/** The connections of a capture, by number. */
export async function followAll(path: string): Promise<Map<number, Followed>> {
  const source = await openCapture(path);
  const followers = new Map<number, { follower: Follower; chunks: FollowedChunk[] }>();
  const found = new Map<number, Followed>();
  const run = runInParts(source, {
    payload: {
      onSegment(segment) {
        let entry = followers.get(segment.stream);
        if (entry === undefined) {
          const chunks: FollowedChunk[] = [];
          const follower = new Follower(segment.stream, (chunk) => chunks.push(chunk));
          entry = { follower, chunks };
          followers.set(segment.stream, entry);
        }
        entry.follower.onSegment(segment);
      },
      onFinished(record, clientEnd) {
        const entry = followers.get(record.stream);
        entry?.follower.onFinished(record, clientEnd);
        found.set(record.stream, { record, chunks: entry?.chunks ?? [] });
      },
    },
    onRecord: () => {},
  });
  while ((await run.next()).done !== true);
  await source.close();
  return found;
}

/** The bytes of each sender, and of both in order, as hexadecimal digits. */
export type Contents = Record<string, string>;

/** What finwait found, keyed by sender. */
export function contentsOf({ record, chunks }: Followed): Contents {
  const contents: Contents = {};
  for (const chunk of chunks) {
    if (chunk.kind === 'gap') continue;
    const sender = endpointText(record[chunk.from]);
    contents[sender] = (contents[sender] ?? '') + Buffer.from(chunk.bytes).toString('hex');
  }
  return contents;
}

/** tshark puts this text into the bytes where the capture lacks some. */
const MISSING = /\[\d+ bytes missing in capture file\]\0/g;

/** `tshark -z follow,tcp,raw` for all `streams` at once, without its remarks on missing bytes. */
export async function contentsByTshark(
  path: string,
  streams: readonly number[],
): Promise<Map<number, Contents>> {
  const wanted = streams.flatMap((stream) => ['-z', `follow,tcp,raw,${stream}`]);
  const { stdout } = await execute('tshark', ['-n', '-q', '-r', path, ...wanted], {
    maxBuffer: 1 << 30,
  }).catch((error: { stdout: string }) => error);
  const found = new Map<number, Contents>();
  const nodes: [string, string] = ['', ''];
  let contents: Contents = {};
  for (const line of stdout.split('\n')) {
    const [, stream] = /^Filter: tcp\.stream eq (\d+)/.exec(line) ?? [];
    const [, node, end] = /^Node ([01]): (.*)$/.exec(line) ?? [];
    if (stream !== undefined) {
      contents = {};
      found.set(Number(stream), contents);
    } else if (node !== undefined) {
      nodes[node === '0' ? 0 : 1] = end ?? '';
    } else if (/^\t?[0-9a-f]+$/.test(line)) {
      const sender = nodes[line.startsWith('\t') ? 1 : 0];
      const hex = Buffer.from(line.trim(), 'hex').toString('latin1').replace(MISSING, '');
      contents[sender] = (contents[sender] ?? '') + Buffer.from(hex, 'latin1').toString('hex');
    }
  }
  return found;
}
