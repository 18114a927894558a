/** `finwait live`: the connections on an interface while they open and close. */

import { humanCount, plural } from '../base/count.ts';
import { CaptureError } from '../base/errors.ts';
import { DEFAULT_MSL_SEC } from '../base/time.ts';
import { type EngineName, HEADERS_SNAP_LEN, WHOLE_SNAP_LEN } from '../capture/live/engine.ts';
import { KeptFiles, keeping } from '../capture/live/keep-files.ts';
import { LinkWatch } from '../capture/live/link-watch.ts';
import type { LiveSource } from '../capture/live/live-source.ts';
import { openLive } from '../capture/live/open.ts';
import { NO_RING, type RingRules } from '../capture/live/ring-rules.ts';
import { runLive } from '../live.ts';
import { escapeTerminal } from '../report/escape.ts';
import { type LiveEvent, LiveEvents } from '../report/live-events.ts';
import type { CaptureSummary, ConnectionRecord } from '../report/record.ts';
import { compileSelection, type Selection } from '../report/select.ts';
import { createTally, formatSummary, tallyRecord } from '../report/summary.ts';
import type { FilledMold } from '../tcp/conclude.ts';
import { WHOLE } from '../tcp/molds.ts';
import { type Context, EXIT } from './context.ts';
import type { MetricsAddress } from './live-options.ts';
import { eventsView, type LiveView, recordsView } from './live-views.ts';
import { writing } from './output-error.ts';
import type { ColorChoice } from './shared-options.ts';
import { UsageError } from './usage.ts';

export interface LiveCommandOptions {
  iface: string;
  filter: string;
  engine: EngineName | 'auto';
  /** Null: what the use asks for. */
  snapLen: number | null;
  bufferMiB: number | null;
  promiscuous: boolean;
  durationSec: number | null;
  count: number | null;
  tui: boolean;
  events: boolean;
  write: string | null;
  ring: RingRules | null;
  metrics: MetricsAddress | null;
  selection: Selection;
  msl?: number;
  maxConnections?: number;
  local: boolean;
  color: ColorChoice;
  quiet: boolean;
  version: string;
}

/** Between two wakes: how often a view may draw and output leaves at the latest. */
const TICK_MS = 100;
/** Between two requests for drop counts, and two looks at the state of the link. */
const COUNTERS_EVERY_MS = 2000;
/** A live capture may run for months beside other programs: fewer than a file is given. */
const DEFAULT_LIVE_CONNECTIONS = 1_000_000;

/** Runs the command; resolves with the exit status. */
export async function liveCommand(ctx: Context, options: LiveCommandOptions): Promise<number> {
  if (Object.keys(options.selection).length > 0 && (options.events || wantsScreen(ctx, options))) {
    throw new UsageError(
      'a selection applies to records: give --no-tui, or choose with FILTER what is captured',
    );
  }
  const say = (text: string): void => ctx.warn(`finwait: ${escapeTerminal(text)}`);
  let kept: KeptFiles | null = null;
  let source: LiveSource;
  try {
    source = await openSource(options);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    say(error.message);
    return EXIT.unusable;
  }
  try {
    if (options.write !== null) {
      const { ring, version, write } = options;
      const begin = (): KeptFiles => new KeptFiles(write, ring ?? NO_RING, `finwait ${version}`);
      kept = writing('-w', write, begin);
    }
    return await capture(ctx, options, source, kept, say);
  } finally {
    await source.close();
  }
}

function openSource(options: LiveCommandOptions): Promise<LiveSource> {
  const { bufferMiB, count, engine, filter, iface, promiscuous, write } = options;
  const usual = write === null ? HEADERS_SNAP_LEN : WHOLE_SNAP_LEN;
  const snapLen = options.snapLen === 0 ? WHOLE_SNAP_LEN : (options.snapLen ?? usual);
  return openLive(
    { iface, filter, snapLen, bufferMiB, promiscuous },
    engine,
    count ?? Number.POSITIVE_INFINITY,
  );
}

