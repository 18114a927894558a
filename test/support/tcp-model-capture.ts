/** From the segments of the model to a capture, and from a record to words that can be compared. */

import fc from 'fast-check';
import { buildCapture } from '../../fixtures/containers.ts';
import type { Host, TcpFrame } from '../../fixtures/notation.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import {
  type End,
  F_ACK,
  F_SYN,
  type Outcome,
  type Plan,
  type Segment,
  simulate,
} from './tcp-model.ts';

const MS = 1_000_000;

/** A frame of the capture: the segment, when it was captured, and how far the copy travelled. */
export interface Shot {
  segment: Segment;
  tNs: number;
  hops: number;
}

export interface Look {
  isn: readonly [number, number];
  timestamps: boolean;
  hosts?: readonly [Host, Host];
}

export const IPV4: readonly [Host, Host] = [
  { ip: '10.0.0.1', port: 40_000 },
  { ip: '10.0.0.2', port: 80 },
];

/** Every segment as it passed the capture point. */
export function shotsOf(captured: readonly Segment[]): Shot[] {
  return captured.map((segment) => ({ segment, tNs: segment.tapNs, hops: 0 }));
}

/** A nanosecond pcap of the frames. */
export function pcapOf(shots: readonly Shot[], look: Look): Uint8Array {
  const hosts = look.hosts ?? IPV4;
  const items = shots.map(({ segment: s, tNs, hops }): TcpFrame => {
    const options = look.timestamps ? ['nop', 'nop', `TS val ${s.tsVal} ecr ${s.tsEcr}`] : [];
    if ((s.flags & F_SYN) !== 0) options.unshift('mss 1460');
    const other = s.from === 0 ? 1 : 0;
    return {
      kind: 'tcp',
      line: 0,
      tNs: tNs + 1_000_000,
      from: hosts[s.from]!,
      to: hosts[other]!,
      ttl: 64 - hops,
      id: 1 + (s.id % 65_000),
      vlan: null,
      iface: 0,
      block: 'epb',
      flags: s.flags,
      seq: (look.isn[s.from]! + s.seq) >>> 0,
      ack: (s.flags & F_ACK) === 0 ? 0 : (look.isn[other]! + s.ack) >>> 0,
      len: s.len,
      relSeq: s.seq,
      window: 65_535,
      options,
      frag: null,
      ipLen0: false,
      badChecksum: false,
      dup: false,
      comment: null,
    };
  });
  return buildCapture({
    title: 'model',
    format: 'pcap-ns',
    link: 'ethernet',
    snapLen: 262_144,
    items,
    expectations: [],
  });
}

/** A frame of one of many conversations. */
export interface Frame {
  shot: Shot;
  look: Look;
}

/** One nanosecond pcap of the frames of many conversations: the records are joined behind the first file header. */
export function joined(frames: readonly Frame[]): Uint8Array {
  const pieces = frames.map(({ shot, look }, i) => {
    const bytes = pcapOf([shot], look);
    return i === 0 ? bytes : bytes.subarray(24);
  });
  return new Uint8Array(Buffer.concat(pieces));
}

/** Hosts that share addresses with those of other ports. */
export function hostsOf(port: number, six: boolean): [Host, Host] {
  return six
    ? [
        { ip: `2001:db8::${(port % 7) + 1}`, port: 40_000 + port },
        { ip: '2001:db8::ff', port: 80 },
      ]
    : [
        { ip: `10.0.${port % 3}.1`, port: 40_000 + port },
        { ip: '10.0.1.2', port: 80 },
      ];
}

/** The frames as tcpdump would list them: what a counterexample is read from. */
export function listing(shots: readonly Shot[]): string {
  const names = ['F', 'S', 'R', 'P', '.'];
  return shots
    .map(({ segment: s, tNs }, i) => {
      const flags = names.filter((_, bit) => (s.flags & (1 << bit)) !== 0).join('');
      const ack = (s.flags & F_ACK) === 0 ? '' : ` ack ${s.ack}`;
      const way = s.from === 0 ? 'C > S' : 'S > C';
      return `${i + 1}: ${(tNs / 1e9).toFixed(6)} ${way} ${flags} ${s.seq}:${s.seq + s.len}(${s.len})${ack}`;
    })
    .join('\n');
}

/** Which end of the model is the record's client. */
export function clientEnd(record: ConnectionRecord, hosts = IPV4): End {
  return record.client.ip === hosts[0]!.ip && record.client.port === hosts[0]!.port ? 0 : 1;
}

/** The path of an end as `'SYN_SENT > ESTABLISHED'`. */
export function pathOf(entries: readonly { state: string }[]): string {
  return entries.map((entry) => entry.state).join(' > ');
}

const delayNs = fc.integer({ min: 0, max: 40_000 }).map((n) => n * 1000 + 1);
const isn = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.integer({ min: 0xffff_f000, max: 0xffff_ffff }),
  fc.integer({ min: 0x7fff_f000, max: 0x8000_0fff }),
);
const end = fc.constantFrom<End>(0, 1);
const atNs = fc.integer({ min: 0, max: 600_000 }).map((n) => n * 1000);
const send = fc.record({
  end,
  kind: fc.constant('send' as const),
  atNs,
  bytes: fc.integer({ min: 1, max: 3500 }),
});
const close = fc.record({
  end,
  kind: fc.constantFrom('close' as const, 'close' as const, 'orphan' as const),
  atNs: fc.integer({ min: 300_000, max: 700_000 }).map((n) => n * 1000),
  bytes: fc.constant(0),
});
const abort = fc.record({
  end,
  kind: fc.constant('abort' as const),
  atNs: fc.integer({ min: 300_000, max: 800_000 }).map((n) => n * 1000),
  bytes: fc.constant(0),
});
const wait = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 0, max: 300 }).map((n) => n * MS),
);
const ackDelay = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 200 }).map((n) => n * MS),
);

