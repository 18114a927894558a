/** A connection whose segments were only noted leaves as it would have, had it been followed from its first segment on. */

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { PayloadListener, RunOptions } from '../../src/analysis-run.ts';
import { type AnalyzeOptions, runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import * as L from '../../src/tcp/layout.ts';
import { P_RECORD, PackedConnections } from '../../src/tcp/packed.ts';
import { StoryPool } from '../../src/tcp/story.ts';
import { ALIKE } from '../support/alike.ts';
import { sumOverCaptures } from '../support/captures.ts';
import { textOf } from '../support/finished-text.ts';
import { OPENED, OPENED_AND_CLOSED, segments } from '../support/fixtures.ts';
import { floodAndWeb } from '../support/generated.ts';
import { hasSameOutline } from '../support/outlines.ts';
import { readPcap, writePcap } from '../support/pcap.ts';
import { simulate } from '../support/tcp-model.ts';
import { pcapOf, plans, shotsOf } from '../support/tcp-model-capture.ts';

const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 300);

const MSL_SEC = 30;

/** In a frame of Ethernet and IPv4 without options. */
const ACK_OFFSET = 14 + 20 + 8;
const HALF_OF_ALL_NUMBERS = 0x8000_0000;
const HALF_OF_ANY_FLIGHT = 1_010_000_000;

/** Whoever asks for payload has every connection followed from its first segment on. */
const IGNORED: PayloadListener = { onSegment() {}, onFinished() {} };

type Options = Pick<AnalyzeOptions, 'maxConnections'>;

async function leaving(
  input: string | Uint8Array,
  options: Partial<RunOptions>,
): Promise<{ connections: string[]; noted: number; totals: unknown }> {
  const packed = new PackedConnections(new ArrayBuffer(1 << 20));
  const connections: string[] = [];
  let noted = 0;
  const source = await openCapture(input, {});
  const totals = await runAnalysis(source, {
    ...options,
    onRecord() {},
    takeFinished(connection) {
      packed.used = 0;
      connection.pack(packed);
      if ((packed.words[P_RECORD + L.HOT_BITS]! & L.NOTED) !== 0) {
        noted++;
        hasSameOutline(connection, MSL_SEC);
      }
      packed.forEach((finished) => {
        connections.push(textOf(finished));
      });
      return true;
    },
  });
  await source.close();
  return { connections, noted, totals };
}

/** Compares, and returns how many connections were noted to their end. */
async function compare(input: string | Uint8Array, options: Options = {}): Promise<number> {
  const followed = await leaving(input, { ...options, payload: IGNORED });
  const now = await leaving(input, options);
  expect(followed.noted).toBe(0);
  expect(now.totals).toEqual(followed.totals);
  expect(now.connections).toEqual(followed.connections);
  return now.noted;
}

test('in every fixture and every capture of FINWAIT_CAPTURES', async () => {
  const noted = await sumOverCaptures(compare);

  expect(noted).toBeGreaterThan(20);
});

test('in random conversations, their frames lost, doubled and out of order', async () => {
  const one = fc.record({
    plan: plans({ resets: true, losses: ['none', 'none', 'before', 'after'], spareAcks: true }),
    drop: fc.array(fc.nat(30), { maxLength: 2 }),
    swap: fc.array(fc.nat(30), { maxLength: 2 }),
    repeat: fc.option(fc.nat(30)),
  });
  let noted = 0;

  await fc.assert(
    fc.asyncProperty(one, async ({ plan, drop, swap, repeat }) => {
      const shots = shotsOf(simulate(plan).captured).filter((_, i) => !drop.includes(i));
      for (const i of swap) {
        const [a, b] = [shots[i], shots[i + 1]];
        if (a === undefined || b === undefined) continue;
        shots.splice(i, 2, { ...b, tNs: a.tNs }, { ...a, tNs: b.tNs });
      }
      const again = repeat === null ? undefined : shots[repeat];
      if (again !== undefined) shots.splice(repeat!, 0, again);
      noted += await compare(pcapOf(shots, plan));
    }),
    { seed: 793, numRuns: RUNS * 3 },
  );

  expect(noted).toBeGreaterThan(RUNS / 10);
});

test('in connections that are alike but for one thing', async () => {
  let noted = 0;
  for (const text of ALIKE) noted += await compare(segments`${text}`);

  expect(noted).toBeGreaterThan(ALIKE.length / 4);
});

test('where a SYN has a number in the field for acknowledgements that its sender acknowledges next', async () => {
  const frames = readPcap(segments`${OPENED_AND_CLOSED}`);
  const [syn, synAck] = frames.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset));
  if (syn === undefined || synAck === undefined) throw new Error('no handshake');
  syn.setUint32(ACK_OFFSET, synAck.getUint32(ACK_OFFSET - 4) + 1);

  expect(await compare(writePcap(frames))).toBe(0);
});

