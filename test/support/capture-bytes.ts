/** Builds capture files byte by byte, for tests of the readers; knows nothing of the readers' own constants. */

export type ByteOrder = 'little' | 'big';

/** A record of a classic pcap. */
export interface RecordSpec {
  sec: number;
  /** Micro- or nanoseconds, as the file's magic says. */
  ticks: number;
  data: Uint8Array;
  /** Default: the length of `data`. */
  capturedLen?: number;
  originalLen?: number;
}

export interface PcapSpec {
  order?: ByteOrder;
  magic?: number;
  version?: [major: number, minor: number];
  snapLen?: number;
  /** The whole 32-bit field. */
  linkField?: number;
  records?: RecordSpec[];
}

/** A whole classic pcap file. */
export function pcapBytes(spec: PcapSpec = {}): Uint8Array {
  const little = (spec.order ?? 'little') === 'little';
  const magic = spec.magic ?? 0xa1b2c3d4;
  const [major, minor] = spec.version ?? [2, 4];
  const parts = [u32(magic, little), u16(major, little), u16(minor, little), u32(0, little)];
  parts.push(u32(0, little), u32(spec.snapLen ?? 65535, little), u32(spec.linkField ?? 1, little));
  for (const record of spec.records ?? []) {
    parts.push(u32(record.sec, little), u32(record.ticks, little));
    parts.push(u32(record.capturedLen ?? record.data.length, little));
    parts.push(u32(record.originalLen ?? record.data.length, little));
    if (magic === 0xa1b2cd34) parts.push(u32(7, little), u16(0x800, little), u16(0, little));
    parts.push(record.data);
  }
  return join(...parts);
}

export interface OptionSpec {
  code: number;
  value: Uint8Array;
}

/** One pcapng block around `body`, padded to 32 bits. */
export function block(order: ByteOrder, type: number, ...body: Uint8Array[]): Uint8Array {
  const little = order === 'little';
  const content = pad(join(...body));
  const length = u32(content.length + 12, little);
  return join(u32(type, little), length, content, length);
}

function options(order: ByteOrder, list: OptionSpec[]): Uint8Array {
  if (list.length === 0) return new Uint8Array(0);
  const little = order === 'little';
  const parts = list.flatMap(({ code, value }) => [
    u16(code, little),
    u16(value.length, little),
    pad(value),
  ]);
  return join(...parts, u32(0, little));
}

export function sectionHeader(
  order: ByteOrder,
  version: [major: number, minor: number] = [1, 0],
  list: OptionSpec[] = [],
  sectionLength = -1n,
): Uint8Array {
  const little = order === 'little';
  return block(
    order,
    0x0a0d0d0a,
    u32(0x1a2b3c4d, little),
    u16(version[0], little),
    u16(version[1], little),
    u64(BigInt.asUintN(64, sectionLength), little),
    options(order, list),
  );
}

export function interfaceBlock(
  order: ByteOrder,
  spec: { linkType?: number; snapLen?: number; options?: OptionSpec[] } = {},
): Uint8Array {
  const little = order === 'little';
  return block(
    order,
    1,
    u16(spec.linkType ?? 1, little),
    u16(0, little),
    u32(spec.snapLen ?? 0, little),
    options(order, spec.options ?? []),
  );
}

export interface PacketSpec {
  iface?: number;
  /** In units of the interface. */
  ticks: bigint;
  data: Uint8Array;
  capturedLen?: number;
  originalLen?: number;
  options?: OptionSpec[];
}

export function enhancedPacket(order: ByteOrder, spec: PacketSpec): Uint8Array {
  const little = order === 'little';
  return block(order, 6, u32(spec.iface ?? 0, little), ...packetBody(order, spec));
}

export function obsoletePacket(order: ByteOrder, spec: PacketSpec): Uint8Array {
  const little = order === 'little';
  return block(order, 2, u16(spec.iface ?? 0, little), u16(3, little), ...packetBody(order, spec));
}

export function simplePacket(
  order: ByteOrder,
  data: Uint8Array,
  originalLen = data.length,
): Uint8Array {
  return block(order, 3, u32(originalLen, order === 'little'), data);
}

export function statisticsBlock(order: ByteOrder, iface: number, list: OptionSpec[]): Uint8Array {
  const little = order === 'little';
  return block(order, 5, u32(iface, little), u32(0, little), u32(0, little), options(order, list));
}

function packetBody(order: ByteOrder, spec: PacketSpec): Uint8Array[] {
  const little = order === 'little';
  return [
    u32(Number(spec.ticks >> 32n), little),
    u32(Number(spec.ticks & 0xffffffffn), little),
    u32(spec.capturedLen ?? spec.data.length, little),
    u32(spec.originalLen ?? spec.data.length, little),
    pad(spec.data),
    options(order, spec.options ?? []),
  ];
}

/** `length` bytes that differ from frame to frame. */
export function payload(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17) & 0xff);
}

export function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function u16(value: number, little = true): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value, little);
  return bytes;
}

export function u32(value: number, little = true): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, little);
  return bytes;
}

export function u64(value: bigint, little = true): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, little);
  return bytes;
}

function pad(bytes: Uint8Array): Uint8Array {
  return join(bytes, new Uint8Array(-bytes.length & 3));
}
