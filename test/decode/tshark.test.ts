import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CaptureError } from '../../src/base/errors.ts';
import {
  enhancedPacket,
  interfaceBlock,
  join as joinBytes,
  sectionHeader,
} from '../support/capture-bytes.ts';
import { type DecodedSegment, decodeCapture, decodeFrames } from '../support/decoded.ts';
import { stacks } from '../support/headers.ts';
import type { TestFrame } from '../support/pcap.ts';
import { type TsharkSegment, tsharkSegments } from '../support/tshark.ts';

const captures = process.env.FINWAIT_CAPTURES;
const hasTshark = spawnSync('tshark', ['-v']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'finwait-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What both tell, with tshark's word where it can't tell a length. */
function comparable(ours: readonly DecodedSegment[], theirs: readonly TsharkSegment[]) {
  return ours.map((segment, i): TsharkSegment => {
    const { frame, src, dst, srcPort, dstPort, seq, ack, flags, window, ttl } = segment;
    // tshark shows the first half of a timestamps option that the snap length cut in two.
    const tsVal = segment.snapped ? (segment.tsVal ?? theirs[i]?.tsVal ?? null) : segment.tsVal;
    const len = theirs[i]?.len === null ? null : segment.len;
    return { frame, src, dst, srcPort, dstPort, seq, ack, flags, len, window, ttl, tsVal };
  });
}

describe.skipIf(captures === undefined || !hasTshark)(
  'captures (needs FINWAIT_CAPTURES and tshark)',
  () => {
    const files = ['real', 'kernel'].flatMap((name) => {
      const path = join(captures ?? '.', name);
      const names = captures === undefined ? [] : readdirSync(path);
      return names.filter((file) => /\.(pcap|pcapng|cap|gz)$/.test(file)).map((f) => join(path, f));
    });

    test.each(files)('every segment of %s is as tshark reads it', async (file) => {
      const decoded = await decodeCapture(file).catch((error: unknown) => {
        if (error instanceof CaptureError) return null;
        throw error;
      });
      if (decoded === null) return;

      const theirs = tsharkSegments(file);

      expect(comparable(decoded.segments, theirs)).toEqual(theirs);
    });
  },
);

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

describe.skipIf(!hasTshark)('TCP under (skipped where tshark is not installed)', () => {
  // It comes first: tshark remembers what a UDP conversation carried, and its ports are those of another tunnel.
  const first = Object.entries(stacks).filter(([name]) => name === 'MPLS in UDP');
  const all = [...first, ...Object.entries(stacks).filter(([name]) => name !== 'MPLS in UDP')];
  let theirs: TsharkSegment[] = [];
  beforeAll(() => {
    const file = join(folder, 'stacks.pcapng');
    writeFileSync(file, writePcapng(all.flatMap(([, frames]) => frames)));
    theirs = tsharkSegments(file);
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
    expect(comparable(segments, same)).toEqual(same);
  });
});
