/** Records as JSON Lines (RFC 8259), written byte by byte because every connection of a capture passes here. */

import { COUNT_NAMES, isQuiet, type Transfer, type TransferSide } from '../tcp/figures.ts';
import { TCP_STATES } from '../tcp/state.ts';
import {
  CLOSE_KINDS,
  type Close,
  type CloseStep,
  type Evidence,
  FINDING_CODES,
  type Finding,
  HANDSHAKE_KINDS,
  type Handshake,
  type HandshakeStep,
  type PerSide,
  type Side,
  type StateEntry,
  type TcpOptions,
} from '../tcp/verdicts.ts';
import type { ByteText } from './byte-text.ts';
import { type Fragment, fragment, fragments } from './fragment.ts';
import type { ConnectionRecord, EndpointAddress } from './record.ts';
import type { Sink } from './sink.ts';
import { templated } from './templated.ts';

const SIDES: readonly Side[] = ['client', 'server'];
const STEP_KINDS = ['SYN', 'SYN,ACK', 'ACK', 'RST', 'FIN', 'ACK of FIN', 'FIN,ACK of FIN'] as const;
/** Combinations of options kept. */
const MAX_OPTION_TEXTS = 1024;

const ROLES = ['syn', 'syn-ack', 'ports'] as const;

const STREAM = fragment(',"stream":');
const PORT = fragment('","port":');
const NULL = fragment('null');
const PHASE = fragment(',"phase":');
const TOTAL = fragment(',"total":');
const T = fragment(',"t":');
const SEQ = fragment(',"seq":');
const ACK = fragment(',"ack":');
const LEN = fragment(',"len":');
const FRAME = fragment(',"frame":');
const HEAD = fragment('{"schema":1,"file":');
const COMMUNITY_ID = fragment(',"communityId":"');
const CLIENT_IP = fragment('","client":{"ip":"');
const SERVER_IP = fragment('},"server":{"ip":"');
const ROLES_FROM = fragments(ROLES, (word) => `},"rolesFrom":"${word}","start":"`);
const DURATION = fragment('","duration":');
const FIRST_FRAME = fragment(',"firstFrame":');
const LAST_FRAME = fragment(',"lastFrame":');
const PACKETS_CLIENT = fragment(',"packets":{"client":');
const SERVER = fragment(',"server":');
const BYTES_CLIENT = fragment('},"bytes":{"client":');
const DUPLICATES = fragment('},"duplicateFrames":');
const TRANSFER_CLIENT = fragment(',"transfer":{"client":');
const COUNT_KEYS = COUNT_NAMES.map((name, i) => fragment(`${i === 0 ? '{' : ','}"${name}":`));
const NO_COUNTS = fragment(`{${COUNT_NAMES.map((name) => `"${name}":0`).join(',')}`);
const MAX_WINDOW = fragment(',"maxWindow":');
const UNIQUE_BYTES = fragment(',"uniqueBytes":');
const MISSING_BYTES = fragment(',"missingBytes":');
const MAX_BYTES_IN_FLIGHT = fragment(',"maxBytesInFlight":');
const NO_RTT = fragment(',"rtt":null}');
const RTT_SAMPLES = fragment(',"rtt":{"samples":');
const REUSED_PORTS = [fragment(',"reusedPorts":false}'), fragment(',"reusedPorts":true}')] as const;
const HANDSHAKE_KIND = fragments(HANDSHAKE_KINDS, (kind) => `,"handshake":{"kind":"${kind}"`);
const FAST_OPEN = [
  fragment(',"fastOpen":false,"attempts":'),
  fragment(',"fastOpen":true,"attempts":'),
] as const;
const SERVER_RTT = fragment(',"serverRtt":');
const CLIENT_RTT = fragment(',"clientRtt":');
const HANDSHAKE_RTT = fragment(',"handshakeRtt":');
const ISN_CLIENT = fragment(',"isn":{"client":');
const OPTIONS_CLIENT = fragment('},"options":{"client":');
const STEPS = fragment('},"steps":[');
const CLOSE_KIND = fragments(CLOSE_KINDS, (kind) => `]},"close":{"kind":"${kind}"`);
const COMPLETE = [
  fragment(',"complete":false,"initiator":'),
  fragment(',"complete":true,"initiator":'),
] as const;
const TIME_WAIT = fragment(',"timeWait":');
const RESET_BY = fragment(',"resetBy":');
const RESET_AFTER_CLOSE = [
  fragment(',"resetAfterClose":false,"certainty":'),
  fragment(',"resetAfterClose":true,"certainty":'),
] as const;
const EVIDENCE = fragment(',"evidence":[');
const PROVES = fragment(',"proves":');
const DOUBT = fragment('],"doubt":');
const CLOSE_STEPS = fragment(',"steps":[');
const FIN_TO_ACK = fragment('],"finToAck":');
const CLOSE_WAIT = fragment(',"closeWait":');
const FIN_WAIT_2 = fragment(',"finWait2":');
const BYTES_AFTER_FIN = fragment(',"bytesAfterFin":');
const STATES_CLIENT = fragment('},"states":{"client":[');
const STATES_SERVER = fragment('],"server":[');
const FINDINGS = fragment(']},"findings":[');
const STEP_KIND = fragments(STEP_KINDS, (kind) => `{"kind":"${kind}","frame":`);
const STEP_FROM = fragments(SIDES, (side) => `,"from":"${side}","flags":`);
const RETRANSMISSION = [
  fragment(',"retransmission":false'),
  fragment(',"retransmission":true'),
] as const;
const SENDER_STATE = fragments(TCP_STATES, (state) => `,"senderState":"${state}"`);
const RECEIVER_STATE = fragments(TCP_STATES, (state) => `,"receiverState":"${state}"}`);
const FIRST_EVIDENCE = fragment('{"frame":');
const NEXT_EVIDENCE = fragment(',{"frame":');
const SEVERITIES = ['note', 'warning', 'problem'] as const;
const FIRST_FINDING = fragments(FINDING_CODES, (code) => `{"code":"${code}"`);
const NEXT_FINDING = fragments(FINDING_CODES, (code) => `,{"code":"${code}"`);
const SEVERITY = fragments(SEVERITIES, (word) => `,"severity":"${word}","frames":[`);
const WHAT = fragment('],"what":');
const ADVICE = fragment(',"advice":');
const STATE = fragments(TCP_STATES, (state) => `{"state":"${state}","t":`);