/** How a random conversation may go. */
export interface Kinds {
  openings?: readonly Plan['opening'][];
  resets?: boolean;
  losses?: readonly ('none' | 'before' | 'after')[];
  spareAcks?: boolean;
}

/** Random conversations. */
export function plans(kinds: Kinds = {}): fc.Arbitrary<Plan> {
  const { openings = ['client'], resets = false, losses = [], spareAcks = false } = kinds;
  return fc
    .record({
      isn: fc.tuple(isn, isn),
      toTapNs: fc.tuple(delayNs, delayNs),
      beyondTapNs: fc.tuple(delayNs, delayNs),
      timestamps: fc.boolean(),
      opening: fc.constantFrom(...openings),
      ackDelayNs: fc.tuple(ackDelay, ackDelay),
      closeAfterFinNs: fc.tuple(wait, wait),
      sends: fc.array(send, { maxLength: 4 }),
      closes: fc.array(close, { maxLength: 2 }),
      aborts: resets ? fc.array(abort, { maxLength: 1 }) : fc.constant([]),
      losses:
        losses.length === 0
          ? fc.constant([])
          : fc.array(fc.constantFrom(...losses), { maxLength: 30 }),
    })
    .map(({ sends, closes, aborts, ...plan }) => ({
      ...plan,
      spareAcks,
      actions: [
        ...sends,
        ...(resets ? closes : closes.map((c) => ({ ...c, kind: 'close' as const }))),
        ...aborts,
      ],
    }));
}

/**
 * The segments without which the kind can't be told: the first transmission of each FIN, and for a 4-way close one segment
 * of the passive end that covers the first FIN and was sent before its own.
 */
export function proofOf(truth: Outcome): Set<Segment> {
  const proof = new Set<Segment>();
  for (const fin of truth.fins) if (fin !== null) proof.add(fin);
  if (truth.ackBeforeFin !== null) proof.add(truth.ackBeforeFin);
  return proof;
}

/** How a capture is spoilt. */
export interface Mess {
  /** Per frame, used round and round: lost, captured twice, and how late it was written down. */
  frames: { lost: boolean; twice: boolean; lateUs: number }[];
  /** The frames keep the times at which they passed; otherwise those at which they were written down. */
  keepTimes: boolean;
}

/** Random ways to spoil a capture; no frame is written down later than `lateUs` microseconds. */
export const mess = (lateUs: number): fc.Arbitrary<Mess> =>
  fc.record({
    frames: fc.array(
      fc.record({
        lost: fc.boolean(),
        twice: fc.boolean(),
        lateUs: fc.integer({ min: 0, max: lateUs }),
      }),
      { minLength: 1, maxLength: 40 },
    ),
    keepTimes: fc.boolean(),
  });

/** The frames of a capture that is spoilt so; those that prove the close kind are never lost. */
export function spoil(truth: Outcome, { frames, keepTimes }: Mess): Shot[] {
  const proof = proofOf(truth);
  const written: { shot: Shot; atNs: number }[] = [];
  shotsOf(truth.captured).forEach((shot, i) => {
    const { lost, twice, lateUs } = frames[i % frames.length]!;
    if (lost && !proof.has(shot.segment)) return;
    const atNs = shot.tNs + lateUs * 1000;
    written.push({ shot, atNs });
    if (twice) {
      written.push({ shot: { ...shot, tNs: shot.tNs + 20_000, hops: i % 2 }, atNs: atNs + 20_000 });
    }
  });
  written.sort((a, b) => a.atNs - b.atNs);
  return written.map(({ shot, atNs }) => (keepTimes ? shot : { ...shot, tNs: atNs }));
}

/** A segment that covers a FIN stands before all copies of that FIN. */
export function hasAckBeforeFin(truth: Outcome, shots: readonly Shot[]): boolean {
  return truth.fins.some((fin) => {
    const at = shots.findIndex(({ segment: s }) => s === fin);
    return (
      fin !== null &&
      shots.some(({ segment: s }, i) => i < at && s.from !== fin.from && s.ack > fin.seq + fin.len)
    );
  });
}

/** A segment that covers a FIN was captured, never received, and is sent again. */
export function losesCover(truth: Outcome): boolean {
  return truth.captured.some((s) =>
    truth.fins.some(
      (fin) => fin !== null && s.isLost && s.from !== fin.from && s.ack > fin.seq + fin.len,
    ),
  );
}

/** A random conversation, when it begins, from which port, over which family, and how many of its first segments are missing. */
export const conversation = fc.record({
  plan: plans({
    openings: ['client', 'client', 'both', 'refused'],
    resets: true,
    losses: ['none', 'none', 'none', 'before', 'after'],
  }),
  atMs: fc.integer({ min: 0, max: 20_000 }),
  /** Few, so that tuples are used again. */
  port: fc.integer({ min: 0, max: 30 }),
  six: fc.boolean(),
  skip: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 6 })),
});

type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never;

/** The frames of random conversations as they were captured together, in the order of time. */
export function framesOf(list: readonly Conversation[]): Frame[] {
  const frames = list.flatMap(({ plan, atMs, port, six, skip }): Frame[] =>
    shotsOf(simulate(plan).captured)
      .slice(skip)
      .map((shot) => ({
        shot: { ...shot, tNs: shot.tNs + atMs * MS },
        look: { ...plan, hosts: hostsOf(port, six) },
      })),
  );
  return frames.sort((a, b) => a.shot.tNs - b.shot.tNs);
}
