/** The command line: its options, its help, and what each command is handed. */

import { Command, CommanderError, Option } from 'commander';
import type { FailOn, Selection } from '../report/select.ts';
import { type Context, EXIT, localeText } from './context.ts';
import { EXAMPLES, HELP, helpText } from './help.ts';
import { addInterfaces, addLive } from './live-options.ts';
import { systemError } from './output-error.ts';
import {
  addCommon,
  addSelection,
  addSeveral,
  type CommonOptions,
  common,
  joinOf,
  type SeveralOptions,
  selectionOf,
} from './shared-options.ts';
import * as usage from './usage.ts';

interface RootOptions extends CommonOptions, SeveralOptions, Selection {
  format?: usage.Format;
  zeekJson: boolean;
  output?: string;
  sort: boolean;
  failOn?: FailOn[];
}

interface ShowOptions extends CommonOptions, SeveralOptions {
  absolute: boolean;
  all: boolean;
  ascii: boolean;
}

interface FollowOptions extends CommonOptions, SeveralOptions {
  text: boolean;
  hex: boolean;
  raw: boolean;
  client: boolean;
  server: boolean;
  output?: string;
}

interface ExtractOptions extends CommonOptions, SeveralOptions, Selection {
  directory: string;
  force: boolean;
}

interface ReportOptions extends CommonOptions, SeveralOptions {
  format?: usage.ReportFormat;
  output?: string;
  jobs?: number;
}

/** What may stand first. */
const COMMANDS = ['show', 'follow', 'extract', 'live', 'report', 'interfaces'];

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
    await program.parseAsync([...args], { from: 'user' }).catch(async (error: unknown) => {
      // Help was asked for, and is written.
      if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
      await ctx.stdout.finish();
    });
    return status;
  } catch (error) {
    if (error instanceof usage.UsageError) {
      ctx.warn(`finwait: ${error.message}`);
      return EXIT.unusable;
    }
    if (error instanceof CommanderError) return EXIT.unusable;
    const what = systemError(error);
    if (what === null) throw error;
    ctx.warn(`finwait: ${what}`);
    return EXIT.unusable;
  }
}

function build(ctx: Context, version: string, done: (status: number) => void): Command {
  const program = new Command('finwait')
    .description(
      'Tells how every TCP connection in a packet capture was opened and closed, by whom, and why.',
    )
    .usage(
      '[options] FILE…\n       finwait show|follow [options] FILE… STREAM\n       finwait extract [options] FILE… -d DIR\n       finwait report [options] PATH…\n       finwait live [options] -i IFACE [FILTER]\n       finwait interfaces [--json]',
    )
    .argument('<FILE...>', 'captures: pcap or pcapng, plain or compressed; - is standard input')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp(HELP)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => ctx.stdout.write(helpText(text, localeText(ctx.env))),
      writeErr: (text) => ctx.warn(text.trimEnd()),
      outputError(text, write) {
        const hint = text.includes('missing required argument') ? "; see 'finwait --help'" : '';
        write(`${text.trimEnd().replace(/^error: /, 'finwait: ')}${hint}`);
      },
      getOutHelpWidth: () => Math.min(ctx.width, 110),
    })
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError()
    .hook('preSubcommand', (_, command) => refuseMisplaced(program, command.name()));

  program
    .optionsGroup('Output:')
    .option(
      '-f, --format <FORMAT>',
      `${usage.FORMATS.join(', ')} (default: table, or by the ending of -o)`,
      usage.formatValue,
    )
    .option('--zeek-json', 'the same as --format zeek-json', false)
    .option(
      '-o, --output <FILE>',
      'write to FILE: .jsonl, .ndjson, .csv, .log (Zeek’s), .txt; - is standard output',
    )
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
  addSeveral(program);
  addCommon(program);
  program.action(async (files: string[]) => {
    const o = program.opts<RootOptions>();
    usage.refuseMistypedCommand(files, COMMANDS);
    const { analyzeCommand } = await import('./analyze-command.ts');
    done(
      await analyzeCommand(ctx, files, {
        ...common(o),
        format: formatOf(o),
        output: outputOf(o.output),
        sort: o.sort,
        join: joinOf(o),
        failOn: o.failOn ?? [],
        selection: selectionOf(o),
      }),
    );
  });

  const show = program
    .command('show')
    .description('one connection: a ladder diagram with the states of both ends, and what it means')
    .usage('[options] FILE… STREAM')
    .argument('[FILE]', 'the capture; - is standard input; or the pieces of a rotated capture')
    .argument('[STREAM...]', 'the number of the connection, last')
    .optionsGroup('Diagram:')
    .option('--all', 'every segment on a line of its own', false)
    .option('--absolute', 'sequence numbers as on the wire', false)
    .option('--ascii', 'only ASCII (also where the locale is not UTF-8)', false);
  addSeveral(show);
  addCommon(show);
  show.action(async () => {
    const o = show.opts<ShowOptions>();
    const { oneConnection } = await import('./one-connection.ts');
    const { stream, timeline } = await oneConnection('show', show.args, joinOf(o));
    const { showCommand } = await import('./show-command.ts');
    const { absolute, all, ascii } = o;
    done(await showCommand(ctx, timeline, stream, { ...common(o), absolute, all, ascii }));
  });
  addFollow(program, ctx, done);
  addExtract(program, ctx, done);
  addReport(program, ctx, done);
  addLive(program, ctx, done, version);
  addInterfaces(program, ctx, done);
  return program;
}

