/** The thread that decompresses a file or standard input: fills the slots as they come free. */

import { openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { DecompressedInput } from './decompress.ts';
import {
  type DecompressJob,
  type FromDecompress,
  type PackedSource,
  SLOT_BYTES,
  SLOTS,
} from './decompress-job.ts';
import type { Compression } from './formats.ts';
import { FileInput } from './inputs.ts';
import { PipeInput } from './pipe-input.ts';
import { CHUNK_BYTES, Window } from './window.ts';

const job: DecompressJob = workerData;
const port = parentPort;
if (port === null) throw new Error('expected to run as a thread');
const tell = (message: FromDecompress): void => port.postMessage(message);
tell({ kind: 'ready' });

const free = Array.from({ length: SLOTS }, (_, slot) => slot);
let wake: () => void = () => {};
port.on('message', (slot: number) => {
  free.push(slot);
  wake();
});

const input = decompressed(job.kind, job.source);
for (;;) {
  const slot = free.shift();
  if (slot === undefined) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    continue;
  }
  const bytes = new Uint8Array(job.memory, slot * SLOT_BYTES, SLOT_BYTES);
  const count = await input.read(bytes, 0);
  const { bytesRead, damage, warnings } = input;
  if (count === 0) {
    tell({ kind: 'end', damage, warnings: [...warnings], bytesRead });
    break;
  }
  tell({ kind: 'bytes', slot, count, bytesRead });
}
await input.close();
port.close();

function decompressed(kind: Compression, source: PackedSource): DecompressedInput {
  if ('path' in source) {
    const open = () => new FileInput(openSync(source.path, 'r'), source.bytesTotal);
    return new DecompressedInput(kind, new Window(open()), open);
  }
  const { fd, isPipe, from, bytesTotal, head } = source;
  const again = () => new FileInput(fd, bytesTotal, CHUNK_BYTES, from);
  const input = isPipe ? new PipeInput(fd) : again();
  input.bytesRead = head.length;
  const packed = new Window(input);
  packed.bytes.set(head);
  packed.end = head.length;
  return new DecompressedInput(kind, packed, from === null ? null : again);
}
