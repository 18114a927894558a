/** A close of which the capture provably lacks a frame is never called proven (docs/specification.md §3). */

import { describe, expect, test } from 'vitest';
import { explain } from '../../src/report/explain.ts';
import { connectionsIn, OPENED, onlyConnectionIn, path, segments } from '../support/fixtures.ts';

/** What is said of a close: its kind and how sure that is, and whether the capture is blamed. */
async function verdictOf(capture: Uint8Array) {
  const { close, findings } = await onlyConnectionIn(capture);
  return {
    verdict: `${close.kind} ${close.certainty}`,
    doubt: close.doubt,
    codes: findings.map((finding) => finding.code),
    isBlamed: findings.some((finding) => finding.code === 'capture-lost-packets'),
  };
}

describe('a FIN that the capture lost', () => {
  test('and that was acknowledged before the other end closed', async () => {
    const { verdict, doubt, isBlamed } = await verdictOf(segments`
      ${OPENED}
      S > C . 1:1(0) ack 2 +0.1
      S > C F. 1:1(0) ack 2 +0.1
      C > S . 2:2(0) ack 2
    `);
    expect(verdict).toBe('half-closed likely');
    expect(doubt).toBe(
      'The capture lost frames near the close: an unseen FIN of the other side would complete the close, an unseen RST end it.',
    );
    expect(isBlamed).toBe(true);
  });

  test('of a simultaneous close', async () => {
    const { verdict, isBlamed } = await verdictOf(segments`
      ${OPENED}
      S > C F. 1:1(0) ack 1 +0.1
      C > S . 2:2(0) ack 2
      S > C . 2:2(0) ack 2
    `);
    expect(verdict).toBe('half-closed likely');
    expect(isBlamed).toBe(true);
  });

  test('before a RST', async () => {
    const { verdict, doubt } = await verdictOf(segments`
      ${OPENED}
      S > C F. 1:1(0) ack 2 +0.1
      C > S . 2:2(0) ack 2
      S > C . 1:1(0) ack 2 +0.1
      C > S . 2:2(0) ack 2
      S > C R 2:2(0)
    `);
    expect(verdict).toBe('rst likely');
    expect(doubt).toBe(
      'The capture lost frames near the close: unseen FINs and ACKs before the RST would make it an orderly close.',
    );
  });

  test('both of them', async () => {
    const { verdict, isBlamed } = await verdictOf(segments`
      ${OPENED}
      S > C . 1:1(0) ack 2 +0.1
      C > S . 2:2(0) ack 2 +0.1
      S > C . 2:2(0) ack 2
    `);
    expect(verdict).toBe('open likely');
    expect(isBlamed).toBe(true);
  });

  test('is no loss where it comes late: reordered, behind the ACK that follows it', async () => {
    const { verdict, isBlamed } = await verdictOf(segments`
      ${OPENED}
      S > C F. 1:1(0) ack 1 +0.1
      C > S . 2:2(0) ack 2
      C > S F. 1:1(0) ack 1 +0.001
      S > C . 2:2(0) ack 2
    `);
    expect(verdict).toBe('simultaneous proven');
    expect(isBlamed).toBe(false);
  });
});

test('data lost long before both FINs leave the close proven', async () => {
  const { verdict } = await verdictOf(segments`
    ${OPENED}
    C > S . 101:201(100) ack 1
    S > C . 1:1(0) ack 201
    C > S F. 201:201(0) ack 1 +0.1
    S > C . 1:1(0) ack 202
    S > C F. 1:1(0) ack 202
    C > S . 202:202(0) ack 2
  `);
  expect(verdict).toBe('4-way proven');
});

