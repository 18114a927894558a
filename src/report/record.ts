/** The record of a connection, the same in every output (docs/specification.md §7), and the figures of a whole capture. */

import type { Damage } from '../base/errors.ts';
import type { Transfer } from '../tcp/figures.ts';
import type {
  Close,
  Finding,
  Handshake,
  PerSide,
  ShownSegment,
  StateEntry,
} from '../tcp/verdicts.ts';
import type { RecordCounts } from './counts.ts';
import type { ZeekView } from './zeek-view.ts';

/** One end of a connection. */
export interface EndpointAddress {
  /** Dotted decimal, or RFC 5952. */
  ip: string;
  port: number;
}

/** One connection. Keys are always all there, in this order; absent is null. */
export interface ConnectionRecord {
  schema: 1;
  /** The input's name as given, or null where the library was handed bytes or a stream without one. */
  file: string | null;
  /** Number of the connection in its capture, from 0, as Wireshark's tcp.stream. */
  stream: number;
  /** Community ID v1. */
  communityId: string;
  client: EndpointAddress;
  server: EndpointAddress;
  /** What tells who is the client: its SYN, the SYN-ACK, or only the ports. */
  rolesFrom: 'syn' | 'syn-ack' | 'ports';
  /** RFC 3339, UTC, nine decimals: the time of the first frame. */
  start: string;
  /** Seconds from the first to the last frame. */
  duration: number;
  /** Frame numbers, from 1. */
  firstFrame: number;
  lastFrame: number;
  /** Every captured frame, retransmissions and duplicates included. */
  packets: PerSide<number>;
  /** Payload bytes of these. */
  bytes: PerSide<number>;
  /** Frames that were captured twice. */
  duplicateFrames: number;
  transfer: Transfer;
  handshake: Handshake;
  close: Close;
  states: PerSide<StateEntry[]>;
  findings: Finding[];
  /** Only where `AnalyzeOptions.zeek` asked for it, and in no output but Zeek's. */
  zeek?: ZeekView;
}

/** Figures of a capture as a whole. */
export interface CaptureSummary extends RecordCounts {
  /** As in the records. */
  file: string | null;
  format: 'pcap' | 'pcapng';
  /** Frames read, and their captured bytes. */
  frames: number;
  frameBytes: number;
  /** Frames that held a TCP segment. */
  tcpFrames: number;
  /** RFC 3339 of the first and last frame in time order, or null without frames. */
  start: string | null;
  end: string | null;
  connections: number;
  /** Frames that were captured twice. */
  duplicateFrames: number;
  /** Late frames of connections already forgotten. */
  strayFrames: number;
  /** Connections written out before their end because too many were open, or nothing was heard of them for long. */
  evicted: number;
  /** Frames cut short by the snap length. */
  snappedFrames: number;
  /** Frames not decoded to TCP, by reason (docs/decoding.md): kebab-case reason to count. */
  notDecoded: Record<string, number>;
  /** Link types nothing decodes, with their frame counts. */
  unknownLinkTypes: { linkType: number; frames: number }[];
  /** Frames whose time lies before that of the frame before. */
  outOfOrderFrames: number;
  /** Sum over the interfaces that report it, or null where none does. */
  droppedByInterface: number | null;
  warnings: string[];
  damage: Damage | null;
}

/** One segment of a watched connection, as the analysis hands it out and the ladder shows it. */
export interface SegmentView extends ShownSegment {
  window: number;
  duplicate: boolean;
}
