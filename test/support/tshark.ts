/** tshark's account of a capture, in one run: the innermost TCP segment of every frame, and the bytes of connections in order. */

import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export const HAS_TSHARK = spawnSync('tshark', ['-v']).status === 0;

export interface TsharkSegment {
  stream: number;
  frame: number;
  src: string;
  dst: string;
  srcPort: number;
  dstPort: number;
  seq: number;
  ack: number;
  flags: number;
  /** Null where tshark couldn't tell it. */
  len: number | null;
  window: number;
  ttl: number;
  tsVal: number | null;
}

/** The bytes of each sender (`address:port`) as hexadecimal digits. */
export type Contents = Record<string, string>;

export interface TsharkAccount {
  /** Of the frames that hold a TCP segment with a stream number, other than those quoted in ICMP errors (docs/differences.md). */
  segments: TsharkSegment[];
  /** By stream, of those that were asked for: as `-z follow,tcp,raw` has them, without its remarks on missing bytes. */
  followed: Map<number, Contents>;
}

const FIELDS = [
  'tcp.stream',
  'frame.number',
  'frame.protocols',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.seq_raw',
  'tcp.ack_raw',
  'tcp.flags',
  'tcp.len',
  'tcp.window_size_value',
  'ip.ttl',
  'ipv6.hlim',
  'tcp.options.timestamp.tsval',
];
const SEPARATOR = '|';

/** tshark puts this text into the bytes where the capture lacks some. */
const MISSING = /\[\d+ bytes missing in capture file\]\0/g;

/** Runs tshark over the capture, as far as it can be read; `streams` are those to follow. */
export async function byTshark(
  path: string,
  streams: readonly number[] = [],
): Promise<TsharkAccount> {
  const args = [
    ...['-n', '-2', '-r', path, '-Y', 'tcp.stream && tcp.flags && !icmp && !icmpv6'],
    ...['-T', 'fields', '-E', `separator=${SEPARATOR}`],
    ...FIELDS.flatMap((field) => ['-e', field]),
    ...streams.flatMap((stream) => ['-z', `follow,tcp,raw,${stream}`]),
  ];
  // A damaged file ends with a non-zero status, after everything before the damage.
  const { stdout } = await execute('tshark', args, { maxBuffer: 1 << 30 }).catch(
    (error: { stdout: string }) => error,
  );
  const lines = stdout.split('\n');
  const isSegment = (line: string): boolean => line.includes(SEPARATOR);
  return {
    segments: lines.filter(isSegment).map((line) => segmentOf(line.split(SEPARATOR))),
    followed: followedOf(lines.filter((line) => !isSegment(line))),
  };
}

/** Where a frame holds several headers the innermost counts. */
function segmentOf(values: readonly string[]): TsharkSegment {
  const last = (field: string) => values[FIELDS.indexOf(field)]!.split(',').at(-1)!;
  const protocols = last('frame.protocols').split(':');
  const isIpv6 = protocols.lastIndexOf('ipv6') > protocols.lastIndexOf('ip');
  const tsVal = last('tcp.options.timestamp.tsval');
  return {
    stream: Number(last('tcp.stream')),
    frame: Number(last('frame.number')),
    src: last(isIpv6 ? 'ipv6.src' : 'ip.src'),
    dst: last(isIpv6 ? 'ipv6.dst' : 'ip.dst'),
    srcPort: Number(last('tcp.srcport')),
    dstPort: Number(last('tcp.dstport')),
    seq: Number(last('tcp.seq_raw')),
    ack: Number(last('tcp.ack_raw')),
    flags: Number(last('tcp.flags')),
    len: last('tcp.len') === '' ? null : Number(last('tcp.len')),
    window: Number(last('tcp.window_size_value')),
    ttl: Number(last(isIpv6 ? 'ipv6.hlim' : 'ip.ttl')),
    tsVal: tsVal === '' ? null : Number(tsVal),
  };
}

function followedOf(lines: readonly string[]): Map<number, Contents> {
  const found = new Map<number, Contents>();
  const nodes: [string, string] = ['', ''];
  let contents: Contents = {};
  for (const line of lines) {
    const [, stream] = /^Filter: tcp\.stream eq (\d+)/.exec(line) ?? [];
    const [, node, end] = /^Node ([01]): (.*)$/.exec(line) ?? [];
    if (stream !== undefined) {
      contents = {};
      found.set(Number(stream), contents);
    } else if (node !== undefined) {
      nodes[node === '0' ? 0 : 1] = end ?? '';
    } else if (/^\t?[0-9a-f]+$/.test(line)) {
      const sender = nodes[line.startsWith('\t') ? 1 : 0];
      const hex = Buffer.from(line.trim(), 'hex').toString('latin1').replace(MISSING, '');
      contents[sender] = (contents[sender] ?? '') + Buffer.from(hex, 'latin1').toString('hex');
    }
  }
  return found;
}
