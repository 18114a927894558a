/** A record as one line of JSON (RFC 8259), written by hand because every connection of a capture passes here. */

import type {
  Close,
  CloseStep,
  Evidence,
  Finding,
  Handshake,
  HandshakeStep,
  StateEntry,
  TcpOptions,
} from '../tcp/verdicts.ts';
import type { ConnectionRecord } from './record.ts';

// What JSON.stringify escapes (ECMA-262 §25.5.2.3): controls, the quote, the backslash, lone surrogates.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const NEEDS_ESCAPE = /[\u0000-\u001f"\\\ud800-\udfff]/;

/**
 * The same text as `JSON.stringify(record)` for a record with its keys in the order of its type, without a newline.
 * Every key is one literal, so a record costs string joins and no walk over property names.
 */
export function stringifyRecord(r: ConnectionRecord): string {
  return `{"schema":1,"file":${text(r.file)},"stream":${num(r.stream)},"communityId":${text(r.communityId)},"client":{"ip":${text(r.client.ip)},"port":${num(r.client.port)}},"server":{"ip":${text(r.server.ip)},"port":${num(r.server.port)}},"rolesFrom":"${r.rolesFrom}","start":${text(r.start)},"duration":${num(r.duration)},"firstFrame":${num(r.firstFrame)},"lastFrame":${num(r.lastFrame)},"packets":{"client":${num(r.packets.client)},"server":${num(r.packets.server)}},"bytes":{"client":${num(r.bytes.client)},"server":${num(r.bytes.server)}},"duplicateFrames":${num(r.duplicateFrames)},"handshake":${handshake(r.handshake)},"close":${close(r.close)},"states":{"client":${states(r.states.client)},"server":${states(r.states.server)}},"findings":${findings(r.findings)}}`;
}

function handshake(h: Handshake): string {
  return `{"kind":"${h.kind}","fastOpen":${h.fastOpen},"attempts":${num(h.attempts)},"serverRtt":${num(h.serverRtt)},"clientRtt":${num(h.clientRtt)},"handshakeRtt":${num(h.handshakeRtt)},"isn":{"client":${num(h.isn.client)},"server":${num(h.isn.server)}},"options":{"client":${options(h.options.client)},"server":${options(h.options.server)}},"steps":${handshakeSteps(h.steps)}}`;
}

function options(o: TcpOptions | null): string {
  if (o === null) return 'null';
  return `{"mss":${num(o.mss)},"windowScale":${num(o.windowScale)},"sackPermitted":${o.sackPermitted},"timestamps":${o.timestamps},"fastOpenCookie":${text(o.fastOpenCookie)},"mptcp":${o.mptcp}}`;
}

function close(c: Close): string {
  return `{"kind":"${c.kind}","complete":${c.complete},"initiator":${word(c.initiator)},"timeWait":${word(c.timeWait)},"resetBy":${word(c.resetBy)},"phase":${word(c.phase)},"resetAfterClose":${c.resetAfterClose},"certainty":"${c.certainty}","evidence":${evidence(c.evidence)},"doubt":${text(c.doubt)},"steps":${closeSteps(c.steps)},"finToAck":${num(c.finToAck)},"closeWait":${num(c.closeWait)},"finWait2":${num(c.finWait2)},"total":${num(c.total)},"bytesAfterFin":${num(c.bytesAfterFin)}}`;
}

/** What both kinds of step share. */
function step(s: HandshakeStep | CloseStep): string {
  return `{"kind":"${s.kind}","frame":${num(s.frame)},"t":${num(s.t)},"from":"${s.from}","flags":${text(s.flags)},"seq":${num(s.seq)},"ack":${num(s.ack)},"len":${num(s.len)},"retransmission":${s.retransmission}`;
}

function handshakeSteps(steps: readonly HandshakeStep[]): string {
  let out = '[';
  for (let i = 0; i < steps.length; i += 1) {
    const s = steps[i];
    if (s !== undefined) out += `${i === 0 ? '' : ','}${step(s)}}`;
  }
  return `${out}]`;
}

function closeSteps(steps: readonly CloseStep[]): string {
  let out = '[';
  for (let i = 0; i < steps.length; i += 1) {
    const s = steps[i];
    if (s === undefined) continue;
    out += `${i === 0 ? '' : ','}${step(s)},"senderState":"${s.senderState}","receiverState":"${s.receiverState}"}`;
  }
  return `${out}]`;
}

function evidence(list: readonly Evidence[]): string {
  let out = '[';
  for (let i = 0; i < list.length; i += 1) {
    const e = list[i];
    if (e === undefined) continue;
    out += `${i === 0 ? '' : ','}{"frame":${num(e.frame)},"proves":${text(e.proves)}}`;
  }
  return `${out}]`;
}

function states(list: readonly StateEntry[]): string {
  let out = '[';
  for (let i = 0; i < list.length; i += 1) {
    const s = list[i];
    if (s === undefined) continue;
    const inferred = s.inferred === undefined ? '' : `,"inferred":${s.inferred}`;
    out += `${i === 0 ? '' : ','}{"state":"${s.state}","t":${num(s.t)},"frame":${num(s.frame)}${inferred}}`;
  }
  return `${out}]`;
}

function findings(list: readonly Finding[]): string {
  if (list.length === 0) return '[]';
  return `[${list
    .map(
      (f) =>
        `{"code":"${f.code}","severity":"${f.severity}","frames":[${f.frames.map(num).join(',')}],"what":${text(f.what)},"advice":${text(f.advice)}}`,
    )
    .join(',')}]`;
}

/** A string of any content, or null. */
function text(value: string | null): string {
  if (value === null) return 'null';
  return NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/** One of our own words, which never need an escape, or null. */
function word(value: string | null): string {
  return value === null ? 'null' : `"${value}"`;
}

/** A number; null and what JSON has no number for become null. */
function num(value: number | null): string {
  return value === null || value - value !== 0 ? 'null' : `${value}`;
}
