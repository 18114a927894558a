/** The table of connections, compared with a Map, and that of addresses. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressTable } from '../../src/flow/addresses.ts';
import { hashKey } from '../../src/flow/keys.ts';
import { FlowTable } from '../../src/flow/table.ts';

const SEED = 7;

test('the table answers as a Map does, whatever is added and removed, and when records move', () => {
  const key = fc.tuple(fc.nat(6), fc.nat(6), fc.nat(40), fc.nat(1));
  const step = fc.record({ remove: fc.boolean(), moves: fc.nat(40), key });
  const sameIds = Int32Array.from({ length: 7 }, (_, id) => id);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4000, size: 'max' }), (steps) => {
      const table = new FlowTable(8, 8, SEED);
      const model = new Map<string, number>();
      for (const {
        remove,
        moves,
        key: [a, b, ports, family],
      } of steps) {
        const hash = hashKey(SEED, a, b, ports, family);
        const found = table.find(hash, a, b, ports, family);

        expect(found).toBe(model.get(`${a} ${b} ${ports} ${family}`) ?? -1);
        if (remove && found >= 0) {
          table.remove(found);
          model.delete(`${a} ${b} ${ports} ${family}`);
        } else if (found < 0) {
          model.set(`${a} ${b} ${ports} ${family}`, table.add(hash, a, b, ports, family));
        }
        expect(table.size).toBe(model.size);
        if (moves > 0) continue;
        const moved = table.compact(sameIds);
        for (const [name, index] of model) model.set(name, moved.to(index));
        expect(table.indexes).toBe(model.size);
      }
      expect(new Set(model.values()).size).toBe(model.size);
    }),
    { seed: 3, numRuns: 30 },
  );
});

test('a hundred thousand records survive the growth of the table', () => {
  const table = new FlowTable(8, 8, SEED);
  for (let i = 0; i < 100_000; i++) {
    const index = table.add(hashKey(SEED, i, i ^ 5, i * 3, 0), i, i ^ 5, i * 3, 0);
    table.words[index * 8 + 5] = i;
  }

  for (let i = 0; i < 100_000; i++) {
    const index = table.find(hashKey(SEED, i, i ^ 5, i * 3, 0), i, i ^ 5, i * 3, 0);
    expect(table.words[index * 8 + 5]).toBe(i);
  }
});

test('an address keeps its id while it is held, and gives its place back afterwards', () => {
  const addresses = new AddressTable(9);
  const words = new Int32Array(4);
  const ids = new Map<number, number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5000; i++) {
      words.set([i, round, 7, i * 3]);
      const id = addresses.intern(words, 0);
      addresses.hold(id);
      ids.set(i, id);
    }
    for (let i = 0; i < 5000; i++) {
      words.set([i, round, 7, i * 3]);
      expect(addresses.intern(words, 0)).toBe(ids.get(i));
    }
    for (const id of ids.values()) addresses.release(id);
    addresses.sweep();
    expect(addresses.size).toBe(0);
  }
});

test('addresses that are held keep their bytes and their references when ids move', () => {
  const addresses = new AddressTable(9);
  const words = new Int32Array(4);
  const held: [number, number][] = [];
  for (let i = 0; i < 5000; i++) {
    words.set([i, 1, 7, i * 3]);
    const id = addresses.intern(words, 0);
    addresses.hold(id);
    addresses.hold(id);
    if (i % 7 === 0) held.push([i, id]);
    else for (let n = 0; n < 2; n++) addresses.release(id);
  }

  const ids = addresses.compact();

  expect(addresses.size).toBe(held.length);
  for (const [n, [i, before]] of held.entries()) {
    const id = ids[before] ?? 0;
    expect(id).toBe(n + 1);
    words.set([i, 1, 7, i * 3]);
    expect(addresses.intern(words, 0)).toBe(id);
    addresses.release(id);
  }
  addresses.sweep();
  expect(addresses.size).toBe(held.length);
  for (let n = 1; n <= held.length; n++) addresses.release(n);
  addresses.sweep();
  expect(addresses.size).toBe(0);
});
