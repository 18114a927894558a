/** Cuts a classic capture into pieces, as a rotating capturing program does. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fixturePath } from './fixtures.ts';
import { readPcap, type TestFrame, writePcap } from './pcap.ts';

/** The frames of fixtures/demo.pcap. */
export const DEMO_FRAMES: readonly TestFrame[] = readPcap(readFileSync(fixturePath('demo.pcap')));

/** `frames` in `count` parts of about the same size, in order. */
export function cutFrames(frames: readonly TestFrame[], count: number): TestFrame[][] {
  return Array.from({ length: count }, (_, i) =>
    frames.slice((i * frames.length) / count, ((i + 1) * frames.length) / count),
  );
}

/** The same frames, later. */
export function later(frames: readonly TestFrame[], seconds: number): TestFrame[] {
  return frames.map((frame) => ({ ...frame, tsSec: frame.tsSec + seconds }));
}

/** Writes a capture of each part under the name beside it. */
export function writeParts(names: readonly string[], parts: readonly (readonly TestFrame[])[]) {
  for (const [i, name] of names.entries()) {
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, writePcap(parts[i] ?? []));
  }
}
