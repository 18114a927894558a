/** Decoded segments as plain records, for tests. */

import { formatIpv4, formatIpv6 } from '../../src/base/ip.ts';
import { openCapture } from '../../src/capture/open.ts';
import { createFrameBatch, type FrameBatch } from '../../src/capture/source.ts';
import { createSegmentColumns, SEGMENT_RING } from '../../src/decode/columns.ts';
import { addReasons, createDecodeContext, decodeBatch } from '../../src/decode/decode.ts';
import { payloadCapturedAt, payloadOffsetAt, TCP_HEADER_LEN } from '../../src/decode/tcp.ts';
import { FragmentReassembler } from '../../src/flow/fragments.ts';
import { batchesOf, type TestFrame } from './pcap.ts';
import type { TsharkSegment } from './tshark.ts';

export interface DecodedSegment {
  frame: number;
  src: string;
  dst: string;
  srcPort: number;
  dstPort: number;
  seq: number;
  ack: number;
  flags: number;
  len: number;
  window: number;
  checksum: number;
  ttl: number;
  ipId: number;
  tsVal: number | null;
  tsEcr: number | null;
  snapped: boolean;
  options: string;
  payload: string;
}

export interface Decoded {
  segments: DecodedSegment[];
  reasons: Record<string, number>;
  unknownLinkTypes: Map<number, number>;
  snappedFrames: number;
}

/** Decodes the frames, numbered from 1, with a reassembler of its own. */
export function decodeFrames(frames: readonly TestFrame[]): Decoded {
  const decoding = createDecoding();
  for (const batch of batchesOf(frames)) decoding.add(batch);
  return decoding.result();
}

/** Decodes a capture file as far as it can be read. */
export async function decodeCapture(path: string): Promise<Decoded> {
  const source = await openCapture(path);
  const batch = createFrameBatch();
  const decoding = createDecoding();
  do while (source.fill(batch) > 0) decoding.add(batch);
  while (await source.more());
  await source.close();
  return decoding.result();
}

function createDecoding(): { add(batch: FrameBatch): void; result(): Decoded } {
  const ctx = createDecodeContext(new FragmentReassembler());
  const c = createSegmentColumns();
  const segments: DecodedSegment[] = [];
  let firstFrame = 1;
  let start = 0;
  const add = (batch: FrameBatch) => {
    const count = decodeBatch(batch, firstFrame, c, start, ctx);
    for (let i = 0; i < count; i++) {
      const at = (start + i) & (SEGMENT_RING - 1);
      const [bytes, view] =
        c.inSpill[at] === 1 ? [c.spill, c.spillView] : [batch.bytes, batch.view];
      const payload = payloadOffsetAt(c, view, at);
      const options = c.headerOffset[at]! + TCP_HEADER_LEN;
      const cut = Math.min(0, c.payloadLen[at]! - c.uncaptured[at]!);
      const hasTs = (c.optionBits[at]! & 1) !== 0;
      segments.push({
        frame: c.frame[at]!,
        src: addressAt(c.src, at, c.family[at]!),
        dst: addressAt(c.dst, at, c.family[at]!),
        srcPort: c.ports[at]! >>> 16,
        dstPort: c.ports[at]! & 0xffff,
        seq: c.seq[at]! >>> 0,
        ack: c.ack[at]! >>> 0,
        flags: c.flags[at]!,
        len: c.payloadLen[at]!,
        window: c.window[at]!,
        checksum: c.checksum[at]!,
        ttl: c.ttl[at]!,
        ipId: c.ipId[at]!,
        tsVal: hasTs ? c.tsVal[at]! >>> 0 : null,
        tsEcr: hasTs ? c.tsEcr[at]! >>> 0 : null,
        snapped: c.uncaptured[at]! > 0,
        options: hex(bytes, options, Math.max(0, payload - options + cut)),
        payload: hex(bytes, payload, payloadCapturedAt(c, at)),
      });
    }
    firstFrame += batch.count;
    start += count;
  };
  const result = () => ({
    segments,
    reasons: addReasons(ctx),
    unknownLinkTypes: ctx.unknownLinkTypes,
    snappedFrames: ctx.snappedFrames,
  });
  return { add, result };
}

function addressAt(words: Int32Array, at: number, family: number): string {
  return family === 4 ? formatIpv4(words[4 * at]!) : formatIpv6(words.subarray(4 * at, 4 * at + 4));
}

/** What both tell of segments, with tshark's word where it can't tell a length. */
export function comparable(
  ours: readonly DecodedSegment[],
  theirs: readonly TsharkSegment[],
): Omit<TsharkSegment, 'stream'>[] {
  return ours.map((segment, i) => {
    const { frame, src, dst, srcPort, dstPort, seq, ack, flags, window, ttl } = segment;
    // tshark shows the first half of a timestamps option that the snap length cut in two.
    const tsVal = segment.snapped ? (segment.tsVal ?? theirs[i]?.tsVal ?? null) : segment.tsVal;
    const len = theirs[i]?.len === null ? null : segment.len;
    return { frame, src, dst, srcPort, dstPort, seq, ack, flags, len, window, ttl, tsVal };
  });
}

function hex(bytes: Uint8Array, start: number, len: number): string {
  return Buffer.from(bytes.subarray(start, start + len)).toString('hex');
}
