/** Random segments of one 4-tuple: whatever they say, the record is sane. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConnectionRecord } from '../../../src/report/record.ts';
import { nextState, TCP_EVENTS, type TcpState } from '../../../src/tcp/state.ts';
import type { StateEntry } from '../../../src/tcp/verdicts.ts';
import { connectionsIn } from '../../support/fixtures.ts';
import { type Segment, simulate } from '../../support/tcp-model.ts';
import { listing, pcapOf, plans, type Shot, shotsOf } from '../../support/tcp-model-capture.ts';

const SEED = 9293;
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 400);

const near = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
);
const flags = fc.oneof(
  fc.constantFrom(2, 0x12, 0x10, 0x11, 0x14, 4, 0x18, 0x10, 0x11),
  fc.integer({ min: 0, max: 63 }),
);
const segment = fc.record({
  from: fc.constantFrom(0 as const, 1 as const),
  flags,
  seq: near,
  ack: near,
  len: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
  tsVal: fc.integer({ min: 0, max: 5 }),
  tsEcr: fc.integer({ min: 0, max: 5 }),
  gapUs: fc.oneof(
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 0, max: 90_000_000 }),
    fc.integer({ min: -50_000, max: 0 }),
    fc.integer({ min: -900_000_000, max: 0 }),
  ),
  id: fc.integer({ min: 0, max: 6 }),
});

/** Whether one event of the table, or two at one instant, lead from one state to the other. */
function isEdge(from: TcpState, to: TcpState): boolean {
  return TCP_EVENTS.some((event) => nextState(from, event) === to);
}

/** SYN_SENT (answered by a RST) → CLOSED and the like are edges by the RST rule; inferred entries may skip states. */
function expectLegal(entries: readonly StateEntry[]): void {
  expect(entries.length).toBeGreaterThan(0);
  for (let i = 1; i < entries.length; i++) {
    const before = entries[i - 1]!;
    const entry = entries[i]!;
    if (entry.inferred !== true) {
      expect(`${before.state}>${entry.state} ${isEdge(before.state, entry.state)}`).toBe(
        `${before.state}>${entry.state} true`,
      );
    }
    if (i > 1) expect(entry.t).toBeGreaterThanOrEqual(before.t);
  }
}

function expectSane(record: ConnectionRecord, frames: number): void {
  const { close, handshake, findings } = record;
  const inConnection = (frame: number): void => {
    expect(frame).toBeGreaterThanOrEqual(record.firstFrame);
    expect(frame).toBeLessThanOrEqual(record.lastFrame);
    expect(frame).toBeLessThanOrEqual(frames);
  };
  expect(record.duration).toBeGreaterThanOrEqual(0);
  const durations = { ...handshake, ...close } as unknown as Record<string, unknown>;
  for (const key of [
    'serverRtt',
    'clientRtt',
    'handshakeRtt',
    'finToAck',
    'closeWait',
    'finWait2',
  ]) {
    if (durations[key] !== null) expect(durations[key], key).toBeGreaterThanOrEqual(0);
  }
  for (const key of ['total', 'bytesAfterFin']) {
    if (durations[key] !== null) expect(durations[key], key).toBeGreaterThanOrEqual(0);
  }
  for (const { frame } of [...close.evidence, ...close.steps, ...handshake.steps])
    inConnection(frame);
  for (const steps of [close.steps, handshake.steps]) {
    for (let i = 1; i < steps.length; i++) {
      expect(steps[i]!.frame).toBeGreaterThan(steps[i - 1]!.frame);
    }
  }
  for (const finding of findings) {
    expect(finding.frames.length, finding.code).toBeGreaterThan(0);
    // The SYN that follows belongs to the next connection.
    if (finding.code !== 'port-reused-in-time-wait') finding.frames.forEach(inConnection);
  }
  expectLegal(record.states.client);
  expectLegal(record.states.server);
  if (close.kind === 'rst') {
    expect(close.resetBy).not.toBeNull();
    expect(close.phase).not.toBeNull();
  }
  if (close.kind !== 'open') {
    expect(close.initiator).not.toBeNull();
    expect(close.evidence.length).toBeGreaterThan(0);
  }
  expect(JSON.stringify(record)).not.toContain('NaN');
}

describe('random segments', () => {
  test.each([true, false])('never break the record (timestamps: %s)', async (timestamps) => {
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 40 }), async (list) => {
        let tNs = 3_600_000_000_000;
        const shots = list.map(({ gapUs, ...rest }): Shot => {
          tNs = Math.max(0, tNs + gapUs * 1000);
          return { segment: { ...rest, tapNs: tNs } as Segment, tNs, hops: 0 };
        });
        const bytes = pcapOf(shots, { isn: [0, 0], timestamps });
        try {
          const records = await connectionsIn(bytes);
          for (const record of records) expectSane(record, shots.length);
          expect(records.map((record) => record.stream)).toEqual(records.map((_, i) => i));
        } catch (error) {
          throw new Error(`${(error as Error).message}\n${listing(shots)}`);
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test('that replace some of a real conversation never break the record', async () => {
    const change = fc.record({
      at: fc.integer({ min: 0, max: 60 }),
      flags: fc.option(flags),
      seq: fc.option(fc.integer({ min: -3, max: 3 })),
      ack: fc.option(fc.integer({ min: -3, max: 3 })),
      garbage: fc.option(segment),
      stepUs: fc.oneof(fc.constant(0), fc.integer({ min: -100_000_000, max: 100_000_000 })),
    });
    const kinds = {
      openings: ['client', 'both'],
      resets: true,
      losses: ['none', 'none', 'after'],
    } as const;
    await fc.assert(
      fc.asyncProperty(plans(kinds), fc.array(change, { maxLength: 6 }), async (plan, changes) => {
        const shots = shotsOf(simulate(plan).captured).map((shot) => ({
          ...shot,
          tNs: shot.tNs + 3_600_000_000_000,
        }));
        for (const { at, garbage, stepUs, ...how } of changes) {
          const i = at % shots.length;
          const shot = shots[i]!;
          const s = shot.segment;
          const changed: Segment = {
            ...s,
            flags: how.flags ?? s.flags,
            seq: s.seq + (how.seq ?? 0),
            ack: s.ack + (how.ack ?? 0),
          };
          shots[i] = { ...shot, segment: changed };
          if (garbage !== null) {
            shots.splice(i, 0, { ...shot, segment: { ...s, ...garbage, tapNs: shot.tNs } });
          }
          for (let k = i; k < shots.length; k++) {
            shots[k] = { ...shots[k]!, tNs: shots[k]!.tNs + stepUs * 1000 };
          }
        }
        const told = `${listing(shots)}`;
        try {
          const records = await connectionsIn(pcapOf(shots, plan));
          for (const record of records) expectSane(record, shots.length);
        } catch (error) {
          throw new Error(`${(error as Error).message}\n${told}`);
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
