/** Records as JSON Lines (RFC 8259), written byte by byte because every connection of a capture passes here. */

import type {
  Close,
  CloseStep,
  Finding,
  Handshake,
  HandshakeStep,
  PerSide,
  StateEntry,
  TcpOptions,
} from '../tcp/verdicts.ts';
import { JsonBytes } from './json-bytes.ts';
import type { ConnectionRecord, EndpointAddress } from './record.ts';

/**
 * Writes `record` as one line, with the newline, the keys in the order of its type. The text means what
 * `JSON.stringify(record)` means.
 *
 * Hot path, once a connection: keys are literals and numbers are written digit by digit, because joined strings cost six times as
 * much (they are kept as ropes, and a record has 250 pieces).
 */
export function writeRecord(out: JsonBytes, r: ConnectionRecord): void {
  out.raw('{"schema":1,"file":');
  out.text(r.file);
  out.raw(',"stream":');
  out.integer(r.stream);
  out.raw(',"communityId":');
  out.word(r.communityId);
  out.raw(',"client":');
  address(out, r.client);
  out.raw(',"server":');
  address(out, r.server);
  out.raw(',"rolesFrom":');
  out.word(r.rolesFrom);
  out.raw(',"start":');
  out.word(r.start);
  out.raw(',"duration":');
  out.seconds(r.duration);
  out.raw(',"firstFrame":');
  out.integer(r.firstFrame);
  out.raw(',"lastFrame":');
  out.integer(r.lastFrame);
  out.raw(',"packets":');
  perSide(out, r.packets);
  out.raw(',"bytes":');
  perSide(out, r.bytes);
  out.raw(',"duplicateFrames":');
  out.integer(r.duplicateFrames);
  out.raw(',"handshake":');
  handshake(out, r.handshake);
  out.raw(',"close":');
  close(out, r.close);
  out.raw(',"states":{"client":[');
  states(out, r.states.client);
  out.raw('],"server":[');
  states(out, r.states.server);
  out.raw(']},"findings":[');
  findings(out, r.findings);
  out.raw(']}\n');
}

/** The line of `record` as a string, without the newline: for a few records, not for a million. */
export function stringifyRecord(record: ConnectionRecord): string {
  const out = new JsonBytes(4096);
  writeRecord(out, record);
  return new TextDecoder().decode(out.take()).trimEnd();
}

function address(out: JsonBytes, { ip, port }: EndpointAddress): void {
  out.raw('{"ip":');
  out.word(ip);
  out.raw(',"port":');
  out.integer(port);
  out.raw('}');
}

function perSide(out: JsonBytes, { client, server }: PerSide<number | null>): void {
  out.raw('{"client":');
  out.integer(client);
  out.raw(',"server":');
  out.integer(server);
  out.raw('}');
}

function handshake(out: JsonBytes, h: Handshake): void {
  out.raw('{"kind":');
  out.word(h.kind);
  out.raw(',"fastOpen":');
  out.boolean(h.fastOpen);
  out.raw(',"attempts":');
  out.integer(h.attempts);
  out.raw(',"serverRtt":');
  out.seconds(h.serverRtt);
  out.raw(',"clientRtt":');
  out.seconds(h.clientRtt);
  out.raw(',"handshakeRtt":');
  out.seconds(h.handshakeRtt);
  out.raw(',"isn":');
  perSide(out, h.isn);
  out.raw(',"options":{"client":');
  options(out, h.options.client);
  out.raw(',"server":');
  options(out, h.options.server);
  out.raw('},"steps":[');
  for (let i = 0; i < h.steps.length; i++) {
    if (i > 0) out.raw(',');
    step(out, h.steps[i] as HandshakeStep);
    out.raw('}');
  }
  out.raw(']}');
}

