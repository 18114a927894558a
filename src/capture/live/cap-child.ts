/**
 * The `cap` engine: a program of its own that captures with the cap package and writes pcap to its standard output.
 *
 * Not in finwait's own process, for three reasons found in the package: it ends the process with a failed assertion when the interface
 * goes away; while frames keep coming it never returns to the event loop; and frames can't be stamped well by a process that is busy
 * with others. The package is loaded here only.
 */

import { writeSync } from 'node:fs';
import type { CapJob } from './cap-command.ts';
import { CAP_MISSING_STATUS } from './cap-status.ts';
import { PcapRecords } from './pcap-records.ts';

/** The package copies each frame here and keeps only the address: it must live as long as the capture. */
const FRAME_BYTES = 65_536;
/** What a probe opens: an interface that is there on every system. */
const PROBED = process.platform === 'linux' ? 'lo' : 'lo0';
/** Where the clock of `performance` has drifted this far from the wall's, it is set again. */
const MAX_DRIFT_MS = 5;

/** LINKTYPE_ numbers of the package's words; for another one it gives the number. */
const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
  IEEE802_11_RADIO: 127,
};

/** Wait before the next try where the pipe is full. */
const FULL_PAUSE_MS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));

const frame = Buffer.alloc(FRAME_BYTES);
/** Also where opening failed: the package's destructor would stop a poll that was never started. */
const held: unknown[] = [frame];

try {
  await run(JSON.parse(process.argv[2] ?? '{}'));
} catch (error) {
  process.stderr.write(`cap: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

async function run(job: CapJob): Promise<void> {
  const { Cap } = await load();
  const cap = new Cap();
  held.push(cap);
  if ('probe' in job) {
    cap.open(PROBED, '', frame.length, frame);
    process.exit(0);
  }
  const { iface, filter, snapLen, bufferBytes } = job;
  const word = cap.open(iface, filter, bufferBytes, frame);
  const linkType = LINK_TYPES[word] ?? Number(/(\d+)$/.exec(word)?.[1] ?? 0);

  const records = new PcapRecords(snapLen, linkType, write);
  let epochMs = performance.timeOrigin;
  let isFlushPlanned = false;
  const flush = (): void => {
    isFlushPlanned = false;
    records.flush();
    const drift = Date.now() - (epochMs + performance.now());
    if (Math.abs(drift) > MAX_DRIFT_MS) epochMs += drift;
  };
  cap.on('packet', (bytes) => {
    const ms = epochMs + performance.now();
    records.add(frame, bytes, ms);
    if (isFlushPlanned) return;
    isFlushPlanned = true;
    setImmediate(flush);
  });
  const end = (): void => {
    cap.close();
    records.flush();
    process.exit(0);
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}

async function load(): Promise<typeof import('cap')> {
  try {
    return (await import('cap')).default;
  } catch {
    process.exit(CAP_MISSING_STATUS);
  }
}

/** Writes all of it, waiting where the reader is behind: frames wait in the kernel's buffer meanwhile. Ends where nobody reads any more. */
function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      if (!isFull) process.exit(0);
      Atomics.wait(pause, 0, 0, FULL_PAUSE_MS);
    }
  }
}