test('where an ACK has the number 0, or one that is both before and behind all others', async () => {
  for (const next of ['', 'C > S P. 1:11(10) ack 1', 'S > C P. 1:301(300) ack 1']) {
    for (const number of [0, 1, 900_001 + HALF_OF_ALL_NUMBERS]) {
      const frames = readPcap(segments`
        isn S 900000
        ${OPENED}
        ${next}
      `);
      const ack = frames[2]!.bytes;
      new DataView(ack.buffer, ack.byteOffset).setUint32(ACK_OFFSET, number);

      expect(await compare(writePcap(frames))).toBe(0);
    }
  }
});

test('where segments say that they are longer than any flight', async () => {
  const frames = readPcap(segments`
    ${OPENED}
    C > S P. 1:11(10) ack 1 iplen0
    C > S P. 11:21(10) ack 1 iplen0
  `);
  const longer = frames.map((frame, i) =>
    i < 3 ? frame : { ...frame, originalLen: frame.originalLen + HALF_OF_ANY_FLIGHT },
  );
  const { buffer, byteOffset } = longer[4]!.bytes;
  const last = new DataView(buffer, byteOffset);
  last.setUint32(ACK_OFFSET - 4, last.getUint32(ACK_OFFSET - 4) + HALF_OF_ANY_FLIGHT);

  expect(await compare(writePcap(longer))).toBe(0);
});

test('notes that are taken up are not taken for the first frames of the capture', async () => {
  // The third frame and its copy; the RST is noted as the third and fourth of its connection.
  const copied = `
    host D 10.0.9.1:1
    ${OPENED.replaceAll('C >', 'D >').replaceAll('> C', '> D')}
    dup
    ${OPENED}
    C > S R. 1:1(0) ack 1
    S > C . 1:1(0) ack 1
  `;
  // An ACK of a number behind that of the FIN, from an end that has acknowledged nothing.
  const beyond = `
    host D 10.0.9.1:1
    isn D 3500000000
    isn S 3000000000
    S > D . 1:1(0) ack 1
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
    S > C F. 1:1(0) ack 1
    C > S . 1:1(0) ack 2 win 0
  `;

  for (const text of [copied, beyond]) expect(await compare(segments`${text}`)).toBeLessThan(2);
});

test('a connection that nobody but its server speaks on is let go as early', async () => {
  const answers = Array.from({ length: 30 }, (_, i) => `S > C P. ${i + 1}:${i + 2}(1) ack 1`);
  const others = Array.from({ length: 8200 }, () => 'S > D . 1:2(1) ack 1 +0.0001');
  const text = `
    host D 10.0.9.1:1
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
    ${answers.join('\n')}
    S > D . 1:2(1) ack 1 +1000
    ${others.join('\n')}
  `;

  expect(await compare(segments`${text}`)).toBe(0);
});

test('in a flood, and in short connections with their ports used again, over IPv4 and IPv6', async () => {
  for await (const capture of floodAndWeb()) {
    expect(await compare(capture)).toBeGreaterThan(300);
    expect(await compare(capture, { maxConnections: 100 })).toBeGreaterThan(300);
  }
});

test('connections leave in the same order where frames come late to one that was closed', async () => {
  const closedBy = (name: string) =>
    OPENED_AND_CLOSED.replaceAll('C >', `${name} >`).replaceAll('> C', `> ${name}`);
  const others = [...'ABDEF'].map(
    (name, i) =>
      `host ${name} 10.0.1.1:${41_000 + i}\nS > ${name} udp len 9 +${i === 0 ? 9 : 24}\n${closedBy(name)}`,
  );
  for (const after of ['+1', '+20', '+59']) {
    const text = `${OPENED_AND_CLOSED}\nS > C F. 1:1(0) ack 2 ${after}\n${others.join('\n')}`;
    expect(await compare(segments`${text}`)).toBe(others.length);
  }
});

test('notes that are taken up give their memory back', async () => {
  const blocks: number[] = [];
  for (const options of [{}, { payload: IGNORED }]) {
    const reserve = vi.spyOn(StoryPool.prototype, 'reserve');
    const long = conversationOf(Array(30).fill('request'), 'client').lines;
    const conversations = Array.from({ length: 300 }, (_, i) =>
      [
        `isn C ${1000 + i * 1_000_000}`,
        'C > S S 0:0(0)\nS > C S. 0:0(0) ack 1',
        ...long,
        'C > S . 9002:9002(0) ack 2 win 0 +7',
      ].join('\n'),
    );
    await leaving(segments`${conversations.join('\n')}`, options);
    blocks.push(Math.max(...reserve.mock.contexts.map((pool) => (pool as StoryPool).blocks)));
    reserve.mockRestore();
  }

  const [noted = 0, followed = 0] = blocks;
  expect(followed).toBeGreaterThan(0);
  expect(noted).toBeLessThan(followed + 30);
});

