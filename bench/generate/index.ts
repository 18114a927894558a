/** The three captures of the benchmark, made from a seed: the same seed gives the same bytes. */

import { BulkTraffic } from './bulk.ts';
import { type FrameOptions, FrameWriter } from './frames.ts';
import { Random } from './random.ts';
import { type Payload, ScriptedTraffic } from './scripted.ts';
import { CLOSED_FLOOD_SCRIPTS, FLOOD_SCRIPTS, WEB_SCRIPTS } from './scripts.ts';

export const KINDS = ['flood', 'web', 'bulk'] as const;
export type Kind = (typeof KINDS)[number];

export interface GenerateOptions extends FrameOptions {
  kind: Kind;
  seed: number;
  /** Exactly so many frames are written; Infinity goes on until `maxBytes` or `deadlineMs`. */
  frames: number;
  /** Stops at the end of the chunk that reaches it. */
  maxBytes: number;
  /** Stops at the end of the chunk during which this time of `performance.now()` comes. */
  deadlineMs: number;
  /** Connections in progress at once; null is the kind's own figure. */
  concurrency: number | null;
  /** Mean time between two frames; null is the kind's own figure. */
  gapNs: number | null;
  /** A flood whose connections all end, so that an endless one has a bounded number open. */
  allClose: boolean;
}

export interface Generated {
  frames: number;
  bytes: number;
}

/** Frames of the full-size captures, and what each kind does unless told otherwise. */
export const DEFAULTS = {
  flood: { fullFrames: 9_950_000, concurrency: 100_000, gapNs: 2_000 },
  web: { fullFrames: 5_000_000, concurrency: 80, gapNs: 8_000 },
  bulk: { fullFrames: 1_156_000, concurrency: 8, gapNs: 2_400 },
} as const satisfies Record<Kind, { fullFrames: number; concurrency: number; gapNs: number }>;

/** Longer than the window of gzip, so that bulk data does not compress. */
const RANDOM_POOL_LEN = 1 << 18;
const BULK_FILE_LEN = 3_500_000;
const FIRST_EPHEMERAL_PORT = 32_768;
const EPHEMERAL_PORTS = 28_232;
const REQUEST = 'GET /file HTTP/1.1\r\nHost: 10.200.0.2\r\nConnection: close\r\n\r\n';
const HEADER = [
  'HTTP/1.1 200 OK',
  'Server: nginx/1.22.1',
  'Date: Thu, 01 Jan 2026 00:00:00 GMT',
  'Content-Type: application/octet-stream',
  'Content-Length: 900',
  'Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT',
  'Connection: close',
  'ETag: "6955b900-384"',
  'Accept-Ranges: bytes',
  '\r\n',
].join('\r\n');

/** Makes a capture and hands it to `write` chunk by chunk; a chunk is valid until `write` is done. */
export async function generate(
  options: GenerateOptions,
  write: (chunk: Buffer) => void | Promise<void>,
): Promise<Generated> {
  const random = new Random(options.seed);
  const noise = Buffer.alloc(RANDOM_POOL_LEN);
  random.fill(noise);
  const texts = [REQUEST, HEADER].map((text) => Buffer.from(text.length % 2 ? `${text} ` : text));
  const pool = Buffer.concat([noise, ...texts]);
  const request = fixed(RANDOM_POOL_LEN, REQUEST.length);
  const header = fixed(RANDOM_POOL_LEN + (texts[0]?.length ?? 0), HEADER.length);
  const writer = new FrameWriter(options, pool);
  const asked = options.concurrency ?? DEFAULTS[options.kind].concurrency;
  const concurrency = Math.max(1, Math.floor(asked));
  const gapNs = Math.floor(options.gapNs ?? DEFAULTS[options.kind].gapNs);
  const shared = { concurrency, gapNs, frames: options.frames };

  let traffic: { fill: () => boolean };
  if (options.kind === 'bulk') {
    const bulk = { ...shared, request, fileLen: BULK_FILE_LEN, poolLen: RANDOM_POOL_LEN };
    traffic = new BulkTraffic(writer, random, bulk);
  } else if (options.kind === 'web') {
    traffic = new ScriptedTraffic(writer, random, {
      ...shared,
      scripts: WEB_SCRIPTS,
      payloads: [request, header, fixed(0, 900)],
      endpoints: {
        clientAddr: () => 0x0ac8_0001,
        clientPort: (n) => FIRST_EPHEMERAL_PORT + (n % EPHEMERAL_PORTS),
        serverAddr: () => 0x0ac8_0002,
        serverPort: 80,
      },
    });
  } else {
    const short = { start: 0, minLen: 8, maxLen: 34 };
    traffic = new ScriptedTraffic(writer, random, {
      ...shared,
      scripts: options.allClose ? CLOSED_FLOOD_SCRIPTS : FLOOD_SCRIPTS,
      payloads: [short, short],
      endpoints: {
        // No 4-tuple comes twice in 65536 * 28232 connections.
        clientAddr: (n) => 0x0a00_0000 + (n & 0xffff),
        clientPort: (n) => FIRST_EPHEMERAL_PORT + (Math.floor(n / 0x10000) % EPHEMERAL_PORTS),
        serverAddr: (n) => 0xc0a8_0000 + ((n >>> 3) % 251),
        serverPort: 443,
      },
    });
  }

  let bytes = 0;
  for (let isMore = true; isMore; ) {
    isMore = traffic.fill();
    const chunk = writer.borrowChunk();
    bytes += chunk.length;
    await write(chunk);
    if (bytes >= options.maxBytes || performance.now() >= options.deadlineMs) isMore = false;
  }
  return { frames: writer.frames, bytes };
}

function fixed(start: number, len: number): Payload {
  return { start, minLen: len, maxLen: len };
}
