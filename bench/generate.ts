/** Writes a benchmark capture: `npx tsx bench/generate.ts KIND [--frames N] [--seed S] [-o FILE]`. */

import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { constants, createGzip } from 'node:zlib';
import {
  DEFAULTS,
  type Generated,
  type GenerateOptions,
  generate,
  KINDS,
} from './generate/index.ts';

export { DEFAULTS, type GenerateOptions, generate, KINDS, type Kind } from './generate/index.ts';

const USAGE = `usage: npx tsx bench/generate.ts KIND [options]

KIND is flood, web or bulk. The same seed gives the same bytes.

  -o, --output FILE     write to FILE instead of standard output
  --frames N            exactly N frames (default: the full-size capture)
  --bytes N             stop after about N bytes; --seconds N: after N seconds; both lift --frames' default
  --seed N              default 1
  --container KIND      pcap (default) or pcapng
  --ip 4|6              default 4
  --vlan                an 802.1Q tag in every frame
  --gzip                compress the output
  --concurrency N       connections in progress at once
  --gap-ns N            mean capture time between two frames
  --all-close           flood without the tenth of its connections that never end
`;

/** Makes the capture `options` in `path`, or on standard output for null. */
export async function generateFile(
  options: GenerateOptions,
  path: string | null,
  gzip: boolean,
): Promise<Generated> {
  const fd = path === null ? 1 : openSync(path, 'w');
  try {
    if (!gzip) return await generate(options, (chunk) => writeAll(fd, chunk));
    const stream = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 1 << 20 });
    stream.on('data', (chunk: Buffer) => writeAll(fd, chunk));
    const ended = once(stream, 'end');
    const made = await generate(options, async (chunk) => {
      // The stream reads its input later, when the generator has long overwritten the chunk.
      if (!stream.write(Buffer.from(chunk))) await once(stream, 'drain');
    });
    stream.end();
    await ended;
    return made;
  } finally {
    if (path !== null) closeSync(fd);
  }
}

/** Synchronous, so that a slow reader holds the generator back and nothing queues up. */
function writeAll(fd: number, chunk: Buffer): void {
  let done = 0;
  while (done < chunk.length) {
    try {
      done += writeSync(fd, chunk, done, chunk.length - done);
    } catch (error) {
      // A pipe that someone made non-blocking is full: wait a moment.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function readNumber(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name}: not a number: ${text}`);
  return value;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      frames: { type: 'string' },
      bytes: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      container: { type: 'string', default: 'pcap' },
      ip: { type: 'string', default: '4' },
      vlan: { type: 'boolean', default: false },
      gzip: { type: 'boolean', default: false },
      concurrency: { type: 'string' },
      'gap-ns': { type: 'string' },
      'all-close': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const kind = KINDS.find((name) => name === positionals[0]);
  const { container, ip } = values;
  const isUsable =
    kind !== undefined &&
    positionals.length === 1 &&
    (container === 'pcap' || container === 'pcapng') &&
    (ip === '4' || ip === '6');
  if (!isUsable || values.help) {
    process.stderr.write(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const bytes = readNumber('bytes', values.bytes);
  const seconds = readNumber('seconds', values.seconds);
  const isOpenEnded = bytes !== null || seconds !== null;
  const startedMs = performance.now();
  const options: GenerateOptions = {
    kind,
    container,
    ipVersion: ip === '6' ? 6 : 4,
    vlan: values.vlan,
    seed: readNumber('seed', values.seed) ?? 1,
    frames:
      readNumber('frames', values.frames) ?? (isOpenEnded ? Infinity : DEFAULTS[kind].fullFrames),
    maxBytes: bytes ?? Infinity,
    deadlineMs: seconds === null ? Infinity : startedMs + seconds * 1000,
    concurrency: readNumber('concurrency', values.concurrency),
    gapNs: readNumber('gap-ns', values['gap-ns']),
    allClose: values['all-close'],
  };
  try {
    const made = await generateFile(options, values.output ?? null, values.gzip);
    const took = (performance.now() - startedMs) / 1000;
    const rate = made.frames / took / 1e6;
    process.stderr.write(
      `${kind}: ${made.frames} frames, ${made.bytes} bytes in ${took.toFixed(2)} s, ${rate.toFixed(2)} M frames/s\n`,
    );
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
