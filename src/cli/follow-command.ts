/** `finwait follow FILE STREAM`: the bytes of one connection, put back in order. */

import { plural } from '../base/count.ts';
import type { Timeline } from '../capture/rotation.ts';
import type { FollowedChunk } from '../follow.ts';
import { escapeTerminal } from '../report/escape.ts';
import { hexForm, type StreamForm, textForm } from '../report/stream-text.ts';
import type { Side } from '../tcp/verdicts.ts';
import { type Context, EXIT, wantsColor } from './context.ts';
import { type ReadOptions, readInput } from './read.ts';
import { guardInputs } from './same-file.ts';
import type { ColorChoice } from './shared-options.ts';
import { noSuchConnection } from './show-command.ts';
import { nameOf } from './timelines.ts';
import { fileWriter, type Writer } from './writer.ts';

export interface FollowCommandOptions extends ReadOptions {
  form: 'text' | 'hex' | 'raw';
  /** Null: both directions. */
  side: Side | null;
  output: string | null;
  color: ColorChoice;
}

/** Bytes gathered before they go to the writer. */
const CHUNK_BYTES = 256 * 1024;

/** Runs the command; resolves with the exit status. */
export async function followCommand(
  ctx: Context,
  timeline: Timeline,
  stream: number,
  options: FollowCommandOptions,
): Promise<number> {
  const { output } = options;
  const inputs = timeline.pieces.map(({ path }) => path);
  guardInputs(output, inputs);
  const writer = output === null ? ctx.stdout : fileWriter(output);
  try {
    const status = await run(ctx, timeline, stream, options, writer);
    if (status === EXIT.unusable) writer.discard();
    else await writer.finish();
    return status;
  } catch (error) {
    writer.discard();
    throw error;
  }
}

async function run(
  ctx: Context,
  timeline: Timeline,
  stream: number,
  options: FollowCommandOptions,
  writer: Writer,
): Promise<number> {
  const { Follower } = await import('../follow.ts');
  const out = gather(writer);
  const color = wantsColor(options.color, ctx, options.output !== null);
  const form = options.form === 'raw' ? null : formOf(options.form, color, options.side === null);
  const left: Record<Side, number> = { client: 0, server: 0 };
  let isEmpty = true;
  const follower = new Follower(stream, (chunk: FollowedChunk) => {
    if (options.side !== null && chunk.from !== options.side) return;
    isEmpty = false;
    if (chunk.kind === 'gap') {
      left[chunk.from] += chunk.length;
      if (form !== null) out.add(form.gap(chunk.from, chunk.length, chunk.reason));
    } else {
      out.add(form === null ? chunk.bytes : form.bytes(chunk.from, chunk.offset, chunk.bytes));
    }
  });
  const { status, summary } = await readInput(ctx, timeline, options, {
    writesToTerminal: ctx.stdoutIsTerminal && options.output === null,
    drain: async () => {
      out.flush();
      return writer.drain();
    },
    onRecord: () => {},
    only: stream,
    payload: follower,
  });
  if (status === EXIT.unusable) return status;
  if (follower.record === null) {
    if (status === EXIT.interrupted) return status;
    ctx.warn(noSuchConnection(nameOf(timeline), stream, summary?.connections ?? 0));
    return EXIT.unusable;
  }
  if (form !== null) out.add(form.end());
  out.flush();
  const warn = (text: string): void =>
    ctx.warn(`finwait: ${escapeTerminal(nameOf(timeline))}: connection ${stream}: ${text}`);
  if (follower.rolesChanged) {
    warn('what came before its SYN stands under the name of the other side');
  }
  if (options.quiet) return status;
  if (isEmpty) warn('no payload');
  for (const side of ['client', 'server'] as const) {
    if (left[side] > 0 && options.form === 'raw') {
      warn(
        `left out: ${plural(left[side], 'byte')} from the ${side} that the capture does not hold`,
      );
    }
  }
  if (follower.conflictCount > 0) {
    const frames = follower.conflictFrames.map((frame) => `#${frame}`).join(', ');
    const more = follower.conflictCount > follower.conflictFrames.length ? ' and more' : '';
    warn(`sent again with other bytes, the first copy is taken: ${frames}${more}`);
  }
  return status;
}

function formOf(form: 'text' | 'hex', color: boolean, hasBoth: boolean): StreamForm {
  return form === 'hex' ? hexForm(color) : textForm(color, hasBoth);
}

/** Small pieces in large writes. */
function gather(writer: Writer) {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (bytes > 0) writer.write(Buffer.concat(parts, bytes));
    parts = [];
    bytes = 0;
  };
  return {
    flush,
    add(data: string | Uint8Array): void {
      const part = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
      parts.push(part);
      bytes += part.length;
      if (bytes >= CHUNK_BYTES) flush();
    },
  };
}
