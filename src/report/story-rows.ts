/** The ladder of a connection that is still open, from what its story has kept: opening, close, and what happened around them. */

import { ACK } from '../decode/columns.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { flagNames } from '../tcp/flag-names.ts';
import { collectRows, type LadderRow } from './ladder-rows.ts';

/** The rows of `now`, once its record was built: that sets who is the client. */
export function storyRows({ story }: FinishedConnection): LadderRow[] {
  const collector = collectRows();
  for (let i = 0; i < story.count; i++) {
    const flags = story.flags[i] ?? 0;
    collector.add({
      frame: story.frame[i] ?? 0,
      t: (story.tNs[i] ?? 0) / 1e9,
      from: story.from[i] === 0 ? 'client' : 'server',
      flags: flagNames(flags),
      seq: (story.seq[i] ?? 0) >>> 0,
      ack: (flags & ACK) === 0 ? null : (story.ack[i] ?? 0) >>> 0,
      len: story.len[i] ?? 0,
      window: story.window[i] ?? 0,
      duplicate: false,
    });
  }
  return collector.rows;
}
