/** How a connection was opened, where it did not go as usual (docs/specification.md §2; RFC 9293 §3.5, §3.10.7). */

import { describe, expect, test } from 'vitest';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { onlyConnectionIn, path, segments } from '../support/fixtures.ts';

describe('a SYN that was sent again', () => {
  const opened = (echo: number) => `
    C > S S 0:0(0) <mss 1460,sackOK,TS val 1000 ecr 0>
    C > S S 0:0(0) <mss 1460,sackOK,TS val 2000 ecr 0> +1
    S > C S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 7000 ecr ${echo}> +0.006
    C > S . 1:1(0) ack 1 <nop,nop,TS val 2006 ecr 7000> +0.0001
    C > S F. 1:1(0) ack 1 <nop,nop,TS val 2016 ecr 7000>
    S > C F. 1:1(0) ack 2 <nop,nop,TS val 7016 ecr 2016> +0.006
    C > S . 2:2(0) ack 2 <nop,nop,TS val 2022 ecr 7016> +0.0001
    S > C F. 1:1(0) ack 2 <nop,nop,TS val 7316 ecr 2016> +0.3
    C > S . 2:2(0) ack 2 <nop,nop,TS val 2322 ecr 7316> +0.0001`;

  test('leaves the round trip open where the echo is not of its latest copy', async () => {
    const { handshake } = await onlyConnectionIn(segments`${opened(1000)}`);

    expect(handshake).toMatchObject({ serverRtt: null, clientRtt: 0.0001, handshakeRtt: null });
  });

  test('gives the round trip where the echo is of its latest copy', async () => {
    const { handshake } = await onlyConnectionIn(segments`${opened(2000)}`);

    expect(handshake).toMatchObject({ serverRtt: 0.006, clientRtt: 0.0001 });
  });

  test('does not make a lost last ACK one that was under way', async () => {
    const { states, findings } = await onlyConnectionIn(segments`${opened(1000)}`);

    expect(states.server.at(-1)).toMatchObject({ state: 'CLOSED', frame: 9 });
    expect(findings.map(({ code }) => code)).toContain('last-ack-lost');
  });
});

test('a SYN-ACK copy that was under way does not make the ACK before it a lost one', async () => {
  const { states } = await onlyConnectionIn(segments`
    C > S S 0:0(0) <mss 1460,sackOK,TS val 1000 ecr 0>
    C > S S 0:0(0) <mss 1460,sackOK,TS val 2000 ecr 0> +1.015
    S > C S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 7000 ecr 1000> +0.012
    C > S . 1:1(0) ack 1 <nop,nop,TS val 2012 ecr 7000> +0.0001
    S > C S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 7004 ecr 1000> +0.016
    C > S . 1:1(0) ack 1 <nop,nop,TS val 2028 ecr 7000> +0.0001`);

  expect(states.server.at(-1)).toMatchObject({ state: 'ESTABLISHED', frame: 4 });
});

test('a SYN-ACK that was sent again leaves the round trip open where the echo is not of its latest copy', async () => {
  const { handshake } = await onlyConnectionIn(segments`
    C > S S 0:0(0) <mss 1460,sackOK,TS val 1000 ecr 0>
    S > C S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 7000 ecr 1000> +0.006
    S > C S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 8000 ecr 1000> +1
    C > S . 1:1(0) ack 1 <nop,nop,TS val 2006 ecr 7000> +0.001`);

  expect(handshake).toMatchObject({ serverRtt: 0.006, clientRtt: null, handshakeRtt: null });
});

describe('a SYN-ACK that acknowledges what was never sent', () => {
  const codes = ({ findings }: ConnectionRecord) => findings.map(({ code }) => code);

  test.each([
    ['smaller', -78],
    ['greater', 30_000],
  ])('leaves no trace in the numbers of the connection, its own %s', async (_, seq) => {
    const record = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      S > C S. ${seq}:${seq}(0) ack 7000
      S > C S. 0:0(0) ack 1 +0.1
      C > S . 1:1(0) ack 1
      C > S P. 1:101(100) ack 1
      S > C . 1:1(0) ack 101
      C > S R. 101:101(0) ack 1`);

    expect(record).toMatchObject({
      handshake: { kind: '3-way', serverRtt: 0.11, clientRtt: 0.01 },
      close: { kind: 'rst', resetBy: 'client', phase: 'established', certainty: 'proven' },
    });
    expect(codes(record)).toEqual(expect.arrayContaining(['bad-handshake-ack']));
    expect(codes(record)).not.toContain('rst-ignored');
    expect(codes(record)).not.toContain('capture-lost-packets');
  });

  test('and was answered by a RST puts nothing in doubt', async () => {
    const record = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      S > C S. -78:-78(0) ack 7000
      C > S R 7000:7000(0)
      C > S S 0:0(0) +1
      S > C S. 0:0(0) ack 1
      C > S . 1:1(0) ack 1
      C > S F. 1:1(0) ack 1
      S > C F. 1:1(0) ack 2
      C > S . 2:2(0) ack 2`);

    expect(record.close).toMatchObject({ kind: '3-way-merged', certainty: 'proven', doubt: null });
    expect(codes(record)).toEqual(['syn-retransmitted', 'bad-handshake-ack']);
  });
});