async function capture(
  ctx: Context,
  options: LiveCommandOptions,
  source: LiveSource,
  kept: KeptFiles | null,
  say: (text: string) => void,
): Promise<number> {
  const mslSec = options.msl ?? DEFAULT_MSL_SEC;
  const listeners: ((event: LiveEvent) => void)[] = [];
  const live = new LiveEvents(mslSec, options.events, (event) => {
    for (const listener of listeners) listener(event);
  });
  const metrics =
    options.metrics === null
      ? null
      : await (await import('./metrics.ts')).serveMetrics(options.metrics, live);
  // Last: from here on the terminal may be the screen's.
  const view = await pickView(ctx, options, source, live, mslSec);
  const notice = (text: string): void => {
    if (!view.notice(text)) say(text);
  };
  if (!options.quiet) {
    notice(`${source.name}: capturing with ${source.engine}, Ctrl-C ends`);
    for (const note of source.notes) notice(`${source.name}: ${note}`);
  }
  if (metrics !== null) notice(`metrics at ${metrics.url}`);
  for (const one of [view, metrics]) if (one?.event !== undefined) listeners.push(one.event);

  const selected = compileSelection(options.selection);
  const tally = createTally();
  const link = new LinkWatch(source.name);
  let nextCountersMs = 0;
  const stop = (): void => source.stop();
  if (ctx.interrupt.aborted) stop();
  ctx.interrupt.addEventListener('abort', stop, { once: true });
  const timers = [setInterval(() => source.wake(), TICK_MS)];
  if (options.durationSec !== null) timers.push(longTimeout(options.durationSec * 1000, stop));
  const onRecord = (record: ConnectionRecord, mold: FilledMold | null): void => {
    live.finish(record, Date.now() / 1000);
    metrics?.record(record);
    if (!selected(record)) return;
    tallyRecord(tally, record);
    view.record(record, mold);
  };
  try {
    const summary = await runLive(kept === null ? source : keeping(source, kept), {
      file: source.name,
      msl: mslSec,
      maxConnections: options.maxConnections ?? DEFAULT_LIVE_CONNECTIONS,
      onRecord,
      transient: WHOLE,
      ...(listeners.length > 0
        ? {
            onHappening: (now, index) => live.happened(now, index),
            onMoved: (to) => live.moved(to),
          }
        : {}),
      onTick: async (run) => {
        kept?.tick(source.interfaces);
        if (kept?.failure && !source.isStopped) {
          notice(`${kept.failure}; the capture ends, what was analyzed is kept`);
          stop();
        }
        const ms = performance.now();
        if (ms >= nextCountersMs) {
          nextCountersMs = ms + COUNTERS_EVERY_MS;
          if (view.wantsCounters || metrics !== null) source.askCounters();
          const change = link.change();
          if (change !== null) notice(`${source.name} ${change}`);
        }
        metrics?.tick(run.progress, source.interfaces);
        if (!(await view.tick(run))) stop();
      },
    });
    kept?.finish(source.interfaces);
    const isRead = await view.finish(summary);
    return conclude(
      options,
      summary,
      source,
      kept,
      isRead,
      () => {
        const width = ctx.stderrIsTerminal ? ctx.width : Number.POSITIVE_INFINITY;
        ctx.status(formatSummary(tally, summary, { color: false, local: options.local, width }));
      },
      say,
    );
  } finally {
    for (const timer of timers) clearInterval(timer);
    ctx.interrupt.removeEventListener('abort', stop);
    view.leave();
    await metrics?.close();
  }
}

/** Whether there is a person in front of it. */
function wantsScreen(ctx: Context, { events, tui }: LiveCommandOptions): boolean {
  const isTerminal = ctx.stdoutIsTerminal && process.stdin.isTTY === true;
  return tui && !events && isTerminal && ctx.env.TERM !== 'dumb';
}

/** The view for this output: a screen on a terminal, else lines. */
async function pickView(
  ctx: Context,
  options: LiveCommandOptions,
  source: LiveSource,
  live: LiveEvents,
  mslSec: number,
): Promise<LiveView> {
  if (options.events) return eventsView(ctx, source);
  if (wantsScreen(ctx, options)) {
    const { screenView } = await import('./screen.ts');
    return screenView(ctx, { ...options, mslSec }, source, live);
  }
  return recordsView(ctx);
}

/** The totals, the drop counts and what ended the capture; returns the exit status. */
function conclude(
  options: LiveCommandOptions,
  summary: CaptureSummary,
  source: LiveSource,
  kept: KeptFiles | null,
  isRead: boolean,
  totals: () => void,
  say: (text: string) => void,
): number {
  if (!options.quiet) {
    for (const warning of summary.warnings) {
      if (!source.notes.includes(warning)) say(`${source.name}: ${warning}`);
    }
    if (isRead) totals();
  }
  const dropped = summary.droppedByInterface;
  if (dropped === null) {
    if (!options.quiet)
      say(`${source.name}: ${source.engine} did not tell how many frames were dropped`);
  } else if (dropped > 0 || !options.quiet) {
    say(
      `${source.name}: ${plural(dropped, 'frame')} dropped, ${humanCount(summary.frames)} analyzed`,
    );
  }
  if (summary.damage !== null) {
    say(`${source.name}: ${summary.damage.message}; what was analyzed until then is kept`);
    return EXIT.damaged;
  }
  return kept?.failure ? EXIT.damaged : EXIT.done;
}

/** A timer beyond the 24.8 days that setTimeout knows. */
function longTimeout(ms: number, then: () => void): NodeJS.Timeout {
  const due = performance.now() + ms;
  const timer = setInterval(() => {
    if (performance.now() < due) return;
    clearInterval(timer);
    then();
  }, TICK_MS);
  return timer;
}
