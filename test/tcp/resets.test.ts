/** Which RST ends a connection and which doesn't (RFC 9293 §3.10.7, RFC 5961 §3). */

import { describe, expect, test } from 'vitest';
import { onlyConnectionIn, path, segments } from '../support/fixtures.ts';

/** Without window scaling: both ends announce at most 64,240 bytes. */
const OPENED = `
  C > S S 0:0(0) win 64240 <mss 1460>
  S > C S. 0:0(0) ack 1 win 64240 <mss 1460>
  C > S . 1:1(0) ack 1 win 64240
  C > S P. 1:101(100) ack 1 win 64240
  S > C P. 1:501(500) ack 101 win 64240
  C > S . 101:101(0) ack 501 win 64240
`;

test('a last RST beyond the window ends nothing', async () => {
  for (const number of [501 + 64240, 1_000_501, 1_000_000_501]) {
    const { close, states, findings } = await onlyConnectionIn(
      segments`${OPENED} S > C R ${number}:${number}(0)`,
    );

    expect(close).toMatchObject({ kind: 'open', resetBy: null, certainty: 'likely' });
    expect(close.doubt).toContain('A RST that nothing follows lies beyond the window');
    expect(path(states.client)).toBe('SYN_SENT > ESTABLISHED');
    expect(findings.map(({ code }) => code)).toEqual(['rst-ignored']);
  }
});

test('within the window, but not the number that is expected, it may have ended the connection, or nothing', async () => {
  for (const number of [700, 500 + 64240]) {
    const { close } = await onlyConnectionIn(segments`${OPENED} S > C R ${number}:${number}(0)`);

    expect(close).toMatchObject({ kind: 'rst', resetBy: 'server', certainty: 'likely' });
    expect(close.doubt).toContain('it may have ended nothing');
  }
});

test('a scaled window reaches further, and one whose scale is unknown to the most there can be', async () => {
  const scaled = await onlyConnectionIn(segments`
    C > S S 0:0(0) <mss 1460,wscale 7>
    S > C S. 0:0(0) ack 1 <mss 1460,wscale 7>
    C > S . 1:1(0) ack 1 win 64240
    S > C P. 1:501(500) ack 1 win 64240
    C > S . 1:1(0) ack 501 win 64240
    S > C R 1000501:1000501(0)
  `);
  const unknown = await onlyConnectionIn(segments`
    C > S P. 1:101(100) ack 1 win 64240
    S > C P. 1:501(500) ack 101 win 64240
    C > S . 101:101(0) ack 501 win 64240
    S > C R 1000501:1000501(0)
  `);

  expect(scaled.close).toMatchObject({ kind: 'rst', certainty: 'likely' });
  expect(unknown.close).toMatchObject({ kind: 'rst', certainty: 'likely' });
});

test('a capture of SYN, FIN and RST alone tells nothing of windows: the RST counts', async () => {
  const { close } = await onlyConnectionIn(segments`
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
    S > C R. 905001:905001(0) ack 101
  `);

  expect(close).toMatchObject({ kind: 'rst', resetBy: 'server', certainty: 'likely' });
});

/** Closed by the client; the server, in LAST_ACK, sends its FIN again. */
const LAST_ACK_LOST = `
  ${OPENED}
  C > S F. 101:101(0) ack 501
  S > C F. 501:501(0) ack 102
  C > S . 102:102(0) ack 502
  S > C F. 501:501(0) ack 102 +0.3
`;

test('a RST ends LAST_ACK and, at the end that sends it, TIME_WAIT', async () => {
  const { close, states } = await onlyConnectionIn(segments`${LAST_ACK_LOST} C > S R 102:102(0)`);

  expect(close).toMatchObject({ kind: '3-way-merged', timeWait: 'client', resetAfterClose: true });
  expect(states.server.slice(-2)).toMatchObject([
    { state: 'LAST_ACK', frame: 8 },
    { state: 'CLOSED', frame: 11 },
  ]);
  expect(states.client.slice(-2)).toMatchObject([
    { state: 'TIME_WAIT', frame: 8 },
    { state: 'CLOSED', frame: 11 },
  ]);
  expect(close.steps.at(-1)).toMatchObject({ senderState: 'CLOSED', receiverState: 'CLOSED' });
});

test('a RST that was lost too ends LAST_ACK only with its copy', async () => {
  const { states } = await onlyConnectionIn(segments`${LAST_ACK_LOST}
    C > S R 102:102(0)
    S > C F. 501:501(0) ack 102 +0.6
    C > S R 102:102(0)
  `);

  expect(states.client.at(-1)).toMatchObject({ state: 'CLOSED', frame: 11 });
  expect(states.server.at(-1)).toMatchObject({ state: 'CLOSED', frame: 13 });
});

