/** The kernel’s account of a connection, read from its trace. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nextState, TCP_EVENTS } from '../../src/tcp/state.ts';
import {
  expectedCloses,
  expectedHandshake,
  expectedPath,
  expectedTimeWait,
  type KernelTransition,
  pathMismatch,
  describe as pathText,
  readTruth,
  rfcState,
  type TruthConnection,
} from '../support/truth.ts';
import { connection } from '../support/truth-sample.ts';

function text(truth: TruthConnection, side: 'client' | 'server'): string | null {
  const path = expectedPath(truth, side);
  return path && pathText(path);
}

/** The kernel's list with FIN_WAIT2 left `gap` seconds after it was entered. */
function withGap(gap: number): KernelTransition[] {
  return [
    [1, 'CLOSE', 'SYN_SENT'],
    [2, 'SYN_SENT', 'ESTABLISHED'],
    [3, 'ESTABLISHED', 'FIN_WAIT1'],
    [4, 'FIN_WAIT1', 'FIN_WAIT2'],
    [4 + gap, 'FIN_WAIT2', 'TIME_WAIT', 'tw'],
  ];
}

describe('the path of states', () => {
  test('the kernel’s names become those of RFC 9293', () => {
    const truth = connection();

    expect(text(truth, 'client')).toBe(
      'SYN_SENT > ESTABLISHED > FIN_WAIT_1 > FIN_WAIT_2 > TIME_WAIT',
    );
    expect(text(truth, 'server')).toBe(
      'LISTEN > SYN_RECEIVED > ESTABLISHED > CLOSE_WAIT > LAST_ACK > CLOSED',
    );
    expect(() => rfcState('FIN_WAIT_3')).toThrow('FIN_WAIT_3');
  });

  test('a listener’s SYN_RECV has no time, for it is traced when it is over', () => {
    const times = expectedPath(connection(), 'server')?.states.map(({ time }) => time);

    expect(times).toEqual([null, null, 2, 3, 4, 5]);
  });

  test('a merged close has no FIN_WAIT_2 where the kernel was there for microseconds', () => {
    const truth = connection({ close: '3-way-merged', client_rfc: withGap(9e-6) });

    expect(text(truth, 'client')).toBe('SYN_SENT > ESTABLISHED > FIN_WAIT_1 > TIME_WAIT');
  });

  test('a merged close keeps a short FIN_WAIT_2 where the lab saw an ACK and a FIN arrive apart', () => {
    const seen = { close: '3-way-merged' } as const;
    const apart = connection({ ...seen, undecided: [], client_rfc: withGap(9e-6) });
    const marked = withGap(0.0004);
    marked[3] = [4, 'FIN_WAIT1', 'FIN_WAIT2', 'at-once'];
    const together = connection({ ...seen, undecided: [], client_rfc: marked });

    expect(text(apart, 'client')).toContain('[FIN_WAIT_2]');
    expect(text(together, 'client')).not.toContain('FIN_WAIT_2');
  });

  test('a merged close whose first FIN was lost keeps a FIN_WAIT_2 that lasted', () => {
    const truth = connection({ close: '3-way-merged', client_rfc: withGap(0.2) });

    expect(text(truth, 'client')).toContain('FIN_WAIT_2');
  });

  test('a FIN_WAIT_2 of microseconds in a 4-way close may be shown or not', () => {
    const path = expectedPath(connection({ client_rfc: withGap(9e-6) }), 'client');
    if (path === null) throw new Error('expected a path');

    expect(pathText(path)).toContain('[FIN_WAIT_2]');
    const start = ['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT_1'] as const;
    expect(pathMismatch(path, [...start, 'FIN_WAIT_2', 'TIME_WAIT'])).toBeNull();
    expect(pathMismatch(path, [...start, 'TIME_WAIT'])).toBeNull();
    expect(pathMismatch(path, [...start, 'CLOSING', 'TIME_WAIT'])).not.toBeNull();
  });

  test('CLOSED after TIME_WAIT is finwait’s own timer and is not held against it', () => {
    const path = expectedPath(connection(), 'client');
    if (path === null) throw new Error('expected a path');
    const states = ['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT_1', 'FIN_WAIT_2', 'TIME_WAIT'] as const;

    expect(pathMismatch(path, [...states, 'CLOSED'])).toBeNull();
    expect(pathMismatch(path, states.slice(0, -1))).toContain('expected');
  });

  test('a CLOSE that no segment tells of leaves the path open', () => {
    const truth = connection({
      close: 'none',
      handshake: 'unanswered',
      client_rfc: [
        [1, 'CLOSE', 'SYN_SENT'],
        [8, 'SYN_SENT', 'CLOSE'],
      ],
    });

    expect(text(truth, 'client')).toBe('SYN_SENT …');
  });

  test('a RST closes', () => {
    const truth = connection({
      close: 'rst',
      rst_by: 'server',
      rst_senders: ['server'],
      client_rfc: [
        [1, 'CLOSE', 'SYN_SENT'],
        [2, 'SYN_SENT', 'CLOSE'],
      ],
    });

    expect(text(truth, 'client')).toBe('SYN_SENT > CLOSED');
  });

  test('a capture that begins in mid-connection begins in ESTABLISHED', () => {
    const path = expectedPath(connection({ handshake: 'none-seen' }), 'server');

    expect(path?.states[0]).toEqual({ state: 'ESTABLISHED', time: null, optional: false });
    expect(path?.states).toHaveLength(4);
  });

  test('an end without a socket, or one that the file can’t tell, has no path', () => {
    expect(expectedPath(connection({ server_rfc: [] }), 'server')).toBeNull();
    expect(expectedPath(connection({ undecided: ['client'] }), 'client')).toBeNull();
  });
});

