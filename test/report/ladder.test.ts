/** The ladder diagram: hand-made conversations, drawn. */

import { describe, expect, test } from 'vitest';
import { toAscii } from '../../src/report/ascii.ts';
import { formatLadder, type LadderOptions } from '../../src/report/ladder.ts';
import { collectRows, foldRows } from '../../src/report/ladder-rows.ts';
import type { ConnectionRecord, SegmentView } from '../../src/report/record.ts';
import type { Side } from '../../src/tcp/verdicts.ts';
import { record } from '../support/records.ts';

const OPTIONS: LadderOptions = {
  width: 100,
  color: false,
  local: false,
  absolute: false,
  all: false,
};

function seg(
  frame: number,
  t: number,
  from: Side,
  flags: string,
  seq: number,
  ack: number | null,
  len = 0,
): SegmentView {
  return { frame, t, from, flags, seq, ack, len, window: 65535, duplicate: false };
}

const OPENING = [
  seg(1, 0, 'client', 'SYN', 1000, null),
  seg(2, 0.00012, 'server', 'SYN,ACK', 5000, 1001),
  seg(3, 0.00016, 'client', 'ACK', 1001, 5001),
];
const DATA = [
  seg(4, 0.001, 'client', 'PSH,ACK', 1001, 5001, 78),
  seg(5, 0.0011, 'server', 'ACK', 5001, 1079),
  seg(6, 0.002, 'server', 'PSH,ACK', 5001, 1079, 1024),
  { ...seg(7, 0.0021, 'server', 'PSH,ACK', 5001, 1079, 1024), duplicate: true },
  seg(8, 0.003, 'client', 'ACK', 1079, 6025),
];
const FOUR_WAY = [
  seg(9, 0.011, 'client', 'FIN,ACK', 1079, 6025),
  seg(10, 0.0111, 'server', 'ACK', 6025, 1080),
  seg(11, 0.0122, 'server', 'FIN,ACK', 6025, 1080),
  seg(12, 0.0123, 'client', 'ACK', 1080, 6026),
];

function draw(
  r: ConnectionRecord,
  segments: readonly SegmentView[],
  options: Partial<LadderOptions> = {},
): string {
  const collector = collectRows();
  for (const segment of segments) collector.add(segment);
  return formatLadder(r, collector.rows, { ...OPTIONS, ...options });
}

function longest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

const ALL = [...OPENING, ...DATA, ...FOUR_WAY];

test.each([60, 80, 120, 200])('a four-way close at %d columns', async (width) => {
  const text = draw(record(), ALL, { width });

  expect(longest(text)).toBeLessThanOrEqual(width);
  await expect(text).toMatchFileSnapshot(`__snapshots__/ladder-4-way-${width}.txt`);
});

test('--all draws every segment, --absolute the numbers of the wire', async () => {
  await expect(draw(record(), ALL, { all: true, absolute: true })).toMatchFileSnapshot(
    '__snapshots__/ladder-all-absolute.txt',
  );
});

test('in ASCII it keeps its columns', async () => {
  const text = toAscii(draw(record(), ALL, { width: 80 }));

  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  await expect(text).toMatchFileSnapshot('__snapshots__/ladder-ascii.txt');
});

test('a merged close shows CLOSE_WAIT and LAST_ACK of one instant', async () => {
  const r = record({
    lastFrame: 11,
    close: {
      kind: '3-way-merged',
      steps: [],
      evidence: [
        {
          frame: 10,
          proves: 'the FIN of the server is the first segment that acknowledges the FIN of frame 9',
        },
      ],
    },
    states: {
      client: [
        { state: 'SYN_SENT', t: 0, frame: 1 },
        { state: 'ESTABLISHED', t: 0.00012, frame: 2 },
        { state: 'FIN_WAIT_1', t: 0.011, frame: 9 },
        { state: 'TIME_WAIT', t: 0.0111, frame: 10 },
        { state: 'CLOSED', t: 60.0111, frame: null },
      ],
      server: [
        { state: 'LISTEN', t: 0, frame: null },
        { state: 'SYN_RECEIVED', t: 0, frame: 1 },
        { state: 'ESTABLISHED', t: 0.00016, frame: 3 },
        { state: 'CLOSE_WAIT', t: 0.0111, frame: 10 },
        { state: 'LAST_ACK', t: 0.0111, frame: 10 },
        { state: 'CLOSED', t: 0.0112, frame: 11 },
      ],
    },
  });
  const close = [
    seg(9, 0.011, 'client', 'FIN,ACK', 1079, 6025),
    seg(10, 0.0111, 'server', 'FIN,ACK', 6025, 1080),
    seg(11, 0.0112, 'client', 'ACK', 1080, 6026),
  ];

  await expect(draw(r, [...OPENING, ...DATA, ...close])).toMatchFileSnapshot(
    '__snapshots__/ladder-merged.txt',
  );
});

test('a reset names who sent it, and the advice of its finding', async () => {
  const r = record({
    lastFrame: 9,
    close: {
      kind: 'rst',
      initiator: 'server',
      timeWait: null,
      resetBy: 'server',
      phase: 'established',
      steps: [],
      evidence: [],
      doubt: 'a FIN before the RST that the capture lost would make it after-fin',
      certainty: 'likely',
    },
    states: {
      client: [{ state: 'CLOSED', t: 0.011, frame: 9 }],
      server: [{ state: 'CLOSED', t: 0.011, frame: 9 }],
    },
    findings: [
      {
        code: 'rst-unread-data',
        severity: 'problem',
        frames: [4, 9],
        what: 'The server closed with 78 bytes unread.',
        advice: 'Read to the end before closing.',
      },
    ],
  });

  await expect(
    draw(r, [...OPENING, ...DATA, seg(9, 0.011, 'server', 'RST,ACK', 6025, 1079)]),
  ).toMatchFileSnapshot('__snapshots__/ladder-rst.txt');
});