/**
 * Writes `record` as one line, with the newline, the keys in the order of its type. The text means what
 * `JSON.stringify(record)` means.
 *
 * Hot path, once a connection: keys and words are copied as bytes and numbers written digit by digit, because a record has 250 pieces
 * and joined strings would be kept as ropes.
 */
function writeRecord(out: Sink, r: ConnectionRecord): void {
  out.put(HEAD);
  out.part(r, fileName);
  out.put(STREAM);
  out.integerOf(r, 'stream');
  out.put(COMMUNITY_ID);
  out.nameOf(r, 'communityId');
  out.put(CLIENT_IP);
  address(out, r.client);
  out.put(SERVER_IP);
  address(out, r.server);
  out.put(ROLES_FROM[r.rolesFrom]);
  out.nameOf(r, 'start');
  out.put(DURATION);
  out.secondsOf(r, 'duration');
  out.put(FIRST_FRAME);
  out.integerOf(r, 'firstFrame');
  out.put(LAST_FRAME);
  out.integerOf(r, 'lastFrame');
  out.put(PACKETS_CLIENT);
  perSide(out, r.packets);
  out.put(BYTES_CLIENT);
  perSide(out, r.bytes);
  out.put(DUPLICATES);
  out.integerOf(r, 'duplicateFrames');
  transfer(out, r.transfer);
  handshake(out, r.handshake);
  close(out, r.close);
  out.put(STATES_CLIENT);
  states(out, r.states.client);
  out.put(STATES_SERVER);
  states(out, r.states.server);
  out.put(FINDINGS);
  if (r.findings.length > 0) out.part(r.findings, findings);
  out.raw(']}\n');
}

