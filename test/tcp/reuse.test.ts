/** What a SYN of a new connection on the same ports says of the old one (RFC 9293 §3.5.1, docs/specification.md §4). */

import { expect, test } from 'vitest';
import { explain } from '../../src/report/explain.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { connectionsIn, path, segments } from '../support/fixtures.ts';

const NEW_ONE = `
  isn C 900000
  C > S S 0:0(0) +5
  isn S 7000000
  S > C S. 0:0(0) ack 1
  C > S . 1:1(0) ack 1
`;

const OPENED = `
  C > S S 0:0(0)
  S > C S. 0:0(0) ack 1
  C > S . 1:1(0) ack 1
  C > S P. 1:79(78) ack 1
  S > C . 1:1(0) ack 79
`;

async function oldOne(text: string): Promise<ConnectionRecord> {
  const [record] = await connectionsIn(segments`${text}${NEW_ONE}`);
  if (record === undefined) throw new Error('expected two connections, found none');
  return record;
}

const inWords = (record: ConnectionRecord): string =>
  explain(record)
    .flatMap(({ sentences }) => sentences)
    .join(' ');

test('an open connection whose ports a new one took is over, which is likely and not proven', async () => {
  const record = await oldOne(OPENED);

  expect(record.close).toMatchObject({ kind: 'open', complete: false, certainty: 'likely' });
  expect(record.close.doubt).toContain('A new connection took its ports');
  for (const side of ['client', 'server'] as const) {
    expect(record.states[side].at(-1)).toEqual({
      state: 'CLOSED',
      t: 5.04,
      frame: 6,
      inferred: true,
    });
  }
  expect(inWords(record)).toContain('With frame 6 a new connection took its ports');
  expect(inWords(record)).not.toContain('when the capture ends');
});

test('a half-closed one ends likewise, and how long it waited for the other FIN is not told', async () => {
  const record = await oldOne(`${OPENED}
    C > S F. 79:79(0) ack 1
    S > C . 1:1(0) ack 80
  `);

  expect(record.close).toMatchObject({
    kind: 'half-closed',
    certainty: 'likely',
    closeWait: null,
    finWait2: null,
  });
  expect(path(record.states.client)).toMatch(/ > FIN_WAIT_2 > CLOSED$/);
  expect(path(record.states.server)).toMatch(/ > CLOSE_WAIT > CLOSED$/);
});

test('CLOSE_WAIT that lasted long before the ports were taken is still a finding', async () => {
  const record = await oldOne(`${OPENED}
    C > S F. 79:79(0) ack 1
    S > C . 1:1(0) ack 80
    S > C P. 1:21(20) ack 80 +20
    C > S . 80:80(0) ack 21
  `);

  expect(record.findings.map(({ code }) => code)).toContain('close-wait-long');
});

test('LAST_ACK ends with the ports taken; the close itself stays proven', async () => {
  const record = await oldOne(`${OPENED}
    C > S F. 79:79(0) ack 1
    S > C F. 1:1(0) ack 80
  `);

  expect(record.close).toMatchObject({ kind: '3-way-merged', complete: false });
  expect(record.close.certainty).toBe('proven');
  expect(record.states.client.at(-1)).toEqual({ state: 'CLOSED', t: 5.06, frame: 8 });
  expect(record.states.server.slice(-2)).toEqual([
    expect.objectContaining({ state: 'LAST_ACK', frame: 7 }),
    { state: 'CLOSED', t: 5.06, frame: 8, inferred: true },
  ]);
});

test('what a RST had ended before is as proven as without the new connection', async () => {
  const record = await oldOne(`${OPENED}
    S > C R. 1:1(0) ack 79
  `);

  expect(record.close).toMatchObject({ kind: 'rst', certainty: 'proven', doubt: null });
  expect(record.states.server.at(-1)).not.toHaveProperty('inferred');
  expect(inWords(record)).not.toContain('took its ports');
});