describe('a RST that refuses the SYN', () => {
  const refusal = `
    C > S S 0:0(0)
    S > C R. 1:1(0) ack 1
    S > C S. 0:0(0) ack 1`;

  test.each([
    ['', refusal],
    [' and is answered by a RST', `${refusal}\nC > S R 1:1(0)`],
  ])('is one although a SYN-ACK comes after it%s', async (_, text) => {
    const { handshake, close, states, findings } = await onlyConnectionIn(segments`${text}`);

    expect(handshake).toMatchObject({ kind: 'refused', serverRtt: null });
    expect(close).toMatchObject({ kind: 'rst', resetBy: 'server', phase: 'handshake' });
    expect(states.client.map(({ state, frame }) => `${state}@${frame}`)).toEqual([
      'SYN_SENT@1',
      'CLOSED@2',
    ]);
    expect(path(states.server)).toBe('CLOSED');
    expect(findings.map(({ code }) => code)).toContain('refused');
  });

  test('and a SYN-ACK for the next attempt, which nobody acknowledges, leave it half-open', async () => {
    const { handshake, close } = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      S > C R. 0:0(0) ack 1
      C > S S 0:0(0) +1
      S > C S. 0:0(0) ack 1`);

    expect(handshake).toMatchObject({ kind: 'half-open', attempts: 2 });
    expect(close.kind).toBe('open');
  });
});

describe('a client that answers the SYN-ACK with a RST and nothing else', () => {
  test('was closed where the RST is bare and at the number that the SYN-ACK acknowledges', async () => {
    const { handshake, states } = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      S > C S. 0:0(0) ack 1
      C > S R 1:1(0)`);

    expect(handshake.kind).toBe('aborted');
    expect(path(states.client)).toBe('SYN_SENT > CLOSED');
    expect(path(states.server)).toBe('LISTEN > SYN_RECEIVED > CLOSED');
  });

  test('was established where the RST has an ACK', async () => {
    const { states } = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      S > C S. 0:0(0) ack 1
      C > S R. 1:1(0) ack 1`);

    expect(path(states.client)).toBe('SYN_SENT > ESTABLISHED > CLOSED');
  });
});

describe('a SYN with data', () => {
  test('of which a part is acknowledged opens in three steps with Fast Open', async () => {
    const { handshake, close, states, findings } = await onlyConnectionIn(segments`
      C > S S 0:100(100)
      S > C S. 0:0(0) ack 51
      C > S P. 51:101(50) ack 1
      S > C . 1:1(0) ack 101`);

    expect(handshake).toMatchObject({ kind: '3-way', fastOpen: true, serverRtt: 0.01 });
    expect(close).toMatchObject({ kind: 'open', certainty: 'proven' });
    expect(states.client.at(-1)).toMatchObject({ state: 'ESTABLISHED', frame: 2 });
    expect(findings).toEqual([]);
  });

  test('that follows one without is what a SYN-ACK with its data answers', async () => {
    const { handshake, findings } = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      C > S S 0:100(100) +1
      S > C S. 0:0(0) ack 101
      C > S . 101:101(0) ack 1`);

    expect(handshake).toMatchObject({ kind: '3-way', fastOpen: true, serverRtt: 0.01 });
    expect(findings.map(({ code }) => code)).toEqual(['syn-retransmitted']);
  });

  test('is acknowledged in vain beyond what it carried', async () => {
    const { handshake, findings } = await onlyConnectionIn(segments`
      C > S S 0:100(100)
      S > C S. 0:0(0) ack 102`);

    expect(handshake).toMatchObject({ kind: 'unanswered', fastOpen: false });
    expect(findings.map(({ code }) => code)).toEqual(['bad-handshake-ack']);
  });
});

test('a SYN with a FIN may be acknowledged with it, which is no Fast Open', async () => {
  const { handshake } = await onlyConnectionIn(segments`
    C > S SF 0:0(0)
    S > C S. 0:0(0) ack 2
    C > S . 2:2(0) ack 1`);

  expect(handshake).toMatchObject({ kind: '3-way', fastOpen: false });
});

test.each([
  ['without an ACK', 'S > C R 1:1(0)'],
  ['that acknowledges something else', 'S > C R. 1:1(0) ack 500'],
])('a RST %s makes the SYN sent again no other attempt', async (_, rst) => {
  const { handshake } = await onlyConnectionIn(segments`
    C > S S 0:0(0)
    ${rst}
    C > S S 0:0(0) +1`);

  expect(handshake).toMatchObject({ kind: 'unanswered', attempts: 1 });
});

test('a SYN into the open connection is no part of its opening', async () => {
  const { handshake, findings } = await onlyConnectionIn(segments`
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
    C > S . 1:1(0) ack 1
    C > S P. 1:101(100) ack 1
    S > C . 1:1(0) ack 101
    C > S S 0:0(0) +5
    S > C . 1:1(0) ack 101`);

  expect(handshake.steps.map(({ frame }) => frame)).toEqual([1, 2, 3]);
  expect(findings).toEqual([]);
});

test('that a SYN-ACK arrived which was sent again and never acknowledged is inferred', async () => {
  const { states } = await onlyConnectionIn(segments`
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
    S > C S. 0:0(0) ack 1 +1`);

  expect(states.client.at(-1)).toEqual({
    state: 'ESTABLISHED',
    t: 0.01,
    frame: 2,
    inferred: true,
  });
});