function fileName(out: ByteText, { file }: ConnectionRecord): void {
  if (file === null) out.put(NULL);
  else out.phrase(file);
}

/** A writer of records to `out` (report/templated.ts). */
export function recordWriter(out: ByteText): ReturnType<typeof templated> {
  return templated(out, writeRecord);
}

function address(out: Sink, a: EndpointAddress): void {
  out.nameOf(a, 'ip');
  out.put(PORT);
  out.integerOf(a, 'port');
}

function perSide(out: Sink, sides: PerSide<number | null>): void {
  out.integerOf(sides, 'client');
  out.put(SERVER);
  out.integerOf(sides, 'server');
}

function transfer(out: Sink, t: Transfer): void {
  out.put(TRANSFER_CLIENT);
  transferSide(out, t.client);
  out.put(SERVER);
  transferSide(out, t.server);
  out.put(REUSED_PORTS[t.reusedPorts ? 1 : 0]);
}

function transferSide(out: Sink, side: TransferSide): void {
  if (isQuiet(side)) out.put(NO_COUNTS);
  else {
    for (let i = 0; i < COUNT_NAMES.length; i++) {
      out.put(COUNT_KEYS[i] as Fragment);
      out.integerOf(side, COUNT_NAMES[i] as (typeof COUNT_NAMES)[number]);
    }
  }
  out.put(MAX_WINDOW);
  out.integerOf(side, 'maxWindow');
  out.put(UNIQUE_BYTES);
  out.integerOf(side, 'uniqueBytes');
  out.put(MISSING_BYTES);
  out.integerOf(side, 'missingBytes');
  out.put(MAX_BYTES_IN_FLIGHT);
  out.integerOf(side, 'maxBytesInFlight');
  const { rtt } = side;
  if (rtt === null) {
    out.put(NO_RTT);
    return;
  }
  out.put(RTT_SAMPLES);
  out.integerOf(rtt, 'samples');
  out.raw(',"min":');
  out.secondsOf(rtt, 'min');
  out.raw(',"median":');
  out.secondsOf(rtt, 'median');
  out.raw(',"p95":');
  out.secondsOf(rtt, 'p95');
  out.raw(',"max":');
  out.secondsOf(rtt, 'max');
  out.raw('}}');
}

function handshake(out: Sink, h: Handshake): void {
  out.put(HANDSHAKE_KIND[h.kind]);
  out.put(FAST_OPEN[h.fastOpen ? 1 : 0]);
  // One SYN where there is a mold.
  out.integer(h.attempts);
  out.put(SERVER_RTT);
  out.secondsOf(h, 'serverRtt');
  out.put(CLIENT_RTT);
  out.secondsOf(h, 'clientRtt');
  out.put(HANDSHAKE_RTT);
  out.secondsOf(h, 'handshakeRtt');
  out.put(ISN_CLIENT);
  perSide(out, h.isn);
  out.put(OPTIONS_CLIENT);
  out.part(h.options, optionsOfBoth);
  out.put(STEPS);
  for (let i = 0; i < h.steps.length; i++) {
    if (i > 0) out.raw(',');
    step(out, h.steps[i] as HandshakeStep);
    out.raw('}');
  }
}

function optionsOfBoth(out: ByteText, { client, server }: PerSide<TcpOptions | null>): void {
  options(out, client);
  out.put(SERVER);
  options(out, server);
}

function options(out: ByteText, o: TcpOptions | null): void {
  if (o === null) out.put(NULL);
  else {
    const usual = o.fastOpenCookie === null ? usualOptions(o) : null;
    if (usual === null) out.utf8(JSON.stringify(o));
    else out.put(usual);
  }
}

/** Options without a cookie: there are few combinations, written in a few ways to the whole internet. */
const optionTexts = new Map<number, Fragment>();

