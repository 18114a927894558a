/** The capturing programs: how each is told what to capture (dumpcap(1), tcpdump(1), the cap package). */

/** In the order in which `auto` tries them. */
export const ENGINES = ['dumpcap', 'tcpdump', 'cap'] as const;
export type EngineName = (typeof ENGINES)[number];

/** What to capture. */
export interface LiveOptions {
  iface: string;
  /** As tcpdump takes it; the empty string: everything. */
  filter: string;
  /** Bytes kept of each frame. */
  snapLen: number;
  /** Memory of the kernel's buffer; null: what suits the engine. */
  bufferMiB: number | null;
  /** Also frames that are not for this host. */
  promiscuous: boolean;
}

/** Bytes of a frame that hold every header finwait reads: the lengths come from the headers, so figures are the same. */
export const HEADERS_SNAP_LEN = 512;
/** Whole frames, as tcpdump and dumpcap have it. */
export const WHOLE_SNAP_LEN = 262_144;
const DEFAULT_BUFFER_MIB = 32;
/** What the cap package keeps of a frame, always. */
export const CAP_SNAP_LEN = 65_535;
/** With that snap length and offload on, each frame has a slot of 128 KiB in the kernel's buffer: this is room for 2,048. */
export const CAP_BUFFER_MIB = 256;

/**
 * Up to this snap length tcpdump hands over each frame at once. Its buffer then has a slot of that size for every frame; with whole
 * frames it would hold few of them, so that they come in blocks, once a second.
 */
export const IMMEDIATE_SNAP_LEN = 2048;

/** The arguments with which dumpcap writes pcapng to its standard output. */
export function dumpcapArguments(options: LiveOptions): string[] {
  const { bufferMiB, filter, iface, promiscuous, snapLen } = options;
  return [
    ...['-q', '-i', iface, '-s', String(snapLen), '-B', String(bufferMiB ?? DEFAULT_BUFFER_MIB)],
    ...(promiscuous ? [] : ['-p']),
    ...(filter === '' ? [] : ['-f', filter]),
    ...['-w', '-'],
  ];
}

/** The arguments with which tcpdump writes pcap to its standard output. */
export function tcpdumpArguments(options: LiveOptions, platform: NodeJS.Platform): string[] {
  const { bufferMiB, filter, iface, promiscuous, snapLen } = options;
  const bufferKiB = (bufferMiB ?? DEFAULT_BUFFER_MIB) * 1024;
  return [
    ...['-n', '-U', '-i', iface, '-s', String(snapLen), '-B', String(bufferKiB)],
    ...(snapLen <= IMMEDIATE_SNAP_LEN ? ['--immediate-mode'] : []),
    // The BPF device of macOS knows microseconds only.
    ...(platform === 'darwin' ? [] : ['--time-stamp-precision=nano']),
    ...(promiscuous ? [] : ['-p']),
    ...['-w', '-', '--'],
    ...(filter === '' ? [] : [filter]),
  ];
}
