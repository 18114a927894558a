/** What a connection's record means in plain words (docs/specification.md §2 and §3). */

import { assertNever } from '../base/assert-never.ts';
import { plural } from '../base/count.ts';
import { humanSeconds } from '../base/duration.ts';
import type { TransferSide } from '../tcp/figures.ts';
import type { Close, Handshake, HandshakeStep, Side } from '../tcp/verdicts.ts';
import { escapeTerminal } from './escape.ts';
import type { ConnectionRecord } from './record.ts';
import { humanBytes } from './units.ts';

/** A paragraph with a heading. */
export interface Paragraph {
  title: string;
  sentences: string[];
}

/** The paragraphs under a ladder, in order; a paragraph without anything to say is left out. */
export function explain(record: ConnectionRecord): Paragraph[] {
  const { close, handshake } = record;
  const paragraphs: Paragraph[] = [
    { title: 'Opened', sentences: [openingSentence(record), ...handshakeDetails(handshake)] },
    { title: 'Transfer', sentences: transferSentences(record) },
    {
      title: 'Closed',
      sentences: [closeSentence(record), ...closeDetails(record), ...successorSentences(record)],
    },
    { title: 'TIME_WAIT', sentences: timeWaitSentences(record) },
    { title: 'Why', sentences: whySentences(close) },
    { title: 'Certainty', sentences: certaintySentences(close) },
  ];
  return paragraphs.filter(({ sentences }) => sentences.length > 0);
}

function openingSentence({ handshake, packets }: ConnectionRecord): string {
  const { kind, fastOpen } = handshake;
  switch (kind) {
    case '3-way':
      return fastOpen
        ? 'A three-way handshake with Fast Open: the SYN carried data, and the SYN,ACK acknowledged it.'
        : 'A three-way handshake: SYN, SYN,ACK, ACK.';
    case 'simultaneous-open':
      return 'A simultaneous open: each side sent a SYN before it had the other’s, and both were acknowledged.';
    case 'half-open':
      return 'Left half-open: the server answered the SYN, and the client never acknowledged the answer.';
    case 'refused':
      return 'Refused: a RST answered the SYN. Nothing listens on that port, or a firewall rejects it.';
    case 'aborted':
      return 'Aborted: a RST came after the SYN,ACK and before the client acknowledged it.';
    case 'unanswered':
      return packets.server === 0
        ? 'Unanswered: nothing came back for the SYN.'
        : 'Unanswered: nothing that came back answers the SYN.';
    case 'partial':
      return 'Captured in part: the capture began within the handshake.';
    case 'none':
      return 'Not captured: the capture began in the middle of the connection.';
    default:
      return assertNever(kind);
  }
}

function handshakeDetails(handshake: Handshake): string[] {
  const { attempts, clientRtt, handshakeRtt, serverRtt } = handshake;
  const out: string[] = [];
  if (attempts > 1) out.push(`It took ${attempts} attempts.`);
  const checks = acknowledgementChecks(handshake);
  if (checks.length > 0) {
    out.push(`The numbers fit: ${checks.join(', ')}.`);
  }
  if (serverRtt !== null && clientRtt !== null && handshakeRtt !== null) {
    out.push(
      `From where it was captured the server is ${humanSeconds(serverRtt)} away and the client ${humanSeconds(clientRtt)}; the whole handshake round trip took ${humanSeconds(handshakeRtt)}.`,
    );
  } else if (serverRtt !== null) {
    out.push(`The server answered within ${humanSeconds(serverRtt)}.`);
  } else if (clientRtt !== null) {
    out.push(`The client answered within ${humanSeconds(clientRtt)}.`);
  }
  return out;
}

