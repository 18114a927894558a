/** What must change nothing: where the sequence numbers begin, who has the lower address, the IP version, how the bytes arrive. */

import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../../fixtures/notation.ts';
import { analyze, type CaptureInput } from '../../../src/analyze.ts';
import type { ConnectionRecord } from '../../../src/report/record.ts';
import { type Outcome, simulate } from '../../support/tcp-model.ts';
import {
  IPV4,
  type Kinds,
  listing,
  pcapOf,
  plans,
  type Shot,
  shotsOf,
} from '../../support/tcp-model-capture.ts';

const SEED = 9293;
const RUNS = Number(process.env.FINWAIT_PROPERTY_RUNS ?? 200);
const KINDS: Kinds = {
  openings: ['client', 'client', 'both', 'refused'],
  resets: true,
  losses: ['none', 'none', 'none', 'none', 'before', 'after'],
};

async function recordsOf(input: CaptureInput): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const record of analyze(input)) records.push(record);
  return records;
}

/** The record without what depends on the numbers and addresses themselves; the numbers of steps relative to the ISNs. */
function stripped(record: ConnectionRecord, isn: readonly [number, number], hosts = IPV4): unknown {
  const ends = { client: 0, server: 1 };
  if (record.client.ip !== hosts[0]!.ip || record.client.port !== hosts[0]!.port) {
    ends.client = 1;
    ends.server = 0;
  }
  const step = (s: { from: 'client' | 'server'; seq: number; ack: number | null }): object => {
    const own = ends[s.from];
    const seq = (s.seq - isn[own]!) >>> 0;
    return { ...s, seq, ack: s.ack === null ? null : (s.ack - isn[1 - own]!) >>> 0 };
  };
  const { handshake, close } = record;
  const isnOf = (side: 'client' | 'server'): number | null =>
    handshake.isn[side] === null ? null : (handshake.isn[side] - isn[ends[side]]!) >>> 0;
  return {
    ...record,
    communityId: null,
    client: ends.client,
    server: ends.server,
    handshake: {
      ...handshake,
      isn: { client: isnOf('client'), server: isnOf('server') },
      steps: handshake.steps.map(step),
    },
    close: {
      ...close,
      steps: close.steps.map(step),
      // The words tell numbers relative to the ISN where it is known.
      evidence: close.evidence.map(({ frame, proves }) =>
        handshake.isn.client === null || handshake.isn.server === null ? frame : [frame, proves],
      ),
    },
    findings: record.findings.map(({ code, frames }) => ({ code, frames })),
  };
}

async function check(verify: (truth: Outcome, shots: Shot[], ...rest: number[]) => Promise<void>) {
  await fc.assert(
    fc.asyncProperty(
      plans(KINDS),
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      async (plan, skip, a, b) => {
        const truth = simulate(plan);
        const all = shotsOf(truth.captured);
        // Some captures begin late.
        const shots = skip % 3 === 0 ? all.slice(skip % all.length) : all;
        if (shots.length === 0) return;
        try {
          await verify(truth, shots, a, b);
        } catch (error) {
          throw new Error(`${(error as Error).message}\n${listing(shots)}`);
        }
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
}

const LOOKS = [true, false];

describe('nothing changes', () => {
  test('where the sequence numbers begin elsewhere, the wrap at 2^32 included', async () => {
    await check(async (_, shots, a, b) => {
      const fin = shots.find(({ segment }) => (segment.flags & 1) !== 0)?.segment;
      // A FIN at exactly 2^32-1, and at 2^31-1.
      const edges = fin === undefined ? [a, b] : [-1 - fin.seq - fin.len, 0x7fff_ffff - fin.seq];
      for (const timestamps of LOOKS) {
        const plain: [number, number] = [1000, 2000];
        const [base] = await recordsOf(pcapOf(shots, { isn: plain, timestamps }));
        for (const isn of [
          [a, b],
          [edges[0], b],
          [a, edges[1]],
          [edges[1], edges[0]],
        ]) {
          const pair = [isn[0]! >>> 0, isn[1]! >>> 0] as [number, number];
          const [moved] = await recordsOf(pcapOf(shots, { isn: pair, timestamps }));
          expect(stripped(moved!, pair)).toEqual(stripped(base!, plain));
        }
      }
    });
  });

  test('where the other end has the lower address, and with IPv6', async () => {
    const pairs: [Host, Host][] = [
      [
        { ip: '200.0.0.2', port: 40_000 },
        { ip: '10.0.0.1', port: 80 },
      ],
      [
        { ip: '10.0.0.1', port: 40_000 },
        { ip: '10.0.0.1', port: 80 },
      ],
      [
        { ip: '2001:db8::1', port: 40_000 },
        { ip: '2001:db8::2', port: 80 },
      ],
      [
        { ip: 'fe80::2', port: 40_000 },
        { ip: '2001:db8::1', port: 80 },
      ],
    ];
    await check(async (_, shots, a, b) => {
      const isn: [number, number] = [a, b];
      // IPv6 has no identification: the timestamps alone tell a copy, so they must be fine enough.
      const timestamps = true;
      const fine = shots.map((shot): Shot => {
        const { tsVal, tsEcr, id } = shot.segment;
        return {
          ...shot,
          segment: { ...shot.segment, tsVal: tsVal * 64 + (id % 64), tsEcr: tsEcr * 64 },
        };
      });
      const [base] = await recordsOf(pcapOf(fine, { isn, timestamps }));
      for (const hosts of pairs) {
        const [moved] = await recordsOf(pcapOf(fine, { isn, timestamps, hosts }));
        expect(stripped(moved!, isn, hosts)).toEqual(stripped(base!, isn));
      }
    });
  });

  test('where the same bytes come in other pieces', async () => {
    await check(async (_, shots, a, b) => {
      const bytes = pcapOf(shots, { isn: [a, b], timestamps: (a & 1) === 0 });
      const base = await recordsOf(bytes);
      const sizes = [1, 1 + (a % 50), 1 + (b % 3000)];
      for (const size of sizes) {
        const pieces: Uint8Array[] = [];
        for (let i = 0; i < bytes.length; i += size) pieces.push(bytes.slice(i, i + size));
        const records = await recordsOf(Readable.from(pieces, { objectMode: false }));
        expect(records).toEqual(base);
      }
    });
  });
});
