import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CaptureError } from '../../src/base/errors.ts';
import { type DecodedSegment, decodeCapture, decodeFrames } from '../support/decoded.ts';
import { stacks } from '../support/headers.ts';
import { writePcap } from '../support/pcap.ts';
import { type TsharkSegment, tsharkSegments } from '../support/tshark.ts';

const captures = process.env.FINWAIT_CAPTURES;
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

describe.skipIf(captures === undefined)('captures (needs FINWAIT_CAPTURES)', () => {
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
});

test.each(Object.entries(stacks))(
  'TCP under %s is the segment that tshark reads',
  (name, frames) => {
    const file = join(folder, `${name.replace(/[^\w]+/g, '-')}.pcap`);
    writeFileSync(file, writePcap(frames));

    const { segments } = decodeFrames(frames);
    const theirs = tsharkSegments(file);

    expect(theirs).toHaveLength(1);
    expect(comparable(segments, theirs)).toEqual(theirs);
  },
);
