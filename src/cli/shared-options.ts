/** Options that several commands share: what is selected, what is one timeline, how it is read and shown. */

import { type Command, Option } from 'commander';
import type { ReaderName } from '../capture/open.ts';
import type { JoinMode } from '../capture/rotation.ts';
import type { Selection } from '../report/select.ts';
import * as usage from './usage.ts';

/** What --color takes. */
export type ColorChoice = 'auto' | 'always' | 'never';

/** What `addCommon` parses. */
export interface CommonOptions {
  msl?: number;
  maxConnections?: number;
  reader: ReaderName;
  local?: boolean;
  utc?: boolean;
  color?: ColorChoice;
  quiet: boolean;
}

/** What `addSeveral` parses. */
export interface SeveralOptions {
  join: boolean;
  separate: boolean;
}

/** Adds --close and the others that choose connections. */
export function addSelection(command: Command): void {
  command
    .optionsGroup('Selection (all must match; of a list, one):')
    .option('--close <KIND,…>', 'closed in one of these ways', usage.closeList)
    .option('--handshake <KIND,…>', 'opened in one of these ways', usage.handshakeList)
    .option('--finding <CODE,…>', 'with one of these findings', usage.findingList)
    .option(
      '--host <IP[/LEN],…>',
      'either end has this address or is in this network',
      usage.hostList,
    )
    .option('--port <N,…>', 'either end has this port', usage.portList)
    .option('--stream <N,…>', 'with this number, as in Wireshark’s tcp.stream', usage.streamList);
}

/** What was selected: only what was given. */
export function selectionOf({
  close,
  finding,
  handshake,
  host,
  port,
  stream,
}: Selection): Selection {
  return {
    ...(close && { close }),
    ...(finding && { finding }),
    ...(handshake && { handshake }),
    ...(host && { host }),
    ...(port && { port }),
    ...(stream && { stream }),
  };
}

/** Adds --join and --separate. */
export function addSeveral(command: Command): void {
  command
    .optionsGroup('Several files (pieces of one rotated capture are one timeline):')
    .addOption(
      new Option('--join', 'all files are one timeline, whatever their names and times')
        .default(false)
        .conflicts('separate'),
    )
    .option('--separate', 'each file on its own', false);
}

/** How files become timelines. */
export function joinOf({ join, separate }: SeveralOptions): JoinMode {
  if (join) return 'join';
  return separate ? 'separate' : 'auto';
}

/** What differs between the commands that analyze. */
interface CommonUse {
  /** Not a live capture. */
  isFile?: boolean;
  /** What `--max-connections` is where it is not given. */
  connections?: string;
  /** Whether it shows times, and colours. */
  times?: boolean;
  color?: boolean;
}

/** Adds what every command that analyzes has: of the looks only those that it has a use for. */
export function addCommon(command: Command, use: CommonUse = {}): void {
  const { color = true, connections = '4 million', isFile = true, times = true } = use;
  command
    .optionsGroup(isFile ? 'Reading:' : 'Analysis:')
    .option(
      '--msl <SECONDS>',
      'maximum segment lifetime; TIME_WAIT lasts twice as long (default: 30)',
      usage.mslValue,
    )
    .option('--max-connections <N>', `connections held at once (default: ${connections})`, (text) =>
      usage.whole('--max-connections', text, 1, 100_000_000),
    );
  if (isFile) {
    command.option(
      '--reader <READER>',
      'native, or the pcap-parser package',
      usage.oneOf('reader', ['native', 'pcap-parser']),
      'native',
    );
  }
  command.optionsGroup('Look:');
  if (times) {
    command
      .addOption(
        new Option('--utc', 'times in UTC (the default)').default(false).conflicts('local'),
      )
      .addOption(new Option('--local', 'times in the zone of this machine').default(false));
  }
  if (color) {
    command.option(
      '--color <WHEN>',
      'auto, always or never; auto heeds NO_COLOR',
      usage.oneOf('choice of colour', ['auto', 'always', 'never']),
      'auto',
    );
  }
  command.option(
    '-q, --quiet',
    'no progress and no warnings; errors and damage are still said',
    false,
  );
}

/** The values of `addCommon`'s options: only those that were given or have a default. */
export function common(o: CommonOptions) {
  const { color = 'auto', local = false, maxConnections, msl, quiet, reader } = o;
  return {
    color,
    local,
    quiet,
    reader,
    ...(msl === undefined ? {} : { msl }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}
