/** Random captures as decoded segments: conversations that go by the book (tcp/noting.ts), a few of their segments changed in one thing each. */

import type { Random } from '../../bench/generate/random.ts';
import {
  ACK,
  CWR,
  ECE,
  FIN,
  HAS_MORE_OPTIONS,
  HAS_TIMESTAMPS,
  MORE_WORDS,
  PSH,
  RST,
  SACK_SHIFT,
  type SegmentColumns,
  SYN,
  URG,
} from '../../src/decode/columns.ts';
import { packSynOptions } from '../../src/decode/packed-options.ts';
import { writeKeys } from '../../src/flow/keys.ts';

/** A segment as the tracker gets it. */
export interface Row {
  family: 4 | 6;
  /** The last words of both addresses. */
  src: number;
  dst: number;
  ports: number;
  sec: number;
  ns: number;
  frame: number;
  flags: number;
  seq: number;
  ack: number;
  len: number;
  window: number;
  ttl: number;
  ipId: number;
  checksum: number;
  optionBits: number;
  tsVal: number;
  tsEcr: number;
  /** Of a SYN; the edges of SACK blocks. */
  options: Uint8Array;
  sack: readonly number[];
}

interface Host {
  address: number;
  port: number;
  next: number;
  acked: number;
  window: number;
  ttl: number;
  hasFinished: boolean;
}

interface Conversation {
  family: 4 | 6;
  client: Host;
  server: Host;
  hasTimestamps: boolean;
  scales: readonly [number | null, number | null];
  bytes: number;
  sent: number;
  life: number;
}

const NUMBERS = [0, 1, -1, -2, -300, 1000, 0x7fff_ffff, 0x7fff_fff0, -0x8000_0000, -0x4000_0000];
const STARTS = [0, 9, 1_700_000_000, 0x7fff_fffd, 0xffff_fff0];
const FIRST_FRAMES = [1, 1, 0x7fff_fff0, 0xffff_fff0];
const WAITS_NS = [0, 1000, 1_000_000, 5_000_000, 999_000_000];
const WAITS_SEC = [1, 59, 60, 61, 901, 3601, 86_401, 150_000, 150_001, 172_801, 8_000_000, -1, -61];
const STEPS = [1, -1, 10, -10, 65_536, 0x4000_0000, -0x8000_0000];

/** From 1 to 120 segments. */
export function nearlyByTheBook(random: Random): Row[] {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const rows: Row[] = [];
  const clock = { sec: pick(STARTS), ns: random.below(1e9) };
  const waits = pick([WAITS_NS, [0], [1000]]);
  const jumpsIn = pick([0, 0, 20]);
  const count = 1 + random.below(pick([10, 40, 120]));
  const talks: Conversation[] = [];
  while (rows.length < count) {
    if (talks.length === 0 || random.below(40) === 0) talks.push(conversation(random, pick));
    const i = random.below(talks.length);
    const talk = talks[i] as Conversation;
    clock.ns += pick(waits);
    clock.sec += Math.floor(clock.ns / 1e9);
    clock.ns %= 1e9;
    if (jumpsIn > 0 && random.below(jumpsIn) === 0) clock.sec += pick(WAITS_SEC);
    clock.sec = Math.min(0xffff_ffff, Math.max(0, clock.sec));
    const row = next(talk, random, pick);
    if (row !== null) rows.push({ ...row, ...clock });
    if (talk.life < -3) talks.splice(i, 1);
  }
  for (let n = pick([0, 1, 1, 2, 4]); n > 0; n--) change(rows, random, pick);
  let frame = pick(FIRST_FRAMES);
  for (const row of rows) row.frame = frame++;
  return rows;
}

type Pick = <T>(from: readonly T[]) => T;

function conversation(random: Random, pick: Pick): Conversation {
  const host = (address: number, port: number): Host => ({
    address,
    port,
    next: (pick(NUMBERS) + random.below(3)) | 0,
    acked: 0,
    window: pick([1, 20, 75, 362, 65_535]),
    ttl: pick([1, 64, 255]),
    hasFinished: false,
  });
  return {
    family: pick([4, 6]),
    client: host(pick([1, 3]), pick([40_000, 40_001])),
    server: host(2, 80),
    hasTimestamps: random.below(2) === 0,
    scales: pick([
      [null, null],
      [2, null],
      [0, 7],
      [2, 2],
      [14, 14],
    ]),
    bytes: pick([1, 10, 20, 300, 1448, 65_535]),
    sent: 0,
    life: pick([0, 2, 5, 20, 60]),
  };
}

