/** The frames that decide how a connection was closed, in words. */

import type { Closing } from './close.ts';
import { type End, type Facts, other } from './facts.ts';
import type { Resets } from './resets.ts';
import { type Evidence, SIDES } from './verdicts.ts';

/** A sequence number of end `end`, counted from its first one where that is known: that, or the acknowledgement, of an entry of the story, or that of the FIN in it. */
export interface RelativeNumber {
  readonly of: 'seq' | 'ack' | 'fin';
  readonly end: End;
  readonly entry: number;
}

/** What one piece of evidence says: text, and numbers that another connection with the same outline has others for. */
export interface EvidenceWords {
  readonly entry: number;
  readonly proves: readonly (string | RelativeNumber)[];
}

/** What proves the verdict, the numbers left open. */
export function evidenceWords(facts: Facts, closing: Closing, resets: Resets): EvidenceWords[] {
  const { story } = facts;
  const list: EvidenceWords[] = [];
  const say = (entry: number, ...proves: (string | RelativeNumber)[]): void => {
    list.push({ entry, proves });
  };
  if (closing.kind === 'rst') {
    const entry = resets.ending;
    const from = story.from[entry] as End;
    const where = resets.isBeyondCapture
      ? 'beyond what was captured, but nothing follows it'
      : `within what the ${SIDES[other(from)]} expects`;
    say(entry, `RST from the ${SIDES[from]}, seq `, { of: 'seq', end: from, entry }, `, ${where}`);
    return list;
  }
  if (closing.first === null) return list;
  const first = closing.first;
  const second = other(first);
  const one = SIDES[second];
  const f1 = facts.fin[first]!;
  const f2 = facts.fin[second];
  const fin1: RelativeNumber = { of: 'fin', end: first, entry: f1.copies[0]! };
  say(fin1.entry, `FIN of the ${SIDES[first]}, seq `, fin1);
  if (f2 === null) {
    const cover = f1.covers[0];
    if (cover !== undefined) say(cover, `the ${one} acknowledges it and sends no FIN`);
    return list;
  }
  const fin2: RelativeNumber = { of: 'fin', end: second, entry: f2.copies[0]! };
  const ackOf = (entry: number): RelativeNumber => ({ of: 'ack', end: first, entry });
  if (closing.kind === '4-way') {
    const entry = closing.ackBeforeFin;
    say(
      entry,
      `the ${one} acknowledges it (ack `,
      ackOf(entry),
      ') with a segment numbered ',
      { of: 'seq', end: second, entry },
      ', not behind its own FIN',
    );
    say(fin2.entry, `FIN of the ${one}, seq `, fin2, ', sent later');
  } else if (closing.kind === '3-way-merged') {
    say(
      fin2.entry,
      `FIN of the ${one}, seq `,
      fin2,
      ', is the first of its segments to acknowledge that FIN (ack ',
      ackOf(fin2.entry),
      ')',
    );
  } else if (closing.isByLaterCopy) {
    const behind = f1.covers.find((i) => ((story.seq[i]! - f2.position) | 0) > 0);
    if (behind !== undefined) {
      say(
        behind,
        `the ${one} acknowledges it from behind its own FIN, which therefore was sent before that FIN arrived`,
      );
    }
  } else {
    say(
      fin2.entry,
      `FIN of the ${one}, seq `,
      fin2,
      ', does not acknowledge it (ack ',
      ackOf(fin2.entry),
      '): the two crossed',
    );
  }
  return list;
}

/** The evidence of the connection that `facts` are of. */
export function listEvidence(facts: Facts, words: readonly EvidenceWords[]): Evidence[] {
  const list = words.map(() => ({ frame: 0, proves: '' }));
  fillEvidence(list, facts, words);
  return list;
}

/** Puts the frames and numbers of the connection that `facts` are of into `list`. */
export function fillEvidence(
  list: readonly Evidence[],
  facts: Facts,
  words: readonly EvidenceWords[],
): void {
  for (let k = 0; k < words.length; k++) {
    const { entry, proves } = words[k]!;
    let text = '';
    for (const part of proves) text += typeof part === 'string' ? part : numberOf(facts, part);
    const evidence = list[k]!;
    evidence.frame = facts.story.frame[entry]!;
    evidence.proves = text;
  }
}

function numberOf({ fin, isn, story }: Facts, { of, end, entry }: RelativeNumber): number {
  const number = of === 'fin' ? fin[end]!.position : story[of][entry]!;
  return (number - (isn[end] ?? 0)) >>> 0;
}