test('a simultaneous close leaves both in TIME_WAIT', () => {
  const text = draw(
    record({ close: { kind: 'simultaneous', initiator: 'both', timeWait: 'both' } }),
    ALL,
  );

  expect(text).toContain('each side sent its FIN before the other’s had reached it');
  expect(text).toContain('The server holds TIME_WAIT once it has the last ACK');
});

test('Fast Open counts the data that the SYN,ACK acknowledges', () => {
  const r = record({
    handshake: {
      fastOpen: true,
      steps: [
        {
          kind: 'SYN,ACK',
          frame: 2,
          t: 0,
          from: 'server',
          flags: 'SYN,ACK',
          seq: 5000,
          ack: 1011,
          len: 0,
          retransmission: false,
        },
      ],
    },
  });

  expect(draw(r, OPENING).replace(/\s+/g, ' ')).toContain(
    'client’s SYN and 10 bytes (1000 + 11 = 1011)',
  );
});

test('relative numbers count across the wrap at 2^32', () => {
  const r = record({ handshake: { isn: { client: 0xffffffff, server: 0xfffffff0 }, steps: [] } });
  const text = draw(r, [
    seg(1, 0, 'client', 'SYN', 0xffffffff, null),
    seg(2, 0, 'server', 'SYN,ACK', 0xfffffff0, 0),
  ]);

  expect(text).toContain('SYN,ACK seq 0 ack 1 ');
});

test('a segment that holds nothing new is marked as sent again', () => {
  expect(draw(record(), [...OPENING, seg(4, 1, 'client', 'SYN', 1000, null)])).toContain(
    'SYN seq 0 (again)',
  );
});

describe('segments that share a line', () => {
  const folded = (segments: readonly SegmentView[], width = 120): string =>
    draw(record(), [...OPENING, ...segments, ...FOUR_WAY], { width })
      .split('\n')
      .filter((line) => line.includes('┊') && !line.includes('MSL'))
      .join('\n');

  test('are counted beside what they hold together', () => {
    expect(folded(DATA)).toContain('┊       2 segments, 78 B ▶  ◀ 3 segments, 1.02 kB  in 2 ms ');
  });

  test('leave the count where there is no room', () => {
    expect(folded(DATA, 80)).toContain('┊     78 B ▶  ◀ 1.02 kB  in 2 ms     ┊');
  });

  test('take no time where there is one', () => {
    expect(folded([seg(4, 0.001, 'client', 'PSH,ACK', 1001, 5001, 78)])).toMatch(
      /┊ +1 segment, 78 B ▶ +┊/,
    );
  });

  test('are ACKs only where they carry nothing', () => {
    const first = seg(4, 0.001, 'client', 'PSH,ACK', 1001, 5001, 78);
    const shown = [{ ...OPENING[2], frame: 3 } as SegmentView, first];
    const ladder = draw(record({ close: { evidence: [{ frame: 4, proves: 'x' }] } }), [
      ...OPENING.slice(0, 2),
      ...shown,
      { ...first, frame: 5, t: 0.3 },
      seg(6, 0.4, 'server', 'ACK', 5001, 1079),
    ]);

    expect(ladder).toMatch(/┊ +1 segment ▶ {2}◀ 1 ACK {2}1 again {2}in 100 ms +┊/);
  });
});

test('names from a capture cannot steer the terminal', () => {
  const text = draw(record({ file: 'a\u001b]0;x\u0007.pcap' }), ALL);

  expect(text).toContain('a\\x1b]0;x\\x07.pcap');
  expect(text).not.toContain('\u001b');
});

test('a half-open connection without a close is drawn', () => {
  const r = record({
    handshake: { kind: 'half-open', steps: [] },
    close: {
      kind: 'open',
      initiator: null,
      timeWait: null,
      steps: [],
      evidence: [],
      complete: false,
    },
    states: { client: [{ state: 'SYN_SENT', t: 0, frame: 1 }], server: [] },
  });

  expect(draw(r, OPENING.slice(0, 2))).toContain('Left half-open');
});

test('beyond the limit plain segments are folded as they come, and a late FIN still has its line', () => {
  const collector = collectRows(3);
  for (const segment of [...ALL]) collector.add(segment);
  const folded = collector.rows.filter((row) => row.kind === 'fold');

  expect(folded).toHaveLength(3);
  expect(folded[0]).toMatchObject({
    segments: { client: 2, server: 3 },
    bytes: { client: 78, server: 1024 },
  });
  expect(
    collector.rows.flatMap((row) => (row.kind === 'segment' ? [row.segment.frame] : [])),
  ).toEqual([1, 2, 3, 9, 11]);
});

test('folding keeps opening and close, and counts payload once', () => {
  const collector = collectRows();
  for (const segment of ALL) collector.add(segment);
  const rows = foldRows(collector.rows, record());

  expect(rows).toHaveLength(8);
  expect(rows[3]).toMatchObject({
    kind: 'fold',
    bytes: { client: 78, server: 1024 },
    segments: { client: 2, server: 3 },
  });
});
