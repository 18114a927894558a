/** Opens a capture: recognises what the bytes are and picks the reader for them. */

import { openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { CaptureError } from '../base/errors.ts';
import { BytesInput, FileInput, StreamInput } from './inputs.ts';
import { openPcap, pcapByteOrder } from './pcap.ts';
import { openPcapng, SECTION_HEADER } from './pcapng.ts';
import type { FrameSource } from './source.ts';
import { Window } from './window.ts';

export interface OpenOptions {
  name?: string;
  reader?: 'native' | 'pcap-parser';
  chunkBytes?: number;
}

export async function openCapture(
  input: string | Readable | Uint8Array,
  options: OpenOptions = {},
): Promise<FrameSource> {
  const name = options.name ?? (typeof input === 'string' ? input : 'capture');
  const bytes =
    typeof input === 'string'
      ? new FileInput(openSync(input, 'r'), null, options.chunkBytes)
      : input instanceof Uint8Array
        ? new BytesInput(input, options.chunkBytes)
        : new StreamInput(input, options.chunkBytes);
  const window = new Window(bytes, options.chunkBytes);
  if (!(await window.need(4))) throw new CaptureError('empty', name, 'found no bytes', 0);
  const magic = window.view.getUint32(window.start, true);
  if (pcapByteOrder(magic) !== null) return openPcap(name, window);
  if (magic === SECTION_HEADER) return openPcapng(name, window);
  throw new CaptureError('not-a-capture', name, 'no capture', 0);
}
