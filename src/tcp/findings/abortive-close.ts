/** `rst-unread-data` and `rst-linger`: one side ended an open connection with a RST of its own (RFC 1122 §4.2.2.13, RFC 2525 §2.17). */

import { ACK } from '../../decode/columns.ts';
import { type End, keyEnd, other } from '../facts.ts';
import type { Case, Finder } from './finding.ts';
import { expectedTtl } from './rst-forged.ts';
import { MIN_REPEATS } from './vanished.ts';

/** The end that reset the open connection by itself, with a RST in its place in the sequence, or null. */
function aborter({ facts, resets, closing }: Case): End | null {
  const { resetBy } = closing;
  if (resetBy === null || closing.phase !== 'established' || resets.isBeyondCapture) return null;
  if (resets.refutation >= 0 || (facts.story.flags[resets.ending]! & ACK) === 0) return null;
  if (expectedTtl(facts.finished, resets.ending, keyEnd(facts, resetBy)) !== null) return null;
  // Nobody answered: it gave up, which the application had no part in.
  const end = resetBy === facts.clientKeyEnd ? 0 : 1;
  if (facts.finished.repeats[end] >= MIN_REPEATS) return null;
  // Nothing but RSTs: a port where nobody listens.
  const rsts = facts.rsts.filter((i) => facts.story.from[i] === resetBy).length;
  return facts.finished.packets[end] > rsts ? resetBy : null;
}

/** Whether what came last was data for the end `to`: it may not have been read. */
function wasDataLastFor({ facts }: Case, to: End): boolean {
  const { lastData } = facts.finished;
  return (
    lastData >= 0 && lastData === (other(to) === 0 ? facts.clientKeyEnd : 1 - facts.clientKeyEnd)
  );
}

export const rstUnreadData: Finder = (c) => {
  const end = aborter(c);
  if (end === null || !wasDataLastFor(c, end)) return null;
  const { facts, resets } = c;
  const { story, isn } = facts;
  const start = isn[other(end)];
  const [side, peer] = end === 0 ? ['client', 'server'] : ['server', 'client'];
  const bytes = start === null ? null : (story.ack[resets.ending]! - start - 1) >>> 0;
  const much = bytes === null ? '' : ` (${bytes} bytes in all)`;
  return {
    code: 'rst-unread-data',
    severity: 'warning',
    frames: [story.frame[resets.ending]!],
    what: `The ${side} reset the connection with its own RST after data of the ${peer}${much}: it closed with some of it unread, or aborted (SO_LINGER); the wire does not tell which.`,
    advice: `Let the ${side} read to the end of file before close(): unread data makes its system reset the connection.`,
  };
};

export const rstLinger: Finder = (c) => {
  const end = aborter(c);
  if (end === null || wasDataLastFor(c, end)) return null;
  const side = end === 0 ? 'client' : 'server';
  return {
    code: 'rst-linger',
    severity: 'warning',
    frames: [c.facts.story.frame[c.resets.ending]!],
    what: `The ${side} aborted the connection with its own RST, no data of the other side waiting: SO_LINGER with 0 seconds, or a system that dropped the socket.`,
    advice: `Look in the ${side} for SO_LINGER; it saves a TIME_WAIT and loses what was under way.`,
  };
};
