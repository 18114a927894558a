/** The live screen, without a terminal. */

import { expect, test } from 'vitest';
import type { LiveConnection, LiveEvent } from '../../src/report/live-events.ts';
import { LiveRates, RATE_SECONDS, RateMeter } from '../../src/report/live-rates.ts';
import {
  chooseRows,
  drawLive,
  fitTo,
  type ScreenModel,
  tableHeight,
} from '../../src/report/live-screen.ts';

const NOW = 1_700_000_000;

function connection(stream: number, more: Partial<LiveConnection> = {}): LiveConnection {
  return {
    stream,
    index: stream,
    startSec: NOW - stream,
    startNs: 0,
    client: { ip: '10.0.0.1', port: 40_000 + stream },
    server: { ip: '2001:db8::2', port: 443 },
    clientEnd: 0,
    states: { client: 'ESTABLISHED', server: 'ESTABLISHED' },
    handshake: '3-way',
    close: null,
    closeComplete: false,
    lastEvent: 'opened 3-way',
    lastSec: NOW - stream,
    bytes: stream * 100,
    told: { client: 2, server: 3 },
    ...more,
  };
}

function model(rows: LiveConnection[], more: Partial<ScreenModel> = {}): ScreenModel {
  return {
    title: 'finwait  eth0  dumpcap',
    seconds: 61.5,
    frames: 12_345,
    dropped: null,
    nowSec: NOW,
    live: {
      open: new Map(rows.map((one) => [one.stream, one])),
      hosts: new Map([['10.0.0.1', { TIME_WAIT: 2, CLOSE_WAIT: 0 }]]),
      sockets: { TIME_WAIT: 2, CLOSE_WAIT: 0 },
    },
    rates: new LiveRates(),
    rows,
    matching: rows.length,
    first: 0,
    selected: 0,
    sort: 'newest',
    filter: '',
    isTyping: false,
    isPaused: false,
    local: false,
    notice: '',
    ...more,
  };
}

const text = (lines: ReturnType<typeof drawLive>): string[] =>
  lines.map((line) =>
    line
      .map((span) => span.text)
      .join('')
      .trimEnd(),
  );

test.each([
  [200, 50],
  [80, 24],
  [40, 12],
  [20, 5],
])('at %i × %i no line is wider and there are no more than fit', (width, height) => {
  const rows = Array.from({ length: 60 }, (_, i) => connection(i));

  const lines = drawLive(model(rows.slice(0, tableHeight(height))), width, height);

  expect(lines).toHaveLength(height);
  for (const line of text(lines)) expect(line.length).toBeLessThanOrEqual(width);
});

test('the screen has totals, hosts, the table and the keys', () => {
  const rows = [
    connection(2),
    connection(1, { states: { client: 'FIN_WAIT_2', server: 'CLOSE_WAIT' } }),
  ];

  const shown = text(drawLive(model(rows, { dropped: 7, selected: 1 }), 130, 20)).join('\n');

  expect(shown).toContain('12,345 frames');
  expect(shown).toContain('7 dropped');
  expect(shown).toMatch(/TIME_WAIT +2 +10\.0\.0\.1 2/);
  expect(shown).toMatch(/1 +10\.0\.0\.1:40001 +\[2001:db8::2\]:443 +FIN_WAIT_2 +CLOSE_WAIT/);
  expect(shown).toContain('1–2 of 2, newest');
});

