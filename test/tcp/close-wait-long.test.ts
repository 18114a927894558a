/** One end closed, the other never does: how long it was watched doing nothing, by the time of the capture. */

import { expect, test } from 'vitest';
import { runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { explain } from '../../src/report/explain.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { connectionsIn, segments } from '../support/fixtures.ts';

const OPEN = 'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1\nC > S . 1:1(0) ack 1\n';
/** At 0.1 s the client closes, at 0.2 s its FIN is acknowledged. */
const LEFT_OPEN = `${OPEN}C > S F. 1:1(0) ack 1 @0.1\nS > C . 1:1(0) ack 2 @0.2\n`;
const OTHERS = 'host X 10.0.0.9:50000\nhost Y 10.0.0.8:443\n';

async function first(text: string): Promise<ConnectionRecord> {
  const [record] = await connectionsIn(segments`${text}`);
  if (record === undefined) throw new Error('no connection');
  return record;
}

function saidOf({ findings }: ConnectionRecord, code: string): string | undefined {
  return findings.find((finding) => finding.code === code)?.what;
}

test('a socket left in CLOSE_WAIT is a problem where the capture goes on, though the connection is silent', async () => {
  const record = await first(`${OTHERS}${LEFT_OPEN}X > Y . 1:1(0) ack 1 @300\n`);

  expect(saidOf(record, 'close-wait-long')).toBe(
    'The server stayed in CLOSE_WAIT for 5 min 00 s and was still there when the capture ended: its application did not close.',
  );
  expect(record.findings.map(({ code, severity }) => [code, severity])).toEqual([
    ['close-wait-long', 'problem'],
    ['fin-wait-2-long', 'warning'],
  ]);
  expect(saidOf(record, 'fin-wait-2-long')).toBe(
    "The client had waited 5 min 00 s in FIN_WAIT_2 when the capture ended, unless it had given up before: the other side's FIN never came.",
  );
  expect(record.close).toMatchObject({ kind: 'half-closed', closeWait: null, finWait2: null });
  expect(record.duration).toBe(0.2);
});

test('frames that are not TCP show as well that the capture goes on', async () => {
  const record = await first(`${LEFT_OPEN}S > C udp len 10 @12.6\n`);

  expect(saidOf(record, 'close-wait-long')).toContain('for 12.5 s and was still there');
  expect(saidOf(record, 'fin-wait-2-long')).toBeUndefined();
});

test.each([
  ['the capture ends within ten seconds', 'S > C udp len 10 @10.0\n'],
  [
    'only a frame in the middle comes from the future',
    'X > Y . 1:1(0) ack 1 @9000\nX > Y . 1:1(0) ack 1 @1\n',
  ],
  ['it was reset', 'C > S R 2:2(0) @1\nS > C udp len 10 @50\n'],
  [
    'both have closed',
    'S > C F. 1:1(0) ack 2 @1\nC > S . 2:2(0) ack 2 @1.1\nS > C udp len 10 @50\n',
  ],
  ['the last ACK is missing', 'S > C F. 1:1(0) ack 2 @1\nS > C udp len 10 @50\n'],
])('nothing is found where %s', async (_, rest) => {
  const record = await first(`${OTHERS}${LEFT_OPEN}${rest}`);

  expect(record.findings.filter(({ code }) => code.endsWith('-long'))).toEqual([]);
});

test('one that was let go for silence, or whose ports were taken again, was watched until then', async () => {
  const noise = Array.from({ length: 8200 }, () => 'X > Y . 1:1(0) ack 1 @93600\n').join('');
  const silent = await first(`${OTHERS}${LEFT_OPEN}${noise}`);
  const reused = await first(
    `${OTHERS}${LEFT_OPEN}isn C 900000\nC > S S 0:0(0) @20.1\nX > Y . 1:1(0) ack 1 @300\n`,
  );

  expect(saidOf(silent, 'close-wait-long')).toContain(
    'for 26 h 00 min and was still there when finwait let it go:',
  );
  expect(saidOf(reused, 'close-wait-long')).toContain(
    'for 20 s and was still there when a new connection took its ports:',
  );
});

test('the time is the same whatever the chunks and batches', async () => {
  const noise = Array.from(
    { length: 700 },
    (_, i) => `X > Y . 1:1(0) ack 1 @${1 + i * 0.1}\n`,
  ).join('');
  const bytes = segments`${`${OTHERS}${LEFT_OPEN}${noise}S > C udp len 10 @80.1\n`}`;
  const said = new Set<string | undefined>();

  for (const chunkBytes of [7, 500, 65_536]) {
    const source = await openCapture(bytes, { chunkBytes });
    await runAnalysis(source, {
      onRecord(record) {
        if (record.stream === 0) said.add(saidOf(record, 'close-wait-long'));
      },
    });
    await source.close();
  }

  expect([...said]).toEqual([expect.stringContaining('for 1 min 20 s')]);
});

test('in words: since when the end is in CLOSE_WAIT, and nothing of how long the close took', async () => {
  const record = await first(`${OTHERS}${LEFT_OPEN}X > Y . 1:1(0) ack 1 @300\n`);
  const closed = explain(record)
    .find(({ title }) => title === 'Closed')
    ?.sentences.join(' ');

  expect(closed).toContain(
    'The server is in CLOSE_WAIT from 100 ms on, to the end of what was captured: its application had not closed by then.',
  );
  expect(closed).not.toContain('The whole close took');
});
