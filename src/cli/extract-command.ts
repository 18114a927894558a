/** `finwait extract FILE… -d DIR`: the two streams of every connection, a file each. */

import type { PayloadListener, PayloadSegment } from '../analyze.ts';
import { plural } from '../base/count.ts';
import { ACK, SYN } from '../decode/columns.ts';
import { StreamReassembler } from '../flow/stream.ts';
import { escapeTerminal } from '../report/escape.ts';
import type { ConnectionRecord } from '../report/record.ts';
import { compileSelection, type Predicate, type Selection } from '../report/select.ts';
import { streamFileName } from '../report/stream-name.ts';
import { type Context, EXIT } from './context.ts';
import { type ReadOptions, readInput } from './read.ts';
import { StreamFiles } from './stream-files.ts';
import { type JoinOptions, timelinesOf } from './timelines.ts';

export interface ExtractCommandOptions extends ReadOptions, JoinOptions {
  folder: string;
  force: boolean;
  selection: Selection;
}

/** Connections held at once, unless told otherwise: each takes about 1 kB beside what it buffers. */
const DEFAULT_MAX_CONNECTIONS = 1_000_000;

/** Bytes that wait behind gaps, over all connections; then the connection that adds more gives up its gap. */
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;

/** Files named that lack bytes or are there already; further ones are counted. */
const MAX_NAMED = 3;

/** Runs the command; resolves with the exit status. */
export async function extractCommand(
  ctx: Context,
  inputs: readonly string[],
  options: ExtractCommandOptions,
): Promise<number> {
  const files = new StreamFiles(options.folder);
  const extraction = new Extraction(files, compileSelection(options.selection), options);
  const statuses = new Set<number>();
  try {
    const timelines = await timelinesOf(inputs, options);
    for (let next = timelines.shift(); next !== undefined; next = timelines.shift()) {
      const limits = { maxConnections: DEFAULT_MAX_CONNECTIONS, ...options };
      const { rest, status } = await readInput(ctx, next, limits, {
        drain: async () => true,
        onRecord: () => {},
        payload: extraction,
      });
      statuses.add(status);
      extraction.forget();
      if (rest !== null) timelines.unshift(rest);
      if (status === EXIT.interrupted) break;
    }
  } finally {
    files.discard();
  }
  const warn = (text: string): void => ctx.warn(`finwait: ${escapeTerminal(text)}`);
  if (!options.quiet) {
    extraction.incomplete.tell(
      warn,
      (count) => `${plural(count, 'file')} without bytes that the capture does not hold`,
    );
  }
  if (extraction.refused.count > 0) {
    statuses.add(EXIT.unusable);
    extraction.refused.tell(warn, (count) => {
      const [are, them] = count === 1 ? ['is', 'it'] : ['are', 'them'];
      return `${plural(count, 'file')} not written: ${are} in ${options.folder} already (--force replaces ${them}, another -d keeps both)`;
    });
  }
  for (const status of [EXIT.interrupted, EXIT.unusable, EXIT.damaged]) {
    if (statuses.has(status)) return status;
  }
  return EXIT.done;
}

/** A count, with the first few named. */
class Names {
  count = 0;
  readonly #first: string[] = [];

  add(name: string): void {
    this.count++;
    if (this.#first.length < MAX_NAMED) this.#first.push(name);
  }

  tell(warn: (text: string) => void, text: (count: number) => string): void {
    if (this.count === 0) return;
    const others = this.count - this.#first.length;
    const more = others > 0 ? ` and ${others} more` : '';
    warn(`${text(this.count)}: ${this.#first.join(', ')}${more}`);
  }
}

/** Both directions of a connection, by the key's end that sends. */
interface Pair {
  streams: readonly [StreamReassembler, StreamReassembler];
  missing: [number, number];
  buffered: number;
}

/** Puts all connections back in order at once. */
class Extraction implements PayloadListener {
  readonly incomplete = new Names();
  readonly refused = new Names();
  readonly #files: StreamFiles;
  readonly #selected: Predicate;
  readonly #force: boolean;
  readonly #wanted: ReadonlySet<number> | null;
  readonly #pairs = new Map<number, Pair>();
  /** How many connections of the same ends have a file. */
  readonly #incarnations = new Map<string, number>();
  #buffered = 0;

  constructor(files: StreamFiles, selected: Predicate, options: ExtractCommandOptions) {
    this.#files = files;
    this.#selected = selected;
    this.#force = options.force;
    const { stream } = options.selection;
    this.#wanted = stream === undefined ? null : new Set(stream);
  }

  onSegment(segment: PayloadSegment): void {
    const { ack, flags, from, stream } = segment;
    if (this.#wanted !== null && !this.#wanted.has(stream)) return;
    let pair = this.#pairs.get(stream);
    if (pair === undefined) {
      pair = this.#begin(stream);
      this.#pairs.set(stream, pair);
    }
    const { streams } = pair;
    if ((flags & ACK) !== 0) streams[from === 0 ? 1 : 0].acknowledge(ack, (flags & SYN) !== 0);
    streams[from].segment(segment);
    this.#count(pair);
    while (this.#buffered > MAX_BUFFERED_BYTES && streams[from].giveUpGap()) this.#count(pair);
  }

  onFinished(record: ConnectionRecord, clientEnd: 0 | 1): void {
    const pair = this.#pairs.get(record.stream);
    if (pair === undefined) return;
    this.#pairs.delete(record.stream);
    for (const stream of pair.streams) stream.finish();
    this.#buffered -= pair.buffered;
    const [low, high] = [record.stream * 2, record.stream * 2 + 1];
    if (!this.#selected(record)) {
      this.#files.drop(low);
      this.#files.drop(high);
      return;
    }
    if (!this.#files.has(low) && !this.#files.has(high)) return;
    const { client, server } = record;
    const ends = clientEnd === 0 ? ([client, server] as const) : ([server, client] as const);
    const plain = streamFileName(ends[0], ends[1], 1);
    const incarnation = (this.#incarnations.get(plain) ?? 0) + 1;
    this.#incarnations.set(plain, incarnation);
    for (const end of [0, 1] as const) {
      const key = record.stream * 2 + end;
      if (!this.#files.has(key)) continue;
      const name = streamFileName(ends[end], ends[end === 0 ? 1 : 0], incarnation);
      if (!this.#files.finish(key, name, this.#force)) this.refused.add(name);
      else if (pair.missing[end] > 0) this.incomplete.add(name);
    }
  }

  /** Ready for the next input. */
  forget(): void {
    this.#pairs.clear();
    this.#files.discard();
    this.#buffered = 0;
  }

  #begin(stream: number): Pair {
    const missing: [number, number] = [0, 0];
    const reassembler = (end: 0 | 1): StreamReassembler =>
      new StreamReassembler({
        historyBytes: 0,
        onItem: (item) => {
          if (item.kind === 'gap') missing[end] += item.length;
          else this.#files.append(stream * 2 + end, item.bytes);
        },
      });
    return { streams: [reassembler(0), reassembler(1)], missing, buffered: 0 };
  }

  #count(pair: Pair): void {
    const [low, high] = pair.streams;
    const buffered = low.bufferedBytes + high.bufferedBytes;
    this.#buffered += buffered - pair.buffered;
    pair.buffered = buffered;
  }
}
