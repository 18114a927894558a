/** A report as Markdown, for people: the sums first, then who closed, resets, hosts, each file, and what could not be read. */

import { humanCount, plural } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS, RST_PHASES } from '../tcp/verdicts.ts';
import {
  type Batch,
  type FrameTotals,
  frameTotals,
  type TimelineLine,
  timelineName,
} from './batch.ts';
import { captureFacts } from './capture-words.ts';
import { figureAt, hostFigureAt, hostText, serviceText, WHO } from './figures.ts';
import { code, plain, tableLines } from './markdown.ts';
import { fullTime, secondsBetween } from './time.ts';
import { type RowKey, sortedRows, type TopTable } from './top-table.ts';
import { humanBytes, humanShare } from './units.ts';

/** Rows of the tables of services, ports and hosts; CSV and JSON Lines have all. */
const TOP_ROWS = 20;

interface Look {
  /** Times in the zone of this machine. */
  local: boolean;
}

/** The whole report, in pieces that end in a newline. */
export function* batchMarkdown(batch: Batch, look: Look): Generator<string> {
  const { figures, problems, timelines } = batch;
  const totals = frameTotals(timelines);
  const total = figures.total;
  const at = (name: string): number => total[figureAt(name)] ?? 0;

  yield `# TCP connections in ${plural(totals.files, 'capture')}\n\n`;
  yield `${introduction(batch, totals, look).join('\n')}\n`;
  const tables = [
    shares('opened', HANDSHAKE_KINDS, at),
    shares('closed', CLOSE_KINDS, at),
    shares('closedFirst', WHO, at, 'closed first'),
    shares('timeWait', WHO, at, 'holds TIME_WAIT'),
  ];
  const shown = tables.filter((lines) => lines.length > 0);
  yield section(
    'How they were opened and closed',
    shown.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines])),
  );
  yield section(
    'Who closes first, by service',
    serviceTable(figures.services, 'service', serviceText),
  );
  yield section('Who closes first, by server port', serviceTable(figures.ports, 'port', String));
  yield section('Resets', resetTable(at));
  yield section('Findings', findingTable(at));
  yield section('Hosts with the most payload', hostTable(figures.hosts));
  yield section('Files', fileTable(timelines, look));
  yield section(
    'Warnings',
    tableLines(
      ['capture', 'what'],
      timelines.flatMap((line) =>
        line.summary.warnings.map((text) => [code(timelineName(line)), plain(text)]),
      ),
    ),
  );
  yield section(
    'Not read, or not to the end',
    tableLines(
      ['file', 'at byte:', 'what', 'in the figures'],
      problems.map(({ file, message, offset, partial }) => [
        code(file),
        offset === null ? '' : String(offset),
        plain(message),
        partial ? 'up to there' : 'no',
      ]),
    ),
  );
}

/** A heading and its lines; nothing without lines. */
function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n## ${title}\n\n${lines.join('\n')}\n`;
}

function introduction(
  { figures, notReached, problems, skipped, timelines }: Batch,
  totals: FrameTotals,
  look: Look,
): string[] {
  const at = (name: string): number => figures.total[figureAt(name)] ?? 0;
  const joined = timelines.filter(({ files }) => files.length > 1);
  const pieces = joined.reduce((sum, { files }) => sum + files.length, 0);
  const damaged = problems.filter(({ partial }) => partial).length;
  const lines = [
    `- ${plural(at('connections'), 'connection')}, ${humanBytes(at('bytes.client') + at('bytes.server'))} of payload`,
    `- ${plural(totals.frames, 'frame')}, ${humanBytes(totals.frameBytes)}; TCP in ${humanCount(totals.tcpFrames)}`,
  ];
  if (totals.start !== null && totals.end !== null) {
    const span = humanSeconds(secondsBetween(totals.start, totals.end));
    lines.push(`- ${fullTime(totals.start, look)} to ${fullTime(totals.end, look)}, ${span}`);
  }
  const quality = captureFacts(totals.quality, totals.notDecoded).join(' · ');
  if (totals.files > 0) {
    lines.push(`- Captures: ${quality === '' ? 'nothing lost, cut or out of order' : quality}`);
  }
  if (joined.length > 0) {
    lines.push(
      `- ${plural(pieces, 'file')} joined to ${plural(joined.length, 'timeline')}: pieces of rotated captures`,
    );
  }
  if (damaged > 0) lines.push(`- damaged, read up to the damage: ${plural(damaged, 'file')}`);
  const unread = problems.length - damaged;
  if (unread > 0) lines.push(`- not readable: ${plural(unread, 'file')}`);
  if (skipped > 0) lines.push(`- no captures, skipped: ${plural(skipped, 'file')}`);
  if (notReached > 0)
    lines.push(`- interrupted before these were read: ${plural(notReached, 'capture')}`);
  return lines;
}