describe('a second FIN of which only a later copy is in the capture, long after it was acknowledged', () => {
  const MERGED_BY_COPY = segments`
    ${OPENED}
    C > S F. 1:1(0) ack 1
    C > S . 2:2(0) ack 2 +0.05
    S > C F. 1:1(0) ack 2 +0.3
    C > S . 2:2(0) ack 2
  `;

  test('may have carried the ACK, or not', async () => {
    const { verdict, doubt, codes } = await verdictOf(MERGED_BY_COPY);
    expect(verdict).toBe('3-way-merged likely');
    expect(doubt).toBe(
      'The capture lost frames near the close, the first copy of a FIN is missing from the capture: an unseen ACK of the first FIN before the second would make it 4-way.',
    );
    expect(codes).toEqual(['last-ack-lost', 'capture-lost-packets']);
  });

  test('had arrived when it was acknowledged', async () => {
    const { states } = await onlyConnectionIn(MERGED_BY_COPY);
    expect(path(states.client)).toBe('SYN_SENT > ESTABLISHED > FIN_WAIT_1 > TIME_WAIT > CLOSED');
    expect(states.client.find((entry) => entry.state === 'TIME_WAIT')?.frame).toBe(5);
    expect(path(states.server)).toBe(
      'LISTEN > SYN_RECEIVED > ESTABLISHED > CLOSE_WAIT > LAST_ACK > CLOSED',
    );
  });

  test('and whose ACK lies beyond what is looked back at', async () => {
    // Others' frames push it out of the ring of segments.
    const others = Array.from(
      { length: 4200 },
      (_, i) => `X > S . ${i + 1}:${i + 2}(1) ack 1 +0.0001`,
    );
    const text = `
      host X 10.0.0.9:50000
      ${OPENED}
      C > S F. 1:1(0) ack 1
      C > S . 2:2(0) ack 2 +0.05
      ${others.join('\n')}
      S > C F. 1:1(0) ack 2 +0.3
      C > S . 2:2(0) ack 2
    `;
    const [record] = await connectionsIn(segments`${text}`);
    expect(`${record?.close.kind} ${record?.close.certainty}`).toBe('3-way-merged likely');
    expect(record?.findings.map((finding) => finding.code)).toContain('capture-lost-packets');
  });
});

test('a FIN that stands a little behind its ACK is only out of order', async () => {
  const { verdict, codes } = await verdictOf(segments`
    ${OPENED}
    C > S F. 1:1(0) ack 1
    C > S . 2:2(0) ack 2 +0.02
    S > C F. 1:1(0) ack 2 +0.001
  `);
  expect(verdict).toBe('3-way-merged proven');
  expect(codes).not.toContain('capture-lost-packets');
});

test('a connection that is let go because too many are open is only likely to be what it was, unless it had closed', async () => {
  // 16 is the least that is held at once.
  const others = [...'DEFGHIJKLMNOPQRT'].map(
    (name, i) => `host ${name} 10.0.1.1:${40000 + i}\n${name} > S S 0:0(0)`,
  );
  const text = `
    host X 10.0.0.9:50000
    host Y 10.0.0.9:50001
    ${OPENED}
    X > S S 0:0(0)
    S > X S. 0:0(0) ack 1
    X > S . 1:1(0) ack 1
    X > S F. 1:1(0) ack 1
    S > X F. 1:1(0) ack 2
    X > S . 2:2(0) ack 2
    Y > S S 0:0(0)
    S > Y S. 0:0(0) ack 1
    Y > S . 1:1(0) ack 1
    Y > S F. 1:1(0) ack 1
    ${others.join('\n')}
  `;
  const all = await connectionsIn(segments`${text}`, { maxConnections: 16 });
  expect(all.map(({ close }) => `${close.kind} ${close.certainty}`)).toEqual([
    'open likely',
    '3-way-merged proven',
    'half-closed likely',
    ...others.map(() => 'open proven'),
  ]);
  expect(all[0]?.close.doubt).toBe(
    'It was let go before the capture ended (too many open, or silent for long): an unseen FIN or RST would have closed it.',
  );
  const closed = all.map(
    (record) => explain(record).find(({ title }) => title === 'Closed')?.sentences[0],
  );
  expect(closed[0]).toBe('No FIN and no RST was seen.');
  expect(closed[2]).toBe(
    'Half-closed: the client sent its FIN, and none of the other side was seen.',
  );
  expect(closed[3]).toBe('Still open when the capture ends: no FIN and no RST.');
});