function usualOptions(o: TcpOptions): Fragment | null {
  const bits = (o.sackPermitted ? 1 : 0) | (o.timestamps ? 2 : 0) | (o.mptcp ? 4 : 0);
  const mss = o.mss ?? 0x1_0000;
  const scale = o.windowScale ?? 0x100;
  if ((mss & 0x1_ffff) !== mss || (scale & 0x1ff) !== scale) return null;
  const key = (mss << 12) | (scale << 3) | bits;
  const known = optionTexts.get(key);
  if (known !== undefined) return known;
  if (optionTexts.size === MAX_OPTION_TEXTS) return null;
  const text = fragment(JSON.stringify(o));
  optionTexts.set(key, text);
  return text;
}

function close(out: Sink, c: Close): void {
  out.put(CLOSE_KIND[c.kind]);
  out.put(COMPLETE[c.complete ? 1 : 0]);
  out.word(c.initiator);
  out.put(TIME_WAIT);
  out.word(c.timeWait);
  out.put(RESET_BY);
  out.word(c.resetBy);
  out.put(PHASE);
  out.word(c.phase);
  out.put(RESET_AFTER_CLOSE[c.resetAfterClose ? 1 : 0]);
  out.word(c.certainty);
  out.put(EVIDENCE);
  evidence(out, c.evidence);
  out.put(DOUBT);
  out.text(c.doubt);
  out.put(CLOSE_STEPS);
  for (let i = 0; i < c.steps.length; i++) {
    const s = c.steps[i] as CloseStep;
    if (i > 0) out.raw(',');
    step(out, s);
    out.put(SENDER_STATE[s.senderState]);
    out.put(RECEIVER_STATE[s.receiverState]);
  }
  out.put(FIN_TO_ACK);
  out.secondsOf(c, 'finToAck');
  out.put(CLOSE_WAIT);
  out.secondsOf(c, 'closeWait');
  out.put(FIN_WAIT_2);
  out.secondsOf(c, 'finWait2');
  out.put(TOTAL);
  out.secondsOf(c, 'total');
  out.put(BYTES_AFTER_FIN);
  out.integerOf(c, 'bytesAfterFin');
}

function evidence(out: Sink, list: readonly Evidence[]): void {
  for (let i = 0; i < list.length; i++) {
    const e = list[i] as Evidence;
    out.put(i > 0 ? NEXT_EVIDENCE : FIRST_EVIDENCE);
    out.integerOf(e, 'frame');
    out.put(PROVES);
    out.provesOf(e);
    out.raw('}');
  }
}

/** What both kinds of step share, without the closing brace. */
function step(out: Sink, s: HandshakeStep | CloseStep): void {
  out.put(STEP_KIND[s.kind]);
  out.integerOf(s, 'frame');
  out.put(T);
  out.secondsOf(s, 't');
  out.put(STEP_FROM[s.from]);
  out.word(s.flags);
  out.put(SEQ);
  out.integerOf(s, 'seq');
  out.put(ACK);
  out.integerOf(s, 'ack');
  out.put(LEN);
  out.integerOf(s, 'len');
  out.put(RETRANSMISSION[s.retransmission ? 1 : 0]);
}

function states(out: Sink, list: readonly StateEntry[]): void {
  for (let i = 0; i < list.length; i++) {
    const s = list[i] as StateEntry;
    if (i > 0) out.raw(',');
    out.put(STATE[s.state]);
    out.secondsOf(s, 't');
    out.put(FRAME);
    out.integerOf(s, 'frame');
    out.raw(s.inferred === undefined ? '}' : ',"inferred":true}');
  }
}

function findings(out: ByteText, list: readonly Finding[]): void {
  for (let i = 0; i < list.length; i++) {
    const f = list[i] as Finding;
    out.put((i > 0 ? NEXT_FINDING : FIRST_FINDING)[f.code]);
    out.put(SEVERITY[f.severity]);
    for (let k = 0; k < f.frames.length; k++) {
      if (k > 0) out.raw(',');
      out.integer(f.frames[k] as number);
    }
    out.put(WHAT);
    out.text(f.what);
    out.put(ADVICE);
    out.phrase(f.advice);
    out.raw('}');
  }
}
