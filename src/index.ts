/** The public API. */

export {
  type Analysis,
  type AnalyzeOptions,
  analyze,
  type CaptureInput,
} from './analyze.ts';
export { CaptureError, type CaptureErrorCode, type Damage } from './base/errors.ts';
export type { ReaderName } from './capture/open.ts';
export {
  type FollowedBytes,
  type FollowedChunk,
  type FollowedGap,
  type FollowOptions,
  follow,
} from './follow.ts';
export type { TransferTotals } from './report/counts.ts';
export type { CaptureSummary, ConnectionRecord, EndpointAddress } from './report/record.ts';
export type { ZeekEnd, ZeekView } from './report/zeek-view.ts';
export type { RttFigures, Transfer, TransferSide } from './tcp/figures.ts';
export {
  nextState,
  TCP_EVENTS,
  TCP_STATES,
  type TcpEvent,
  type TcpState,
  TRANSITIONS,
} from './tcp/state.ts';
export type {
  Close,
  CloseKind,
  CloseStep,
  Evidence,
  Finding,
  FindingCode,
  Handshake,
  HandshakeKind,
  HandshakeStep,
  PerSide,
  RstPhase,
  Severity,
  ShownSegment,
  Side,
  StateEntry,
  TcpOptions,
} from './tcp/verdicts.ts';
export type { ConnState } from './tcp/zeek/states.ts';
