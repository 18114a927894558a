/** tshark's account of the innermost TCP segment of every frame of a capture. */

import { spawnSync } from 'node:child_process';

export interface TsharkSegment {
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

const FIELDS = [
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

/** The frames that hold a TCP segment with a stream number, other than those quoted in ICMP errors. */
export function tsharkSegments(file: string, options: readonly string[] = []): TsharkSegment[] {
  const filter = 'tcp.stream && tcp.flags && !icmp && !icmpv6';
  const args = [
    '-n',
    '-2',
    '-r',
    file,
    '-Y',
    filter,
    ...options,
    '-T',
    'fields',
    '-E',
    'separator=|',
  ];
  const { stdout } = spawnSync('tshark', [...args, ...FIELDS.flatMap((field) => ['-e', field])], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => segmentOf(line.split('|')));
}

function segmentOf(values: readonly string[]): TsharkSegment {
  const last = (field: string) => values[FIELDS.indexOf(field)]!.split(',').at(-1)!;
  const protocols = last('frame.protocols').split(':');
  const isIpv6 = protocols.lastIndexOf('ipv6') > protocols.lastIndexOf('ip');
  const tsVal = last('tcp.options.timestamp.tsval');
  return {
    frame: Number(last('frame.number')),
    src: isIpv6 ? plainIpv6(last('ipv6.src')) : last('ip.src'),
    dst: isIpv6 ? plainIpv6(last('ipv6.dst')) : last('ip.dst'),
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

/** The 32 hexadecimal digits of an address as printed. */
function plainIpv6(text: string): string {
  const [head = '', tail] = text
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
      const word = (high: string, low: string) => (Number(high) * 256 + Number(low)).toString(16);
      return `${word(a, b)}:${word(c, d)}`;
    })
    .split('::');
  const words = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => word.padStart(4, '0'));
  const front = words(head);
  const back = words(tail ?? '');
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0000');
  return [...front, ...zeros, ...back].join('');
}
