/** Which two entries of the story each duration of an ordinary connection lies between: they are the same in all with its outline. */

import type { Conclusion } from './conclude.ts';
import { other } from './facts.ts';
import type { TcpState } from './state.ts';
import type { Timeline } from './timeline.ts';

/** From one entry of the story to another; null: there is no such duration. */
export type Span = readonly [from: number, to: number] | null;

/** By the keys of the handshake and of the close under which a record shows them. */
export interface Spans {
  readonly serverRtt: Span;
  readonly clientRtt: Span;
  readonly handshakeRtt: Span;
  readonly finToAck: Span;
  readonly closeWait: Span;
  readonly finWait2: Span;
  readonly total: Span;
}

/** Those of `conclusion`, which must be of an ordinary connection: no time in its story goes back. `lastStep`: the entry of the last step of its close. */
export function spansOf(conclusion: Conclusion, lastStep: number | undefined): Spans {
  const { close, closing, facts, handshake, opening, resets, timelines } = conclusion;
  const { ack, syn, synAck } = opening;
  const { first } = closing;
  const fin = first === null ? null : facts.fin[first];
  const start = fin === null ? resets.ending : fin.copies[0]!;
  const cover = fin?.covers[0];
  return {
    serverRtt: handshake.serverRtt === null ? null : [syn, synAck],
    clientRtt: handshake.clientRtt === null ? null : [synAck, ack],
    handshakeRtt: handshake.handshakeRtt === null ? null : [syn, ack],
    finToAck: cover === undefined ? null : [start, cover],
    closeWait: close.closeWait === null ? null : spanIn(timelines[other(first!)], 'CLOSE_WAIT'),
    finWait2: close.finWait2 === null ? null : spanIn(timelines[first!], 'FIN_WAIT_2'),
    total: close.total === null ? null : [start, lastStep!],
  };
}

/** Of the first time in `state`, which a segment began and another ended. */
function spanIn({ causes, entries }: Timeline, state: TcpState): Span {
  const k = entries.findIndex((entry) => entry.state === state);
  // Whatever comes before its turn counts from the latest before it.
  const from = Math.max(...causes.slice(0, k + 1));
  return [from, Math.max(from, causes[k + 1]!)];
}

/** How long `span` of a story with the times `tNs` is, in seconds. */
export function secondsIn(span: Span, tNs: Float64Array): number | null {
  return span === null ? null : (tNs[span[1]]! - tNs[span[0]]!) / 1e9;
}
