/** How a live capture is shown: records or events as JSON Lines; the screen is in a file of its own. */

import type { AnalysisRun } from '../analysis-run.ts';
import { formatUtc } from '../base/time.ts';
import type { LiveSource } from '../capture/live/live-source.ts';
import type { LiveEvent } from '../report/live-events.ts';
import type { CaptureSummary, ConnectionRecord } from '../report/record.ts';
import type { FilledMold } from '../tcp/conclude.ts';
import type { Context } from './context.ts';
import { dataForm } from './data-form.ts';

export interface LiveView {
  /** `mold` as `RunOptions.onRecord` has it. */
  record: (record: ConnectionRecord, mold: FilledMold | null) => void;
  /** Where the view wants to know at once. */
  event?: (event: LiveEvent) => void;
  /** Takes a line about the capture itself; false where it has no place for it. */
  notice: (text: string) => boolean;
  /** Whether it shows drop counts while the capture runs. */
  wantsCounters: boolean;
  /** False once nobody looks any more. */
  tick: (run: AnalysisRun) => Promise<boolean>;
  /** The end: false where nobody looks any more. */
  finish: (summary: CaptureSummary) => Promise<boolean>;
  /** Gives the terminal back; may come more than once. */
  leave: () => void;
}

/** Records as JSON Lines when they finish. */
export async function recordsView(ctx: Context): Promise<LiveView> {
  const form = await dataForm('jsonl', ctx.stdout);
  return {
    record: form.record,
    notice: () => false,
    wantsCounters: false,
    async tick() {
      form.flush();
      return ctx.stdout.drain();
    },
    async finish() {
      form.flush();
      return ctx.stdout.finish();
    },
    leave() {},
  };
}

/** A line about the capture as a whole. */
interface CaptureEvent {
  schema: 1;
  event: 'capture';
  time: string;
  what: 'started' | 'notice' | 'ended';
  interface: string;
  engine: string;
  /** Whose clock stamped the frames. */
  times: 'kernel' | 'program';
  text: string | null;
  frames: number | null;
  connections: number | null;
  /** Null while, or where, the engine doesn't tell. */
  dropped: number | null;
}

/** A line for everything that happens, at once. */
export function eventsView(ctx: Context, source: LiveSource): LiveView {
  const write = (event: LiveEvent | CaptureEvent): void =>
    ctx.stdout.write(`${JSON.stringify(event)}\n`);
  const capture = (what: CaptureEvent['what'], rest: Partial<CaptureEvent> = {}): void => {
    const ms = Date.now();
    write({
      schema: 1,
      event: 'capture',
      time: formatUtc(Math.floor(ms / 1000), (ms % 1000) * 1_000_000),
      what,
      interface: source.name,
      engine: source.engine,
      times: source.engine === 'cap' ? 'program' : 'kernel',
      text: null,
      frames: null,
      connections: null,
      dropped: null,
      ...rest,
    });
  };
  capture('started');
  return {
    record() {},
    event: write,
    notice(text) {
      capture('notice', { text });
      return false;
    },
    wantsCounters: false,
    tick: () => ctx.stdout.drain(),
    async finish({ connections, droppedByInterface, frames }) {
      capture('ended', { connections, dropped: droppedByInterface, frames });
      return ctx.stdout.finish();
    },
    leave() {},
  };
}
