/** Random conversations of two simulated ends, captured without loss: every verdict must be the truth (docs/specification.md §2–§4). */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConnectionRecord } from '../../../src/report/record.ts';
import { onlyConnectionIn } from '../../support/fixtures.ts';
import { type Outcome, type Plan, simulate } from '../../support/tcp-model.ts';
import {
  clientEnd,
  type Kinds,
  listing,
  pathOf,
  pcapOf,
  plans,
  shotsOf,
} from '../../support/tcp-model-capture.ts';

const SEED = 9293;
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 300);

async function check(
  kinds: Kinds,
  verify: (record: ConnectionRecord, truth: Outcome, plan: Plan) => void,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(plans(kinds), async (plan) => {
      const truth = simulate(plan);
      fc.pre(truth.settled);
      const shots = shotsOf(truth.captured);
      const record = await onlyConnectionIn(pcapOf(shots, plan));
      try {
        verify(record, truth, plan);
      } catch (error) {
        const { actual, expected } = error as { actual?: unknown; expected?: unknown };
        const told = `${JSON.stringify(actual)}\nthe truth: ${JSON.stringify(expected)}`;
        throw new Error(`said: ${told}\n${listing(shots)}`);
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
}

function verdict(record: ConnectionRecord): object {
  const c = clientEnd(record);
  const { initiator, kind, complete } = record.close;
  const states = [record.states.client, record.states.server].map(pathOf);
  return {
    handshake: record.handshake.kind,
    kind,
    complete,
    initiator: initiator === 'client' ? c : initiator === 'server' ? (c === 0 ? 1 : 0) : initiator,
    first: states[c],
    second: states[1 - c],
  };
}

function truthOf(truth: Outcome): object {
  return {
    handshake: truth.handshake,
    kind: truth.kind,
    complete: truth.complete,
    initiator: truth.initiator,
    first: pathOf(truth.paths[0]),
    second: pathOf(truth.paths[1]),
  };
}

/** A segment passed the capture point before a RST and reached the RST's sender after it had sent it. */
function crossesReset({ captured, resets }: Outcome, plan: Plan): boolean {
  return resets.some((rst) => {
    const sentNs = rst.tapNs - plan.toTapNs[rst.from];
    return captured.some(
      (s) =>
        s.from !== rst.from && s.tapNs <= rst.tapNs && s.tapNs + plan.beyondTapNs[s.from] >= sentNs,
    );
  });
}

/** The close kind as the two state paths tell it, for a close without RST. */
function kindByPaths(record: ConnectionRecord): string {
  const { client, server } = record.states;
  const has = (state: string): boolean => [...client, ...server].some((e) => e.state === state);
  if (!has('FIN_WAIT_1')) return 'open';
  if (!has('TIME_WAIT')) return 'half-closed';
  if (!has('CLOSE_WAIT')) return 'simultaneous';
  return has('FIN_WAIT_2') ? '4-way' : '3-way-merged';
}

describe('without loss, wherever the capture point is', () => {
  test('opening, close kind, initiator and both state paths are those of the two ends', async () => {
    await check({ openings: ['client'] }, (record, truth) => {
      expect(verdict(record)).toEqual(truthOf(truth));
    });
  });

  test('so they are where both ends open at once', async () => {
    await check({ openings: ['both'] }, (record, truth) => {
      expect(verdict(record)).toEqual(truthOf(truth));
    });
  });

  test('so they are where the server refuses', async () => {
    await check({ openings: ['refused'] }, (record, truth) => {
      expect(verdict(record)).toEqual(truthOf(truth));
    });
  });

  test('so they are where a RST ends the connection', async () => {
    await check({ resets: true }, (record, truth, plan) => {
      expect(record.close.kind).toBe(truth.kind);
      // What was under way to the sender of the RST is told from what had arrived by nothing in the capture.
      if (!crossesReset(truth, plan)) expect(verdict(record)).toEqual(truthOf(truth));
    });
  });

  test('every state is caused by the very frame that caused it', async () => {
    await check({ openings: ['client', 'both'] }, (record, truth) => {
      const number = new Map(truth.captured.map((segment, i) => [segment, i + 1]));
      const c = clientEnd(record);
      const found = [record.states.client, record.states.server].map((states) =>
        states.map((entry) => `${entry.state} ${entry.frame}`),
      );
      const expected = truth.paths.map((entries) =>
        entries.map(({ state, segment }) => `${state} ${segment && number.get(segment)}`),
      );
      expect([found[c], found[1 - c]]).toEqual(expected);
    });
  });

  test('the kind by the rule of the specification is the kind that the state paths tell', async () => {
    await check({ openings: ['client', 'both'] }, (record) => {
      expect(kindByPaths(record)).toBe(record.close.kind);
    });
  });

  test('how long the close took, and what was sent on the half-closed connection, is the truth', async () => {
    await check({}, (record, { fins, sent, initiator, paths }) => {
      if (initiator !== 0 && initiator !== 1) return;
      const passive = initiator === 0 ? 1 : 0;
      const f1 = fins[initiator]!;
      const f2 = fins[passive];
      const got = paths[passive].find(({ state }) => state === 'CLOSE_WAIT');
      // A FIN that nobody acknowledged before the end is not in the capture's power.
      if (got === undefined) return;
      const covers = sent.filter((s) => s.from === passive && s.ack > f1.seq + f1.len);
      const ns = (from: number, to: number): number => Math.round(to - from) / 1e9;
      const bytes = covers.reduce((sum, s) => sum + s.len, 0);

      expect(record.close.bytesAfterFin).toBe(bytes);
      expect(record.close.finToAck).toBe(ns(f1.tapNs, covers[0]!.tapNs));
      expect(record.close.closeWait).toBe(f2 === null ? null : ns(f1.tapNs, f2.tapNs));
    });
  });
});