function options(out: JsonBytes, o: TcpOptions | null): void {
  if (o === null) {
    out.raw('null');
    return;
  }
  out.raw('{"mss":');
  out.integer(o.mss);
  out.raw(',"windowScale":');
  out.integer(o.windowScale);
  out.raw(',"sackPermitted":');
  out.boolean(o.sackPermitted);
  out.raw(',"timestamps":');
  out.boolean(o.timestamps);
  out.raw(',"fastOpenCookie":');
  out.text(o.fastOpenCookie);
  out.raw(',"mptcp":');
  out.boolean(o.mptcp);
  out.raw('}');
}

function close(out: JsonBytes, c: Close): void {
  out.raw('{"kind":');
  out.word(c.kind);
  out.raw(',"complete":');
  out.boolean(c.complete);
  out.raw(',"initiator":');
  out.word(c.initiator);
  out.raw(',"timeWait":');
  out.word(c.timeWait);
  out.raw(',"resetBy":');
  out.word(c.resetBy);
  out.raw(',"phase":');
  out.word(c.phase);
  out.raw(',"resetAfterClose":');
  out.boolean(c.resetAfterClose);
  out.raw(',"certainty":');
  out.word(c.certainty);
  out.raw(',"evidence":[');
  for (let i = 0; i < c.evidence.length; i++) {
    const e = c.evidence[i] as Close['evidence'][number];
    out.raw(i > 0 ? ',{"frame":' : '{"frame":');
    out.integer(e.frame);
    out.raw(',"proves":');
    out.text(e.proves);
    out.raw('}');
  }
  out.raw('],"doubt":');
  out.text(c.doubt);
  out.raw(',"steps":[');
  for (let i = 0; i < c.steps.length; i++) {
    const s = c.steps[i] as CloseStep;
    if (i > 0) out.raw(',');
    step(out, s);
    out.raw(',"senderState":');
    out.word(s.senderState);
    out.raw(',"receiverState":');
    out.word(s.receiverState);
    out.raw('}');
  }
  out.raw('],"finToAck":');
  out.seconds(c.finToAck);
  out.raw(',"closeWait":');
  out.seconds(c.closeWait);
  out.raw(',"finWait2":');
  out.seconds(c.finWait2);
  out.raw(',"total":');
  out.seconds(c.total);
  out.raw(',"bytesAfterFin":');
  out.integer(c.bytesAfterFin);
  out.raw('}');
}

/** What both kinds of step share, without the closing brace. */
function step(out: JsonBytes, s: HandshakeStep | CloseStep): void {
  out.raw('{"kind":');
  out.word(s.kind);
  out.raw(',"frame":');
  out.integer(s.frame);
  out.raw(',"t":');
  out.seconds(s.t);
  out.raw(',"from":');
  out.word(s.from);
  out.raw(',"flags":');
  out.word(s.flags);
  out.raw(',"seq":');
  out.integer(s.seq);
  out.raw(',"ack":');
  out.integer(s.ack);
  out.raw(',"len":');
  out.integer(s.len);
  out.raw(',"retransmission":');
  out.boolean(s.retransmission);
}

function states(out: JsonBytes, list: readonly StateEntry[]): void {
  for (let i = 0; i < list.length; i++) {
    const s = list[i] as StateEntry;
    out.raw(i > 0 ? ',{"state":' : '{"state":');
    out.word(s.state);
    out.raw(',"t":');
    out.seconds(s.t);
    out.raw(',"frame":');
    out.integer(s.frame);
    out.raw(s.inferred === undefined ? '}' : ',"inferred":true}');
  }
}

function findings(out: JsonBytes, list: readonly Finding[]): void {
  for (let i = 0; i < list.length; i++) {
    const f = list[i] as Finding;
    out.raw(i > 0 ? ',{"code":' : '{"code":');
    out.word(f.code);
    out.raw(',"severity":');
    out.word(f.severity);
    out.raw(',"frames":[');
    for (let k = 0; k < f.frames.length; k++) {
      if (k > 0) out.raw(',');
      out.integer(f.frames[k] as number);
    }
    out.raw('],"what":');
    out.text(f.what);
    out.raw(',"advice":');
    out.text(f.advice);
    out.raw('}');
  }
}
