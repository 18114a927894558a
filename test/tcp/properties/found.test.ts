/** Counterexamples found by reading and by the properties beside this file: each test is one of them, as small as it gets. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  connectionsIn,
  OPENED_AND_CLOSED,
  onlyConnectionIn,
  path,
  segments,
} from '../../support/fixtures.ts';
import { simulate } from '../../support/tcp-model.ts';
import {
  clientEnd,
  type Kinds,
  listing,
  mess,
  pcapOf,
  plans,
  shotsOf,
  spoil,
} from '../../support/tcp-model-capture.ts';

describe('frames in the wrong order', () => {
  test('within 8 ms leave the close kind as it is', async () => {
    await fc.assert(
      fc.asyncProperty(plans(), mess(8000), async (plan, how) => {
        const truth = simulate(plan);
        const frames = how.frames.map((frame) => ({ ...frame, lost: false }));
        const shots = spoil(truth, { ...how, frames });
        const record = await onlyConnectionIn(pcapOf(shots, plan));
        expect(record.close.kind, listing(shots)).toBe(truth.kind);
      }),
      { seed: 9293, numRuns: 300 },
    );
  });

  test('an ACK of the FIN captured just before that FIN still makes the close 4-way', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  .   1:1(0)  ack 11
      S > C  .   1:1(0)  ack 12  +0.000001
      C > S  F.  11:11(0)  ack 1  +0.000001
      S > C  F.  1:1(0)  ack 12
      C > S  .   12:12(0)  ack 2`);

    expect(record.close.kind).toBe('4-way');
    expect(path(record.states.server)).toContain('CLOSE_WAIT > LAST_ACK > CLOSED');
    expect(path(record.states.client)).toContain('FIN_WAIT_2');
  });

  test('an ACK of the last FIN captured just before that FIN completes the close', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      S > C  P.  1:11(10)  ack 1
      C > S  .   1:1(0)  ack 11
      S > C  .   11:11(0)  ack 2
      C > S  .   2:2(0)  ack 12  +0.000001
      C > S  F.  1:1(0)  ack 11  +0.000001
      S > C  F.  11:11(0)  ack 2  +0.000001`);

    expect(record.close.complete).toBe(true);
    expect(record.close.kind).toBe('4-way');
  });
});

describe('segments that were captured and never received', () => {
  test('a FIN that was not received brought no ACK either', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      S > C  F.  1:1(0)  ack 1
      C > S  F.  1:1(0)  ack 2
      C > S  F.  1:1(0)  ack 2  +0.2
      S > C  .   2:2(0)  ack 2`);

    expect(record.close.kind).toBe('3-way-merged');
    expect(path(record.states.server)).toBe(
      'LISTEN > SYN_RECEIVED > ESTABLISHED > FIN_WAIT_1 > TIME_WAIT > CLOSED',
    );
  });

  test('data that was not received brought no ACK of the FIN either', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      S > C  F.  1:1(0)  ack 1
      C > S  P.  1:2(1)  ack 2
      C > S  P.  1:2(1)  ack 2  +0.2
      S > C  .   2:2(0)  ack 2`);

    const entered = record.states.server.find((entry) => entry.state === 'FIN_WAIT_2');
    expect(entered?.frame).toBe(6);
  });

  test('cause no state: the paths are those of the two ends', async () => {
    const kinds: Kinds = { losses: ['none', 'none', 'after'], spareAcks: true };
    await fc.assert(
      fc.asyncProperty(plans(kinds), async (plan) => {
        const truth = simulate(plan);
        fc.pre(truth.settled);
        const shots = shotsOf(truth.captured);
        const record = await onlyConnectionIn(pcapOf(shots, plan));
        const c = clientEnd(record);
        const found = [record.states.client, record.states.server].map((states) => path(states));
        const expected = truth.paths.map((p) => p.map(({ state }) => state).join(' > '));
        expect([found[c], found[1 - c]], listing(shots)).toEqual(expected);
      }),
      { seed: 9293, numRuns: 300 },
    );
  });

  test('a SYN that did not reach an end which opens too brought it no SYN_RECEIVED', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S   0:0(0)
      C > S  S.  0:0(0)  ack 1
      S > C  .   1:1(0)  ack 1`);

    expect(path(record.states.server)).toBe('SYN_SENT > ESTABLISHED');
  });
});

describe('RST', () => {
  test('a RST captured just before the last data of its sender ends the connection', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  R.  101:101(0)  ack 11
      S > C  P.  1:101(100)  ack 11  +0.000001`);

    expect(record.close.kind).toBe('rst');
    expect(record.findings.map((finding) => finding.code)).not.toContain('rst-ignored');
  });

  test('a RST captured just before the FIN of its sender ends the connection', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      S > C  R.  2:2(0)  ack 1
      S > C  F.  1:1(0)  ack 1  +0.000001`);

    expect(record.close.kind).toBe('rst');
  });

  test('a RST behind bytes that the capture lost ends the connection, though the peer had data under way', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  R.  101:101(0)  ack 11
      C > S  P.  11:21(10)  ack 1  +0.001`);

    expect([record.close.kind, record.close.certainty]).toEqual(['rst', 'likely']);
  });

  test('a RST outside the window and a long silence do not end the tracking', async () => {
    const records = await connectionsIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  .   1:1(0)  ack 11
      S > C  R   900000:900000(0)
      C > S  P.  11:21(10)  ack 1  +100
      S > C  .   1:1(0)  ack 21
      C > S  F.  21:21(0)  ack 1
      S > C  .   1:1(0)  ack 22
      S > C  F.  1:1(0)  ack 22
      C > S  .   22:22(0)  ack 2`);

    expect(records.map((record) => record.close.kind)).toEqual(['4-way']);
    expect(records[0]!.packets).toEqual({ client: 6, server: 6 });
  });

  test('a RST that fits is seen behind any number that do not', async () => {
    const blind = Array.from(
      { length: 20 },
      (_, i) => `S > C  R  ${(i + 2) * 100000}:${(i + 2) * 100000}(0)`,
    );
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  .   1:1(0)  ack 11
      ${blind.join('\n')}
      C > S  P.  11:21(10)  ack 1
      S > C  .   1:1(0)  ack 21
      C > S  P.  21:31(10)  ack 1
      S > C  R.  1:1(0)  ack 31`);

    expect(record.close.kind).toBe('rst');
  });

  test('the copy of a refusing RST is a duplicate frame', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)  id 7
      S > C  R.  0:0(0)  ack 1  id 9
      dup +0.000010`);

    expect(record.duplicateFrames).toBe(1);
  });

  test('the copy of a RST that acknowledges new data is a duplicate frame', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)  id 7
      S > C  S.  0:0(0)  ack 1  id 8
      C > S  .   1:1(0)  ack 1  id 9
      C > S  P.  1:11(10)  ack 1  id 10
      S > C  R.  1:1(0)  ack 11  id 11
      dup +0.000010`);

    expect(record.duplicateFrames).toBe(1);
  });
});

describe('FIN where it means nothing', () => {
  test('beside a RST outside the window it does not hide the close that follows', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  .   1:1(0)  ack 11
      S > C  FR  900000:900000(0)
      C > S  P.  11:21(10)  ack 1
      S > C  .   1:1(0)  ack 21
      C > S  P.  21:31(10)  ack 1
      S > C  .   1:1(0)  ack 31
      C > S  P.  31:41(10)  ack 1
      S > C  .   1:1(0)  ack 41
      C > S  P.  41:51(10)  ack 1
      S > C  .   1:1(0)  ack 51
      C > S  P.  51:61(10)  ack 1
      S > C  .   1:1(0)  ack 61
      C > S  P.  61:71(10)  ack 1
      S > C  .   1:1(0)  ack 71
      C > S  F.  71:71(0)  ack 1
      S > C  .   1:1(0)  ack 72
      S > C  F.  1:1(0)  ack 72
      C > S  .   72:72(0)  ack 2`);

    expect([record.close.kind, record.close.complete]).toEqual(['4-way', true]);
    expect(path(record.states.client)).toContain('FIN_WAIT_1 > FIN_WAIT_2 > TIME_WAIT');
  });
});

describe('numbers of an earlier incarnation', () => {
  test('an old FIN that answers the new SYN is no FIN of the new connection', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  F.  700000:700000(0)  ack 900000
      C > S  R   900000:900000(0)
      C > S  S   0:0(0)  +1
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  .   1:1(0)  ack 11
      C > S  F.  11:11(0)  ack 1
      S > C  .   1:1(0)  ack 12
      S > C  F.  1:1(0)  ack 12
      C > S  .   12:12(0)  ack 2`);

    expect(record.close.kind).toBe('4-way');
    expect(record.close.initiator).toBe('client');
    expect(record.close.complete).toBe(true);
  });

  test('a FIN far outside the window ends nothing', async () => {
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  .   1:1(0)  ack 11
      C > S  F.  900000000:900000000(0)  ack 1
      C > S  P.  11:21(10)  ack 1
      S > C  .   1:1(0)  ack 21
      C > S  F.  21:21(0)  ack 1
      S > C  .   1:1(0)  ack 22
      S > C  F.  1:1(0)  ack 22
      C > S  .   22:22(0)  ack 2`);

    expect(record.close.kind).toBe('4-way');
    expect(record.close.complete).toBe(true);
  });
});

describe('close to two gigabytes on a half-closed connection (docs/limits.md: beyond, numbers tell no more)', () => {
  test('bytes after the FIN do not wrap', async () => {
    const step = 0x2000_0000;
    const data = Array.from({ length: 3 }, (_, i) => {
      const seq = 1 + i * step;
      return `S > C  .  ${seq % 2 ** 32}:${(seq % 2 ** 32) + 10}(10)  ack 2\nC > S  .  2:2(0)  ack ${(seq + step) % 2 ** 32}`;
    });
    const fin = (1 + 3 * step) % 2 ** 32;
    const record = await onlyConnectionIn(segments`
      C > S  S   0:0(0)
      S > C  S.  0:0(0)  ack 1
      C > S  .   1:1(0)  ack 1
      C > S  F.  1:1(0)  ack 1
      ${data.join('\n')}
      S > C  F.  ${fin}:${fin}(0)  ack 2
      C > S  .   2:2(0)  ack ${fin + 1}`);

    expect(record.close.kind).toBe('4-way');
    expect(record.close.bytesAfterFin).toBe(3 * step);
  });
});

describe('late frames', () => {
  test('a connection whose SYN was not captured is no late frame of one that ended minutes ago', async () => {
    const records = await connectionsIn(segments`
      ${OPENED_AND_CLOSED}
      host X 10.9.9.9:5000
      X > S  S   0:0(0)  +100
      isn C 50000000
      isn S 60000000
      S > C  S.  0:0(0)  ack 1  +600
      C > S  .   1:1(0)  ack 1
      C > S  P.  1:11(10)  ack 1
      S > C  .   1:1(0)  ack 11
      C > S  F.  11:11(0)  ack 1
      S > C  F.  1:1(0)  ack 12
      C > S  .   12:12(0)  ack 2`);

    expect(records.map((record) => record.close.kind)).toEqual([
      '3-way-merged',
      'open',
      '3-way-merged',
    ]);
  });

  test('one frame from the future does not keep the connections behind it lingering', async () => {
    const { analyze } = await import('../../../src/analyze.ts');
    const close = (x: string) => `
      ${x} > S  S   0:0(0)
      S > ${x}  S.  0:0(0)  ack 1
      ${x} > S  .   1:1(0)  ack 1
      ${x} > S  F.  1:1(0)  ack 1
      S > ${x}  F.  1:1(0)  ack 2`;
    const bytes = segments`
      host A 10.0.0.11:5000
      host B 10.0.0.12:5000
      host D 10.0.0.13:5000
      ${close('A')}
      A > S  .   2:2(0)  ack 2  +100000000
      ${close('B').replace('0:0(0)', '0:0(0)  -100000000')}
      B > S  .   2:2(0)  ack 2
      D > S  S   0:0(0)  +500
      D > S  S   0:0(0)  +500
      D > S  S   0:0(0)  +500`;
    const order: number[] = [];
    for await (const record of analyze(bytes)) order.push(record.stream);

    expect(order).toEqual([0, 1, 2]);
  });
});
