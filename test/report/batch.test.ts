/** A report of many captures in all its formats, with hostile names. */

import { expect, test } from 'vitest';
import {
  addOutcome,
  type Batch,
  createBatch,
  type TimelineFigures,
} from '../../src/report/batch.ts';
import { BATCH_CSV_COLUMNS, batchCsv } from '../../src/report/batch-csv.ts';
import { batchJsonl } from '../../src/report/batch-jsonl.ts';
import { batchMarkdown } from '../../src/report/batch-markdown.ts';
import { createFigures, figureAt, hostText, serviceText } from '../../src/report/figures.ts';
import { rowOf } from '../../src/report/top-table.ts';
import { captureSummary } from '../support/records.ts';

/** A hostile name: it would end a cell, a code span, a CSV cell, begin a formula, a link, a tag, an escape sequence. */
const HOSTILE = '=cmd|`</table><script>[x](http://e.x)"\u001b[31m\n,\\';

function timeline(file: string, connections = 3): TimelineFigures {
  const figures = createFigures();
  figures.total[figureAt('connections')] = connections;
  rowOf(figures.services, 0x0a000002 * 65536 + 80)[figureAt('connections')] = connections;
  const read = captureSummary({ file, frames: 10, frameBytes: 640, connections });
  const { end, frameBytes, frames, start } = read;
  const files = [
    { file, firstFrame: 1, frames, frameBytes, connections, start, end, damage: null },
  ];
  return { kind: 'read', files, summary: read, figures };
}

function hostileBatch(): Batch {
  const batch = createBatch();
  addOutcome(batch, timeline(HOSTILE));
  const message = `expected a capture, found ${HOSTILE}`;
  const code = 'not-a-capture';
  addOutcome(batch, { kind: 'unreadable', file: HOSTILE, code, message, offset: 0 });
  return batch;
}

const all = (parts: Iterable<string>): string => [...parts].join('');

test('in Markdown nothing foreign is markup: a cell stays a cell, and no tag, link or escape comes out', () => {
  const text = all(batchMarkdown(hostileBatch(), { local: false }));
  const rows = text.split('\n').filter((line) => line.includes('cmd'));

  expect(rows).toHaveLength(2);
  expect(rows[0]?.match(/\|/g)).toHaveLength(8);
  expect(rows[1]?.match(/\|/g)).toHaveLength(5);
  // Outside of code spans.
  const outside = rows.map((row) => row.replace(/`[^`]*`/g, '')).join('\n');
  expect(outside).not.toMatch(/[<>`[\]]|:\/\//);
  expect(text).not.toContain('\u001b');
});

test('in CSV no cell begins a formula, and every row has all columns', () => {
  const text = all(batchCsv(hostileBatch()));
  const rows = parseCsv(text);

  expect(rows[0]).toEqual(BATCH_CSV_COLUMNS);
  for (const row of rows) {
    expect(row).toHaveLength(BATCH_CSV_COLUMNS.length);
    for (const cell of row) expect(cell).not.toMatch(/^[=+\-@]/);
  }
  expect(rows.filter(([, name]) => name === `'${HOSTILE}`)).toHaveLength(3);
});

test('in JSON Lines every line is an object, and the text is the text', () => {
  const lines = all(batchJsonl(hostileBatch()))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

  expect(lines.map(({ kind }) => kind)).toEqual(['timeline', 'problem', 'total', 'service']);
  expect(lines[0]).toMatchObject({ schema: 1, file: HOSTILE, connections: 3, quality: {} });
  expect(lines[1]).toMatchObject({
    file: HOSTILE,
    code: 'not-a-capture',
    offset: 0,
    partial: false,
  });
  expect(lines[2]).toMatchObject({ frames: 10, closed: { '4-way': 0 }, resets: { handshake: {} } });
  expect(lines[3]).toMatchObject({ service: '10.0.0.2:80', connections: 3 });
});

test('a report of nothing is short and whole', () => {
  expect(all(batchMarkdown(createBatch(), { local: false }))).toMatchInlineSnapshot(`
    "# TCP connections in 0 captures

    - 0 connections, 0 B of payload
    - 0 frames, 0 B; TCP in 0
    "
  `);
});

test('keys of services and hosts are addresses', () => {
  expect(serviceText(0xff_00_00_01 * 65536 + 65535)).toBe('255.0.0.1:65535');
  expect(serviceText('[fd00::1]:80')).toBe('[fd00::1]:80');
  expect(hostText(0xc0a80001)).toBe('192.168.0.1');
});

/** RFC 4180, for the test only. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r]*))(,|\r\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? bare ?? '');
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
