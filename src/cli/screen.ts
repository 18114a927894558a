/** The live view on a terminal: draws what report/live-screen.ts lays out, with terminal-kit, and takes the keys. */

import type { AnalysisRun } from '../analysis-run.ts';
import type { LiveSource } from '../capture/live/live-source.ts';
import { buildRecord } from '../report/build-record.ts';
import { formatLadder } from '../report/ladder.ts';
import type { LiveConnection, LiveEvents } from '../report/live-events.ts';
import { LiveRates } from '../report/live-rates.ts';
import {
  chooseRows,
  drawLive,
  fitTo,
  type Line,
  SORTS,
  type Sort,
  type SpanStyle,
  tableHeight,
} from '../report/live-screen.ts';
import { storyRows } from '../report/story-rows.ts';
import { sumDrops } from '../report/totals.ts';
import { conclude } from '../tcp/conclude.ts';
import type { FinishedConnection } from '../tcp/finished.ts';
import { type Context, localeText, wantsColor } from './context.ts';
import type { LiveView } from './live-views.ts';
import type { ColorChoice } from './shared-options.ts';

/** Between two drawings; also a tenth of the time at most goes into drawing. */
const DRAW_EVERY_MS = 100;
const MAX_DRAW_SHARE = 0.1;
/** Output that the terminal has not taken yet; above, a drawing is left out. */
const MAX_WAITING_BYTES = 64 * 1024;
const MAX_FILTER_CHARS = 100;

const ATTRIBUTES = {
  plain: {},
  bold: { bold: true },
  dim: { dim: true },
  good: { color: 'green' },
  warn: { color: 'yellow' },
  bad: { color: 'red' },
  accent: { color: 'cyan' },
  selected: { inverse: true },
} as const satisfies Record<SpanStyle, object>;

export interface ScreenOptions {
  local: boolean;
  color: ColorChoice;
  mslSec: number;
}

/** The ladder that is open, as text; `text` stays when the connection is gone. */
interface OpenLadder {
  one: LiveConnection;
  lines: string[];
  scrolled: number;
  nextMs: number;
}