/** An option before the command would be the other command's: without effect, and nobody would know. */
function refuseMisplaced(program: Command, command: string): void {
  const given = program.options.find(
    (option) => program.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (given === undefined) return;
  throw new usage.UsageError(
    `${given.long} before '${command}': options stand behind the command\n  finwait ${command} ${given.long} …`,
  );
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
    .usage('[options] FILE… STREAM')
    .argument('[FILE]', 'the capture; - is standard input; or the pieces of a rotated capture')
    .argument('[STREAM...]', 'the number of the connection, last')
    .optionsGroup('Output:')
    .addOption(
      new Option(
        '--text',
        'as text, control characters escaped: client’s lines after >, server’s after < (default)',
      )
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
    .option('-o, --output <FILE>', 'write to FILE; - is standard output');
  addSeveral(follow);
  addCommon(follow, { times: false });
  follow.action(async () => {
    const o = follow.opts<FollowOptions>();
    const { oneConnection } = await import('./one-connection.ts');
    const { stream, timeline } = await oneConnection('follow', follow.args, joinOf(o));
    const { followCommand } = await import('./follow-command.ts');
    const form = o.raw ? 'raw' : o.hex ? 'hex' : 'text';
    const side = o.client ? 'client' : o.server ? 'server' : null;
    const output = outputOf(o.output);
    done(await followCommand(ctx, timeline, stream, { ...common(o), form, side, output }));
  });
}

function addExtract(program: Command, ctx: Context, done: (status: number) => void): void {
  const extract = program
    .command('extract')
    .description(
      'the bytes of every connection, a file for each direction, named as tcpflow names them',
    )
    .usage('[options] FILE… -d DIR')
    .argument('<FILE...>', 'captures; - is standard input')
    .optionsGroup('Output:')
    .requiredOption('-d, --directory <DIR>', 'write the files into DIR, made if need be')
    .option(
      '--force',
      'replace files that are there already; without it they stay (status 2)',
      false,
    );
  addSelection(extract);
  addSeveral(extract);
  addCommon(extract, { connections: '1 million', times: false, color: false });
  extract.action(async (files: string[]) => {
    const o = extract.opts<ExtractOptions>();
    const { extractCommand } = await import('./extract-command.ts');
    const { directory: folder, force } = o;
    const selection = selectionOf(o);
    done(
      await extractCommand(ctx, files, { ...common(o), folder, force, join: joinOf(o), selection }),
    );
  });
}

function addReport(program: Command, ctx: Context, done: (status: number) => void): void {
  const report = program
    .command('report')
    .description('many captures in one report: figures per file and in total, who closes, resets')
    .usage('[options] PATH…')
    .argument('<PATH...>', 'captures, and folders with captures in them and below')
    .optionsGroup('Output:')
    .option(
      '-f, --format <FORMAT>',
      `${usage.REPORT_FORMATS.join(', ')} (default: md, or by the ending of -o)`,
      usage.reportFormatValue,
    )
    .option(
      '-o, --output <FILE>',
      'write to FILE: .md, .markdown, .csv, .jsonl, .ndjson; - is standard output',
    )
    .option('-j, --jobs <N>', 'captures read at once (default: one a processor)', (text) =>
      usage.whole('--jobs', text, 1, 1024),
    );
  addSeveral(report);
  addCommon(report, { color: false });
  report.action(async (paths: string[]) => {
    const o = report.opts<ReportOptions>();
    const { reportCommand } = await import('./report-command.ts');
    done(
      await reportCommand(ctx, paths, {
        ...common(o),
        format: o.format ?? null,
        output: outputOf(o.output),
        jobs: o.jobs ?? null,
        join: joinOf(o),
      }),
    );
  });
}

/** The file of `-o`; null is standard output, which `-` says as well. */
function outputOf(output: string | undefined): string | null {
  return output === undefined || output === '-' ? null : output;
}