/** What goes by the book on an open connection, and what doesn't. */
const USUAL = ['request', 'answer', 'answer', 'ackByClient', 'ackByServer', 'wait'] as const;
const ODD = ['keepAlive', 'again', 'zeroWindow', 'otherTtl', 'byteAhead', 'back'] as const;
type Event = (typeof USUAL)[number] | (typeof ODD)[number];
/** With a shift of 2 these windows hold one answer, and one request. */
const CLIENT_WINDOW = 362;
const SERVER_WINDOW = 75;

test('in conversations longer than there is room in a record, and longer than is noted', async () => {
  const event = fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom<Event>(...USUAL) },
    { weight: 1, arbitrary: fc.constantFrom<Event>(...ODD) },
  );
  const one = fc.record({
    events: fc.array(event, { minLength: 5, maxLength: 70 }),
    close: fc.constantFrom('none', 'client', 'server', 'reset', 'half'),
    scaled: fc.boolean(),
    stack: fc.boolean(),
  });
  const noted = { toTheEnd: 0, beyondRecord: 0 };

  await fc.assert(
    fc.asyncProperty(one, async ({ events, close, scaled, stack }) => {
      const { lines, segmentCount } = conversationOf(events, close);
      const syn = scaled ? ' <mss 1460,sackOK,nop,wscale 2>' : '';
      const text = `
        ${stack ? 'stack linux' : ''}
        C > S S 0:0(0) win ${CLIENT_WINDOW} @9${stack ? '' : syn}
        S > C S. 0:0(0) ack 1 win ${SERVER_WINDOW}${stack ? '' : syn}
        ${lines.join('\n')}
      `;
      const n = await compare(segments`${text}`);
      noted.toTheEnd += n;
      if (segmentCount > L.NOTES_INSIDE) noted.beyondRecord += n;
    }),
    { seed: 48, numRuns: RUNS * 2 },
  );

  expect(noted.toTheEnd).toBeGreaterThan(RUNS / 10);
  expect(noted.beyondRecord).toBeGreaterThan(RUNS / 20);
});

/** The segments of an open connection to which `events` happen, then its close. */
function conversationOf(
  events: readonly Event[],
  close: string,
): { lines: string[]; segmentCount: number } {
  const next = { C: 1, S: 1 };
  const seen = { C: 1, S: 1 };
  const lines = [`C > S . 1:1(0) ack 1 win ${CLIENT_WINDOW}`];
  let gap = '';
  const send = (from: 'C' | 'S', flags: string, len: number, words = '', shift = 0): void => {
    const to = from === 'C' ? 'S' : 'C';
    const seq = next[from] + shift;
    if (shift >= 0) next[from] = seq + len + (flags.includes('F') ? 1 : 0);
    seen[to] = next[to];
    const win = words.includes('win') ? '' : `win ${from === 'C' ? CLIENT_WINDOW : SERVER_WINDOW}`;
    lines.push(
      `${from} > ${to} ${flags} ${seq}:${seq + len}(${len}) ack ${next[to]} ${win} ${words}${gap}`,
    );
    gap = '';
  };
  for (const event of events) {
    if (event === 'request') send('C', 'P.', 300);
    else if (event === 'answer') send('S', '.', 1448);
    // An ACK of nothing new would be a duplicate: only what is due.
    else if (event === 'ackByClient' && seen.S < next.S) send('C', '.', 0);
    else if (event === 'ackByServer' && seen.C < next.C) send('S', '.', 0);
    else if (event === 'wait') gap = ' +7';
    else if (event === 'keepAlive') send('C', '.', 0, '', -1);
    else if (event === 'again') lines.push(lines.at(-1) ?? '');
    else if (event === 'zeroWindow') send('C', '.', 0, 'win 0');
    else if (event === 'otherTtl') send('S', 'P.', 10, 'ttl 9');
    else if (event === 'byteAhead') send('C', 'P.', 5, '', 5);
    else if (event === 'back') send('S', '.', 0, '-0.05');
  }
  if (close === 'reset') send('C', 'R.', 0);
  if (close === 'client' || close === 'half') send('C', 'F.', 0);
  if (close === 'half') for (let i = 0; i < 6; i++) send('S', '.', 100);
  if (close !== 'none' && close !== 'reset') {
    send('S', 'F.', 0);
    send('C', close === 'server' ? 'F.' : '.', 0);
    if (close === 'server') send('S', '.', 0);
  }
  return { lines, segmentCount: lines.length + 2 };
}