function shares(
  group: string,
  keys: readonly string[],
  at: (name: string) => number,
  title = group,
): string[] {
  const sum = keys.reduce((total, key) => total + at(`${group}.${key}`), 0);
  const rows = keys.flatMap((key) => {
    const count = at(`${group}.${key}`);
    return count === 0 ? [] : [[key, humanCount(count), humanShare(count, sum)]];
  });
  return tableLines([title, 'connections:', 'share:'], rows);
}

function serviceTable(table: TopTable, title: string, text: (key: RowKey) => string): string[] {
  const rows = sortedRows(table);
  const cells = rows.slice(0, TOP_ROWS).map(([key, row]) => {
    const at = (name: string): number => row[figureAt(name)] ?? 0;
    const reset = (side: string): number =>
      RST_PHASES.reduce((sum, phase) => sum + at(`resets.${phase}.${side}`), 0);
    const counts = ['connections', ...WHO.map((who) => `closedFirst.${who}`)].map(at);
    return [
      text(key),
      ...[...counts, reset('client'), reset('server')].map(humanCount),
      humanBytes(at('bytes.client') + at('bytes.server')),
    ];
  });
  const headings = [
    ...[title, 'connections:', 'client first:', 'server first:', 'both:'],
    ...['reset by client:', 'reset by server:', 'payload:'],
  ];
  return [...tableLines(headings, cells), ...more(table, rows.length, title)];
}

/** What the table above does not show. */
function more(table: TopTable, count: number, noun: string): string[] {
  const lines: string[] = [];
  if (count > TOP_ROWS) {
    lines.push(`${plural(count - TOP_ROWS, `more ${noun}`)}: see CSV or JSON Lines`);
  }
  if (table.fellOff > 0) {
    lines.push(
      `${plural(table.fellOff, `small ${noun}`)} beyond the ${humanCount(table.limit)} told apart at once: added up only`,
    );
  }
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `_${line}._`)];
}

function resetTable(at: (name: string) => number): string[] {
  const rows = RST_PHASES.flatMap((phase) => {
    const sides = ['client', 'server'].map((side) => at(`resets.${phase}.${side}`));
    return sides.every((count) => count === 0) ? [] : [[phase, ...sides.map(humanCount)]];
  });
  return tableLines(['phase', 'by the client:', 'by the server:'], rows);
}

function findingTable(at: (name: string) => number): string[] {
  const rows = FINDING_CODES.map((name) => [name, at(`findings.${name}`)] as const)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => [name, humanCount(count)]);
  return tableLines(['finding', 'connections:'], rows);
}

function hostTable(table: TopTable): string[] {
  const rows = sortedRows(table);
  const cells = rows.slice(0, TOP_ROWS).map(([key, row]) => {
    const at = (name: string): number => row[hostFigureAt(name)] ?? 0;
    const counts = ['connections.asClient', 'connections.asServer', 'resets'].map(at);
    const sizes = ['bytes.sent', 'bytes.received'].map(at);
    return [hostText(key), ...counts.map(humanCount), ...sizes.map(humanBytes)];
  });
  const headings = ['host', 'as client:', 'as server:', 'resets sent:', 'sent:', 'received:'];
  return [...tableLines(headings, cells), ...more(table, rows.length, 'host')];
}

function fileTable(timelines: readonly TimelineLine[], look: Look): string[] {
  const rows = timelines.flatMap((line) => {
    const { files, summary, total } = line;
    const whole = [
      code(timelineName(line)),
      humanCount(summary.frames),
      humanBytes(summary.frameBytes),
      humanCount(total[figureAt('connections')] ?? 0),
      ...spanCells(summary, look),
      captureFacts(summary, summary.notDecoded, summary.unknownLinkTypes).join(' · '),
    ];
    if (files.length === 1) return [whole];
    const pieces = files.map((file) => [
      `↳ ${code(file.file)}`,
      humanCount(file.frames),
      humanBytes(file.frameBytes),
      humanCount(file.connections),
      ...spanCells(file, look),
      '',
    ]);
    return [whole, ...pieces];
  });
  const headings = ['file', 'frames:', 'bytes:', 'connections:', 'begins', 'duration:', 'capture'];
  return tableLines(headings, rows);
}

function spanCells(
  { end, start }: { end: string | null; start: string | null },
  look: Look,
): [string, string] {
  if (start === null || end === null) return ['', ''];
  return [fullTime(start, look), humanSeconds(secondsBetween(start, end))];
}
