/** The options of `finwait live` and `finwait interfaces`. */

import { type Command, Option } from 'commander';
import { ENGINES, type EngineName, WHOLE_SNAP_LEN } from '../capture/live/engine.ts';
import { beginsFiles, NO_RING, type RingRules } from '../capture/live/ring-rules.ts';
import type { Selection } from '../report/select.ts';
import type { Context } from './context.ts';
import { LIVE_EXAMPLES } from './help.ts';
import {
  addCommon,
  addSelection,
  type CommonOptions,
  common,
  selectionOf,
} from './shared-options.ts';
import * as usage from './usage.ts';

/** Seconds of the longest --duration: ten years. */
const MAX_SECONDS = 10 * 366 * 86_400;
const MIN_SNAP_LEN = 96;

interface LiveFlags extends Selection {
  interface?: string;
  engine: EngineName | 'auto';
  snapLen?: number;
  buffer?: number;
  promiscuous: boolean;
  duration?: number;
  count?: number;
  tui: boolean;
  events: boolean;
  write?: string;
  ring?: RingRules;
  metrics?: MetricsAddress;
}

export interface MetricsAddress {
  host: string;
  port: number;
}

/** 0 or enough for the headers down to TCP's. */
function snapLen(text: string): number {
  const bytes = usage.whole('--snap-len', text, 0, WHOLE_SNAP_LEN);
  if (bytes === 0 || bytes >= MIN_SNAP_LEN) return bytes;
  throw new usage.UsageError(
    `--snap-len: expected 0 or at least ${MIN_SNAP_LEN}, so that the headers down to TCP's fit, found '${text}'`,
  );
}

/** Adds what is live's own; the caller adds the rest. */
function addLiveOptions(live: Command): void {
  live
    .optionsGroup('Capture:')
    .option('-i, --interface <IFACE>', 'the interface (required); on Linux `any` is all of them')
    .option(
      '--engine <ENGINE>',
      `auto (the first that works), ${ENGINES.join(', ')}`,
      usage.oneOf('engine', ['auto', ...ENGINES]),
      'auto',
    )
    .option(
      '-s, --snap-len <BYTES>',
      'bytes kept of each frame; 0: all (default: 512, with -w all)',
      snapLen,
    )
    .option(
      '-B, --buffer <MIB>',
      'memory for frames the kernel holds (default: 32; of the engine cap 256)',
      (text) => usage.whole('--buffer', text, 1, 2047),
    )
    .option('-p, --no-promiscuous', 'only frames from and to this host')
    .option('--duration <SECONDS>', 'stop after so long', (text) =>
      usage.whole('--duration', text, 1, MAX_SECONDS),
    )
    .option('-c, --count <N>', 'stop after N frames', (text) =>
      usage.whole('--count', text, 1, Number.MAX_SAFE_INTEGER),
    )
    .optionsGroup('Output:')
    .option('--no-tui', 'records as JSON Lines, also on a terminal')
    .option(
      '--events',
      'in place of records a line as soon as one opens, changes state or closes',
      false,
    )
    .addOption(
      new Option(
        '--metrics <[HOST]:PORT>',
        'serve Prometheus metrics; without HOST on 127.0.0.1',
      ).argParser(metricsAddress),
    )
    .option('-w, --write <FILE>', 'keep the packets as pcapng')
    .option(
      '-b, --ring <RULE>',
      'next file after filesize:KB, duration:S, interval:S or packets:N; files:N keeps N (repeat)',
      ringRule,
    );
  for (const flags of ['-f, --format [FORMAT]', '-o, --output [FILE]']) {
    live.addOption(new Option(flags).hideHelp().preset('').argParser(refuseFormat(flags)));
  }
}

/** Refuses an option that reading a file has, and says what live has in its place. */
function refuseFormat(flags: string): () => never {
  const name = flags.split(/[ ,]+/)[1];
  return () => {
    throw new usage.UsageError(
      `live has no ${name}: it writes records as JSON Lines, with --events a line for each change
  into a file: finwait live -i IFACE > records.jsonl
  in another form: keep the packets with -w FILE, then finwait ${name} … FILE`,
    );
  };
}

