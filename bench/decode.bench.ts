/** What reading and decoding cost a frame: `npx tsx bench/part.ts decode [FILE...]`, in nanoseconds. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { openCapture } from '../src/capture/open.ts';
import { createFrameBatch } from '../src/capture/source.ts';
import { createSegmentColumns } from '../src/decode/columns.ts';
import { createDecodeContext, decodeBatch } from '../src/decode/decode.ts';
import { FragmentReassembler } from '../src/flow/fragments.ts';
import { DEFAULTS, type GenerateOptions, generate, type Kind } from './generate/index.ts';

/** Frames of each capture: some megabytes, so that a round is short and the fastest of many is undisturbed. */
const FRAMES = 40_000;

interface Timing {
  frames: number;
  /** Reading the records, and decoding them to segments. */
  walkMs: number;
  decodeMs: number;
}

/** One pass over the capture. */
async function pass(bytes: Uint8Array): Promise<Timing> {
  const source = await openCapture(bytes);
  const batch = createFrameBatch();
  const columns = createSegmentColumns();
  const context = createDecodeContext(new FragmentReassembler());
  let frames = 0;
  let position = 0;
  let walkMs = 0;
  let decodeMs = 0;
  do {
    let before = performance.now();
    while (source.fill(batch) > 0) {
      const between = performance.now();
      position += decodeBatch(batch, frames + 1, columns, position & 4095, context);
      const after = performance.now();
      walkMs += between - before;
      decodeMs += after - between;
      before = after;
      frames += batch.count;
    }
  } while (await source.more());
  return { frames, walkMs, decodeMs };
}

async function made(kind: Kind, changes: Partial<GenerateOptions>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer): void => void chunks.push(Buffer.from(chunk));
  await generate(
    {
      ...{ kind, container: 'pcap', ipVersion: 4, vlan: false, seed: 1, frames: FRAMES },
      ...{ maxBytes: Infinity, deadlineMs: Infinity, concurrency: null, allClose: false },
      gapNs: DEFAULTS[kind].gapNs,
      ...changes,
    },
    keep,
  );
  return Buffer.concat(chunks);
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '60' } },
});
const captures: [name: string, bytes: Uint8Array][] = positionals.map((path) => [
  basename(path),
  readFileSync(path),
]);
if (captures.length === 0) {
  captures.push(
    ['web', await made('web', {})],
    ['web in pcapng', await made('web', { container: 'pcapng' })],
    ['web over IPv6', await made('web', { ipVersion: 6 })],
    ['web in a VLAN', await made('web', { vlan: true })],
    ['flood', await made('flood', {})],
    ['bulk', await made('bulk', { frames: FRAMES / 8 })],
  );
}
const best = captures.map((): Timing => ({ frames: 0, walkMs: Infinity, decodeMs: Infinity }));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [index, [, bytes]] of captures.entries()) {
    const timing = await pass(bytes);
    const so = best[index] ?? timing;
    so.frames = timing.frames;
    so.walkMs = Math.min(so.walkMs, timing.walkMs);
    so.decodeMs = Math.min(so.decodeMs, timing.decodeMs);
  }
}
const column = (text: string): string => text.padStart(10);
console.log(`${'ns a frame, the best round'.padEnd(30)}${column('walk')}${column('decode')}`);
for (const [index, [name]] of captures.entries()) {
  const { decodeMs, frames, walkMs } = best[index] ?? { frames: 1, walkMs: 0, decodeMs: 0 };
  const perFrame = (ms: number): string => column(((ms * 1e6) / frames).toFixed(1));
  console.log(`${name.padEnd(30)}${perFrame(walkMs)}${perFrame(decodeMs)}`);
}
