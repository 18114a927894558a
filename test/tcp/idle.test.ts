/** How long a silent connection is waited for. */

import { expect, test } from 'vitest';
import { runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { FILE_IDLE, idleLimitSec, LIVE_IDLE } from '../../src/tcp/idle.ts';
import { FIN_SENT, SPOKE, STEADY, SYN_ACK_SENT, SYN_SENT } from '../../src/tcp/layout.ts';
import { frameOf, type TestFrame, writePcap } from '../support/pcap.ts';

const LIVE = { ...LIVE_IDLE, closingSec: 60 };

test('what both ends have closed, an opening, a half-closed and an open connection each have a limit of their own', () => {
  for (const limits of [LIVE, FILE_IDLE]) {
    expect(idleLimitSec(SYN_SENT | FIN_SENT | (FIN_SENT << 1), limits)).toBe(limits.closingSec);
    expect(idleLimitSec(SYN_SENT, limits)).toBe(limits.openingSec);
    expect(idleLimitSec(FIN_SENT << 1, limits)).toBe(limits.halfClosedSec);
    expect(idleLimitSec(STEADY, limits)).toBe(limits.openSec);
  }
});

test('a connection is open once the SYN-ACK was acknowledged, whichever end is the server', () => {
  for (const server of [0, 1]) {
    const answered = (SYN_SENT << (1 - server)) | (SYN_ACK_SENT << server);

    expect(idleLimitSec(answered, LIVE)).toBe(LIVE.openingSec);
    expect(idleLimitSec(answered | (SPOKE << server), LIVE)).toBe(LIVE.openingSec);
    expect(idleLimitSec(answered | (SPOKE << (1 - server)), LIVE)).toBe(LIVE.openSec);
  }
});

test('an open connection outlives the keep-alives of Linux, 7200 s and 9 × 75 s', () => {
  expect(LIVE.openSec).toBeGreaterThan(7200 + 9 * 75);
});

const RAW_IP = 101;
const START = 1_700_000_000;
const HOUR = 3600;
const [FIN, SYN, ACK] = [1, 2, 16];

/** A segment between 10.0.0.1 and 10.0.0.2 `sec` seconds after the start; `port` is the client's. */
function segment(
  sec: number,
  port: number,
  flags: number,
  { seq = 1, ack = 1, isAnswer = false } = {},
): TestFrame {
  const bytes = new Uint8Array(40);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, 40);
  view.setUint8(8, 64);
  view.setUint8(9, 6);
  view.setUint32(12, isAnswer ? 0x0a000002 : 0x0a000001);
  view.setUint32(16, isAnswer ? 0x0a000001 : 0x0a000002);
  view.setUint16(20, isAnswer ? 80 : port);
  view.setUint16(22, isAnswer ? port : 80);
  view.setUint32(24, seq);
  view.setUint32(28, (flags & ACK) === 0 ? 0 : ack);
  view.setUint8(32, 0x50);
  view.setUint8(33, flags);
  view.setUint16(34, 1024);
  return { ...frameOf(RAW_IP, bytes), tsSec: START + sec };
}

/** A handshake at second `sec`. */
function shaken(sec: number, port: number): TestFrame[] {
  return opened(sec, port).slice(0, 3);
}

/** An opened connection at second `sec`. */
function opened(sec: number, port: number): TestFrame[] {
  return [
    segment(sec, port, SYN, { seq: 0 }),
    segment(sec, port, SYN | ACK, { seq: 0, isAnswer: true }),
    segment(sec, port, ACK),
    segment(sec, port, ACK, { isAnswer: true }),
  ];
}

/** So many segments of one other connection that silence is looked for at least once. */
function chatter(sec: number): TestFrame[] {
  return Array.from({ length: 8192 }, (_, i) => segment(sec, 9000, ACK, { seq: 1, ack: 1 + i }));
}

async function run(
  frames: readonly TestFrame[],
): Promise<{ records: ConnectionRecord[]; evicted: number }> {
  const records: ConnectionRecord[] = [];
  const source = await openCapture(writePcap(frames), {});
  const { evicted } = await runAnalysis(source, { onRecord: (record) => records.push(record) });
  return { records, evicted };
}

test('in a file an open connection is let go after two days of silence, before the file ends', async () => {
  const { records, evicted } = await run([
    ...opened(0, 5000),
    ...chatter(1),
    ...chatter(49 * HOUR),
    segment(50 * HOUR, 5000, FIN | ACK),
  ]);

  expect(evicted).toBe(1);
  expect(records[0]).toMatchObject({ stream: 0, client: { port: 5000 }, close: { kind: 'open' } });
  expect(records.map((record) => record.client.port)).toEqual([5000, 9000, 5000]);
});

test('a day of silence is not enough, and a SYN that nobody answers waits a quarter of an hour', async () => {
  const silent = segment(0, 5001, SYN, { seq: 0 });

  const { records, evicted } = await run([
    ...opened(0, 5000),
    silent,
    ...chatter(1),
    ...chatter(24 * HOUR),
    segment(24 * HOUR, 5000, FIN | ACK),
  ]);

  expect(evicted).toBe(1);
  expect(records[0]).toMatchObject({ client: { port: 5001 }, handshake: { kind: 'unanswered' } });
  expect(records.find((record) => record.stream === 0)?.close.kind).toBe('half-closed');
});

test('a connection that never sent anything after its handshake stays one for days', async () => {
  const { records, evicted } = await run([
    ...shaken(0, 5000),
    ...chatter(1),
    ...chatter(20 * HOUR),
    segment(20 * HOUR, 5000, FIN | ACK),
    segment(20 * HOUR, 5000, FIN | ACK, { ack: 2, isAnswer: true }),
    segment(20 * HOUR, 5000, ACK, { seq: 2, ack: 2 }),
  ]);

  expect(evicted).toBe(0);
  expect(records.find((record) => record.client.port === 5000)).toMatchObject({
    stream: 0,
    handshake: { kind: '3-way' },
    close: { kind: '3-way-merged' },
  });
});

test('one frame from the future lets nothing go', async () => {
  const { records, evicted } = await run([
    ...opened(0, 5000),
    ...chatter(1),
    segment(900 * HOUR, 9000, ACK),
    ...chatter(2),
    segment(3, 5000, FIN | ACK),
  ]);

  expect(evicted).toBe(0);
  expect(records.map((record) => record.stream)).toEqual([0, 1]);
});
