/** `FILE… STREAM`, the arguments of `finwait show` and `finwait follow`. */

import { existsSync } from 'node:fs';
import type { JoinMode, Timeline } from '../capture/rotation.ts';
import { timelinesOf } from './timelines.ts';
import { UsageError, whole } from './usage.ts';

/** The files of one timeline, and behind them the number of a connection; `command` is named in what is refused. */
export async function oneConnection(
  command: string,
  args: readonly string[],
  join: JoinMode,
): Promise<{ timeline: Timeline; stream: number }> {
  refuseMissing(command, args);
  const stream = whole('STREAM', args.at(-1) ?? '', 0, Number.MAX_SAFE_INTEGER);
  const [timeline, second] = await timelinesOf(args.slice(0, -1), { join });
  if (timeline !== undefined && second === undefined) return { timeline, stream };
  throw new UsageError(
    'expected one file, or the pieces of one rotated capture, before STREAM; --join takes any files as such',
  );
}

/** Refuses what lacks the file or the number, or has them the wrong way round, and writes down the right way. */
function refuseMissing(command: string, args: readonly string[]): void {
  const [first, second] = args;
  const isNumber = first !== undefined && /^\d+$/.test(first) && !existsSync(first);
  const expected = `${command}: expected FILE and then STREAM, the number of a connection; found`;
  if (first === undefined) {
    throw new UsageError(`${expected} neither\n  finwait ${command} web.pcapng 7`);
  }
  if (args.length === 1) {
    throw new UsageError(
      isNumber
        ? `${expected} only the number ${first}\n  finwait ${command} FILE ${first}`
        : `${expected} only '${first}'\n  finwait ${command} ${first} 0\n  finwait ${first} lists the connections with their numbers`,
    );
  }
  if (args.length === 2 && isNumber && second !== undefined && !/^\d+$/.test(second)) {
    throw new UsageError(`${expected} the number first\n  finwait ${command} ${second} ${first}`);
  }
}
