/** The command line: its options, its help, and what each command is handed. */

import { Command, CommanderError, Option } from 'commander';
import type { FailOn, Selection } from '../report/select.ts';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS } from '../tcp/verdicts.ts';
import { type Context, EXIT } from './context.ts';
import * as usage from './usage.ts';

interface CommonOptions {
  msl?: number;
  maxConnections?: number;
  reader: 'native' | 'pcap-parser';
  local: boolean;
  utc: boolean;
  color: 'auto' | 'always' | 'never';
  quiet: boolean;
}

interface RootOptions extends CommonOptions, Selection {
  format?: usage.Format;
  zeekJson: boolean;
  output?: string;
  sort: boolean;
  failOn?: FailOn[];
}

interface ShowOptions extends CommonOptions {
  absolute: boolean;
  all: boolean;
  ascii: boolean;
}

interface FollowOptions extends CommonOptions {
  text: boolean;
  hex: boolean;
  raw: boolean;
  client: boolean;
  server: boolean;
  output?: string;
}

interface ExtractOptions extends CommonOptions, Selection {
  directory: string;
  force: boolean;
}

const EXAMPLES = `
Examples:
  finwait web.pcapng                          every connection, and how they ended
  finwait --close rst --port 443 web.pcapng   only the resets on port 443
  finwait show web.pcapng 7                   connection 7 as a ladder diagram, and in words
  finwait follow web.pcapng 7                 the bytes of connection 7, both directions
  finwait extract web.pcapng -d streams       the bytes of every connection, two files each
  finwait --format jsonl web.pcapng | jq .close.kind
  tcpdump -w - tcp | finwait --format jsonl - records as connections finish
  finwait --fail-on rst,refused test.pcap     exit status 1 for a script or CI

Kinds and findings:
  close       ${CLOSE_KINDS.join(', ')}
  handshake   ${HANDSHAKE_KINDS.join(', ')}
${wrapList('finding', FINDING_CODES)}

Exit status:
    0  done (also where the reader of a pipe has gone away)
    1  --fail-on matched a connection
    2  wrong usage, or an input that can't be read at all; other files are still done
    3  an input was damaged: the result holds everything before the damage
  130  interrupted: what was finished is written first
  Of several, the first of 130, 2, 3, 1.`;

const READING = 'Reading:';
const LOOK = 'Look:';

/** Parses `args` (without node and script) and runs the command; resolves with the exit status. */
export async function main(
  args: readonly string[],
  ctx: Context,
  version: string,
): Promise<number> {
  let status: number = EXIT.done;
  const program = build(ctx, version, (code) => {
    status = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof usage.UsageError) {
      ctx.warn(`finwait: ${error.message}`);
      return EXIT.unusable;
    }
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) return EXIT.unusable;
      await ctx.stdout.finish();
      return EXIT.done;
    }
    if (error instanceof Error && 'code' in error && 'syscall' in error) {
      ctx.warn(`finwait: ${error.message}`);
      return EXIT.unusable;
    }
    throw error;
  }
}

function build(ctx: Context, version: string, done: (status: number) => void): Command {
  const program = new Command('finwait')
    .description(
      'Tells how every TCP connection in a packet capture was opened and closed, by whom, and why.',
    )
    .usage(
      '[options] FILE…\n       finwait show|follow [options] FILE STREAM\n       finwait extract [options] FILE… -d DIR',
    )
    .argument('<FILE...>', 'captures: pcap or pcapng, plain or compressed; - is standard input')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => ctx.stdout.write(text),
      writeErr: (text) => ctx.warn(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'finwait: ')),
      getOutHelpWidth: () => Math.min(ctx.width, 110),
    })
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError();

  program
    .optionsGroup('Output:')
    .option(
      '-f, --format <FORMAT>',
      `${usage.FORMATS.join(', ')} (default: table, or by the ending of -o)`,
      usage.formatValue,
    )
    .option('--zeek-json', 'the same as --format zeek-json', false)
    .option('-o, --output <FILE>', 'write to FILE: .jsonl, .ndjson, .csv, .log (Zeek’s), .txt')
    .option(
      '--sort',
      'by stream number, as the table always is; holds the records in memory',
      false,
    )
    .option(
      '--fail-on <KIND|CODE,…>',
      'exit with 1 when a printed connection has one of these',
      usage.failOnList,
    );
  addSelection(program);
  addCommon(program);
  program.action(async (files: string[]) => {
    const o = program.opts<RootOptions>();
    const { analyzeCommand } = await import('./analyze-command.ts');
    done(
      await analyzeCommand(ctx, files, {
        ...common(o),
        format: formatOf(o),
        output: o.output ?? null,
        sort: o.sort,
        failOn: o.failOn ?? [],
        selection: selectionOf(o),
      }),
    );
  });

  const show = program
    .command('show')
    .description('one connection: a ladder diagram with the states of both ends, and what it means')
    .argument('<FILE>', 'the capture; - is standard input')
    .argument('<STREAM>', 'the number of the connection', (text: string) =>
      usage.whole('STREAM', text, 0, Number.MAX_SAFE_INTEGER),
    )
    .optionsGroup('Diagram:')
    .option('--all', 'every segment on a line of its own', false)
    .option('--absolute', 'sequence numbers as on the wire', false)
    .option('--ascii', 'only ASCII (also where the locale is not UTF-8)', false);
  addCommon(show);
  show.action(async (file: string, stream: number) => {
    const o = show.opts<ShowOptions>();
    const { showCommand } = await import('./show-command.ts');
    const { absolute, all, ascii } = o;
    done(await showCommand(ctx, file, stream, { ...common(o), absolute, all, ascii }));
  });
  addFollow(program, ctx, done);
  addExtract(program, ctx, done);
  return program;
}

