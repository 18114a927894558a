/** Opens a capture: recognises by content what the input is and picks the reader for it. */

import type { Readable } from 'node:stream';
import { CaptureError } from '../base/errors.ts';
import type { PackedSource } from './decompress-job.ts';
import {
  type Compression,
  describeBytes,
  isSkippable,
  sniffCompression,
  unsupportedCompression,
  unsupportedFormat,
} from './formats.ts';
import { BytesInput, type OpenedInput, StreamInput } from './inputs.ts';
import { openPath, readStart } from './paths.ts';
import { openPcap, PCAP_HEADER_BYTES, pcapByteOrder } from './pcap.ts';
import { openPcapng } from './pcapng.ts';
import { SECTION_HEADER } from './pcapng-section.ts';
import type { FrameSource } from './source.ts';
import { type ByteInput, CHUNK_BYTES, Window } from './window.ts';

const MAGIC_BYTES = 4;
/** Magic number and length of a skippable frame, and how far such frames are looked past. */
const SKIP_HEADER_BYTES = 8;
const MAX_SKIPPED_BYTES = 64 * 1024;
const MIN_WINDOW_BYTES = 4096;

/** Compressed bytes from which on a thread pays: below, it takes longer to start than it saves (docs/performance.md). */
const THREAD_FROM_BYTES = 4 * 1024 * 1024;

/** A pipe that holds so much at once is filled faster than it is read, and there may be much to come. */
const FULL_PIPE_BYTES = 32 * 1024;

/** What takes a capture apart: the project's own reader, or the npm package (docs/readers.md). */
export type ReaderName = 'native' | 'pcap-parser';

/** How a capture is opened. */
export interface OpenOptions {
  /** Name for messages and records; default: the path, or `capture`. */
  name?: string;
  /** Which reader takes the capture apart, default `native`. */
  reader?: ReaderName;
  /** Bytes of one read, default 1 MiB. */
  chunkBytes?: number;
}

/**
 * Opens a path (`-`: standard input), a stream of bytes or the bytes of a capture.
 *
 * Recognised are pcap and pcapng, plain or in gzip, zstd or lz4, whatever the name says. Rejects with `CaptureError`
 * where the input can't be read at all. The caller closes the source.
 */
export async function openCapture(
  input: string | Readable | Uint8Array,
  options: OpenOptions = {},
): Promise<FrameSource> {
  const name = options.name ?? (typeof input === 'string' ? input : 'capture');
  const chunkBytes = Math.max(1, options.chunkBytes ?? CHUNK_BYTES);
  const opened = await openInput(input, name, chunkBytes);
  try {
    const window = await unpack(name, opened, chunkBytes);
    return await pickReader(name, window, options.reader ?? 'native');
  } catch (error) {
    await opened.input.close();
    throw error;
  }
}

/**
 * Whether the regular file at `path` begins as a capture does, though it may be no readable one: its header cut short, or of a version
 * that can't be read. False for anything else, compressed and unreadable files included.
 */
export function startsLikeCapture(path: string | Buffer): boolean {
  const start = readStart(path, MAGIC_BYTES);
  if (start === null) return false;
  const magic = start.readUInt32LE();
  return magic === SECTION_HEADER || pcapByteOrder(magic) !== null;
}

async function openInput(
  input: string | Readable | Uint8Array,
  name: string,
  chunkBytes: number,
): Promise<OpenedInput> {
  if (typeof input === 'string') return openPath(input, name, chunkBytes);
  if (input instanceof Uint8Array) {
    return {
      input: new BytesInput(input, chunkBytes),
      reopen: () => new BytesInput(input, chunkBytes),
      path: null,
      descriptor: null,
    };
  }
  return { input: new StreamInput(input, chunkBytes), reopen: null, path: null, descriptor: null };
}

/** A window over the capture itself, decompressed where it has to be. */
async function unpack(name: string, opened: OpenedInput, chunkBytes: number): Promise<Window> {
  // A small file needs no large window: a report opens thousands of them.
  const size = opened.input.bytesTotal ?? chunkBytes;
  const window = new Window(opened.input, Math.min(chunkBytes, Math.max(size, MIN_WINDOW_BYTES)));
  const compression = await compressionOf(name, window);
  if (compression === null) return window;

  // Reads in small steps look at a beginning only: no thread for them.
  const mayStartThread = chunkBytes >= CHUNK_BYTES;
  const input = await decompress(compression, window, opened, mayStartThread);
  const unpacked = new Window(input, chunkBytes);
  // From here on closing it is enough: what is packed belongs to it.
  opened.input = unpacked.input;
  if (sniffCompression(await readMagic(name, unpacked)) === null) return unpacked;
  throw new CaptureError(
    'unsupported-compression',
    name,
    'expected a capture inside the compressed data, found compressed data again; decompress it once first',
    0,
  );
}

