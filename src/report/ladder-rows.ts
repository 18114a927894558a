/** Folds the segments of a connection into the rows of a ladder: control segments one by one, data in bulk. */

import { seqAdd, seqDiff } from '../base/seq.ts';
import type { Side } from '../tcp/verdicts.ts';
import type { ConnectionRecord, SegmentView } from './record.ts';

/** Segments of both directions that share one line. */
export interface Fold {
  kind: 'fold';
  firstFrame: number;
  lastFrame: number;
  t: number;
  lastT: number;
  segments: { client: number; server: number };
  /** How many of these carry nothing. */
  acks: { client: number; server: number };
  bytes: { client: number; server: number };
  again: number;
}

/** One segment with a line of its own. */
export interface Single {
  kind: 'segment';
  segment: SegmentView;
  /** Holds nothing that its side had not sent before. */
  again: boolean;
}

export type LadderRow = Fold | Single;

/** Segments kept one by one; later plain ones are folded as they come, so that a long connection can't fill the memory. */
const MAX_KEPT_SEGMENTS = 200_000;

/** Control segments (SYN, FIN, RST) kept beyond that. */
const MAX_KEPT_CONTROL = 20_000;

/** Gathers the segments of one connection as they pass, in bounded memory. */
export interface RowCollector {
  add(segment: SegmentView): void;
  readonly rows: LadderRow[];
}

/** An empty collector. */
export function collectRows(maxKept: number = MAX_KEPT_SEGMENTS): RowCollector {
  const rows: LadderRow[] = [];
  const sent: Record<Side, number | null> = { client: null, server: null };
  let kept = 0;
  return {
    rows,
    add(segment) {
      const again = isAgain(segment, sent);
      const room = isControl(segment) ? maxKept + MAX_KEPT_CONTROL : maxKept;
      kept += 1;
      if (kept <= room) rows.push({ kind: 'segment', segment: { ...segment }, again });
      else foldInto(rows, { kind: 'segment', segment, again });
    },
  };
}

/** Rows for printing: segments that neither take part in opening and closing nor change a state are folded. */
export function foldRows(rows: readonly LadderRow[], record: ConnectionRecord): LadderRow[] {
  const shown = new Set<number>();
  for (const { frame } of record.handshake.steps) shown.add(frame);
  for (const { frame } of record.close.steps) shown.add(frame);
  for (const { frame } of record.close.evidence) shown.add(frame);
  for (const entry of [...record.states.client, ...record.states.server]) {
    if (entry.frame !== null) shown.add(entry.frame);
  }
  const out: LadderRow[] = [];
  for (const row of rows) {
    const keep = row.kind === 'segment' && (shown.has(row.segment.frame) || isControl(row.segment));
    if (keep) out.push(row);
    else foldInto(out, row);
  }
  return out;
}

function isControl({ flags }: SegmentView): boolean {
  return flags.includes('SYN') || flags.includes('FIN') || flags.includes('RST');
}

function isAgain(segment: SegmentView, sent: Record<Side, number | null>): boolean {
  const { flags, from, len, seq } = segment;
  const numbers = len + (flags.includes('SYN') ? 1 : 0) + (flags.includes('FIN') ? 1 : 0);
  if (segment.duplicate || numbers === 0) return false;
  const end = seqAdd(seq, numbers);
  const before = sent[from];
  if (before !== null && seqDiff(end, before) <= 0) return true;
  sent[from] = end;
  return false;
}

/** Adds a row to the fold at the end of `rows`, begun if need be. */
function foldInto(rows: LadderRow[], row: LadderRow): void {
  let fold = rows.at(-1);
  if (fold?.kind !== 'fold') {
    const { frame, t } = row.kind === 'segment' ? row.segment : { frame: row.firstFrame, t: row.t };
    fold = {
      kind: 'fold',
      firstFrame: frame,
      lastFrame: frame,
      t,
      lastT: t,
      segments: { client: 0, server: 0 },
      acks: { client: 0, server: 0 },
      bytes: { client: 0, server: 0 },
      again: 0,
    };
    rows.push(fold);
  }
  if (row.kind === 'fold') {
    fold.lastFrame = row.lastFrame;
    fold.lastT = row.lastT;
    for (const side of ['client', 'server'] as const) {
      fold.segments[side] += row.segments[side];
      fold.acks[side] += row.acks[side];
      fold.bytes[side] += row.bytes[side];
    }
    fold.again += row.again;
    return;
  }
  const { duplicate, frame, from, len, t } = row.segment;
  fold.lastFrame = frame;
  fold.lastT = t;
  fold.segments[from] += 1;
  if (len === 0) fold.acks[from] += 1;
  // Payload counts once: neither the capture's duplicates nor what is sent again.
  if (!duplicate && !row.again) fold.bytes[from] += len;
  if (row.again) fold.again += 1;
}
