/** The queue of closed connections, against a plain array, through whatever may happen to it. */

import { expect, test } from 'vitest';
import { Random } from '../../bench/generate/random.ts';
import { Moves } from '../../src/flow/moves.ts';
import { LingerQueue } from '../../src/tcp/linger.ts';

/** What the queue holds; index -1: left. */
interface Place {
  index: number;
  time: number;
  packets: number;
}

test.each([1, 2, 3, 4])('the queue holds what an array would hold, seed %i', (seed) => {
  const random = new Random(seed);
  const queue = new LingerQueue();
  const places: Place[] = [];
  const ahead = new Int32Array(8);
  const isFree = (index: number): boolean => places.every((place) => place.index !== index);
  for (let step = 0; step < 12_000; step++) {
    // It grows first, and is taken from later.
    const what = random.below(step < 6000 ? 14 : 30);
    const place = places[random.below(places.length)];
    if (what < 10) {
      const index = random.below(6000);
      if (!isFree(index)) continue;
      const added = { index, time: step, packets: random.below(100) };
      queue.push(index, added.time, added.packets);
      places.push(added);
    } else if (what < 12) {
      if (place === undefined || place.index < 0) continue;
      queue.leave(place.index);
      place.index = -1;
    } else if (what < 13) {
      const found = queue.look(ahead);
      const oldest = places.slice(0, ahead.length).filter(({ index }) => index >= 0);
      expect([...ahead.subarray(0, found)]).toEqual(oldest.map(({ index }) => index));
      expect(queue.isHeadUnseen).toBe(places.length === 0);
    } else if (what === 13 && step % 40 === 0) {
      // Records move to the lowest indexes, as they do when a table shrinks.
      const used = places.map(({ index }) => index).filter((index) => index >= 0);
      used.sort((a, b) => a - b);
      const moves = new Moves(Int32Array.from(used), used.length);
      queue.move(moves);
      for (const each of places) each.index = each.index < 0 ? -1 : moves.to(each.index);
    } else if (places.length > 0) {
      const head = places.shift();
      expect([queue.headIndex(), queue.headTime(), queue.headPackets()]).toEqual([
        head?.index,
        head?.time,
        head?.packets,
      ]);
      queue.pop();
    }
    expect(queue.size).toBe(places.length);
    expect(queue.waiting).toBe(places.filter(({ index }) => index >= 0).length);
  }
});

test('a head is unseen again once all that were looked at have gone', () => {
  const queue = new LingerQueue();
  for (let index = 0; index < 5; index++) queue.push(index, 0, 0);
  queue.look(new Int32Array(2));
  const unseen = [0, 1, 2].map(() => {
    queue.pop();
    return queue.isHeadUnseen;
  });
  expect(unseen).toEqual([false, true, true]);
});
