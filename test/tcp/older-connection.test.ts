/** What a server still says of an older connection, before or in place of its answer to the SYN (RFC 9293 §3.5.1, §3.10.7.3). */

import { describe, expect, test } from 'vitest';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { OPENED_AND_CLOSED, onlyConnectionIn, path, segments } from '../support/fixtures.ts';

const codes = ({ findings }: ConnectionRecord) => findings.map(({ code }) => code);

/** The SYN is the first line of this. */
const [SYN = '', ...AFTER_SYN] = OPENED_AND_CLOSED.trim().split('\n');
const REST = AFTER_SYN.join('\n');
const conversation = (...lines: string[]) => segments`${lines.join('\n')}`;

/** Numbers of the older connection, before and behind those of the new one, near and far. */
const ACKS = [-500_000, 500_000, 1_500_000_000, -1_500_000_000];

describe.each(ACKS)('a segment that acknowledges %i', (ack) => {
  const refused = `C > S R ${ack}:${ack}(0)`;

  test.each([
    ['an ACK', `S > C . 7000000:7000000(0) ack ${ack}`],
    ['an ACK, its numbers smaller', `S > C . -7000000:-7000000(0) ack ${ack}`],
    ['data', `S > C P. 7000000:7000100(100) ack ${ack}`],
    ['a FIN', `S > C F. 7000000:7000000(0) ack ${ack}`],
  ])('%s: leaves no trace in the connection that opens after it', async (_, old) => {
    for (const before of [old, `${old}\n${refused}\n${SYN} +1`]) {
      const record = await onlyConnectionIn(conversation(SYN, before, REST));

      expect(record.handshake.kind).toBe('3-way');
      expect(record.close).toMatchObject({
        kind: '3-way-merged',
        initiator: 'client',
        certainty: 'proven',
        resetBy: null,
      });
      expect(path(record.states.client)).toBe(
        'SYN_SENT > ESTABLISHED > FIN_WAIT_1 > TIME_WAIT > CLOSED',
      );
      expect(path(record.states.server)).toBe(
        'LISTEN > SYN_RECEIVED > ESTABLISHED > CLOSE_WAIT > LAST_ACK > CLOSED',
      );
      expect(codes(record)).toContain('bad-handshake-ack');
      expect(codes(record)).not.toContain('capture-lost-packets');
      expect(codes(record)).not.toContain('rst-ignored');
    }
  });

  test('and that the client refuses is no answer, and ends nothing', async () => {
    for (const old of [`. 700:700(0) ack ${ack}`, `F. 700:700(0) ack ${ack}`]) {
      for (const after of [refused, `${refused}\n${SYN} +1`]) {
        const record = await onlyConnectionIn(conversation(SYN, `S > C ${old}`, after));

        expect(record.handshake.kind).toBe('unanswered');
        expect(record.close).toMatchObject({ kind: 'open', certainty: 'proven', resetBy: null });
        expect(path(record.states.client)).toBe('SYN_SENT');
        expect(path(record.states.server)).toBe('LISTEN');
        expect(codes(record)).toContain('bad-handshake-ack');
      }
    }
  });
});

test('a server that repeats what the older connection left refused the SYN none the less', async () => {
  const { handshake, close } = await onlyConnectionIn(segments`
    ${SYN}
    S > C R. 0:0(0) ack 1
    S > C P. 7000000:7000100(100) ack -500000 +1`);

  expect(handshake.kind).toBe('refused');
  expect(close).toMatchObject({ kind: 'rst', resetBy: 'server', phase: 'handshake' });
});

test('an answer far away and not refused is none; one near by shows that the capture lacks the handshake', async () => {
  const far = await onlyConnectionIn(conversation(SYN, 'S > C . 700:700(0) ack 1500000000'));
  const near = await onlyConnectionIn(conversation(SYN, 'S > C P. 701:801(100) ack 901'));

  expect(far.handshake.kind).toBe('unanswered');
  expect(codes(far)).toEqual(['bad-handshake-ack']);
  expect(near.handshake.kind).toBe('partial');
  expect(codes(near)).toEqual([]);
});

test('the RST with which the client aborts later is its own, though its number is what a bad SYN-ACK acknowledged', async () => {
  const { close } = await onlyConnectionIn(segments`
    ${SYN}
    S > C S. 900:900(0) ack 101
    S > C S. 0:0(0) ack 1 +0.1
    C > S . 1:1(0) ack 1
    C > S P. 1:101(100) ack 1
    S > C . 1:1(0) ack 101
    C > S R 101:101(0)`);

  expect(close).toMatchObject({ kind: 'rst', resetBy: 'client', phase: 'established' });
});

test('the options of a SYN-ACK that acknowledges something else are not those of the server', async () => {
  const bad = 'S > C S. 900:900(0) ack 7000 <mss 500,wscale 2>';
  const only = await onlyConnectionIn(conversation(`${SYN} <mss 1460,wscale 7>`, bad));
  const { handshake, transfer } = await onlyConnectionIn(segments`
    ${SYN} <mss 1460,wscale 7>
    ${bad}
    S > C S. 0:0(0) ack 1 <mss 1400,sackOK,wscale 9> +0.1
    C > S . 1:1(0) ack 1 win 1000
    C > S P. 1:101(100) ack 1 win 1000
    S > C . 1:1(0) ack 101 win 1000`);

  expect(only.handshake.options.server).toBeNull();
  expect(handshake.options.server).toMatchObject({
    mss: 1400,
    windowScale: 9,
    sackPermitted: true,
  });
  expect(transfer.server.maxWindow).toBe(1000 << 9);
});