/** Takes the terminal over until `leave`. */
export async function screenView(
  ctx: Context,
  options: ScreenOptions,
  source: LiveSource,
  live: LiveEvents,
): Promise<LiveView> {
  const { default: kit } = await import('terminal-kit');
  const { terminal } = kit;
  const hasColor = wantsColor(options.color, ctx, false);
  const inLocale = localeText(ctx.env);
  const began = performance.now();
  const rates = new LiveRates();
  let buffer = new kit.ScreenBuffer({ dst: terminal, noFill: true });
  let isFresh = true;
  let isOver = false;
  let hasLeft = false;
  let notice = '';
  let sort: Sort = 'newest';
  let filter = '';
  let isTyping = false;
  let isPaused = false;
  let selected = 0;
  let first = 0;
  let rows: LiveConnection[] = [];
  let matching = 0;
  let ladder: OpenLadder | null = null;
  let nextDrawMs = 0;

  terminal.fullscreen(true);
  terminal.hideCursor();
  terminal.grabInput(true);
  terminal.on('resize', () => {
    buffer = new kit.ScreenBuffer({ dst: terminal, noFill: true });
    isFresh = true;
    nextDrawMs = 0;
  });
  terminal.on('key', (name) => {
    nextDrawMs = 0;
    if (name === 'CTRL_C') isOver = true;
    else if (isTyping) typed(name);
    else if (ladder !== null) pressedInLadder(name, ladder);
    else pressed(name);
  });

  function typed(name: string): void {
    if (name === 'ENTER') isTyping = false;
    else if (name === 'ESCAPE') {
      isTyping = false;
      filter = '';
    } else if (name === 'BACKSPACE') filter = filter.slice(0, -1);
    else if (name.length === 1 && filter.length < MAX_FILTER_CHARS) filter += name;
    selected = 0;
  }

  function pressed(name: string): void {
    const page = tableHeight(terminal.height);
    switch (name) {
      case 'q':
        isOver = true;
        break;
      case 'p':
      case ' ':
        isPaused = !isPaused;
        break;
      case 's':
        sort = SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] ?? 'newest';
        break;
      case '/':
        isTyping = true;
        break;
      case 'ESCAPE':
        filter = '';
        break;
      case 'UP':
      case 'k':
        selected--;
        break;
      case 'DOWN':
      case 'j':
        selected++;
        break;
      case 'PAGE_UP':
        selected -= page;
        break;
      case 'PAGE_DOWN':
        selected += page;
        break;
      case 'HOME':
        selected = 0;
        break;
      case 'END':
        selected = matching - 1;
        break;
      case 'ENTER': {
        const one = rows[selected - first];
        if (one !== undefined) ladder = { one, lines: [], scrolled: 0, nextMs: 0 };
        break;
      }
      default:
    }
    selected = Math.max(0, Math.min(selected, matching - 1));
  }

  function pressedInLadder(name: string, open: OpenLadder): void {
    const page = Math.max(1, terminal.height - 2);
    const steps: Record<string, number> = {
      ...{ UP: -1, k: -1, DOWN: 1, j: 1 },
      ...{ PAGE_UP: -page, PAGE_DOWN: page },
    };
    if (name === 'q' || name === 'ESCAPE' || name === 'BACKSPACE' || name === 'ENTER')
      ladder = null;
    const last = Math.max(0, open.lines.length - page);
    open.scrolled = Math.max(0, Math.min(last, open.scrolled + (steps[name] ?? 0)));
  }

  /** A connection as it is now, null where it has left. Rows may be copies, whose index is out of date. */
  function look(run: AnalysisRun, stream: number): FinishedConnection | null {
    const one = live.open.get(stream);
    return one === undefined ? null : run.look(one.index, stream);
  }

  function refreshLadder(run: AnalysisRun, open: OpenLadder): void {
    const now = look(run, open.one.stream);
    if (now === null) {
      notice = `connection ${open.one.stream} has left`;
      return;
    }
    const record = buildRecord(now, source.name, conclude(now, options.mslSec));
    open.lines = formatLadder(record, storyRows(now), {
      width: terminal.width,
      color: false,
      local: options.local,
      absolute: false,
      all: false,
    }).split('\n');
  }

  function ladderLines(open: OpenLadder): Line[] {
    const height = terminal.height - 1;
    const shown = open.lines.slice(open.scrolled, open.scrolled + height);
    const lines = shown.map((text): Line => [{ text, style: 'plain' }]);
    while (lines.length < height) lines.push([]);
    const keys = 'Esc back  ↑↓ scroll   (what came between is not kept)';
    lines.push([{ text: keys, style: 'bold' }]);
    return lines.map((line) => fitTo(line, terminal.width));
  }

  function tableLines(run: AnalysisRun): Line[] {
    const count = tableHeight(terminal.height);
    if (!isPaused) {
      ({ rows, matching } = chooseRows(live.open.values(), filter, sort, first, count));
      selected = Math.max(0, Math.min(selected, matching - 1));
    }
    const wanted = selected < first ? selected : Math.max(first, selected - count + 1);
    if (wanted !== first) {
      first = wanted;
      ({ rows, matching } = chooseRows(live.open.values(), filter, sort, first, count));
    }
    if (isPaused) {
      rows = rows.map((one) => ({ ...one, states: { ...one.states } }));
    } else {
      for (const one of rows) {
        const now = look(run, one.stream);
        if (now !== null) one.bytes = now.bytes[0] + now.bytes[1];
      }
    }
    return drawLive(
      {
        title: `finwait  ${source.name}  ${source.engine}`,
        seconds: (performance.now() - began) / 1000,
        frames: run.progress.frames,
        dropped: sumDrops(source),
        nowSec: Math.floor(Date.now() / 1000),
        live,
        rates,
        local: options.local,
        ...{ rows, matching, first, selected, sort, filter, isTyping, isPaused, notice },
      },
      terminal.width,
      terminal.height,
    );
  }

  function draw(run: AnalysisRun, ms: number): void {
    if (ladder !== null && ms >= ladder.nextMs) {
      ladder.nextMs = ms + 1000;
      refreshLadder(run, ladder);
    }
    const lines = ladder === null ? tableLines(run) : ladderLines(ladder);
    buffer.fill({ attr: {}, char: ' ' });
    for (const [y, line] of lines.entries()) {
      let x = 0;
      for (const { style, text } of line) {
        const attr = hasColor || style === 'selected' ? ATTRIBUTES[style] : {};
        const shown = inLocale(text);
        buffer.put({ x, y, attr }, shown);
        x += shown.length;
      }
    }
    buffer.draw({ delta: !isFresh });
    isFresh = false;
  }

  function leave(): void {
    if (hasLeft) return;
    hasLeft = true;
    terminal.grabInput(false);
    terminal.hideCursor(false);
    terminal.fullscreen(false);
    terminal.removeAllListeners('key');
    terminal.removeAllListeners('resize');
  }

  return {
    record() {},
    event: (event) => rates.take(event, Math.floor(Date.now() / 1000)),
    notice(text) {
      notice = text;
      return true;
    },
    wantsCounters: true,
    async tick(run) {
      const ms = performance.now();
      if (ms >= nextDrawMs && process.stdout.writableLength < MAX_WAITING_BYTES) {
        draw(run, ms);
        const cost = performance.now() - ms;
        nextDrawMs = ms + Math.max(DRAW_EVERY_MS - 5, cost / MAX_DRAW_SHARE);
      }
      return !isOver;
    },
    async finish() {
      leave();
      return true;
    },
    leave,
  };
}
