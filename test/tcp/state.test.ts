/** The state machine as data, printed for docs and held against RFC 9293 by hand. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  nextState,
  TCP_EVENTS,
  TCP_STATES,
  type TcpEvent,
  type TcpState,
  TRANSITIONS,
} from '../../src/tcp/state.ts';

const DOCS = path.join(import.meta.dirname, '..', '..', 'docs');

/** Every state and every event, as a Markdown table: the golden matrix. */
function matrix(): string {
  const head = `| state | ${TCP_EVENTS.join(' | ')} |\n|---${'|---'.repeat(TCP_EVENTS.length)}|`;
  const rows = TCP_STATES.map((state) => {
    const cells = TCP_EVENTS.map((event) => {
      const next = nextState(state, event);
      return next === state ? '·' : next;
    });
    return `| ${state} | ${cells.join(' | ')} |`;
  });
  return [head, ...rows].join('\n');
}

/** The table as a diagram, an edge a line. */
function diagram(): string {
  const lines = ['stateDiagram-v2'];
  for (const state of TCP_STATES) {
    for (const [event, next] of Object.entries(TRANSITIONS[state])) {
      if (next !== state) lines.push(`  ${state} --> ${next}: ${event}`);
    }
  }
  return lines.join('\n');
}

test('docs/state-machine.md shows the table that the program runs on', () => {
  const page = readFileSync(path.join(DOCS, 'state-machine.md'), 'utf8');
  // The formatter pads the cells of tables.
  const cells = (text: string): string => text.replace(/ +\|/g, ' |').replace(/-{3,}/g, '---');

  expect(cells(page).replaceAll('| --- ', '|---').replace('|---|\n', '|---|\n')).toContain(
    matrix().split('\n').slice(2).join('\n'),
  );
  expect(page).toContain(diagram());
});

describe('paths of RFC 9293', () => {
  const paths: [string, TcpState, TcpEvent[], TcpState[]][] = [
    [
      'Figure 6, the client: SYN, SYN-ACK, ACK',
      'CLOSED',
      ['snd SYN', 'rcv SYN,ACK'],
      ['SYN_SENT', 'ESTABLISHED'],
    ],
    [
      'Figure 6, the server',
      'LISTEN',
      ['rcv SYN', 'rcv ACK of SYN'],
      ['SYN_RECEIVED', 'ESTABLISHED'],
    ],
    [
      'Figure 7, simultaneous open: both ends',
      'CLOSED',
      ['snd SYN', 'rcv SYN', 'rcv ACK of SYN'],
      ['SYN_SENT', 'SYN_RECEIVED', 'ESTABLISHED'],
    ],
    [
      'Figure 12, the active close',
      'ESTABLISHED',
      ['snd FIN', 'rcv ACK of FIN', 'rcv FIN', 'timeout 2MSL'],
      ['FIN_WAIT_1', 'FIN_WAIT_2', 'TIME_WAIT', 'CLOSED'],
    ],
    [
      'Figure 12, the passive close',
      'ESTABLISHED',
      ['rcv FIN', 'snd FIN', 'rcv ACK of FIN'],
      ['CLOSE_WAIT', 'LAST_ACK', 'CLOSED'],
    ],
    [
      'Figure 13, simultaneous close: both ends',
      'ESTABLISHED',
      ['snd FIN', 'rcv FIN', 'rcv ACK of FIN', 'timeout 2MSL'],
      ['FIN_WAIT_1', 'CLOSING', 'TIME_WAIT', 'CLOSED'],
    ],
    [
      'Figure 5, note 2: a FIN that acknowledges the FIN',
      'ESTABLISHED',
      ['snd FIN', 'rcv FIN,ACK of FIN'],
      ['FIN_WAIT_1', 'TIME_WAIT'],
    ],
  ];
  test.each(paths)('%s', (_name, start, events, expected) => {
    const states: TcpState[] = [];
    let state = start;
    for (const event of events) {
      state = nextState(state, event);
      states.push(state);
    }

    expect(states).toEqual(expected);
  });

  test('a RST closes from every state but LISTEN (§3.5.3)', () => {
    for (const state of TCP_STATES) {
      expect(nextState(state, 'rcv RST')).toBe(state === 'LISTEN' ? 'LISTEN' : 'CLOSED');
    }
  });

  test('an event without an edge keeps the state', () => {
    expect(nextState('ESTABLISHED', 'rcv ACK of FIN')).toBe('ESTABLISHED');
    expect(nextState('TIME_WAIT', 'rcv FIN')).toBe('TIME_WAIT');
  });
});
