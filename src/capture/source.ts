/** The one interface behind which a file, a pipe, bytes and a live interface look alike: raw frames in batches. */

import type { Damage } from '../base/errors.ts';
import type { FileStart } from '../base/files.ts';

/** Frames a batch holds at most: enough to let cache misses overlap, few enough to stay in the first-level cache. */
export const FRAMES_PER_BATCH = 128;

/** The longest frame believed unless the file's own snap length says otherwise. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** The greatest length on the wire told; a file that gives more is clamped. */
export const MAX_ORIGINAL_LEN = 2 ** 31 - 1;

/** The latest time told, in seconds since 1970. */
export const MAX_TS_SEC = 2 ** 32 - 1;

/** The longest pcapng block believed. */
export const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

/**
 * Frames of one `fill`, a column a field. The columns are allocated once; `bytes` and `view` are the source's own
 * buffer and hold until the next `fill` or `more` of that source: copy what must outlive them.
 */
export interface FrameBatch {
  bytes: Uint8Array;
  /** Over the same memory as `bytes`, from the same first byte. */
  view: DataView;
  /** Frames in the columns, 0 … FRAMES_PER_BATCH. */
  count: number;
  /** Where the captured bytes begin in `bytes`. */
  readonly offset: Int32Array;
  readonly capturedLen: Int32Array;
  /** Bytes on the wire, at most MAX_ORIGINAL_LEN; never below capturedLen. */
  readonly originalLen: Int32Array;
  /** Seconds since 1970, 0 … MAX_TS_SEC (times outside are clamped). */
  readonly tsSec: Uint32Array;
  /** 0 … 999999999. */
  readonly tsNs: Int32Array;
  /** Index into the source's `interfaces`. */
  readonly iface: Int32Array;
  /** LINKTYPE_ number of the frame's interface. */
  readonly linkType: Int32Array;
}

/** An empty batch, to be filled again and again. */
export function createFrameBatch(): FrameBatch {
  const bytes = new Uint8Array(0);
  return {
    bytes,
    view: new DataView(bytes.buffer),
    count: 0,
    offset: new Int32Array(FRAMES_PER_BATCH),
    capturedLen: new Int32Array(FRAMES_PER_BATCH),
    originalLen: new Int32Array(FRAMES_PER_BATCH),
    tsSec: new Uint32Array(FRAMES_PER_BATCH),
    tsNs: new Int32Array(FRAMES_PER_BATCH),
    iface: new Int32Array(FRAMES_PER_BATCH),
    linkType: new Int32Array(FRAMES_PER_BATCH),
  };
}

/** One interface of a capture; a classic pcap has exactly one. */
export interface CaptureInterface {
  /** LINKTYPE_ number. */
  linkType: number;
  /** 0: no limit. */
  snapLen: number;
  /** if_name, or null. Hostile: escape before printing. */
  name: string | null;
  /** Bytes of frame check sequence at the end of each frame, or 0. */
  fcsLen: number;
  /** Frames the interface reported received and dropped (ISB: isb_ifrecv, isb_ifdrop + isb_osdrop), or null. */
  received: number | null;
  dropped: number | null;
}

export type CaptureFormat = 'pcap' | 'pcapng';

/** A capture that is being read. */
export interface CaptureSource {
  /** As the user gave it; `-` for standard input. */
  readonly name: string;
  readonly format: CaptureFormat;
  /** Where several files are read as one: those begun so far. Grows while the capture is read. */
  readonly files?: readonly FileStart[] | undefined;
  readonly damage: Damage | null;
  /** Things worth a warning that stop nothing, each once, e.g. an option that ran past its block. */
  readonly warnings: readonly string[];
  /** Bytes taken from the input so far, before decompression; for progress. */
  readonly bytesRead: number;
  /** Size of the input before decompression where known, else null. */
  readonly bytesTotal: number | null;
  more(): Promise<boolean>;
  /** Releases file handles, threads and child processes; allowed at any time, more than once. */
  close(): Promise<void>;
}

/**
 * A source of frames in the order of the capture.
 *
 * `fill` is synchronous and never waits: 0 means that the bytes at hand hold no further whole frame; then `more`
 * waits for bytes (once a chunk, never once a frame) and resolves to false at the end. `damage` is set at the
 * latest when `more` has resolved to false: what was readable before the damage was handed over.
 * Opening functions throw `CaptureError` where the input is no capture.
 */
export interface FrameSource extends CaptureSource {
  /** Grows while the capture is read. */
  readonly interfaces: readonly CaptureInterface[];
  fill(batch: FrameBatch): number;
}
