/** Zeek's view of connections: what the fixtures in fixtures/zeek don't show. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_HISTORY_LETTERS } from '../../../src/tcp/zeek/memory.ts';
import {
  CLOSED,
  CONN_STATES,
  connState,
  ESTABLISHED,
  INACTIVE,
  PARTIAL,
  RESET,
  SYN_ACK_SENT,
  SYN_SENT,
} from '../../../src/tcp/zeek/states.ts';
import { ROOT } from '../../support/command.ts';
import { connectionsIn, segments } from '../../support/fixtures.ts';

const OPEN = `
  C > S  S   0:0(0)
  S > C  S.  0:0(0)  ack 1
  C > S  .   1:1(0)  ack 1`;

async function viewsIn(capture: Uint8Array | string) {
  return (await connectionsIn(capture, { zeek: true })).map(({ zeek }) => zeek);
}

async function historyOf(capture: Uint8Array): Promise<string | null | undefined> {
  return (await viewsIn(capture))[0]?.history;
}

test('nobody who does not ask for it gets it', async () => {
  const [record] = await connectionsIn('zeek/sf.pcap');

  expect(record).toBeDefined();
  expect(record).not.toHaveProperty('zeek');
});

describe('conn_state', () => {
  test.each([
    [SYN_SENT, INACTIVE, 'S', 'S0'],
    [SYN_SENT, PARTIAL, 'Sd', 'OTH'],
    [ESTABLISHED, ESTABLISHED, 'ShA', 'S1'],
    [CLOSED, ESTABLISHED, 'ShAF', 'S2'],
    [ESTABLISHED, CLOSED, 'ShAf', 'S3'],
    [CLOSED, CLOSED, 'ShAFf', 'SF'],
    [SYN_SENT, RESET, 'Sr', 'REJ'],
    [SYN_ACK_SENT, RESET, 'Hr', 'REJ'],
    [RESET, RESET, 'ShRr', 'REJ'],
    [INACTIVE, RESET, '^hr', 'RSTRH'],
    [PARTIAL, RESET, 'Dr', 'RSTRH'],
    [CLOSED, RESET, 'ShAFr', 'RSTR'],
    [RESET, ESTABLISHED, 'ShAR', 'RSTO'],
    [RESET, INACTIVE, 'SR', 'RSTOS0'],
    [RESET, INACTIVE, '^STWR', 'RSTOS0'],
    [RESET, INACTIVE, 'SAR', 'OTH'],
    [RESET, INACTIVE, 'R', 'OTH'],
    [CLOSED, INACTIVE, 'SF', 'SH'],
    [INACTIVE, CLOSED, '^hf', 'SHR'],
    [PARTIAL, PARTIAL, 'Dd', 'OTH'],
  ])('of %i and %i with %s is %s', (orig, resp, history, expected) => {
    expect(connState(orig, resp, true, history)).toBe(expected);
  });

  test('of two resets is RSTR where bytes were sent', () => {
    expect(connState(RESET, RESET, false, 'ShADRr')).toBe('RSTR');
  });

  test('has a fixture for each of its values', () => {
    const names = readdirSync(join(ROOT, 'fixtures/zeek')).filter((name) => name.endsWith('.txt'));

    expect(names).toEqual(expect.arrayContaining(CONN_STATES.map((s) => `${s.toLowerCase()}.txt`)));
  });
});

describe('the history', () => {
  const resets = (count: number): string =>
    Array.from({ length: count }, (_, i) => `C > S  R  ${i + 1}:${i + 1}(0)`).join('\n');

  test('may be longer than the record has room for', async () => {
    expect(
      await historyOf(segments`${OPEN}
      ${resets(150)}`),
    ).toBe(`ShA${'R'.repeat(150)}`);
  });

  test('ends at its limit', async () => {
    const history = await historyOf(segments`${OPEN}
      ${resets(MAX_HISTORY_LETTERS + 10)}`);

    expect(history).toHaveLength(MAX_HISTORY_LETTERS);
  });

  test('is none where no segment has a letter', async () => {
    expect(await historyOf(segments`C > S  -  1:1(0)`)).toBeNull();
  });
});

describe('the size of a direction', () => {
  test('follows sequence numbers across 2^32', async () => {
    const [view] = await viewsIn(segments`
      isn C 4294967200
      ${OPEN}
      C > S  P.  1:1001(1000)  ack 1
      S > C  .   1:1(0)  ack 1001`);

    expect(view).toMatchObject({ originator: { bytes: 1000 }, history: 'ShADa', missedBytes: 0 });
  });

  test('takes an acknowledgement’s word for what the capture lost', async () => {
    const [view] = await viewsIn(segments`${OPEN}
      S > C  .   1:1(0)  ack 5001`);

    expect(view).toMatchObject({ originator: { bytes: 5000 }, missedBytes: 5000 });
  });
});

describe('content gaps', () => {
  test('a payload that the snap length cut is one', async () => {
    const [view] = await viewsIn(segments`snaplen 80
      ${OPEN}
      C > S  P.  1:501(500)  ack 1
      S > C  .   1:1(0)  ack 501`);

    expect(view).toMatchObject({ history: 'ShADaG', missedBytes: 500 });
  });

  test('what comes behind several holes, out of order and overlapping, fills them', async () => {
    const [view] = await viewsIn(segments`${OPEN}
      C > S  P.  501:601(100)  ack 1
      C > S  P.  301:401(100)  ack 1
      C > S  P.  101:201(100)  ack 1
      C > S  P.  151:551(400)  ack 1
      S > C  .   1:1(0)  ack 1
      C > S  P.  1:101(100)  ack 1
      S > C  .   1:1(0)  ack 601`);

    expect(view).toMatchObject({ missedBytes: 0, history: 'ShADTa' });
  });

  test('nobody acknowledges anything: 16 KiB behind a hole, Zeek waits no longer', async () => {
    const [view] = await viewsIn(segments`${OPEN}
      C > S  P.  101:17001(16900)  ack 1
      S > C  .   1:1(0)  ack 17001`);

    expect(view).toMatchObject({ missedBytes: 0, history: 'ShADa' });
  });
});

test('the table of connections may grow while it is watched', async () => {
  const lines = Array.from(
    { length: 3000 },
    (_, i) => `client 10.0.0.1:${i + 1000}\nC > S  S  0:0(0)`,
  );
  const views = await viewsIn(segments`${lines.join('\n')}`);

  expect(views).toHaveLength(3000);
  expect(new Set(views.map((view) => `${view?.connState} ${view?.history}`))).toEqual(
    new Set(['S0 S']),
  );
});

test('whatever the segments, the history has only its letters and the figures are whole', async () => {
  const segment = fc.record({
    from: fc.constantFrom('C > S', 'S > C'),
    flags: fc.constantFrom('S', 'S.', '.', 'P.', 'F.', 'R', 'R.', 'FR.', 'SF', '-'),
    seq: fc.constantFrom(0, 1, 50, 101, 301, 2_000_000, 3_000_000_000),
    len: fc.constantFrom(0, 0, 1, 100, 30_000),
    ack: fc.constantFrom(0, 1, 101, 401, 60_001, 3_000_000_000),
    win: fc.constantFrom(0, 500),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 40 }), async (list) => {
      const lines = list.map(({ from, flags, seq, len, ack, win }) => {
        const acks = flags.includes('.') ? `  ack ${ack}` : '';
        return `${from}  ${flags}  ${seq}:${seq + len}(${len})${acks}  win ${win}`;
      });
      for (const view of await viewsIn(segments`${lines.join('\n')}`)) {
        expect(view?.history ?? '').toMatch(/^[SHADFRGTWIQshadfrgtwiq^]*$/);
        for (const end of [view?.originator, view?.responder]) {
          expect(end?.bytes ?? 0).toBeGreaterThanOrEqual(0);
          expect(Number.isSafeInteger(end?.bytes ?? 0)).toBe(true);
        }
        expect(Number.isSafeInteger(view?.missedBytes)).toBe(true);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});
