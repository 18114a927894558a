/** A folder of 300 captures as they pile up: nested, compressed, rotated, five of them damaged, among files that are none. */

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FIXTURES } from './captures.ts';
import { writePcap } from './pcap.ts';
import { cutFrames, DEMO_FRAMES, later } from './rotate.ts';

export const CAPTURES = 300;

/** What was made: the captures by path, and of the damaged ones the code of the damage. */
export interface ManyCaptures {
  captures: string[];
  damaged: Map<string, string>;
  /** How many files joined pieces are. */
  pieces: number;
  /** Files that are no captures. */
  others: number;
}

/** Makes the folder. The same bytes each time. */
export function makeManyCaptures(folder: string): ManyCaptures {
  const captures: string[] = [];
  const add = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    captures.push(path);
    return path;
  };
  const rotations: string[][] = [
    ['ring/x.pcap0', 'ring/x.pcap1', 'ring/x.pcap2', 'ring/x.pcap3'],
    Array.from({ length: 6 }, (_, i) => `size/trace.pcap${i === 0 ? '' : i}`),
    Array.from({ length: 5 }, (_, i) => `dumpcap/web_0000${i + 1}_2026010100000${i}.pcap`),
    Array.from({ length: 5 }, (_, i) => `time/t-20260101-00000${i}.pcap.gz`),
  ];
  for (const [set, names] of rotations.entries()) {
    const parts = cutFrames(later(DEMO_FRAMES, 3600 * set), names.length);
    for (const [i, name] of names.entries()) {
      // The ring has wrapped: its oldest piece has the number 2.
      const bytes = writePcap(parts[set === 0 ? (i + 2) % names.length : i] ?? []);
      add(name, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
    }
  }
  const pieces = captures.length;

  const damaged = new Map<string, string>();
  const demo = writePcap(DEMO_FRAMES);
  const bad = demo.slice();
  new DataView(bad.buffer).setUint32(24 + 8, 0x7fffffff, true);
  const pcapng = readFileSync(
    FIXTURES.find(({ title }) => title.endsWith('container/pcapng.pcapng'))?.path ?? '',
  );
  damaged.set(add('a/cut.pcap', demo.subarray(0, -7)), 'truncated-record');
  damaged.set(add('b/bad-length.cap', bad), 'bad-captured-length');
  damaged.set(add('c/d/cut.pcapng', pcapng.subarray(0, -3)), 'truncated-block');
  damaged.set(add('c/d/cut.pcap.gz', gzipSync(demo).subarray(0, -900)), 'truncated-gzip');
  const inSet = join(folder, 'size/trace.pcap2');
  writeFileSync(inSet, readFileSync(inSet).subarray(0, -11));
  damaged.set(inSet, 'truncated-record');

  const plain = FIXTURES.filter(({ title }) => !title.includes('kernel/'));
  for (let i = 0; captures.length < CAPTURES; i++) {
    const { path } = plain[i % plain.length] ?? { path: '' };
    const bytes = readFileSync(path);
    const name = `${'abc'[i % 3]}/${i % 7}/${i}-${basename(path)}`;
    if (i % 10 === 0) add(`${name}.gz`, gzipSync(bytes));
    // By content, not by name.
    else add(i % 11 === 0 ? `${name}.txt` : name, bytes);
  }
  const others = ['README.md', 'a/notes.pcap', 'b/1/empty.pcap'];
  for (const [i, name] of others.entries()) writeFileSync(join(folder, name), 'text'.repeat(2 - i));
  symlinkSync('..', join(folder, 'a/loop'));
  symlinkSync('../b', join(folder, 'a/again'));
  symlinkSync('nowhere', join(folder, 'c/broken'));
  return { captures, damaged, pieces, others: others.length + 1 };
}
