/** What `show` says of a connection in words. */

import { expect, test } from 'vitest';
import { explain } from '../../src/report/explain.ts';
import { OPENED, onlyConnectionIn, segments } from '../support/fixtures.ts';

/** The sentences of one paragraph. */
async function said(title: string, capture: Uint8Array): Promise<string> {
  const paragraphs = explain(await onlyConnectionIn(capture));
  return paragraphs.find((paragraph) => paragraph.title === title)?.sentences.join(' ') ?? '';
}

test('what the answer to a SYN acknowledges: the SYN, its data, its FIN', async () => {
  const opened = (syn: string, ack: number, synAck = 'S. 0:0(0)', last = 1) =>
    said(
      'Opened',
      segments`
      C > S ${syn}
      S > C ${synAck} ack ${ack}
      C > S . ${ack}:${ack}(0) ack ${last}`,
    );

  expect(await opened('S 0:0(0)', 1)).toContain('the client’s SYN (1000 + 1 = 1001),');
  expect(await opened('S 0:1(1)', 2)).toContain('the client’s SYN and 1 byte (1000 + 2 = 1002),');
  expect(await opened('S 0:9(9)', 10)).toContain('the client’s SYN and 9 bytes (');
  expect(await opened('SF 0:0(0)', 2)).toContain('the client’s SYN and FIN (1000 + 2 = 1002),');
  expect(await opened('SF 0:0(0)', 1)).toContain('the client’s SYN (1000 + 1 = 1001),');
  expect(await opened('SF 0:9(9)', 11)).toContain('the client’s SYN and 9 bytes and FIN (');
  expect(await opened('S 0:0(0)', 1, 'SF. 0:0(0)', 2)).toContain('the server’s SYN and FIN (');
});

test('whether nothing came back for the SYN, or nothing that answers it', async () => {
  expect(await said('Opened', segments`C > S S 0:0(0)`)).toBe(
    'Unanswered: nothing came back for the SYN.',
  );
  expect(
    await said(
      'Opened',
      segments`
    C > S S 0:0(0)
    S > C R. 0:0(0) ack 77`,
    ),
  ).toBe('Unanswered: nothing that came back answers the SYN.');
});

test('one byte is in the singular wherever a finding counts them', async () => {
  const whats = async (text: string) => {
    const { findings } = await onlyConnectionIn(segments`${OPENED}${text}`);
    return findings.map(({ what }) => what).join(' ');
  };
  const late = `
    C > S F. 1:1(0) ack 1
    S > C P. 1:2(1) ack 2`;

  expect(await whats(`${late}\nC > S . 2:2(0) ack 2`)).toContain('still sent 1 byte:');
  expect(await whats(`${late}\nC > S R 2:2(0)`)).toContain('answered 1 byte that');
  expect(await whats('C > S P. 1:2(1) ack 1\nS > C R. 1:1(0) ack 2')).toContain('(1 byte in all)');
  expect(await whats('S > C . 1:1(0) ack 2\nC > S . 2:2(0) ack 1')).toContain(
    'lost frames near the close: 1 byte acknowledged but not in it.',
  );
  expect(await whats('S > C . 1:1(0) ack 1 win 0')).toContain('(1 segment with window 0)');
});
