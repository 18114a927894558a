/** The table and the summary. */

import { expect, test } from 'vitest';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { createTally, formatSummary, tallyRecord } from '../../src/report/summary.ts';
import { tableChunks } from '../../src/report/table.ts';
import { type TableRow, tableRow } from '../../src/report/table-columns.ts';
import { sameDayLen } from '../../src/report/time.ts';
import { CLOSE_KINDS } from '../../src/tcp/verdicts.ts';
import { captureSummary, record } from '../support/records.ts';

const RECORDS = [
  record(),
  record({
    stream: 1,
    client: { ip: '2001:db8:1234:5678:9abc:def0:1234:5678', port: 51000 },
    server: { ip: '2001:db8::1', port: 443 },
    duration: 125,
    bytes: { client: 1_234_567, server: 98_765_432 },
    handshake: { fastOpen: true },
    close: {
      kind: 'rst',
      initiator: 'server',
      timeWait: null,
      resetBy: 'server',
      phase: 'established',
    },
    findings: [
      { code: 'rst-unread-data', severity: 'problem', frames: [9], what: 'w', advice: 'a' },
      { code: 'zero-window', severity: 'warning', frames: [9], what: 'w', advice: 'a' },
    ],
  }),
  record({ stream: 12345, close: { kind: '3-way-merged', complete: false, certainty: 'likely' } }),
  record({
    stream: 12346,
    handshake: { kind: 'simultaneous-open' },
    close: { kind: 'open', initiator: null, timeWait: null, complete: false },
  }),
];

function rowsOf(records: readonly ConnectionRecord[]): TableRow[] {
  return records.map((one) => tableRow(one, { local: false }));
}

/** What the starts of one day have in common. */
const ONE_DAY = 'YYYY-MM-DD'.length;

function table(
  records: readonly ConnectionRecord[],
  width: number,
  color = false,
  sameDay = ONE_DAY,
): string {
  return [...tableChunks(rowsOf(records), { width, color, sameDay })].join('');
}

test.each([60, 80, 120, 200])('at %d columns the table fits', async (width) => {
  const text = table(RECORDS, width);

  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
  await expect(text).toMatchFileSnapshot(`__snapshots__/table-${width}.txt`);
});

const LONG = {
  stream: 12345,
  client: { ip: '192.168.100.100', port: 50000 },
  server: { ip: '203.0.113.200', port: 50000 },
};

test('at 80 columns how a connection was opened stands beside how it was closed', () => {
  const [head, , ...rows] = table(
    [
      record(),
      record({
        handshake: { kind: 'unanswered' },
        close: { kind: 'open', initiator: null, timeWait: null },
      }),
    ],
    80,
  ).split('\n');

  expect(head).toMatch(/bytes +opened +closed +by/);
  expect(rows[1]).toMatch(/ unanswered +open +–/);
});

test.each([
  ['unanswered', 'open', null],
  ['half-open', 'open', null],
  ['refused', 'rst', 'handshake'],
  ['aborted', 'rst', 'handshake'],
] as const)(
  'where there is no room for how it was opened, %s takes the place of %s',
  (kind, close, phase) => {
    const text = table(
      [
        record({ ...LONG, handshake: { kind }, close: { kind: close, phase } }),
        record({ ...LONG, close: { kind: 'rst', phase: 'established' } }),
      ],
      80,
    );

    expect(text).not.toContain('opened');
    expect(text).toMatch(new RegExp(`:50000 +${kind} +client\n`));
    expect(text).toContain('rst established');
  },
);

test('starts have a date where the capture spans several days, and a year where it spans two', () => {
  const utc = { local: false };
  const start = '2026-12-31T23:59:59.500000000Z';
  const until = (end: string): number => sameDayLen(start, end, utc);
  const shown = (end: string): string | undefined =>
    /2026-12-31 23:59:59\.500|12-31 23:59:59\.500|23:59:59\.500/.exec(
      table([record({ start })], 200, false, until(end)),
    )?.[0];

  expect(shown('2026-12-31T23:59:59.900000000Z')).toBe('23:59:59.500');
  expect(shown('2027-01-01T00:00:00.000000000Z')).toBe('2026-12-31 23:59:59.500');
  expect(sameDayLen('2026-01-30T00:00:00.000000000Z', '2026-01-31T00:00:00.000000000Z', utc)).toBe(
    '2026-'.length,
  );
  expect(sameDayLen(null, null, utc)).toBe(0);
});