/** `frame 2 acknowledges 1 of …`: each acknowledgement of a SYN that the steps hold. */
function acknowledgementChecks({ steps, isn }: Handshake): string[] {
  const out: string[] = [];
  for (const { ack, frame, from, retransmission } of steps) {
    const peer = from === 'client' ? 'server' : 'client';
    const start = isn[peer];
    if (ack === null || start === null || retransmission) continue;
    const ahead = (ack - start) >>> 0;
    if (ahead < 1 || ahead > 65536) continue;
    // A FIN on that SYN counts one as well.
    const hasFin = steps.some(
      (step) => step.from === peer && hasFlag(step, 'FIN') && step.len === ahead - 2,
    );
    const data = hasFin ? ahead - 2 : ahead - 1;
    const parts = ['SYN', ...(data > 0 ? [plural(data, 'byte')] : []), ...(hasFin ? ['FIN'] : [])];
    out.push(
      `frame ${frame} acknowledges the ${peer}’s ${parts.join(' and ')} (${start} + ${ahead} = ${ack})`,
    );
  }
  return out;
}

function hasFlag({ flags }: HandshakeStep, name: string): boolean {
  return flags.split(',').includes(name);
}

function closeSentence({ close, states }: ConnectionRecord): string {
  const { certainty, initiator, kind, phase, resetBy } = close;
  const isSucceeded = successorOf(states) !== null;
  const first = initiator === 'client' || initiator === 'server' ? initiator : null;
  const second = first === null ? null : other(first);
  switch (kind) {
    case '4-way':
      return `A four-way close, begun by the ${first}: the ${second} acknowledged the FIN first and sent its own FIN later.`;
    case '3-way-merged':
      return `A three-way close, begun by the ${first}: the ${second}’s ACK and FIN travelled in one segment.`;
    case 'simultaneous':
      return 'A simultaneous close: each side sent its FIN before the other’s had reached it.';
    case 'rst':
      return `Reset by the ${resetBy ?? 'peer'} ${phaseText(phase)}${first !== null && first !== resetBy ? `; the ${first} had begun to close` : ''}.`;
    case 'half-closed':
      return `Half-closed: ${first === null ? 'one side' : `the ${first}`} sent its FIN, and ${certainty === 'proven' ? 'the capture holds no FIN from the other side' : 'none of the other side was seen'}.`;
    case 'open':
      if (isSucceeded) return 'Not seen to close: no FIN and no RST.';
      return certainty === 'proven'
        ? 'Still open when the capture ends: no FIN and no RST.'
        : 'No FIN and no RST was seen.';
    default:
      return assertNever(kind);
  }
}

/** The SYN that took the ports of a connection which no frame of its own had ended, or null. */
function successorOf(states: ConnectionRecord['states']): number | null {
  for (const timeline of [states.client, states.server]) {
    const last = timeline[timeline.length - 1];
    if (last?.state === 'CLOSED' && last.inferred === true) return last.frame;
  }
  return null;
}

function successorSentences({ states }: ConnectionRecord): string[] {
  const frame = successorOf(states);
  if (frame === null) return [];
  return [
    `With frame ${frame} a new connection took its ports: what was left of this one ended there.`,
  ];
}

function phaseText(phase: Close['phase']): string {
  switch (phase) {
    case 'handshake':
      return 'during the handshake';
    case 'established':
      return 'while established, without a FIN';
    case 'after-fin':
      return 'after one FIN';
    case 'closing':
      return 'after both FINs, before both were acknowledged';
    case null:
      return 'at an unknown point';
    default:
      return assertNever(phase);
  }
}

function closeDetails({ close, states }: ConnectionRecord): string[] {
  const { bytesAfterFin, closeWait, finToAck, finWait2, total } = close;
  const out: string[] = [];
  if (
    !close.complete &&
    (close.kind === '4-way' || close.kind === '3-way-merged' || close.kind === 'simultaneous')
  ) {
    out.push('The last ACK is not in the capture.');
  }
  if (close.resetAfterClose)
    out.push('A RST came after both FINs were acknowledged: the close stands.');
  if (finToAck !== null)
    out.push(`The first FIN was acknowledged after ${humanSeconds(finToAck)}.`);
  if (closeWait !== null && closeWait > 0) {
    const until =
      close.kind === 'rst'
        ? ' until the connection was reset'
        : ': the time its application took to close';
    out.push(`The passive side stayed in CLOSE_WAIT for ${humanSeconds(closeWait)}${until}.`);
  }
  if (finWait2 !== null && finWait2 > 0) {
    out.push(`The active side waited in FIN_WAIT_2 for ${humanSeconds(finWait2)}.`);
  }
  for (const side of ['client', 'server'] as const) {
    const last = states[side].at(-1);
    if (last?.state !== 'CLOSE_WAIT') continue;
    out.push(
      `The ${side} is in CLOSE_WAIT from ${humanSeconds(last.t)} on, to the end of what was captured: its application had not closed by then.`,
    );
  }
  if (bytesAfterFin !== null && bytesAfterFin > 0) {
    out.push(`After the FIN ${humanBytes(bytesAfterFin)} still came from the passive side.`);
  }
  if (close.complete && total !== null && total > 0)
    out.push(`The whole close took ${humanSeconds(total)}.`);
  return out;
}

