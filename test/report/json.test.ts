/** The hand-written JSON against JSON.stringify. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TCP_STATES } from '../../src/tcp/state.ts';
import { FINDING_CODES } from '../../src/tcp/verdicts.ts';
import { jsonLine } from '../support/lines.ts';
import { record } from '../support/records.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);
/** Our own words: addresses, flags, the Community ID. They never need an escape, and are written without a look. */
const word = fc.string({ unit: fc.constantFrom(...'abcdefABCDEF0123456789.:,+/='), maxLength: 60 });
const number = fc.oneof(fc.double(), fc.integer(), fc.nat());

test('a record is the text JSON.stringify gives', () => {
  expect(jsonLine(record())).toBe(JSON.stringify(record()));
});

test('every string that comes from outside and every number comes out as JSON.stringify writes it, lone surrogates and NaN included', () => {
  fc.assert(
    fc.property(
      hostile,
      hostile,
      word,
      number,
      fc.option(number),
      fc.boolean(),
      fc.constantFrom(...TCP_STATES),
      fc.constantFrom(...FINDING_CODES),
      (a, b, own, n, maybe, flag, state, code) => {
        const base = record();
        const [first] = base.handshake.steps;
        const [fin] = base.close.steps;
        if (!first || !fin) throw new Error('the builder has steps');
        const r = record({
          file: flag ? a : null,
          communityId: own,
          client: { ip: own, port: n },
          duration: n,
          handshake: {
            serverRtt: maybe,
            isn: { client: maybe },
            options: {
              server: {
                mss: maybe,
                windowScale: n,
                sackPermitted: flag,
                timestamps: flag,
                fastOpenCookie: b,
                mptcp: flag,
              },
            },
            steps: [{ ...first, flags: own, ack: maybe, t: n }, first],
          },
          close: {
            doubt: b,
            evidence: [{ frame: n, proves: a }],
            steps: [{ ...fin, flags: own, senderState: state }],
            total: maybe,
          },
          states: { client: flag ? [] : [{ state, t: n, frame: maybe, inferred: true }] },
          findings: [{ code, severity: 'note', frames: [1, n], what: a, advice: b }],
        });

        expect(jsonLine(r)).toBe(JSON.stringify(r));
      },
    ),
    { numRuns: 500, seed: 9293 },
  );
});