/** A host and a port; the host in brackets where it is IPv6. */
function metricsAddress(text: string): MetricsAddress {
  const match = /^(?:(\[[^\]]+\]|[^:[\]]*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? Number.NaN);
  if (match === null || !(port <= 65_535)) {
    throw new usage.UsageError(
      `--metrics: expected PORT, :PORT or HOST:PORT such as :9464, found '${text}'`,
    );
  }
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { host: host === '' ? '127.0.0.1' : host, port };
}

const RING_KEYS = {
  filesize: 'filesizeKb',
  duration: 'durationSec',
  interval: 'intervalSec',
  packets: 'packets',
  files: 'files',
} as const;
const RING_WORDS = Object.keys(RING_KEYS) as (keyof typeof RING_KEYS)[];
const ringKey = usage.oneOf('rule of --ring', RING_WORDS);

function ringRule(text: string, before: RingRules = NO_RING): RingRules {
  const [word = '', value = ''] = text.split(':', 2);
  const key = RING_KEYS[ringKey(word)];
  return { ...before, [key]: usage.whole(`--ring ${word}`, value, 1, 2 ** 31) };
}

/** The interface; where none is given, a filter that looks like one is taken for the reason. */
function interfaceOf(flags: LiveFlags, filter: readonly string[]): string {
  if (flags.interface !== undefined) return flags.interface;
  const [first, ...others] = filter;
  const way =
    first !== undefined &&
    others.length === 0 &&
    /^[\w.@-]+$/.test(first) &&
    !/^(ip6?|tcp)$/.test(first)
      ? `'${first}' alone is a FILTER; if it is the interface: finwait live -i ${first}`
      : `finwait live -i IFACE${filter.length > 0 ? ` '${filter.join(' ')}'` : ''}`;
  throw new usage.UsageError(
    `live: expected an interface (-i, --interface)\n  ${way}\n  finwait interfaces lists what there is`,
  );
}

/** What is wrong with the options taken together; throws a UsageError. */
function checkLive(flags: LiveFlags): void {
  const { ring, write } = flags;
  if (ring !== undefined && write === undefined) {
    throw new usage.UsageError('--ring says when -w begins its next file: give -w FILE as well');
  }
  if (ring !== undefined && !beginsFiles(ring)) {
    throw new usage.UsageError(
      '--ring files:N needs a rule that begins the next file: filesize:KB, duration:S, interval:S or packets:N',
    );
  }
}

/** `finwait live`. */
export function addLive(
  program: Command,
  ctx: Context,
  done: (status: number) => void,
  version: string,
): void {
  const live = program
    .command('live')
    .description('connections as they open and close on an interface')
    .usage('[options] -i IFACE [FILTER]')
    .argument('[FILTER...]', 'what to capture, as tcpdump takes it; without one everything');
  addLiveOptions(live);
  addSelection(live);
  addCommon(live, { isFile: false, connections: '1 million' });
  live.addHelpText('after', LIVE_EXAMPLES);
  live.action(async (filter: string[]) => {
    const o = live.opts<LiveFlags & CommonOptions>();
    const iface = interfaceOf(o, filter);
    checkLive(o);
    const { liveCommand } = await import('./live-command.ts');
    const { reader: _, ...rest } = common(o);
    const { engine, events, promiscuous, tui } = o;
    done(
      await liveCommand(ctx, {
        ...rest,
        ...{ engine, events, iface, promiscuous, tui, version },
        filter: filter.join(' '),
        snapLen: o.snapLen ?? null,
        bufferMiB: o.buffer ?? null,
        durationSec: o.duration ?? null,
        count: o.count ?? null,
        write: o.write ?? null,
        ring: o.ring ?? null,
        metrics: o.metrics ?? null,
        selection: selectionOf(o),
      }),
    );
  });
}

/** `finwait interfaces`. */
export function addInterfaces(
  program: Command,
  ctx: Context,
  done: (status: number) => void,
): void {
  const interfaces = program
    .command('interfaces')
    .description('what can be captured on, and what this user may do')
    .option('--json', 'as JSON', false);
  interfaces.action(async () => {
    const { interfacesCommand } = await import('./interfaces-command.ts');
    done(await interfacesCommand(ctx, interfaces.opts<{ json: boolean }>().json));
  });
}
