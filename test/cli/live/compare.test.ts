/** The comparison that the live tests rest on: what it lets pass, and that it can fail. */

import { expect, test } from 'vitest';
import type { ConnectionRecord } from '../../../src/report/record.ts';
import { compareLive } from '../../support/live-records.ts';
import { record } from '../../support/records.ts';

const NONE: ReadonlySet<string> = new Set();
const KEY = '10.0.0.1 40112 10.0.0.2 80';

/** A connection whose second FIN came `ms` after the first, and which findings it is said to have. */
function merged(ms: number, ...codes: ConnectionRecord['findings'][number]['code'][]) {
  const made = record();
  const [fin] = made.close.steps;
  if (fin === undefined) throw new Error('the record has no FIN');
  const t = fin.t + ms / 1000 + (made.handshake.serverRtt ?? 0);
  made.close.steps = [
    { ...fin, kind: 'FIN', from: 'client' },
    { ...fin, kind: 'FIN,ACK of FIN', from: 'server', t },
  ];
  made.findings = codes.map((code) => ({
    code,
    severity: 'note',
    frames: [],
    what: '',
    advice: '',
  }));
  return made;
}

test.each([
  ['explains a finding', merged(1.01, 'merged-by-delayed-ack'), merged(0.99), 1],
  ['lies on the same side', merged(1.02, 'merged-by-delayed-ack'), merged(1.01), 0],
  ['is not what the finding says', merged(0.99, 'merged-by-delayed-ack'), merged(1.01), 0],
  ['has nothing to do with it', merged(1.01, 'last-ack-lost'), merged(0.99), 0],
])('a delay that %s', (_what, live, file, byDelay) => {
  const compared = compareLive([live], [file], NONE);

  expect(compared).toMatchObject({ records: 1, equal: 0, byOrder: 0, byDelay });
  expect(compared.different).toHaveLength(1 - byDelay);
});

test('frames in another order excuse that connection alone, and a missing record is a difference', () => {
  const live = [merged(0, 'last-ack-lost')];

  expect(compareLive(live, [merged(0)], new Set([KEY]))).toMatchObject({
    byOrder: 1,
    different: [],
  });
  expect(compareLive(live, [merged(0)], new Set(['another'])).different).toHaveLength(1);
  expect(compareLive([], [merged(0)], NONE).different).toMatchObject([
    { key: KEY, live: 'missing' },
  ]);
});