function formatOf({ format, zeekJson }: RootOptions): usage.Format | null {
  if (!zeekJson) return format ?? null;
  if (format === undefined || usage.isZeek(format)) return 'zeek-json';
  throw new usage.UsageError(`--zeek-json: does not go with --format ${format}`);
}

function addFollow(program: Command, ctx: Context, done: (status: number) => void): void {
  const follow = program
    .command('follow')
    .description('the bytes of one connection, put back in order, both directions together')
    .argument('<FILE>', 'the capture; - is standard input')
    .argument('<STREAM>', 'the number of the connection', (text: string) =>
      usage.whole('STREAM', text, 0, Number.MAX_SAFE_INTEGER),
    )
    .optionsGroup('Output:')
    .addOption(
      new Option('--text', 'as text, control characters escaped (the default)')
        .default(false)
        .conflicts(['hex', 'raw']),
    )
    .addOption(
      new Option('--hex', 'as a hex dump, the server’s lines indented')
        .default(false)
        .conflicts('raw'),
    )
    .option('--raw', 'the bytes as they are; gaps are left out and said', false)
    .addOption(
      new Option('--client', 'only what the client sent').default(false).conflicts('server'),
    )
    .option('--server', 'only what the server sent', false)
    .option('-o, --output <FILE>', 'write to FILE');
  addCommon(follow);
  follow.action(async (file: string, stream: number) => {
    const o = follow.opts<FollowOptions>();
    const { followCommand } = await import('./follow-command.ts');
    const form = o.raw ? 'raw' : o.hex ? 'hex' : 'text';
    const side = o.client ? 'client' : o.server ? 'server' : null;
    const output = o.output ?? null;
    done(await followCommand(ctx, file, stream, { ...common(o), form, side, output }));
  });
}

function addExtract(program: Command, ctx: Context, done: (status: number) => void): void {
  const extract = program
    .command('extract')
    .description('the bytes of every connection, a file for each direction')
    .argument('<FILE...>', 'captures; - is standard input')
    .optionsGroup('Output:')
    .requiredOption('-d, --directory <DIR>', 'write the files into DIR, made if need be')
    .option('--force', 'replace files that are there already', false);
  addSelection(extract);
  addCommon(extract);
  extract.action(async (files: string[]) => {
    const o = extract.opts<ExtractOptions>();
    const { extractCommand } = await import('./extract-command.ts');
    const { directory: folder, force } = o;
    const selection = selectionOf(o);
    done(await extractCommand(ctx, files, { ...common(o), folder, force, selection }));
  });
}

function addSelection(command: Command): void {
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

function selectionOf({ close, finding, handshake, host, port, stream }: Selection): Selection {
  return {
    ...(close && { close }),
    ...(finding && { finding }),
    ...(handshake && { handshake }),
    ...(host && { host }),
    ...(port && { port }),
    ...(stream && { stream }),
  };
}

function addCommon(command: Command): void {
  command
    .optionsGroup(READING)
    .option(
      '--msl <SECONDS>',
      'maximum segment lifetime; TIME_WAIT lasts twice as long (default: 30)',
      usage.mslValue,
    )
    .option('--max-connections <N>', 'connections held at once (default: 4 million)', (text) =>
      usage.whole('--max-connections', text, 1, 100_000_000),
    )
    .option(
      '--reader <READER>',
      'native, or the pcap-parser package',
      usage.oneOf('reader', ['native', 'pcap-parser']),
      'native',
    )
    .optionsGroup(LOOK)
    .addOption(new Option('--utc', 'times in UTC (the default)').default(false).conflicts('local'))
    .addOption(new Option('--local', 'times in the zone of this machine').default(false))
    .option(
      '--color <WHEN>',
      'auto, always or never; auto heeds NO_COLOR',
      usage.oneOf('choice of colour', ['auto', 'always', 'never']),
      'auto',
    )
    .option('-q, --quiet', 'no progress and no warnings; errors and damage are still said', false);
}

function common(o: CommonOptions) {
  const { color, local, maxConnections, msl, quiet, reader } = o;
  return {
    color,
    local,
    quiet,
    reader,
    ...(msl === undefined ? {} : { msl }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  };
}

/** A list of words under a label, broken to 78 columns. */
function wrapList(label: string, words: readonly string[]): string {
  const lines: string[] = [];
  let line = `  ${label.padEnd(12)}`;
  for (const [i, word] of words.entries()) {
    const text = i === words.length - 1 ? word : `${word}, `;
    if (line.length + text.trimEnd().length > 78) {
      lines.push(line.trimEnd());
      line = ' '.repeat(14);
    }
    line += text;
  }
  return [...lines, line].join('\n');
}