test('a terminal narrower than 60 columns gets 60', () => {
  expect(table(RECORDS, 10)).toBe(table(RECORDS, 60));
});

test('rows beyond a page keep the widths of the first', () => {
  const many = Array.from({ length: 2500 }, (_, stream) => record({ stream }));
  const lines = table(many, 120).trimEnd().split('\n');

  expect(lines).toHaveLength(2502);
  expect(new Set(lines.map((line) => line.indexOf(':40112'))).size).toBe(2);
  expect(lines.filter((line) => line.includes('client'))).not.toHaveLength(0);
});

test.each([false, true])(
  'cli-table3 and plain padding lay a row out alike (colour: %s)',
  (color) => {
    for (const width of [60, 80, 120, 200]) {
      const options = { width, color, sameDay: ONE_DAY };

      expect([...tableChunks(rowsOf(RECORDS), options, 0)].join('')).toBe(
        [...tableChunks(rowsOf(RECORDS), options)].join(''),
      );
    }
  },
);

test('without connections there is no table', () => {
  expect(table([], 80)).toBe('');
});

test('without colour no escape sequence is printed, with colour the close kind has one', () => {
  const esc = '\u001b';

  expect(table(RECORDS, 120)).not.toContain(esc);
  expect(table(RECORDS, 120, true)).toContain(`${esc}[31mrst established${esc}[39m`);
});

test('the summary counts kinds, sides, phases and what the capture is worth', async () => {
  const tally = createTally();
  for (const r of RECORDS) tallyRecord(tally, r);
  const capture = captureSummary({
    connections: 9,
    frames: 1234,
    duplicateFrames: 3,
    droppedByInterface: 17,
    notDecoded: { 'not-tcp': 20 },
    unknownLinkTypes: [{ linkType: 999, frames: 4 }],
    damage: {
      code: 'truncated-record',
      offset: 4096,
      message: 'expected 60 bytes, found \u001b[2J12',
    },
  });

  await expect(
    formatSummary(tally, capture, { color: false, local: false, width: Number.POSITIVE_INFINITY }),
  ).toMatchFileSnapshot('__snapshots__/summary.txt');
});

test.each([false, true])(
  'a summary wider than the terminal goes on under its label (colour: %s)',
  (color) => {
    const tally = createTally();
    for (const kind of CLOSE_KINDS) tallyRecord(tally, record({ close: { kind } }));
    const text = formatSummary(tally, captureSummary({ connections: 6 }), {
      ...{ color, local: false, width: 60 },
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with ESC
    const lines = text.split('\n').map((line) => line.replace(/\u001b\[\d+m/g, ''));

    expect(lines.filter((line) => line.length > 60)).toEqual([]);
    expect(lines.slice(3, 6)).toEqual([
      '  Closed          4-way 1 (16.7%) · 3-way-merged 1 (16.7%)',
      '                  simultaneous 1 (16.7%) · rst 1 (16.7%)',
      '                  half-closed 1 (16.7%) · open 1 (16.7%)',
    ]);
  },
);

test('the summary of an empty capture stands', () => {
  const capture = captureSummary({ connections: 0, frames: 0, start: null, end: null });

  expect(
    formatSummary(createTally(), capture, { color: false, local: false, width: 80 }),
  ).toContain('0 connections, 0 B of payload, 0 frames');
});

test('who refuses a connection closed none first', () => {
  const tally = createTally();
  const close = { kind: 'rst', initiator: 'server', resetBy: 'server' } as const;
  tallyRecord(tally, record({ close: { ...close, phase: 'handshake' } }));
  tallyRecord(tally, record({ close: { ...close, phase: 'established' } }));

  expect([...tally.initiators]).toEqual([['server', 1]]);
});
