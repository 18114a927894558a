/** Every connection of a capture put back in order, in one run. */

import { runInParts } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { type FollowedChunk, Follower } from '../../src/follow.ts';
import { endpointText } from '../../src/report/address.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import type { Contents } from './tshark.ts';

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

/** The bytes of each sender. */
export function contentsOf({ record, chunks }: Followed): Contents {
  const contents: Contents = {};
  for (const chunk of chunks) {
    if (chunk.kind === 'gap') continue;
    const sender = endpointText(record[chunk.from]);
    contents[sender] = (contents[sender] ?? '') + Buffer.from(chunk.bytes).toString('hex');
  }
  return contents;
}
