import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimeScale } from '../../src/capture/pcapng-time.ts';

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
