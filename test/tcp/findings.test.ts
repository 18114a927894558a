/** Findings say what happened, and are not made where it did not (docs/findings.md). */

import { describe, expect, test } from 'vitest';
import { onlyConnectionIn, path, segments } from '../support/fixtures.ts';

const OPEN = `
  C > S S 0:0(0)
  S > C S. 0:0(0) ack 1
  C > S . 1:1(0) ack 1
`;

/** The codes of what was found in the conversation `text`, which begins with a handshake. */
async function codesOf(text: string): Promise<string[]> {
  const record = await onlyConnectionIn(segments`${OPEN}${text}`);
  return record.findings.map((finding) => finding.code);
}

describe('last-ack-lost', () => {
  const halfClosed = 'C > S F. 1:1(0) ack 1\nS > C . 1:1(0) ack 2\n';

  test('a FIN captured just behind its ACK was sent once, and reached CLOSED', async () => {
    const record = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      S > C S. 0:0(0) ack 1 +0.00001
      C > S . 1:1(0) ack 1 +0.0002
      ${halfClosed}
      C > S . 2:2(0) ack 2 +0.1
      S > C F. 1:1(0) ack 2 +0.00003`);

    expect(record.findings).toEqual([]);
    expect(path(record.states.server)).toMatch(/LAST_ACK > CLOSED$/);
  });

  test('a FIN that came again after its ACK stays in LAST_ACK', async () => {
    const again = 'S > C F. 1:1(0) ack 2\nC > S . 2:2(0) ack 2\nS > C F. 1:1(0) ack 2 +0.2\n';

    expect(await codesOf(`${halfClosed}${again}`)).toContain('last-ack-lost');
  });
});

describe('rst-forged', () => {
  const early = 'C > S P. 1:11(10) ack 1\nS > C . 1:1(0) ack 11 ttl 57\n';
  const later = 'S > C P. 1:21(20) ack 11 ttl 57\nC > S . 11:11(0) ack 21\n';

  test.each([
    ['that of its sender', 57, ['rst-linger']],
    ['one two routers away', 59, ['rst-linger']],
    ['another', 200, ['rst-forged']],
  ])('a RST after an ordinary exchange with TTL %s', async (_, ttl, codes) => {
    expect(await codesOf(`${early}${later}S > C R. 21:21(0) ack 11 ttl ${ttl}\n`)).toEqual(codes);
  });

  test('a single segment is too little to compare with', async () => {
    expect(await codesOf(`${early}S > C R. 1:1(0) ack 11 ttl 200\n`)).toEqual(['rst-unread-data']);
  });

  test('a sender whose TTL changed proves nothing', async () => {
    const moved = 'S > C P. 1:21(20) ack 11 ttl 50\nC > S . 11:11(0) ack 21\n';
    expect(await codesOf(`${early}${moved}S > C R. 21:21(0) ack 11 ttl 200\n`)).toEqual([
      'rst-linger',
    ]);
  });
});

describe('half-closed-data', () => {
  const rest = 'S > C F. 101:101(0) ack 2\nC > S . 2:2(0) ack 102\n';

  test.each([
    ['data sent after the FIN', 'C > S F. 1:1(0) ack 1\nS > C P. 1:101(100) ack 2\n', 100],
    [
      'data captured in the wrong order',
      'C > S F. 1:1(0) ack 1\nS > C P. 51:101(50) ack 2\nS > C P. 1:51(50) ack 2\n',
      100,
    ],
    [
      'data sent before the FIN that only came again',
      'S > C P. 1:101(100) ack 1\nC > S F. 1:1(0) ack 1\nS > C . 101:101(0) ack 2\nS > C P. 1:101(100) ack 2 +0.3\n',
      0,
    ],
    [
      'data sent before the FIN whose repetition was the first to acknowledge it',
      'S > C P. 1:101(100) ack 1\nC > S F. 1:1(0) ack 1\nS > C P. 1:101(100) ack 2 +0.3\n',
      0,
    ],
    [
      'a keep-alive',
      'S > C P. 1:101(100) ack 1\nC > S F. 1:1(0) ack 101\nS > C . 101:101(0) ack 2\nS > C . 100:100(0) ack 2 +7\n',
      0,
    ],
  ])('counts %s', async (_, text, bytes) => {
    const { close, findings } = await onlyConnectionIn(segments`${OPEN}${text}${rest}`);

    expect(close.bytesAfterFin).toBe(bytes);
    expect(findings.some((one) => one.code === 'half-closed-data')).toBe(bytes > 0);
  });

  test('a keep-alive behind the second FIN is no data', async () => {
    const text = `C > S F. 1:1(0) ack 1
      S > C . 1:1(0) ack 2
      S > C F. 1:1(0) ack 2
      S > C . 0:0(0) ack 2 +0.1
      C > S . 2:2(0) ack 2`;
    const { close } = await onlyConnectionIn(segments`${OPEN}${text}`);

    expect(close.bytesAfterFin).toBe(0);
  });
});

describe('a RST of the own stack', () => {
  const request = 'C > S P. 1:11(10) ack 1\nS > C . 1:1(0) ack 11\n';
  const answer = 'S > C P. 1:21(20) ack 11\nC > S . 11:11(0) ack 21\n';
  const probe = 'C > S . 10:10(0) ack 21 +1\n';

  test.each([
    ['after data', `${request}S > C R. 1:1(0) ack 11\n`, ['rst-unread-data']],
    ['with no data waiting', `${request}${answer}S > C R. 21:21(0) ack 11\n`, ['rst-linger']],
    [
      'before data that was under way',
      `${request}${answer}S > C R. 21:21(0) ack 11\nC > S P. 11:21(10) ack 21 +0.001\n`,
      ['rst-linger'],
    ],
    [
      'after two keep-alives without an answer',
      `${request}${answer}${probe}${probe}C > S R. 11:11(0) ack 21 +1\n`,
      ['rst-timeout'],
    ],
    [
      'after one keep-alive',
      `${request}${answer}${probe}C > S R. 11:11(0) ack 21 +1\n`,
      ['rst-unread-data'],
    ],
    [
      'after keep-alives of which the last was answered',
      `${request}${answer}${probe}${probe}S > C . 21:21(0) ack 11\nC > S R. 11:11(0) ack 21 +1\n`,
      ['rst-unread-data'],
    ],
    [
      'after three retransmissions without an answer',
      `C > S P. 1:11(10) ack 1\n${'C > S P. 1:11(10) ack 1 +1\n'.repeat(3)}C > S R. 11:11(0) ack 1 +1\n`,
      ['rst-timeout'],
    ],
    [
      'after two retransmissions',
      `C > S P. 1:11(10) ack 1\n${'C > S P. 1:11(10) ack 1 +1\n'.repeat(2)}C > S R. 11:11(0) ack 1 +1\n`,
      ['rst-linger'],
    ],
  ])('%s', async (_, text, codes) => {
    expect(await codesOf(text)).toEqual(codes);
  });
});

test('rst-unread-data names the remedy for either cause', async () => {
  const record = await onlyConnectionIn(segments`${OPEN}
    C > S P. 1:11(10) ack 1
    S > C R. 1:1(0) ack 11`);

  expect(record.findings[0]!.advice).toMatch(/end of file before close\(\).*SO_LINGER/);
});

describe('merged-by-delayed-ack', () => {
  const merged = (delay: number) =>
    `C > S F. 1:1(0) ack 1\nS > C F. 1:1(0) ack 2 +${delay}\nC > S . 2:2(0) ack 2\n`;

  test.each([
    ['at once', 0.01, []],
    ['after 40 ms', 0.05, ['merged-by-delayed-ack']],
    ['after 499 ms', 0.509, ['merged-by-delayed-ack']],
    ['after 500 ms, longer than any stack may wait', 0.51, []],
    ['after 5 s', 5, []],
  ])('a FIN that acknowledges %s', async (_, delay, codes) => {
    expect(await codesOf(merged(delay))).toEqual(codes);
  });
});

describe('rst-no-such-connection', () => {
  const exchange = `
    C > S P. 1:11(10) ack 1
    S > C P. 1:21(20) ack 11
    C > S . 11:11(0) ack 21
  `;
  const code = 'rst-no-such-connection';

  test.each([
    ['data after a long silence', 'C > S P. 11:21(10) ack 21 +600', 'problem'],
    ['a keep-alive', 'C > S . 10:10(0) ack 21 +7200', 'problem'],
    ['a FIN', 'C > S F. 11:11(0) ack 21 +600', 'warning'],
  ])('a bare RST that answers %s', async (_, asked, severity) => {
    const { close, findings } = await onlyConnectionIn(
      segments`${OPEN}${exchange}${asked}
      S > C R 21:21(0)`,
    );

    expect(close).toMatchObject({ kind: 'rst', resetBy: 'server' });
    expect(findings).toMatchObject([{ code, severity }]);
  });

  test('a bare RST to one who goes on with a connection that began before the capture', async () => {
    const { findings } = await onlyConnectionIn(segments`
      C > S P. 1:11(10) ack 1
      S > C R 1:1(0)`);

    expect(findings.map((finding) => finding.code)).toEqual([code]);
  });

  test.each([
    ['has an ACK: its stack aborted', 'C > S P. 11:21(10) ack 21\nS > C R. 21:21(0) ack 21'],
    ['answers nothing', 'C > S R 11:11(0)'],
    [
      'comes while its data is under way',
      'S > C P. 21:99(78) ack 11\nC > S P. 11:21(10) ack 21\nS > C R 21:21(0)',
    ],
    ['comes before a closed window', 'C > S P. 11:21(10) ack 21 win 0\nS > C R 21:21(0)'],
    ['follows an earlier one', 'S > C R 99:99(0)\nC > S . 11:11(0) ack 21\nS > C R 21:21(0)'],
    [
      'follows its own FIN',
      'S > C F. 21:21(0) ack 11\nC > S P. 11:21(10) ack 22\nS > C R 22:22(0)',
    ],
    [
      'has another TTL',
      'S > C P. 21:31(10) ack 11\nC > S P. 11:21(10) ack 31\nS > C R 31:31(0) ttl 200',
    ],
  ])('no RST that %s', async (_, text) => {
    const { close, findings } = await onlyConnectionIn(segments`${OPEN}${exchange}${text}`);

    expect(close.kind).toBe('rst');
    expect(findings.map((finding) => finding.code)).not.toContain(code);
  });

  test('nor one before the connection was open', async () => {
    const { findings } = await onlyConnectionIn(segments`
      C > S S 0:0(0)
      S > C S. 0:0(0) ack 1
      C > S R 1:1(0)`);

    expect(findings).toEqual([]);
  });
});
