/** The summary under the table: how the connections were opened and closed, and what the capture itself is worth. */

import { humanCount, plural } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import { CLOSE_KINDS, HANDSHAKE_KINDS, RST_PHASES } from '../tcp/verdicts.ts';
import { captureFacts } from './capture-words.ts';
import {
  addTransfer,
  type Counted,
  closedFirst,
  countTransfer,
  createTransferTotals,
  type TransferTotals,
} from './counts.ts';
import { escapeTerminal } from './escape.ts';
import type { CaptureSummary } from './record.ts';
import { closePaint, styleFor, visibleLength } from './style.ts';
import { fullTime, secondsBetween } from './time.ts';
import { humanBytes, humanShare } from './units.ts';
import { wrap } from './wrap.ts';

/** Counts over the connections printed: what CaptureSummary has, but of the selection. */
export interface Tally {
  connections: number;
  bytes: number;
  handshakes: Map<string, number>;
  closes: Map<string, number>;
  initiators: Map<string, number>;
  timeWaits: Map<string, number>;
  phases: Map<string, number>;
  findings: Map<string, number>;
  incomplete: number;
  likely: number;
  transfer: TransferTotals;
}

/** A tally of nothing. */
export function createTally(): Tally {
  return {
    connections: 0,
    bytes: 0,
    handshakes: new Map(),
    closes: new Map(),
    initiators: new Map(),
    timeWaits: new Map(),
    phases: new Map(),
    findings: new Map(),
    incomplete: 0,
    likely: 0,
    transfer: createTransferTotals(),
  };
}

/** Counts one connection, or `n` of which `record` holds the sums. */
export function tallyRecord(tally: Tally, record: Counted, n = 1): void {
  const { bytes, close, handshake, findings } = record;
  tally.connections += n;
  countTransfer(tally.transfer, record);
  tally.bytes += bytes.client + bytes.server;
  count(tally.handshakes, handshake.kind, n);
  count(tally.closes, close.kind, n);
  const first = closedFirst(close);
  if (first !== null) count(tally.initiators, first, n);
  if (close.timeWait !== null) count(tally.timeWaits, close.timeWait, n);
  if (close.phase !== null) count(tally.phases, close.phase, n);
  for (const finding of findings) count(tally.findings, finding.code, n);
  if (!close.complete && close.kind !== 'open' && close.kind !== 'half-closed')
    tally.incomplete += n;
  if (close.certainty === 'likely') tally.likely += n;
}

function count(map: Map<string, number>, key: string, n: number): void {
  map.set(key, (map.get(key) ?? 0) + n);
}

/** Adds `more` to `tally`. */
export function addTally(tally: Tally, more: Tally): void {
  tally.connections += more.connections;
  tally.bytes += more.bytes;
  tally.incomplete += more.incomplete;
  tally.likely += more.likely;
  addTransfer(tally.transfer, more.transfer);
  const maps = ['handshakes', 'closes', 'initiators', 'timeWaits', 'phases', 'findings'] as const;
  for (const name of maps) for (const [key, n] of more[name]) count(tally[name], key, n);
}

export interface SummaryOptions {
  /** Columns of the terminal; infinite where lines are to stay whole. */
  width: number;
  color: boolean;
  local: boolean;
}

/** What stands before the figures of a line: its label, or nothing where it goes on. */
const INDENT = ' '.repeat(18);
const MIN_WIDTH = 60;
const SEPARATOR = ' · ';

/** The summary, lines ending in a newline. `tally` counts the connections shown, `capture` the whole input. */
export function formatSummary(
  tally: Tally,
  capture: CaptureSummary,
  options: SummaryOptions,
): string {
  const style = styleFor(options.color);
  const shown =
    tally.connections === capture.connections
      ? plural(tally.connections, 'connection')
      : `${humanCount(tally.connections)} of ${plural(capture.connections, 'connection')}`;
  const span =
    capture.start !== null && capture.end !== null
      ? `, ${fullTime(capture.start, options)}, ${humanSeconds(secondsBetween(capture.start, capture.end))}`
      : '';
  const width = Math.max(MIN_WIDTH, options.width);
  const head = `${shown}, ${humanBytes(tally.bytes)} of payload, ${plural(capture.frames, 'frame')}${span}`;
  const lines = wrap(head, width).map(style.bold);
  const say = (label: string, parts: readonly string[]): void => {
    for (const [i, text] of joinParts(parts, width - INDENT.length).entries()) {
      lines.push(`${i === 0 ? `  ${label}`.padEnd(INDENT.length) : INDENT}${text}`);
    }
  };
  const shares = (map: Map<string, number>, keys: readonly string[], whole: number): string[] =>
    keys.flatMap((key) => {
      const n = map.get(key);
      return n === undefined ? [] : [`${key} ${humanCount(n)} (${humanShare(n, whole)})`];
    });
  const sides = ['client', 'server', 'both'];

  say('Opened', shares(tally.handshakes, HANDSHAKE_KINDS, tally.connections));
  say(
    'Closed',
    CLOSE_KINDS.flatMap((kind) =>
      shares(tally.closes, [kind], tally.connections).map(closePaint(style, kind)),
    ),
  );
  say('Closed first', shares(tally.initiators, sides, sum(tally.initiators)));
  say('Reset during', shares(tally.phases, RST_PHASES, sum(tally.phases)));
  say('TIME_WAIT', shares(tally.timeWaits, sides, sum(tally.timeWaits)));
  say('Unsure', [
    ...(tally.incomplete > 0 ? [`last step missing ${humanCount(tally.incomplete)}`] : []),
    ...(tally.likely > 0 ? [`kind only likely ${humanCount(tally.likely)}`] : []),
  ]);
  say('Transfer', transferFacts(tally.transfer));
  say(
    'Findings',
    [...tally.findings]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .map(([code, n]) => `${code} ${humanCount(n)}`),
  );
  const facts = captureFacts(capture, capture.notDecoded, capture.unknownLinkTypes);
  say('Capture', facts.length > 0 ? facts : ['nothing lost, cut or out of order']);
  if (capture.damage !== null) {
    const { offset, message } = capture.damage;
    say('Damaged', [style.bad(`at byte ${offset}: ${escapeTerminal(message)}`)]);
  }
  return `${lines.join('\n')}\n`;
}

/** What did not go smoothly; nothing where all did. */
function transferFacts(t: TransferTotals): string[] {
  const facts: string[] = [];
  const say = (n: number, text: string): void => {
    if (n > 0) facts.push(`${text} ${humanCount(n)}`);
  };
  say(t.retransmissions, 'retransmissions');
  if (t.retransmittedBytes > 0) facts.push(`of these data ${humanBytes(t.retransmittedBytes)}`);
  say(t.fastRetransmissions, 'of these fast');
  say(t.spuriousRetransmissions, 'of these spurious');
  say(t.outOfOrder, 'out of order');
  say(t.duplicateAcks, 'duplicate ACKs');
  say(t.keepAlives, 'keep-alives');
  say(t.zeroWindows, 'zero windows');
  say(t.windowFull, 'window full');
  say(t.reusedPorts, 'ports used again');
  if (t.missingBytes > 0) facts.push(`missing from the capture ${humanBytes(t.missingBytes)}`);
  return facts;
}

/** `parts` with a point between them, in lines of at most `width`; a longer part has a line of its own. */
function joinParts(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const longer = last === undefined ? part : `${last}${SEPARATOR}${part}`;
    if (last !== undefined && visibleLength(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

function sum(map: Map<string, number>): number {
  let total = 0;
  for (const n of map.values()) total += n;
  return total;
}
