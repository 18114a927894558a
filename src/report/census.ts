/** Connections that are only counted: the ordinary ones by their outlines, each judged once. */

import { conclude } from '../tcp/conclude.ts';
import { createTransfer } from '../tcp/figures.ts';
import { noted } from '../tcp/noted-outline.ts';
import { Outlines, outline } from '../tcp/outline.ts';
import { type LeavingConnection, Unpacker } from '../tcp/packed.ts';
import { type Counted, countRecord, createCounts, type RecordCounts } from './counts.ts';
import { createTally, type Tally, tallyRecord } from './summary.ts';

/** Connections with the same outline, added up: `sum` stands for all of them. */
interface Alike {
  readonly sum: Counted;
  count: number;
  reusedPorts: number;
}

/**
 * Counts connections as they leave, in place of packing, reading and judging each: of one that was noted to its end (tcp/noting.ts) the outline
 * says all that is counted, but for some sums.
 */
export class Census {
  readonly counts: RecordCounts = createCounts();
  readonly tally: Tally = createTally();
  /** Whether `fails` said so of any. */
  matched = false;
  readonly #mslSec: number;
  readonly #fails: (sum: Counted) => boolean;
  readonly #unpacker = new Unpacker();
  readonly #outlines = new Outlines<Alike>();
  #all: Alike[] = [];

  /** `fails`: which verdicts are matches; it says the same of all with the same outline. */
  constructor(mslSec: number, fails: (sum: Counted) => boolean) {
    this.#mslSec = mslSec;
    this.#fails = fails;
  }

  /** Counts the connection that leaves; false where it has no outline and has to be judged. Hot path, once a connection. */
  take(leaving: LeavingConnection): boolean {
    if (!leaving.outline(this.#mslSec)) return false;
    const { bytes, reusedPorts, windowFull } = noted;
    const alike = this.#outlines.find() ?? this.#begin(leaving);
    const { sum } = alike;
    alike.count++;
    if (reusedPorts) alike.reusedPorts++;
    sum.bytes.client += bytes;
    sum.transfer.client.uniqueBytes += bytes;
    sum.transfer.client.windowFull += windowFull;
    return true;
  }

  /** Brings `counts`, `tally` and `matched` up to date. */
  settle(): void {
    for (const { count, reusedPorts, sum } of this.#all) {
      countRecord(this.counts, sum, count);
      tallyRecord(this.tally, sum, count);
      this.counts.transfer.reusedPorts += reusedPorts;
      this.tally.transfer.reusedPorts += reusedPorts;
      this.matched ||= this.#fails(sum);
    }
    this.#all = [];
    this.#outlines.clear();
  }

  /** Judges the first connection of an outline. */
  #begin(leaving: LeavingConnection): Alike {
    if (this.#outlines.isFull) this.settle();
    const words = outline.words.slice(0, outline.count);
    const finished = this.#unpacker.read(leaving);
    const { close, findings, handshake } = conclude(finished, this.#mslSec);
    const client = finished.clientEnd;
    const server = client === 0 ? 1 : 0;
    const packets = { client: finished.packets[client], server: finished.packets[server] };
    const bytes = { client: 0, server: 0 };
    const sum = { bytes, close, findings, handshake, packets, transfer: createTransfer() };
    const alike = { sum, count: 0, reusedPorts: 0 };
    this.#outlines.add(words, alike);
    this.#all.push(alike);
    return alike;
  }
}
