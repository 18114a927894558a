/** TCP below all that may carry it, as tshark reads it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  enhancedPacket,
  interfaceBlock,
  join as joinBytes,
  sectionHeader,
} from '../support/capture-bytes.ts';
import { comparable, decodeFrames } from '../support/decoded.ts';
import { stacks } from '../support/headers.ts';
import type { TestFrame } from '../support/pcap.ts';
import { byTshark, HAS_TSHARK, type TsharkSegment } from '../support/tshark.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The frames one after the other in a pcapng with an interface for each link type: one run of tshark reads them all. */
function writePcapng(frames: readonly TestFrame[]): Uint8Array {
  const linkTypes = [...new Set(frames.map(({ linkType }) => linkType))];
  return joinBytes(
    sectionHeader('little'),
    ...linkTypes.map((linkType) => interfaceBlock('little', { linkType })),
    ...frames.map(({ linkType, bytes, originalLen }) =>
      enhancedPacket('little', {
        iface: linkTypes.indexOf(linkType),
        ticks: 1_700_000_000_000_000n,
        data: bytes,
        originalLen,
      }),
    ),
  );
}

describe.skipIf(!HAS_TSHARK)('TCP under (skipped where tshark is not installed)', () => {
  // It comes first: tshark remembers what a UDP conversation carried, and its ports are those of another tunnel.
  const first = Object.entries(stacks).filter(([name]) => name === 'MPLS in UDP');
  const all = [...first, ...Object.entries(stacks).filter(([name]) => name !== 'MPLS in UDP')];
  let theirs: TsharkSegment[] = [];
  beforeAll(async () => {
    const file = join(folder, 'stacks.pcapng');
    writeFileSync(file, writePcapng(all.flatMap(([, frames]) => frames)));
    theirs = (await byTshark(file)).segments;
  });
  let before = 0;
  const places = all.map(([name, frames]) => {
    before += frames.length;
    return [name, frames, before - frames.length] as const;
  });

  test.each(places)('%s is the segment that tshark reads', (_, frames, start) => {
    const { segments } = decodeFrames(frames);
    const same = theirs
      .filter(({ frame }) => frame > start && frame <= start + frames.length)
      .map((segment) => ({ ...segment, frame: segment.frame - start }));

    expect(same).toHaveLength(1);
    expect(same).toMatchObject(comparable(segments, same));
  });
});
