/** A capture that a filter left only SYN, FIN and RST of: sizes from the numbers, no alarms about gaps. */

import { expect, test } from 'vitest';
import { onlyConnectionIn, path, segments } from '../support/fixtures.ts';

const FLAGGED = `
  C > S S 0:0(0)
  S > C S. 0:0(0) ack 1
  C > S F. 5001:5001(0) ack 900001
  S > C F. 900001:900001(0) ack 5002
`;

test('both FINs arrive, and nothing is said of lost frames', async () => {
  const { close, states, findings } = await onlyConnectionIn(segments`${FLAGGED}`);

  expect(close).toMatchObject({ kind: '3-way-merged', timeWait: 'client', certainty: 'likely' });
  expect(close.doubt).toContain('Only SYN, FIN and RST were captured');
  expect(path(states.client)).toBe('SYN_SENT > ESTABLISHED > FIN_WAIT_1 > TIME_WAIT > CLOSED');
  expect(findings).toEqual([]);
});

test('with a single ACK among them it is no such capture: the gap is one', async () => {
  const { findings } = await onlyConnectionIn(segments`${FLAGGED} C > S . 5002:5002(0) ack 900002`);

  expect(findings.map(({ code }) => code)).toContain('capture-lost-packets');
});
