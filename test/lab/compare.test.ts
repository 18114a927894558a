/** The comparer of records with the kernel’s account finds every figure that differs. */

import { describe, expect, test } from 'vitest';
import type { ConnectionRecord } from '../../src/report/record.ts';
import type { TcpState } from '../../src/tcp/state.ts';
import { compareConnection, matchRecords, timeErrors } from '../support/compare.ts';
import { record as sample } from '../support/records.ts';
import type { TruthFile } from '../support/truth.ts';
import { connection } from '../support/truth-sample.ts';

function states(...entries: [TcpState, number][]) {
  return entries.map(([state, t], i) => ({ state, t, frame: i + 1 }));
}

/** The record that agrees with `connection()`; the kernel's second 1 is the record's start. */
function record(changes: Partial<ConnectionRecord> = {}): ConnectionRecord {
  const base = sample({
    client: { ip: '10.77.0.1', port: 40000 },
    server: { ip: '10.77.0.2', port: 8080 },
    start: '1970-01-01T00:00:01.000000000Z',
    duration: 4,
    packets: { client: 6, server: 4 },
    bytes: { client: 0, server: 0 },
    states: {
      client: states(
        ['SYN_SENT', 0],
        ['ESTABLISHED', 1],
        ['FIN_WAIT_1', 2],
        ['FIN_WAIT_2', 3],
        ['TIME_WAIT', 4.000002],
        ['CLOSED', 64],
      ),
      server: states(
        ['LISTEN', 0],
        ['SYN_RECEIVED', 0],
        ['ESTABLISHED', 1],
        ['CLOSE_WAIT', 2],
        ['LAST_ACK', 3],
        ['CLOSED', 4],
      ),
    },
  });
  return { ...base, ...changes };
}

/** The figures in which the two differ. */
function wrong(
  truth: Parameters<typeof compareConnection>[0],
  given: ConnectionRecord | null,
  flipped = false,
): string[] {
  return compareConnection(truth, given, flipped)
    .filter(({ mismatch }) => mismatch !== null)
    .map(({ figure }) => figure);
}

describe('the comparer', () => {
  test('a record that says what the kernel says has no mismatch in any figure', () => {
    const outcomes = compareConnection(connection(), record(), false);

    expect(outcomes.filter(({ mismatch }) => mismatch !== null)).toEqual([]);
    expect(outcomes.map(({ figure }) => figure)).toContain('server states');
    expect(outcomes.length).toBeGreaterThan(10);
  });

  test('every figure that differs is named, with got and expected', () => {
    const given = record();
    given.stream = 3;
    given.packets.client = 7;
    given.handshake.kind = 'half-open';
    given.close.kind = '3-way-merged';
    given.close.initiator = 'server';
    given.close.timeWait = 'both';
    given.states.server.pop();

    expect(wrong(connection(), given)).toEqual([
      'stream',
      'packets',
      'handshake',
      'close kind',
      'initiator',
      'time wait',
      'server states',
    ]);
    expect(compareConnection(connection(), given, false)[1]?.mismatch).toBe('expected 0, got 3');
  });

  test('a connection without a record is a mismatch', () => {
    expect(wrong(connection(), null)).toEqual(['found']);
  });

  test('where the file lacks the deciding segment both accounts are right, a third is not', () => {
    const truth = connection({ close: '3-way-merged', closed_first: 'client' });
    const simultaneous = record();
    simultaneous.close.kind = 'simultaneous';

    expect(wrong(truth, record())).not.toContain('close kind');
    expect(wrong(truth, simultaneous)).toContain('close kind');
  });

  test('a simultaneous open seen from the other side has its ends exchanged', () => {
    const given = record();
    const { client, server } = given;
    given.client = server;
    given.server = client;
    given.close.initiator = 'server';
    given.close.timeWait = 'server';
    given.states = { client: given.states.server, server: given.states.client };
    const truth: TruthFile = {
      scenario: '',
      capture: '',
      capture_side: 'server',
      connections: [connection()],
    };

    const match = matchRecords(truth, [given])[0];

    expect(match?.flipped).toBe(true);
    expect(wrong(connection(), given, true)).toEqual([]);
  });

  test('of two incarnations of a 4-tuple each gets the record that starts where it starts', () => {
    const truth: TruthFile = {
      scenario: '',
      capture: '',
      capture_side: 'client',
      connections: [connection(), connection({ first_frame: 12, streams: [1] })],
    };
    const second = record({ stream: 1, firstFrame: 12 });

    const found = matchRecords(truth, [second, record()]);

    expect(found.map((match) => match.record?.stream)).toEqual([0, 1]);
  });

  test('times differ by what the kernel is later or earlier than the frame', () => {
    const errors = timeErrors(connection(), record(), 'client', false);

    expect(errors).toHaveLength(5);
    expect(Math.max(...errors)).toBeCloseTo(2e-6, 9);
    expect(timeErrors(connection(), record(), 'server', false)).toHaveLength(4);
  });
});
