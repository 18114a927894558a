/** Both directions of a connection put back in order and woven together in the order of the capture. */

import { ACK, SYN } from '../decode/columns.ts';
import {
  type StreamConflict,
  type StreamItem,
  StreamReassembler,
  type StreamSegment,
} from './stream.ts';

/** Bytes of one direction held back while the other waits for a gap to be filled; then they go first. */
const MAX_HELD_BYTES_PER_CONVERSATION = 16 * 1024 * 1024;

/** The key's end that sent: 0 the lower, 1 the upper. */
export type KeyEnd = 0 | 1;

export interface ConversationOptions {
  onItem: (item: StreamItem, from: KeyEnd) => void;
  onConflict?: (conflict: StreamConflict, from: KeyEnd) => void;
  maxBufferedBytes?: number;
  maxHeldBytes?: number;
}

interface Held {
  /** Frame at which the item's turn came. */
  order: number;
  item: StreamItem;
}

/**
 * Takes a connection's segments and hands out the bytes of both directions in the order in which they could be read: those behind a gap that
 * was filled later when it was filled, those behind one that never was when they were captured.
 */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #streams: readonly [StreamReassembler, StreamReassembler];
  readonly #held: readonly [Held[], Held[]] = [[], []];
  readonly #lastOrder: [number, number] = [0, 0];
  #heldBytes = 0;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#streams = [this.#reassembler(0), this.#reassembler(1)];
  }

  /** Takes a segment sent by `from`, in the order of the capture. */
  segment(from: KeyEnd, segment: StreamSegment, ack: number): void {
    const { flags } = segment;
    if ((flags & ACK) !== 0) {
      this.#streams[from === 0 ? 1 : 0].acknowledge(ack, (flags & SYN) !== 0);
    }
    this.#streams[from].segment(segment);
    if (this.#held[0].length + this.#held[1].length > 0) this.#release();
  }

  /** Hands out all that is left. */
  finish(): void {
    for (const stream of this.#streams) stream.finish();
    this.#release();
  }

  #reassembler(from: KeyEnd): StreamReassembler {
    const { maxBufferedBytes, onConflict } = this.#options;
    return new StreamReassembler({
      ...(maxBufferedBytes === undefined ? {} : { maxBufferedBytes }),
      ...(onConflict === undefined
        ? {}
        : { onConflict: (conflict: StreamConflict) => onConflict(conflict, from) }),
      onItem: (item) => {
        const order = Math.max(this.#lastOrder[from], item.frame);
        this.#lastOrder[from] = order;
        this.#held[from].push({ order, item });
        if (item.kind === 'bytes') this.#heldBytes += item.bytes.length;
      },
    });
  }

  #release(): void {
    const { maxHeldBytes = MAX_HELD_BYTES_PER_CONVERSATION, onItem } = this.#options;
    const [low, high] = this.#held;
    let i = 0;
    let j = 0;
    while (i < low.length || j < high.length) {
      const a = low[i]?.order ?? Number.POSITIVE_INFINITY;
      const b = high[j]?.order ?? Number.POSITIVE_INFINITY;
      const from = a <= b ? 0 : 1;
      const other = this.#streams[from === 0 ? 1 : 0];
      const isWaiting =
        (from === 0 ? j >= high.length : i >= low.length) && other.stalledSince < Math.min(a, b);
      if (isWaiting && this.#heldBytes <= maxHeldBytes) break;
      const next = from === 0 ? low[i++] : high[j++];
      if (next === undefined) break;
      if (next.item.kind === 'bytes') this.#heldBytes -= next.item.bytes.length;
      onItem(next.item, from);
    }
    low.splice(0, i);
    high.splice(0, j);
  }
}