test('at 80 columns addresses and both states are whole, and no column is a stump', () => {
  const rows = [
    connection(1, {
      client: { ip: '192.168.100.101', port: 50000 },
      states: { client: 'SYN_SENT', server: 'SYN_RECEIVED' },
    }),
  ];

  const lines = text(drawLive(model(rows, { sort: 'latest event' }), 80, 20));

  expect(lines[8]).toMatch(/^# +client +server +client state server state$/);
  expect(lines[9]).toMatch(
    /^1 +192\.168\.100\.101:50000 +\[2001:db8::2\]:443 +SYN_SENT +SYN_RECEIVED$/,
  );
  expect(lines.at(-1)).toBe('1–1 of 1, latest event   q quit  s sort  / filter  Enter ladder');
});

test('what is cut has a sign, an address keeps its port, and a line that fits has none', () => {
  const rows = [connection(1, { server: { ip: '2001:db8:1234:5678::2', port: 443 } })];
  const lines = text(drawLive(model(rows, { notice: 'x'.repeat(100) }), 60, 20));

  expect(lines[0]).toMatch(/…$/);
  expect(lines[9]).toMatch(/^1 +10\.0\.0…:40001 \[2001:db…:443 ESTABLISHED +ESTABLISHED$/);
  expect(lines.at(-2)).toBe(`${'x'.repeat(59)}…`);
  expect(
    text([
      fitTo(
        [
          { text: 'four', style: 'plain' },
          { text: '   ', style: 'plain' },
        ],
        4,
      ),
    ]),
  ).toEqual(['four']);
});

test('control characters from outside do not reach the terminal', () => {
  const shown = text(drawLive(model([], { notice: 'a\u001b[31mb', title: 'x\u0007' }), 80, 12));

  expect([...shown.join('')].every((char) => char >= ' ')).toBe(true);
});

test('the filter takes addresses, ports, states and kinds, all of its words', () => {
  const open = [
    connection(1),
    connection(2, { states: { client: 'TIME_WAIT', server: 'CLOSED' }, close: '4-way' }),
    connection(3, { close: 'rst' }),
  ];
  const found = (filter: string): number[] =>
    chooseRows(open, filter, 'oldest', 0, 10).rows.map((one) => one.stream);

  expect(found('')).toEqual([1, 2, 3]);
  expect(found('time_wait')).toEqual([2]);
  expect(found('10.0.0.1 rst')).toEqual([3]);
  expect(found(':40001')).toEqual([1]);
  expect(found('nothing')).toEqual([]);
});

test('each order sorts, and a page shows its part', () => {
  const open = [
    connection(1, { bytes: 5 }),
    connection(2, { bytes: 9 }),
    connection(3, { bytes: 7 }),
  ];
  const streams = (sort: Parameters<typeof chooseRows>[2], first = 0): number[] =>
    chooseRows(open, '', sort, first, 2).rows.map((one) => one.stream);

  expect(streams('newest')).toEqual([3, 2]);
  expect(streams('oldest', 1)).toEqual([2, 3]);
  expect(streams('bytes')).toEqual([2, 3]);
});

test('a rate looks back over whole seconds, and forgets', () => {
  const meter = new RateMeter();
  for (let i = 0; i < 50; i++) meter.add('rst', 100);

  expect(meter.perSecond(100).get('rst')).toBeUndefined();
  expect(meter.perSecond(101).get('rst')).toBe(5);
  expect(meter.perSecond(101 + RATE_SECONDS).get('rst')).toBeUndefined();
  expect(meter.totals.get('rst')).toBe(50);
});

test('the newest findings come first, each once', () => {
  const rates = new LiveRates();
  const close = (stream: number): LiveEvent => ({
    schema: 1,
    event: 'close',
    time: '2026-01-01T00:00:00.000000000Z',
    stream,
    client: { ip: '10.0.0.1', port: 1 },
    server: { ip: '10.0.0.2', port: 2 },
    revised: false,
    close: 'rst',
    complete: true,
    initiator: 'client',
    timeWait: null,
    resetBy: 'client',
    phase: 'after-fin',
    findings: ['rst-after-close'],
  });

  for (const stream of [1, 2, 2]) rates.take(close(stream), 5);
  for (let stream = 10; stream < 60; stream++) rates.take(close(stream), 6);

  expect(rates.findings[0]?.stream).toBe(59);
  expect(rates.findings.filter((one) => one.stream === 2)).toHaveLength(0);
  expect(rates.findings.length).toBeLessThanOrEqual(20);
});
