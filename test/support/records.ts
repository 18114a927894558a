/** Records and segments made by hand, for the tests of report/ and cli/. */

import { readFile } from 'node:fs/promises';
import type { RunOptions } from '../../src/analyze.ts';
import type { FrameSource } from '../../src/capture/source.ts';
import type { Context } from '../../src/cli/context.ts';
import type { Writer } from '../../src/cli/writer.ts';
import { createCounts } from '../../src/report/counts.ts';
import type { CaptureSummary, ConnectionRecord } from '../../src/report/record.ts';
import { createTransfer } from '../../src/tcp/figures.ts';

type Deep<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: Deep<T[K]> }
    : T;

const QUIET = createTransfer().client;
const ONE_RTT = { samples: 1, min: 0.00012, median: 0.00012, p95: 0.00012, max: 0.00012 };

/** A four-way close of a small exchange, with `changes` laid over it. */
export function record(changes: Deep<ConnectionRecord> = {}): ConnectionRecord {
  const base: ConnectionRecord = {
    schema: 1,
    file: 'web.pcapng',
    stream: 0,
    communityId: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
    client: { ip: '10.0.0.1', port: 40112 },
    server: { ip: '10.0.0.2', port: 80 },
    rolesFrom: 'syn',
    start: '2026-01-01T00:00:00.000000000Z',
    duration: 0.0123,
    firstFrame: 1,
    lastFrame: 12,
    packets: { client: 7, server: 5 },
    bytes: { client: 78, server: 1024 },
    duplicateFrames: 0,
    transfer: {
      client: {
        ...QUIET,
        maxWindow: 64256,
        uniqueBytes: 78,
        missingBytes: 0,
        maxBytesInFlight: 78,
        rtt: ONE_RTT,
      },
      server: {
        ...QUIET,
        maxWindow: 65160,
        uniqueBytes: 1024,
        missingBytes: 0,
        maxBytesInFlight: 1024,
        rtt: null,
      },
      reusedPorts: false,
    },
    handshake: {
      kind: '3-way',
      fastOpen: false,
      attempts: 1,
      serverRtt: 0.00012,
      clientRtt: 0.00004,
      handshakeRtt: 0.00016,
      isn: { client: 1000, server: 5000 },
      options: {
        client: {
          mss: 1460,
          windowScale: 7,
          sackPermitted: true,
          timestamps: true,
          fastOpenCookie: null,
          mptcp: false,
        },
        server: null,
      },
      steps: [
        {
          kind: 'SYN',
          frame: 1,
          t: 0,
          from: 'client',
          flags: 'SYN',
          seq: 1000,
          ack: null,
          len: 0,
          retransmission: false,
        },
        {
          kind: 'SYN,ACK',
          frame: 2,
          t: 0.00012,
          from: 'server',
          flags: 'SYN,ACK',
          seq: 5000,
          ack: 1001,
          len: 0,
          retransmission: false,
        },
        {
          kind: 'ACK',
          frame: 3,
          t: 0.00016,
          from: 'client',
          flags: 'ACK',
          seq: 1001,
          ack: 5001,
          len: 0,
          retransmission: false,
        },
      ],
    },
    close: {
      kind: '4-way',
      complete: true,
      initiator: 'client',
      timeWait: 'client',
      resetBy: null,
      phase: null,
      resetAfterClose: false,
      certainty: 'proven',
      evidence: [
        { frame: 10, proves: 'the server acknowledged the FIN of frame 9 before it sent its own' },
      ],
      doubt: null,
      steps: [
        {
          kind: 'FIN',
          frame: 9,
          t: 0.011,
          from: 'client',
          flags: 'FIN,ACK',
          seq: 1079,
          ack: 6025,
          len: 0,
          retransmission: false,
          senderState: 'FIN_WAIT_1',
          receiverState: 'CLOSE_WAIT',
        },
        {
          kind: 'ACK of FIN',
          frame: 10,
          t: 0.0111,
          from: 'server',
          flags: 'ACK',
          seq: 6025,
          ack: 1080,
          len: 0,
          retransmission: false,
          senderState: 'CLOSE_WAIT',
          receiverState: 'FIN_WAIT_2',
        },
        {
          kind: 'FIN',
          frame: 11,
          t: 0.0122,
          from: 'server',
          flags: 'FIN,ACK',
          seq: 6025,
          ack: 1080,
          len: 0,
          retransmission: false,
          senderState: 'LAST_ACK',
          receiverState: 'TIME_WAIT',
        },
        {
          kind: 'ACK of FIN',
          frame: 12,
          t: 0.0123,
          from: 'client',
          flags: 'ACK',
          seq: 1080,
          ack: 6026,
          len: 0,
          retransmission: false,
          senderState: 'TIME_WAIT',
          receiverState: 'CLOSED',
        },
      ],
      finToAck: 0.0001,
      closeWait: 0.0012,
      finWait2: 0.0011,
      total: 0.0013,
      bytesAfterFin: 0,
    },
    states: {
      client: [
        { state: 'SYN_SENT', t: 0, frame: 1 },
        { state: 'ESTABLISHED', t: 0.00012, frame: 2 },
        { state: 'FIN_WAIT_1', t: 0.011, frame: 9 },
        { state: 'FIN_WAIT_2', t: 0.0111, frame: 10 },
        { state: 'TIME_WAIT', t: 0.0122, frame: 11 },
        { state: 'CLOSED', t: 60.0122, frame: null },
      ],
      server: [
        { state: 'LISTEN', t: 0, frame: null },
        { state: 'SYN_RECEIVED', t: 0, frame: 1 },
        { state: 'ESTABLISHED', t: 0.00016, frame: 3 },
        { state: 'CLOSE_WAIT', t: 0.011, frame: 9 },
        { state: 'LAST_ACK', t: 0.0122, frame: 11 },
        { state: 'CLOSED', t: 0.0123, frame: 12 },
      ],
    },
    findings: [],
  };
  return overlay(base, changes);
}

