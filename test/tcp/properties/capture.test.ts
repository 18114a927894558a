/** What a capture does to a conversation: frames missing, twice, out of order; and segments that it saw and their receiver did not. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { onlyConnectionIn } from '../../support/fixtures.ts';
import { simulate } from '../../support/tcp-model.ts';
import {
  clientEnd,
  hasAckBeforeFin,
  type Kinds,
  listing,
  losesCover,
  mess,
  pathOf,
  pcapOf,
  plans,
  proofOf,
  shotsOf,
  spoil,
} from '../../support/tcp-model-capture.ts';

const SEED = 9293;
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 300);

async function checkKind(lateUs: number, kinds: Kinds, pre: typeof hasAckBeforeFin) {
  await fc.assert(
    fc.asyncProperty(plans(kinds), mess(lateUs), async (plan, how) => {
      const truth = simulate(plan);
      fc.pre([...proofOf(truth)].every((segment) => segment.tapNs >= 0));
      const shots = spoil(truth, how);
      fc.pre(shots.length > 0 && pre(truth, shots));
      const record = await onlyConnectionIn(pcapOf(shots, plan));
      const { kind, initiator } = record.close;
      const c = clientEnd(record);
      const byEnd =
        initiator === 'client' ? c : initiator === 'server' ? (c === 0 ? 1 : 0) : initiator;
      const said = `said ${kind} by ${byEnd}, truth ${truth.kind} by ${truth.initiator}\n`;
      expect([kind, byEnd], `${said}${listing(shots)}`).toEqual([truth.kind, truth.initiator]);
    }),
    { seed: SEED, numRuns: RUNS },
  );
}

describe('the close kind stays', () => {
  test('while the frames that prove it are there, whatever else is lost or captured twice', async () => {
    await checkKind(0, {}, () => true);
  });

  test('in any order within 8 ms, if no ACK of a FIN comes before that FIN', async () => {
    await checkKind(8000, {}, (truth, shots) => !hasAckBeforeFin(truth, shots));
  });

  test('where segments are lost on the way and sent again', async () => {
    const losses = ['none', 'none', 'none', 'before', 'after'] as const;
    await checkKind(0, { openings: ['client'], losses }, () => true);
  });
});

describe('segments that were captured and never received', () => {
  test('cause no state where none of them covers a FIN: the paths are those of the two ends', async () => {
    const kinds: Kinds = { losses: ['none', 'none', 'after'], spareAcks: true };
    await fc.assert(
      fc.asyncProperty(plans(kinds), async (plan) => {
        const truth = simulate(plan);
        fc.pre(truth.settled && !losesCover(truth));
        const shots = shotsOf(truth.captured);
        const record = await onlyConnectionIn(pcapOf(shots, plan));
        const c = clientEnd(record);
        const found = [record.states.client, record.states.server].map(pathOf);
        expect([found[c], found[1 - c]], listing(shots)).toEqual(truth.paths.map(pathOf));
        expect(record.close.kind).toBe(truth.kind);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test('are never the frame of a state, where timestamps tell the copies apart', async () => {
    const kinds: Kinds = { losses: ['none', 'none', 'after'], spareAcks: true };
    await fc.assert(
      fc.asyncProperty(plans(kinds), async (random) => {
        const plan = { ...random, timestamps: true };
        const truth = simulate(plan);
        fc.pre(truth.settled && !losesCover(truth));
        const shots = shotsOf(truth.captured);
        const record = await onlyConnectionIn(pcapOf(shots, plan));
        const number = new Map(truth.captured.map((segment, i) => [segment, i + 1]));
        const c = clientEnd(record);
        const found = [record.states.client, record.states.server].map((states) =>
          states.map((entry) => `${entry.state} ${entry.frame}`),
        );
        const expected = truth.paths.map((entries) =>
          entries.map(({ state, segment }) => `${state} ${segment && number.get(segment)}`),
        );
        expect([found[c], found[1 - c]], listing(shots)).toEqual(expected);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