describe('the close', () => {
  test('a close whose deciding segment is in the file has one account', () => {
    expect(expectedCloses(connection())).toEqual([
      { kind: '4-way', initiator: 'client', complete: true, resetBy: null },
    ]);
  });

  test('where a deciding segment is missing, what was sent is right as well', () => {
    const truth = connection({
      close: '3-way-merged',
      close_as_sent: 'simultaneous',
      closed_first_as_sent: 'both',
    });

    expect(expectedCloses(truth).map(({ kind, initiator }) => [kind, initiator])).toEqual([
      ['3-way-merged', 'client'],
      ['simultaneous', 'both'],
    ]);
  });

  test('without FINs the sender of the RST is the initiator', () => {
    const none = { client: false, server: false };
    const truth = connection({
      close: 'rst',
      close_as_sent: 'rst',
      closed_first: null,
      closed_first_as_sent: null,
      rst_by: 'server',
      complete: false,
      fins: none,
      fins_as_sent: none,
    });

    expect(expectedCloses(truth)).toEqual([
      { kind: 'rst', initiator: 'server', complete: true, resetBy: 'server' },
    ]);
  });

  test('none is half-closed with one FIN and open without', () => {
    const changes = { close: 'none', close_as_sent: 'none', complete: false } as const;
    const one = { client: true, server: false };
    const none = { client: false, server: false };

    const half = expectedCloses(connection({ ...changes, fins: one, fins_as_sent: one }));
    const open = expectedCloses(
      connection({
        ...changes,
        fins: none,
        fins_as_sent: none,
        closed_first: null,
        closed_first_as_sent: null,
      }),
    );

    expect(half[0]?.kind).toBe('half-closed');
    expect(open[0]).toEqual({ kind: 'open', initiator: null, complete: false, resetBy: null });
  });

  test('TIME_WAIT is held by whoever the kernel put there', () => {
    expect(expectedTimeWait(connection())).toBe('client');
    expect(expectedTimeWait(connection({ server_rfc: withGap(1) }))).toBe('both');
    expect(expectedTimeWait(connection({ undecided: ['server'] }))).toBeUndefined();
  });
});

test('Fast Open and a missing opening have names of their own in the truth', () => {
  expect(expectedHandshake(connection({ handshake: 'tfo' }))).toEqual({
    kind: '3-way',
    fastOpen: true,
  });
  expect(expectedHandshake(connection({ handshake: 'none-seen' })).kind).toBe('none');
});

const shared = process.env.FINWAIT_CAPTURES;
const folders = ['fixtures/kernel', ...(shared ? [join(shared, 'kernel')] : [])];

test.skipIf(!shared)('the shared kernel captures are there (FINWAIT_CAPTURES is set)', () => {
  expect(existsSync(join(shared ?? '', 'kernel'))).toBe(true);
});

describe.each(folders.filter((folder) => existsSync(folder)))('the truth in %s', (folder) => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.truth.json'));

  test.each(names)('%s walks the edges of RFC 9293, Figure 5', (name) => {
    const truth = readTruth(join(folder, name));

    expect(readFileSync(join(folder, truth.capture)).length).toBeGreaterThan(100);
    for (const one of truth.connections) {
      for (const side of ['client', 'server'] as const) {
        const states = expectedPath(one, side)?.states ?? [];
        for (const [i, { state }] of states.entries()) {
          const before = states[i - 1]?.state;
          if (before === undefined) continue;
          const reachable = TCP_EVENTS.some((event) => nextState(before, event) === state);
          expect(reachable, `${one.client} ${side}: ${before} > ${state}`).toBe(true);
        }
      }
      expect(expectedCloses(one)[0]?.complete).not.toBeNull();
    }
  });
});