test('a RST ends CLOSING, and that end never holds TIME_WAIT', async () => {
  const { close, states } = await onlyConnectionIn(segments`${OPENED}
    C > S F. 101:101(0) ack 501
    S > C F. 501:501(0) ack 101 +0.001
    C > S . 102:102(0) ack 502
    S > C . 502:502(0) ack 102
    S > C F. 501:501(0) ack 102 +0.4
    C > S R 102:102(0)
  `);

  expect(close).toMatchObject({ kind: 'simultaneous', timeWait: 'client' });
  expect(path(states.server)).toMatch(/ > FIN_WAIT_1 > CLOSING > CLOSED$/);
  expect(path(states.client)).toMatch(/ > FIN_WAIT_1 > CLOSING > TIME_WAIT > CLOSED$/);
});

test('a RST in the name of the end in TIME_WAIT, which goes on to acknowledge, ends nothing there', async () => {
  const { states } = await onlyConnectionIn(segments`${LAST_ACK_LOST}
    C > S R 102:102(0)
    C > S . 102:102(0) ack 502 +0.1
  `);

  expect(states.client.at(-1)).toMatchObject({ state: 'CLOSED', frame: null });
});

test('each RST that answers another SYN is one of its own, not the first one again', async () => {
  const { close } = await onlyConnectionIn(segments`
    C > S S 0:0(0)
    S > C R. 0:0(0) ack 1
    C > S S 0:0(0) +0.5
    S > C R. 0:0(0) ack 1
    S > C R. 0:0(0) ack 1 +0.1
  `);

  expect(close.steps.map(({ frame, retransmission }) => [frame, retransmission])).toEqual([
    [2, false],
    [4, false],
    [5, true],
  ]);
});

describe('before the ACK of the SYN-ACK a RST', () => {
  const ANSWERED = `
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
  `;
  const REPEATED = 'S > C S. 0:0(0) ack 1 +1';

  test.each([
    ['of the client far beyond its SYN', `C > S R 500000:500000(0)\n${REPEATED}`],
    ['of the client at its SYN', `C > S R 0:0(0)\n${REPEATED}`],
    ['of the server at its SYN-ACK', 'S > C R. 0:0(0) ack 1'],
    ['in the name of the server, which sends its SYN-ACK again', `S > C R 1:1(0)\n${REPEATED}`],
  ])('%s, ends nothing: half-open', async (_, text) => {
    const { close, findings, handshake } = await onlyConnectionIn(segments`${ANSWERED}${text}`);

    expect(handshake.kind).toBe('half-open');
    expect(handshake.steps.map(({ kind }) => kind)).not.toContain('RST');
    expect(close.kind).toBe('open');
    expect(findings.map(({ code }) => code)).toContain('rst-ignored');
  });

  test.each([
    ['of the client', 'C > S R 1:1(0)', 'client'],
    ['of the server', 'S > C R. 1:1(0) ack 1', 'server'],
    ['of the server within the window', 'S > C R 9000:9000(0)', 'server'],
    [
      'of the server that crosses that ACK',
      'S > C R. 1:1(0) ack 1\nC > S . 1:1(0) ack 1',
      'server',
    ],
  ])('%s, ends the opening: aborted', async (_, text, resetBy) => {
    const { close, handshake, states } = await onlyConnectionIn(segments`${ANSWERED}${text}`);

    expect(handshake.kind).toBe('aborted');
    expect(handshake.steps.map(({ kind, frame }) => `${kind}@${frame}`)).toEqual([
      'SYN@1',
      'SYN,ACK@2',
      'RST@3',
    ]);
    expect(close).toMatchObject({ kind: 'rst', resetBy, phase: 'handshake' });
    expect(path(states.server)).toBe('LISTEN > SYN_RECEIVED > CLOSED');
  });

  test('that refuses the SYN sent again ends SYN_SENT, although the SYN-ACK was lost', async () => {
    const { close, handshake, states } = await onlyConnectionIn(segments`${ANSWERED}
      C > S S 0:0(0) +1
      S > C R. -50000:-50000(0) ack 1
    `);

    expect(handshake.kind).toBe('aborted');
    expect(close).toMatchObject({ kind: 'rst', resetBy: 'server', phase: 'handshake' });
    expect(path(states.client)).toBe('SYN_SENT > CLOSED');
  });

  test('that was sent before the SYN-ACK came aborts the opening as well', async () => {
    const { close, handshake } = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      C > S R 1:1(0)
      S > C S. 0:0(0) ack 1
      C > S R 1:1(0)
    `);

    expect(handshake.kind).toBe('aborted');
    expect(handshake.steps.map(({ frame }) => frame)).toEqual([1, 2, 3]);
    expect(close.steps.map(({ frame }) => frame)).toEqual([2, 4]);
  });
});
