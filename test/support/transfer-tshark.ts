/** The transfer figures of a capture's connections as tshark's tcp.analysis fields give them, to compare with finwait's. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { analyze } from '../../src/analyze.ts';
import { CaptureError } from '../../src/base/errors.ts';
import type { TransferSide } from '../../src/tcp/figures.ts';

const execute = promisify(execFile);

/** Figure to tshark's field, where the figure counts frames that have it. */
export const COUNTED = {
  retransmissions: 'tcp.analysis.retransmission',
  fastRetransmissions: 'tcp.analysis.fast_retransmission',
  spuriousRetransmissions: 'tcp.analysis.spurious_retransmission',
  outOfOrder: 'tcp.analysis.out_of_order',
  duplicateAcks: 'tcp.analysis.duplicate_ack',
  keepAlives: 'tcp.analysis.keep_alive',
  keepAliveAcks: 'tcp.analysis.keep_alive_ack',
  zeroWindows: 'tcp.analysis.zero_window',
  zeroWindowProbes: 'tcp.analysis.zero_window_probe',
  zeroWindowProbeAcks: 'tcp.analysis.zero_window_probe_ack',
  windowFull: 'tcp.analysis.window_full',
  windowUpdates: 'tcp.analysis.window_update',
  lostSegments: 'tcp.analysis.lost_segment',
  ackedUnseen: 'tcp.analysis.ack_lost_segment',
} as const satisfies Partial<Record<keyof TransferSide, string>>;

const OTHERS = [
  ...['tcp.analysis.ack_rtt', 'tcp.analysis.bytes_in_flight', 'tcp.analysis.reused_ports'],
  ...['tcp.stream', 'tcp.srcport', 'tcp.dstport', 'tcp.len', 'tcp.window_size'],
  'tcp.flags.reset',
  ...['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'frame.protocols'],
];
const FIELDS = [...Object.values(COUNTED), ...OTHERS];

/** Figures that are compared, by name; numbers of one end. */
export const COMPARED = [
  ...(Object.keys(COUNTED) as (keyof typeof COUNTED)[]),
  'retransmittedBytes',
  'maxWindow',
  'maxBytesInFlight',
  'rttSamples',
  'rttMin',
  'rttMax',
] as const;
export type Compared = (typeof COMPARED)[number];

/** One direction of a connection. */
export interface Direction {
  key: string;
  values: Record<Compared, number>;
  /** Of finwait's: the connection has frames that the capture saw twice; both its SYNs were seen. */
  hasDuplicates: boolean;
  hasSyns: boolean;
}

/** Directions keyed by `stream ip port` of the sender. */
export type Directions = Map<string, Direction>;

function emptyDirection(key: string): Direction {
  const values = Object.fromEntries(COMPARED.map((name) => [name, 0])) as Direction['values'];
  return { key, values, hasDuplicates: false, hasSyns: false };
}

/** Each direction's figures as tshark counts them; a round trip belongs to the end whose segment was acknowledged. */
export async function transferByTshark(path: string): Promise<Directions> {
  const filter = 'tcp.stream && tcp.flags && !icmp && !icmpv6';
  const args = ['-n', '-r', path, '-Y', filter, '-T', 'fields', '-E', 'separator=|'];
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  // A damaged file ends with a non-zero status, after everything before the damage.
  const { stdout } = await execute('tshark', [...args, ...fields], { maxBuffer: 1 << 30 }).catch(
    (error: { stdout: string }) => error,
  );
  const found: Directions = new Map();
  const direction = (key: string): Direction => {
    let one = found.get(key);
    if (one === undefined) {
      one = emptyDirection(key);
      found.set(key, one);
    }
    return one;
  };
  for (const line of stdout.split('\n').filter((text) => text !== '')) {
    const values = new Map(line.split('|').map((value, i) => [FIELDS[i], value]));
    const get = (field: string): string => values.get(field)?.split(',').at(-1) ?? '';
    const protocols = get('frame.protocols').split(':');
    const ip = protocols.lastIndexOf('ipv6') > protocols.lastIndexOf('ip') ? 'ipv6' : 'ip';
    const stream = get('tcp.stream');
    const own = direction(`${stream} ${get(`${ip}.src`)} ${get('tcp.srcport')}`).values;
    const peer = direction(`${stream} ${get(`${ip}.dst`)} ${get('tcp.dstport')}`).values;
    for (const [name, field] of Object.entries(COUNTED)) {
      if (get(field) !== '') own[name as Compared]++;
    }
    const len = Number(get('tcp.len'));
    if (get(COUNTED.retransmissions) !== '') own.retransmittedBytes += len;
    own.maxBytesInFlight = Math.max(
      own.maxBytesInFlight,
      Number(get('tcp.analysis.bytes_in_flight')),
    );
    // A RST announces no window.
    if (get('tcp.flags.reset') === '0')
      own.maxWindow = Math.max(own.maxWindow, Number(get('tcp.window_size')));
    if (get('tcp.analysis.ack_rtt') !== '') {
      const rtt = Number(get('tcp.analysis.ack_rtt'));
      peer.rttMin = peer.rttSamples === 0 ? rtt : Math.min(peer.rttMin, rtt);
      peer.rttMax = peer.rttSamples === 0 ? rtt : Math.max(peer.rttMax, rtt);
      peer.rttSamples++;
    }
  }
  return found;
}

/** The same as finwait counts them. */
export async function transferByFinwait(path: string): Promise<Directions> {
  const found: Directions = new Map();
  try {
    for await (const record of analyze(path)) {
      for (const side of ['client', 'server'] as const) {
        const key = `${record.stream} ${record[side].ip} ${record[side].port}`;
        const one = emptyDirection(key);
        const figures = record.transfer[side];
        for (const name of COMPARED) {
          if (name === 'rttSamples') one.values[name] = figures.rtt?.samples ?? 0;
          else if (name === 'rttMin') one.values[name] = figures.rtt?.min ?? 0;
          else if (name === 'rttMax') one.values[name] = figures.rtt?.max ?? 0;
          else one.values[name] = figures[name];
        }
        one.hasDuplicates = record.duplicateFrames > 0;
        const { options } = record.handshake;
        one.hasSyns = options.client !== null && options.server !== null;
        found.set(key, one);
      }
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
  }
  return found;
}

/** Whether nothing in the direction was repeated, lost or probed, as tshark says: then sizes and round trips are equal, too. */
export function isSmooth({ values: v }: Direction): boolean {
  return (
    v.retransmissions + v.outOfOrder + v.lostSegments + v.keepAlives + v.zeroWindowProbes === 0
  );
}