function overlay<T>(base: T, changes: unknown): T {
  const plain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!plain(base) || !plain(changes)) return changes as T;
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(changes)) {
    out[key] = key in base ? overlay(base[key], value) : value;
  }
  return out as T;
}

/** The figures of a capture that holds `connections` connections. */
export function captureSummary(changes: Partial<CaptureSummary> = {}): CaptureSummary {
  return {
    ...createCounts(),
    file: 'web.pcapng',
    format: 'pcapng',
    frames: 12,
    frameBytes: 2000,
    tcpFrames: 12,
    start: '2026-01-01T00:00:00.000000000Z',
    end: '2026-01-01T00:00:01.500000000Z',
    connections: 1,
    bytes: 1102,
    duplicateFrames: 0,
    strayFrames: 0,
    evicted: 0,
    snappedFrames: 0,
    notDecoded: {},
    unknownLinkTypes: [],
    outOfOrderFrames: 0,
    droppedByInterface: null,
    warnings: [],
    damage: null,
    ...changes,
  };
}

/** A writer that keeps what it gets. */
function memoryWriter(): Writer & { text: string } {
  return {
    fd: -1,
    text: '',
    write(data) {
      // Bytes hold only during the call.
      this.text += typeof data === 'string' ? data : new TextDecoder().decode(data);
    },
    drain: async () => true,
    finish: async () => true,
    discard() {},
  };
}

const NO_SOURCE: Pick<FrameSource, 'close'> = { close: async () => {} };

/** A context whose analyzer hands out `records` for every input, and what was written to it. */
export function fakeContext(
  records: readonly ConnectionRecord[],
  changes: Partial<Context> & {
    summary?: Partial<CaptureSummary>;
    during?: (options: RunOptions) => void;
  } = {},
): { ctx: Context; stdout: { text: string }; errors: string[] } {
  const stdout = memoryWriter();
  const errors: string[] = [];
  const { during, summary, ...rest } = changes;
  const ctx: Context = {
    engine: async () => ({
      openCapture: async (name) => {
        if (name.startsWith('missing')) {
          const { CaptureError } = await import('../../src/base/errors.ts');
          throw new CaptureError('not-found', name, 'no such file');
        }
        return NO_SOURCE as FrameSource;
      },
      runAnalysis: async (_source, options) => {
        for (const r of records) {
          if (options.only !== undefined && r.stream !== options.only) continue;
          options.onRecord({ ...r, file: options.file ?? null }, null);
        }
        during?.(options);
        await options.onChunk?.({
          frames: 1,
          bytesRead: 1,
          bytesTotal: 1,
          connections: records.length,
        });
        return captureSummary({ connections: records.length, ...summary });
      },
    }),
    stdout,
    warn: (line) => errors.push(line),
    status: () => {},
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    width: 80,
    env: {},
    interrupt: new AbortController().signal,
    ...rest,
  };
  return { ctx, stdout, errors };
}

/** The published JSON Schema. */
export async function recordSchema(): Promise<Record<string, unknown>> {
  const text = await readFile(new URL('../../docs/record.schema.json', import.meta.url), 'utf8');
  return JSON.parse(text) as Record<string, unknown>;
}