/** What comes next: the handshake, data, what is due to be acknowledged, FINs or a RST. Null: nothing is due. */
function next(talk: Conversation, random: Random, pick: Pick): Row | null {
  const { client, server } = talk;
  const step = talk.sent;
  const isRefused = step === 1 && random.below(8) === 0;
  const isEither = isRefused || step > 2;
  const isClient = step === 0 || step === 2 || (isEither && random.below(2) === 0);
  const [from, to] = isClient ? [client, server] : [server, client];
  let flags = step === 0 ? SYN : step === 1 ? SYN | ACK : ACK;
  let len = 0;
  if (isRefused) {
    flags = RST | pick([0, ACK]);
    if (!isClient) from.next = pick([0, from.next]);
    talk.life = -3;
  } else if (step > 2) {
    if (talk.life-- > 0 || random.below(3) === 0) {
      len = random.below(3) === 0 ? 0 : talk.bytes;
      flags |= pick([0, PSH]);
    } else if (random.below(6) === 0) {
      flags = RST | pick([0, ACK]);
    } else if (!from.hasFinished) {
      flags |= FIN;
      from.hasFinished = true;
    }
    if (flags === ACK && len === 0 && from.acked === to.next) return null;
  }
  talk.sent++;
  const hasAck = (flags & ACK) !== 0;
  const seq = from.next;
  from.next = (seq + len + (flags & FIN) + ((flags & SYN) >> 1)) | 0;
  from.acked = to.next;
  const hasOptions = (flags & SYN) !== 0;
  return {
    family: talk.family,
    src: from.address,
    dst: to.address,
    ports: (from.port << 16) | to.port,
    sec: 0,
    ns: 0,
    frame: 0,
    flags,
    seq,
    ack: hasAck ? to.next : 0,
    len,
    window: from.window,
    ttl: from.ttl,
    ipId: talk.family === 6 ? 0 : random.below(0x1_0000),
    checksum: random.below(0x1_0000),
    optionBits: (talk.hasTimestamps ? HAS_TIMESTAMPS : 0) | (hasOptions ? HAS_MORE_OPTIONS : 0),
    tsVal: talk.hasTimestamps ? random.below(100) : 0,
    tsEcr: talk.hasTimestamps ? random.below(100) : 0,
    options: optionsOf(talk.scales[isClient ? 0 : 1], random.below(50) === 0),
    sack: [],
  };
}

function optionsOf(windowScale: number | null, asksForCookie: boolean): Uint8Array {
  const scale = windowScale === null ? [] : [3, 3, windowScale];
  return Uint8Array.from([2, 4, 5, 180, 4, 2, ...scale, ...(asksForCookie ? [34, 2] : [])]);
}

/** Changes one thing of one segment, or its place. */
function change(rows: Row[], random: Random, pick: Pick): void {
  const i = random.below(rows.length);
  const row = rows[i];
  if (row === undefined) return;
  const other = rows[Math.min(rows.length - 1, i + 1 + random.below(3))] as Row;
  const changes: (() => void)[] = [
    () => Object.assign(row, { seq: (row.seq + pick(STEPS)) | 0 }),
    () => Object.assign(row, { ack: (row.ack + pick(STEPS)) | 0 }),
    () => Object.assign(row, { ack: pick([0, -1, row.seq]) }),
    () => Object.assign(row, { seq: other.seq, ack: other.ack }),
    () => Object.assign(row, { flags: row.flags ^ pick([FIN, SYN, RST, ACK, URG, ECE, CWR]) }),
    () => Object.assign(row, { len: pick([0, 1, row.len + 1, 1 << 20, 0x3fff_ffff]) }),
    () => Object.assign(row, { window: pick([0, 1, 65_535]) }),
    () => Object.assign(row, { ttl: (row.ttl + 1) & 0xff }),
    () => Object.assign(row, { optionBits: row.optionBits ^ HAS_TIMESTAMPS }),
    () =>
      Object.assign(row, {
        optionBits: row.optionBits | HAS_MORE_OPTIONS,
        sack: [(row.ack - 10) | 0, pick([row.ack, (row.ack + 10) | 0])],
      }),
    () => Object.assign(row, { sec: Math.max(0, row.sec + pick(WAITS_SEC)) }),
    () => Object.assign(row, { ns: random.below(1e9) }),
    () => rows.splice(i, rows.length > 1 ? 1 : 0),
    () => rows.splice(i + 1, 0, { ...row, ttl: row.ttl - pick([0, 0, 1]) }),
    () => rows.splice(i + 1, 0, { ...row, ipId: random.below(0x1_0000) }),
    () => {
      const { sec, ns } = row;
      rows[i] = { ...other, sec, ns };
      rows[rows.indexOf(other)] = { ...row, sec: other.sec, ns: other.ns };
    },
  ];
  pick(changes)();
}

const ADDRESS_START = 0x2001_0db8;

/** Writes `row` to position `p` of the ring, with its key for a tracker with that seed. */
export function writeRow(columns: SegmentColumns, p: number, row: Row, seed: number): void {
  const isSix = row.family === 6;
  columns.src.set(isSix ? [ADDRESS_START, 0, 0, row.src] : [row.src, 0, 0, 0], p * 4);
  columns.dst.set(isSix ? [ADDRESS_START, 0, 0, row.dst] : [row.dst, 0, 0, 0], p * 4);
  columns.tsSec[p] = row.sec;
  columns.tsNs[p] = row.ns;
  columns.payloadLen[p] = row.len;
  const same = ['family', 'ports', 'frame', 'flags', 'seq', 'ack', 'window', 'ttl'] as const;
  for (const name of same) columns[name][p] = row[name];
  const more = ['ipId', 'checksum', 'optionBits', 'tsVal', 'tsEcr'] as const;
  for (const name of more) columns[name][p] = row[name];
  const at = p * MORE_WORDS;
  if ((row.flags & SYN) !== 0) {
    const view = new DataView(row.options.buffer);
    packSynOptions(view, 0, view.byteLength, columns.more, at);
  } else {
    columns.more.set(row.sack, at);
    columns.optionBits[p]! |= (row.sack.length / 2) << SACK_SHIFT;
  }
  writeKeys(columns, p, 1, seed);
}
