/** Times of pcapng in any unit, compared with exact arithmetic. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimeScale } from '../../src/capture/pcapng-time.ts';
import { enhancedPacket, interfaceBlock, join, sectionHeader } from '../support/capture-bytes.ts';
import { readFrames } from '../support/read-frames.ts';

const SEED = 20260101;

/** The definition, in whole numbers of any size. */
function exactly(tsresol: number, offsetSec: bigint, ticks: bigint): [sec: number, ns: number] {
  const units = ((tsresol & 0x80) === 0 ? 10n : 2n) ** BigInt(tsresol & 0x7f);
  const sec = ticks / units + offsetSec;
  if (sec < 0n) return [0, 0];
  if (sec > 0xffffffffn) return [0xffffffff, 999_999_999];
  return [Number(sec), Number(((ticks % units) * 1_000_000_000n) / units)];
}

test('any time stamp in any unit is the one that exact arithmetic gives', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.bigInt({ min: -(1n << 40n), max: 1n << 40n }),
      fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 1, maxLength: 8 }),
      (tsresol, offsetSec, stamps) => {
        const scale = new TimeScale(tsresol, offsetSec);
        for (const ticks of stamps) {
          scale.convert(Number(ticks >> 32n), Number(ticks & 0xffffffffn));
          expect([scale.sec, scale.ns]).toEqual(exactly(tsresol, offsetSec, ticks));
        }
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
});

test('time stamps of this century at the usual units are exact, at the seams of the high word too', () => {
  const usual = [
    3,
    6,
    7,
    8,
    9,
    10,
    12,
    0x80 | 10,
    0x80 | 20,
    0x80 | 30,
    0x80 | 32,
    0x80 | 33,
    0x80 | 35,
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...usual),
      fc.bigInt({ min: 1_000_000_000n, max: 4_000_000_000n }),
      fc.bigInt({ min: 0n, max: 999_999_999n }),
      fc.boolean(),
      (tsresol, sec, ns, isSeam) => {
        const units = ((tsresol & 0x80) === 0 ? 10n : 2n) ** BigInt(tsresol & 0x7f);
        const any = sec * units + (ns * units) / 1_000_000_000n;
        const ticks = BigInt.asUintN(64, isSeam ? any | 0xffffffffn : any);
        const scale = new TimeScale(tsresol, 0n);
        scale.convert(Number(ticks >> 32n), Number(ticks & 0xffffffffn));
        expect([scale.sec, scale.ns]).toEqual(exactly(tsresol, 0n, ticks));
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
});

test('frames in a row have exact times, across seconds, high words and interfaces', async () => {
  const resolutions = [6, 9, 3, 0x80 | 20, 12];
  const head = join(
    sectionHeader('little'),
    ...resolutions.map((resol) =>
      interfaceBlock('little', { options: [{ code: 9, value: Uint8Array.of(resol) }] }),
    ),
  );
  const step = fc.record({
    iface: fc.nat({ max: resolutions.length - 1 }),
    stays: fc.boolean(),
    delta: fc.oneof(
      fc.bigInt({ min: -3n, max: 3n }),
      fc.bigInt({ min: -1_100_000n, max: 1_100_000n }),
      fc.bigInt({ min: -(1n << 33n), max: 1n << 33n }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.bigInt({ min: 1n << 34n, max: (1n << 62n) - 1n }),
      fc.array(step, { minLength: 2, maxLength: 300 }),
      async (start, steps) => {
        let ticks = start;
        let iface = 0;
        const packets = steps.map(({ iface: next, stays, delta }) => {
          ticks += delta;
          if (ticks < 0n) ticks = 0n;
          if (!stays) iface = next;
          return { iface, ticks, data: new Uint8Array(0) };
        });

        const { frames } = await readFrames(
          join(head, ...packets.map((packet) => enhancedPacket('little', packet))),
        );

        expect(frames.map(({ time }) => time)).toEqual(
          packets.map((packet) => {
            const [sec, ns] = exactly(resolutions[packet.iface]!, 0n, packet.ticks);
            return `${sec}.${String(ns).padStart(9, '0')}`;
          }),
        );
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});
