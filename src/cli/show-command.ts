/** `finwait show FILE STREAM`: one connection as a ladder diagram and in words. */

import { plural } from '../base/count.ts';
import type { Timeline } from '../capture/rotation.ts';
import { Follower } from '../follow.ts';
import { toAscii } from '../report/ascii.ts';
import { formatLadder } from '../report/ladder.ts';
import { collectRows } from '../report/ladder-rows.ts';
import type { ConnectionRecord } from '../report/record.ts';
import { type Context, columnsFor, EXIT, localeText, wantsColor } from './context.ts';
import { type ReadOptions, readInput } from './read.ts';
import type { ColorChoice } from './shared-options.ts';
import { nameOf } from './timelines.ts';

export interface ShowCommandOptions extends ReadOptions {
  local: boolean;
  color: ColorChoice;
  absolute: boolean;
  all: boolean;
  ascii: boolean;
}

/** Columns of a ladder that goes to a pipe. */
const PIPE_WIDTH = 100;

/** What to say where a capture with `count` connections has none of that number. */
export function noSuchConnection(file: string, stream: number, count: number): string {
  const range =
    count === 0
      ? 'there is no TCP connection in it'
      : `it has ${plural(count, 'connection')}, 0 to ${count - 1}`;
  return `finwait: ${file}: no connection ${stream}; ${range}`;
}

/** Runs the command; resolves with the exit status. */
export async function showCommand(
  ctx: Context,
  timeline: Timeline,
  stream: number,
  options: ShowCommandOptions,
): Promise<number> {
  const collector = collectRows();
  let found: ConnectionRecord | null = null;
  const { status, summary } = await readInput(ctx, timeline, options, {
    drain: async () => true,
    onRecord: (record) => {
      found = record;
    },
    only: stream,
    payload: new Follower(stream, () => {}),
    watch: { stream, onSegment: (segment) => collector.add(segment) },
  });
  if (status === EXIT.unusable) return status;
  if (found === null) {
    if (status === EXIT.interrupted) return status;
    ctx.warn(noSuchConnection(nameOf(timeline), stream, summary?.connections ?? 0));
    return EXIT.unusable;
  }
  const text = formatLadder(found, collector.rows, {
    width: columnsFor(ctx, false, PIPE_WIDTH),
    color: wantsColor(options.color, ctx, false),
    local: options.local,
    absolute: options.absolute,
    all: options.all,
  });
  ctx.stdout.write(options.ascii ? toAscii(text) : localeText(ctx.env)(text));
  await ctx.stdout.finish();
  return status;
}