function transferSentences({ packets, transfer }: ConnectionRecord): string[] {
  const out: string[] = [];
  for (const side of ['client', 'server'] as const) {
    if (packets[side] > 0) out.push(...sideSentences(side, transfer[side]));
  }
  return out;
}

function sideSentences(side: Side, t: TransferSide): string[] {
  const rtt =
    t.rtt === null
      ? ''
      : `, acknowledged after ${humanSeconds(t.rtt.median)}${t.rtt.samples > 1 ? ` (median of ${t.rtt.samples}, at most ${humanSeconds(t.rtt.max)})` : ''}`;
  const out = [
    t.uniqueBytes === 0
      ? `The ${side} sent no data.`
      : `The ${side} sent ${humanBytes(t.uniqueBytes)}, at most ${humanBytes(t.maxBytesInFlight)} in flight${rtt}.`,
  ];
  const events: string[] = [];
  const say = (n: number, one: string): void => {
    if (n > 0) events.push(plural(n, one));
  };
  say(t.retransmissions, 'retransmission');
  say(t.outOfOrder, 'out-of-order segment');
  say(t.duplicateAcks, 'duplicate ACK');
  say(t.keepAlives, 'keep-alive');
  say(t.zeroWindows, 'zero window');
  say(t.zeroWindowProbes, 'zero-window probe');
  say(t.windowFull, 'window-filling segment');
  if (events.length > 0) out.push(`Of the ${side}: ${events.join(', ')}.`);
  if (t.missingBytes > 0) {
    out.push(
      `The capture lacks ${humanBytes(t.missingBytes)} that the ${side} sent and its peer acknowledged.`,
    );
  }
  return out;
}

function timeWaitSentences({ close, states }: ConnectionRecord): string[] {
  const { timeWait } = close;
  if (timeWait === null) {
    return close.kind === 'open' ? [] : ['Neither side holds TIME_WAIT.'];
  }
  const sides: Side[] = timeWait === 'both' ? ['client', 'server'] : [timeWait];
  return sides.map((side) => {
    const timeline = states[side];
    const at = timeline.findIndex((entry) => entry.state === 'TIME_WAIT');
    const from = timeline[at];
    const until = timeline[at + 1];
    if (from === undefined) {
      return `The ${side} holds TIME_WAIT once it has the last ACK, which the capture does not show.`;
    }
    if (until === undefined) return `The ${side} holds TIME_WAIT from ${humanSeconds(from.t)} on.`;
    const length = humanSeconds(until.t - from.t);
    return until.frame === null
      ? `The ${side} holds TIME_WAIT for ${length} (projected from 2·MSL, not seen in the capture).`
      : `The ${side} held TIME_WAIT for ${length}, until frame ${until.frame}.`;
  });
}

function whySentences({ evidence }: Close): string[] {
  return evidence.map(({ frame, proves }) => `Frame ${frame}: ${sentence(proves)}`);
}

function certaintySentences({ certainty, doubt, kind }: Close): string[] {
  const first =
    certainty === 'proven'
      ? `Proven: the frames above allow only ${kind}.`
      : `Likely ${kind}, not proven.`;
  return doubt === null ? [first] : [first, sentence(doubt)];
}

function sentence(text: string): string {
  const safe = escapeTerminal(text.charAt(0).toUpperCase() + text.slice(1));
  return /[.!?]$/.test(safe) ? safe : `${safe}.`;
}

function other(side: Side): Side {
  return side === 'client' ? 'server' : 'client';
}
