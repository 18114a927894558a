/** Events told while a connection lives, held against the record that it ends with. */

import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openCapture } from '../../src/capture/open.ts';
import { runLive } from '../../src/live.ts';
import { type LiveEvent, LiveEvents } from '../../src/report/live-events.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { fixturePath } from '../support/fixtures.ts';

interface Told {
  events: LiveEvent[];
  records: ConnectionRecord[];
  live: LiveEvents;
}

/** Far behind every timer of a fixture. */
const LATER = 4e9;

async function play(path: string): Promise<Told> {
  const events: LiveEvent[] = [];
  const records: ConnectionRecord[] = [];
  const live = new LiveEvents(30, true, (event) => events.push(event));
  const source = await openCapture(path);
  await runLive(source, {
    onHappening: (now, index) => live.happened(now, index),
    onRecord(record) {
      records.push(record);
      live.finish(record, LATER);
    },
    onTick() {},
  });
  await source.close();
  return { events, records, live };
}

const captures = ['close', 'handshake', 'rst', 'state', 'reuse', 'kernel'].flatMap((topic) => {
  try {
    return readdirSync(fixturePath(topic))
      .filter((name) => /\.pcap(ng)?$/.test(name))
      .map((name) => `${topic}/${name}`);
  } catch {
    return [];
  }
});

test('there are captures to play', () => expect(captures.length).toBeGreaterThan(80));

test.each(captures)('%s: the events end where the record does', async (name) => {
  const { events, live, records } = await play(fixturePath(name));

  for (const record of records) {
    const own = events.filter((event) => event.stream === record.stream);
    const opened = own.findLast((event) => event.event === 'open');
    expect(opened).toMatchObject({ handshake: record.handshake.kind });
    const closed = own.findLast((event) => event.event === 'close');
    expect(closed).toMatchObject({ close: record.close.kind, complete: record.close.complete });
    for (const side of ['client', 'server'] as const) {
      const told = own.flatMap((one) =>
        one.event === 'state' && one.side === side ? one.state : [],
      );
      expect(told.at(-1)).toBe(record.states[side].at(-1)?.state);
    }
  }
  expect(live.open.size).toBe(0);
  expect(live.sockets).toEqual({ TIME_WAIT: 0, CLOSE_WAIT: 0 });
  expect(live.hosts.size).toBe(0);
});

test('an orderly close is told state by state, each once, in the order of the wire', async () => {
  const { events } = await play(fixturePath('close/4-way-client-first.pcap'));

  expect(
    events.map((one) => (one.event === 'state' ? `${one.side} ${one.state}` : one.event)),
  ).toEqual([
    'server LISTEN',
    'client SYN_SENT',
    'server SYN_RECEIVED',
    'client ESTABLISHED',
    'open',
    'server ESTABLISHED',
    'client FIN_WAIT_1',
    'server CLOSE_WAIT',
    'client FIN_WAIT_2',
    'client TIME_WAIT',
    'server LAST_ACK',
    'server CLOSED',
    'close',
    'client CLOSED',
  ]);
  expect(events.some((event) => event.revised)).toBe(false);
});

test('TIME_WAIT is not over before its time', async () => {
  const events: LiveEvent[] = [];
  const live = new LiveEvents(30, true, (event) => events.push(event));
  const source = await openCapture(fixturePath('close/4-way-client-first.pcap'));

  await runLive(source, {
    onHappening: (now, index) => live.happened(now, index),
    onRecord: (record) => live.finish(record, Date.parse(record.start) / 1000 + 5),
    onTick() {},
  });

  const states = events.flatMap((one) =>
    one.event === 'state' && one.side === 'client' ? one.state : [],
  );
  expect(states.at(-1)).toBe('TIME_WAIT');
});

test('a reset is told with who sent it and in which phase', async () => {
  const { events } = await play('fixtures/demo.pcap');

  const closes = events.filter((event) => event.event === 'close' && event.close === 'rst');
  expect(closes).toContainEqual(
    expect.objectContaining({
      resetBy: 'client',
      phase: 'after-fin',
      findings: ['rst-after-close'],
    }),
  );
});
