/** Connections that are only counted: the ordinary ones by their outlines, each judged once. */

import { type Conclusion, conclude } from '../tcp/conclude.ts';
import { createTransfer } from '../tcp/figures.ts';
import { noted } from '../tcp/noted-outline.ts';
import { Outlines, outline } from '../tcp/outline.ts';
import { type LeavingConnection, Unpacker } from '../tcp/packed.ts';
import { type Counted, countRecord, createCounts, type RecordCounts } from './counts.ts';
import { createTally, type Tally, tallyRecord } from './summary.ts';

/** Called with each connection of one outline. */
export type EachAlike = (leaving: LeavingConnection) => void;

/** Connections with the same outline, added up: `sum` stands for all of them. */
interface Alike {
  readonly sum: Counted;
  readonly each: EachAlike | null;
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
  readonly #eachOf: ((conclusion: Conclusion) => EachAlike) | null;
  readonly #unpacker = new Unpacker();
  readonly #outlines = new Outlines<Alike>();
  #all: Alike[] = [];

  /**
   * `fails`: which verdicts are matches; it says the same of all with the same outline. `eachOf`: what else is to be done with each connection of an outline, by the
   * conclusion on the first of them.
   */
  constructor(
    mslSec: number,
    fails: (sum: Counted) => boolean,
    eachOf: ((conclusion: Conclusion) => EachAlike) | null = null,
  ) {
    this.#mslSec = mslSec;
    this.#fails = fails;
    this.#eachOf = eachOf;
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
    alike.each?.(leaving);
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
    const conclusion = conclude(finished, this.#mslSec);
    const { close, findings, handshake } = conclusion;
    const client = finished.clientEnd;
    const server = client === 0 ? 1 : 0;
    const packets = { client: finished.packets[client], server: finished.packets[server] };
    const bytes = { client: 0, server: 0 };
    const sum = { bytes, close, findings, handshake, packets, transfer: createTransfer() };
    const each = this.#eachOf?.(conclusion) ?? null;
    const alike = { sum, each, count: 0, reusedPorts: 0 };
    this.#outlines.add(words, alike);
    this.#all.push(alike);
    return alike;
  }
}
