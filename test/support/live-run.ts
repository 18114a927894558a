/** A run of lab/live.py: what each program printed and kept, held against tcpdump's file. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyze } from '../../src/analyze.ts';
import type { ConnectionRecord } from '../../src/report/record.ts';
import { type Comparison, compareLive, keyOf } from './live-records.ts';
import { type Frame, readFrames } from './read-frames.ts';

/** What the programs capture on, and of each frame: as much as `finwait live` does where it keeps nothing. */
const INTERFACE = 'a0';
const SNAP_LEN = 512;
const MAX_SHOWN = 3;

/** The arguments with which an engine takes part in the run in `folder`: captured as without -w, and kept. */
export function programOf(engine: string, folder: string): string {
  const kept = join(folder, `${engine}.pcapng`);
  return `live -i ${INTERFACE} --engine ${engine} -s ${SNAP_LEN} -w ${kept} tcp`;
}

/** tcpdump's file: its frames, and its records. */
export interface Reference {
  frames: Frame[];
  records: ConnectionRecord[];
}

export interface RunComparison {
  /** Records printed live that the engine's own packets, analyzed as a file, don't give byte for byte, in their order. */
  unlike: { live: string; file: string }[];
  frames: FrameComparison;
  records: Comparison;
}

export interface FrameComparison {
  frames: number;
  /** In one capture and not in the other. */
  unmatched: number;
  /** Seconds between the two stamps of each frame, the least first. */
  apart: number[];
  /** Connections whose frames stand in another order. */
  reordered: Set<string>;
}

export async function readReference(folder: string): Promise<Reference> {
  const path = join(folder, 'reference.pcap');
  return { frames: await tcpFrames(path), records: await recordsOf(path) };
}

/** Holds what `engine` printed against its own packets and against the reference. */
export async function compareRun(
  folder: string,
  engine: string,
  reference: Reference,
): Promise<RunComparison> {
  const kept = join(folder, `${engine}.pcapng`);
  const lines = readFileSync(join(folder, `${engine}.out`), 'utf8')
    .trimEnd()
    .split('\n');
  const own = (await recordsOf(kept, INTERFACE)).map((record) => JSON.stringify(record));
  const unlike: RunComparison['unlike'] = [];
  for (let i = 0; i < Math.max(lines.length, own.length); i++) {
    const [live = 'missing', file = 'missing'] = [lines[i], own[i]];
    if (live !== file && unlike.length < MAX_SHOWN) unlike.push({ live, file });
  }
  const frames = compareFrames(await tcpFrames(kept), reference.frames);
  const live: ConnectionRecord[] = lines.map((line) => JSON.parse(line));
  return { unlike, frames, records: compareLive(live, reference.records, frames.reordered) };
}

/** Finds each kept frame in the reference by its bytes. */
function compareFrames(kept: readonly Frame[], reference: readonly Frame[]): FrameComparison {
  const places = new Map<string, number[]>();
  for (const [i, frame] of reference.entries()) {
    const bytes = bytesOf(frame);
    const same = places.get(bytes);
    if (same === undefined) places.set(bytes, [i]);
    else same.push(i);
  }
  const result: FrameComparison = {
    frames: kept.length,
    unmatched: reference.length,
    apart: [],
    reordered: new Set(),
  };
  const before = new Map<string, number>();
  for (const frame of kept) {
    const place = places.get(bytesOf(frame))?.shift();
    const twin = place === undefined ? undefined : reference[place];
    if (place === undefined || twin === undefined) {
      result.unmatched++;
      continue;
    }
    result.unmatched--;
    result.apart.push(Math.abs(Number(frame.time) - Number(twin.time)));
    const key = connectionOf(frame);
    if (place < (before.get(key) ?? 0)) result.reordered.add(key);
    before.set(key, place);
  }
  result.apart.sort((a, b) => a - b);
  return result;
}

/** What both captures have of a frame. */
function bytesOf({ hex, originalLen }: Frame): string {
  return `${originalLen} ${hex.slice(0, 2 * SNAP_LEN)}`;
}

/** The key of the connection of an Ethernet frame with IPv4 without options. */
function connectionOf({ hex }: Frame): string {
  const ends = Buffer.from(hex.slice(52, 76), 'hex');
  const [a, b] = [ends.subarray(0, 4), ends.subarray(4, 8)].map((ip) => ip.join('.'));
  return keyOf(`${a} ${ends.readUInt16BE(8)}`, `${b} ${ends.readUInt16BE(10)}`);
}

async function tcpFrames(path: string): Promise<Frame[]> {
  const { damage, frames } = await readFrames(path);
  if (damage !== null) throw new Error(`${path}: ${damage.message}`);
  // Ethernet with IPv4, and TCP: the lab's connections.
  return frames.filter(({ hex }) => hex.startsWith('0800', 24) && hex.startsWith('06', 46));
}

async function recordsOf(path: string, file = path): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const record of analyze(path, { file })) records.push(record);
  return records;
}
