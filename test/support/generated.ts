/** Captures as the benchmark makes them, in memory. */

import { type GenerateOptions, generate } from '../../bench/generate/index.ts';

/** What is generated unless said otherwise. */
export const USUAL: Omit<GenerateOptions, 'kind' | 'frames'> = {
  container: 'pcap',
  ipVersion: 4,
  vlan: false,
  seed: 1,
  maxBytes: Number.POSITIVE_INFINITY,
  deadlineMs: Number.POSITIVE_INFINITY,
  concurrency: null,
  gapNs: null,
  allClose: false,
};

/** A whole capture of so many frames; what isn't said is the benchmark's. */
export async function generated(
  options: Pick<GenerateOptions, 'kind' | 'frames'> & Partial<GenerateOptions>,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await generate({ ...USUAL, ...options }, (chunk) => {
    chunks.push(Buffer.from(chunk));
  });
  return Buffer.concat(chunks);
}

/** A flood and short connections with their ports used again, over IPv4 and IPv6: more than 300 connections each. */
export async function* floodAndWeb(): AsyncGenerator<Uint8Array> {
  for (const kind of ['flood', 'web'] as const) {
    for (const ipVersion of [4, 6] as const) {
      yield await generated({ kind, frames: 8000, concurrency: 200, ipVersion });
    }
  }
}