/** The compression of what is in the window; skippable frames, which zstd and lz4 share, are looked past. */
async function compressionOf(name: string, window: Window): Promise<Compression | null> {
  const first = sniffCompression(await readMagic(name, window));
  if (first !== 'zstd') return first;
  for (let at = 0; at < MAX_SKIPPED_BYTES && (await window.need(at + SKIP_HEADER_BYTES)); ) {
    const magic = window.view.getUint32(window.start + at, true);
    if (!isSkippable(magic)) return sniffCompression(magic) ?? first;
    at += SKIP_HEADER_BYTES + window.view.getUint32(window.start + at + 4, true);
  }
  return first;
}

/** The decompressed bytes: from a thread of their own where there are many. */
async function decompress(
  kind: Compression,
  packed: Window,
  opened: OpenedInput,
  mayStartThread: boolean,
): Promise<ByteInput> {
  const source = mayStartThread ? sourceForThread(packed, opened) : null;
  if (source !== null) {
    const { startThreadInput } = await import('./thread-input.ts');
    const unpacked = await startThreadInput(kind, source);
    if (unpacked !== null) {
      await packed.input.close();
      return unpacked;
    }
  }
  const { DecompressedInput } = await import('./decompress.ts');
  return new DecompressedInput(kind, packed, opened.reopen);
}

/** What a thread would read from, or null where it wouldn't pay. */
function sourceForThread(packed: Window, { path, descriptor }: OpenedInput): PackedSource | null {
  const { bytesTotal } = packed.input;
  if (bytesTotal !== null && bytesTotal < THREAD_FROM_BYTES) return null;
  if (path !== null && bytesTotal !== null) return { path, bytesTotal };
  if (descriptor === null) return null;
  if (descriptor.isPipe && packed.available < FULL_PIPE_BYTES) return null;
  return { ...descriptor, bytesTotal, head: packed.bytes.slice(packed.start, packed.end) };
}

/** The first four bytes, little-endian; the header of a capture is then in the window if the input has it. */
async function readMagic(name: string, window: Window): Promise<number> {
  await window.need(PCAP_HEADER_BYTES);
  const { available } = window;
  const cause = window.input.damage;
  if (available < MAGIC_BYTES && cause !== null) {
    const code = cause.code === 'read-failed' ? 'read-failed' : 'not-a-capture';
    throw new CaptureError(code, name, `expected a capture, found none: ${cause.message}`, 0);
  }
  if (available === 0) {
    throw new CaptureError('empty', name, 'expected a capture, found no bytes at all', 0);
  }
  if (available < MAGIC_BYTES) throw notACapture(name, window);
  return window.view.getUint32(window.start, true);
}

async function pickReader(name: string, window: Window, reader: ReaderName): Promise<FrameSource> {
  const magic = window.view.getUint32(window.start, true);
  const isPcap = pcapByteOrder(magic) !== null;
  if (!isPcap && magic !== SECTION_HEADER) throw notACapture(name, window);
  if (reader === 'pcap-parser') {
    const { openWithPcapParser } = await import('./pcap-parser.ts');
    return openWithPcapParser(name, window);
  }
  return isPcap ? openPcap(name, window) : openPcapng(name, window);
}

function notACapture(name: string, window: Window): CaptureError {
  const bytes = window.bytes.subarray(window.start, window.end);
  const format = unsupportedFormat(bytes);
  if (format !== null) {
    return new CaptureError(
      'unsupported-format',
      name,
      `expected pcap or pcapng, found ${format}; editcap can convert it`,
      0,
    );
  }
  const compression = unsupportedCompression(bytes);
  if (compression !== null) {
    return new CaptureError(
      'unsupported-compression',
      name,
      `expected gzip, zstd, lz4 or no compression, found ${compression}; decompress it first`,
      0,
    );
  }
  return new CaptureError(
    'not-a-capture',
    name,
    `expected a pcap or pcapng capture, found ${describeBytes(bytes)}`,
    0,
  );
}
