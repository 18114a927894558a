/** How a connection was opened, where it did not go as usual (docs/specification.md §2; RFC 9293 §3.5, §3.10.7). */

import { describe, expect, test } from 'vitest';
import { onlyConnectionIn, segments } from '../support/fixtures.ts';

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

test('a SYN-ACK that was sent again leaves the round trip open where the echo is not of its latest copy', async () => {
  const { handshake } = await onlyConnectionIn(segments`
    C > S S 0:0(0) <mss 1460,sackOK,TS val 1000 ecr 0>
    S > C S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 7000 ecr 1000> +0.006
    S > C S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 8000 ecr 1000> +1
    C > S . 1:1(0) ack 1 <nop,nop,TS val 2006 ecr 7000> +0.001`);

  expect(handshake).toMatchObject({ serverRtt: 0.006, clientRtt: null, handshakeRtt: null });
});
