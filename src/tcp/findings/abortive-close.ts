/** `rst-unread-data`, `rst-linger` and `rst-timeout`: one side ended an open connection with a RST of its own (RFC 1122 §4.2.2.13, RFC 2525 §2.17). */

import { plural } from '../../base/count.ts';
import { ACK } from '../../decode/columns.ts';
import { type End, keyEnd, other } from '../facts.ts';
import { KEEP_ALIVES } from '../figures.ts';
import type { FinishedConnection } from '../finished.ts';
import { PEER_DATA_LAST } from '../story.ts';
import type { Case, Finder } from './finding.ts';
import { expectedTtl } from './rst-forged.ts';
import { MIN_REPEATS } from './vanished.ts';

/** The end that reset the open connection by itself, with a RST in its place in the sequence, or null. */
function aborter({ facts, resets, closing }: Case): End | null {
  const { resetBy } = closing;
  if (resetBy === null || closing.phase !== 'established' || resets.isBeyondCapture) return null;
  if (resets.refutation >= 0 || (facts.story.flags[resets.ending]! & ACK) === 0) return null;
  if (expectedTtl(facts.finished, resets.ending, keyEnd(facts, resetBy)) !== null) return null;
  // Nothing but RSTs: a port where nobody listens.
  const rsts = facts.rsts.filter((i) => facts.story.from[i] === resetBy).length;
  return facts.finished.packets[keyEnd(facts, resetBy)] > rsts ? resetBy : null;
}

/** Keep-alives are sent seconds apart: two without an answer are no coincidence. */
const MIN_KEEP_ALIVES = 2;

/** Whether the key's end `end` asked again and again without an answer, up to the end: then its system gave up, and the application had no part in it. */
export function hasGivenUp(f: FinishedConnection, end: 0 | 1): boolean {
  const repeats = f.repeats[end];
  if (f.packets[end === 0 ? 1 : 0] === 0) return false;
  const areKeepAlives = f.transfer[end].values[KEEP_ALIVES]! >= repeats;
  return repeats >= (areKeepAlives ? MIN_KEEP_ALIVES : MIN_REPEATS);
}

/** The end that aborted of its own will, and not because nobody answered; or null. */
function closer(c: Case): End | null {
  const end = aborter(c);
  return end === null || hasGivenUp(c.facts.finished, keyEnd(c.facts, end)) ? null : end;
}

/** Whether what came last was data for the sender of the RST: it may not have been read. */
function wasDataLast({ facts, resets }: Case): boolean {
  return (facts.story.marks[resets.ending]! & PEER_DATA_LAST) !== 0;
}

export const rstTimeout: Finder = (c) => {
  const end = aborter(c);
  if (end === null) return null;
  const { finished, story } = c.facts;
  const key = keyEnd(c.facts, end);
  if (!hasGivenUp(finished, key)) return null;
  const [side, peer] = end === 0 ? ['client', 'server'] : ['server', 'client'];
  return {
    code: 'rst-timeout',
    severity: 'problem',
    frames: [story.frame[c.resets.ending]!],
    what: `The ${side} gave up and reset the connection: the ${peer} no longer answered, ${finished.repeats[key]} keep-alives or retransmissions in a row.`,
    advice: `Check whether the ${peer} crashed, lost its address, or a firewall forgot the connection.`,
  };
};

export const rstUnreadData: Finder = (c) => {
  const end = closer(c);
  if (end === null || !wasDataLast(c)) return null;
  const { facts, resets } = c;
  const { story, isn } = facts;
  const start = isn[other(end)];
  const [side, peer] = end === 0 ? ['client', 'server'] : ['server', 'client'];
  const bytes = start === null ? null : (story.ack[resets.ending]! - start - 1) >>> 0;
  const much = bytes === null ? '' : ` (${plural(bytes, 'byte')} in all)`;
  return {
    code: 'rst-unread-data',
    severity: 'warning',
    frames: [story.frame[resets.ending]!],
    what: `The ${side} reset the connection with its own RST after data of the ${peer}${much}: it closed with some of it unread, or aborted (SO_LINGER); the wire does not tell which.`,
    advice: `Let the ${side} read to the end of file before close(), for unread data makes its system reset the connection; and look in it for SO_LINGER with 0 seconds, which does the same.`,
  };
};

export const rstLinger: Finder = (c) => {
  const end = closer(c);
  if (end === null || wasDataLast(c)) return null;
  const side = end === 0 ? 'client' : 'server';
  return {
    code: 'rst-linger',
    severity: 'warning',
    frames: [c.facts.story.frame[c.resets.ending]!],
    what: `The ${side} aborted the connection with its own RST, no data of the other side waiting: SO_LINGER with 0 seconds, or a system that dropped the socket.`,
    advice: `Look in the ${side} for SO_LINGER; it saves a TIME_WAIT and loses what was under way.`,
  };
};
