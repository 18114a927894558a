/** What a decompressor is to the input that drives it. */

/** Where decompressed bytes go. */
export interface Outlet {
  /** Takes bytes; they are the taker's from then on. */
  take(bytes: Uint8Array): void;
  /** What to wait for before more is given, or null while there is room. */
  room(): Promise<void> | null;
}

/** One decompression from the first compressed byte to the last. */
export interface Codec {
  /**
   * Takes the next compressed bytes (they hold until the promise resolves) and emits what they give.
   * Rejects with `CodecError` where they are corrupt.
   */
  push(piece: Uint8Array): Promise<void>;
  /** No more bytes: emits what is left; returns what is missing at the end, or null. */
  finish(): Promise<string | null>;
  /** Things worth a warning, e.g. bytes behind the last member. */
  readonly warnings: readonly string[];
  close(): void;
}

/** Compressed bytes that are corrupt: what was expected and what was found. */
export class CodecError extends Error {
  /** Whether output of the last `push` that came before the error may be missing. */
  readonly isLossy: boolean;

  constructor(message: string, isLossy = false) {
    super(message);
    this.name = 'CodecError';
    this.isLossy = isLossy;
  }
}

/** Collects the few bytes of a header that may come in pieces. */
export class HeaderBytes {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Takes bytes from `piece` at `at` until `wanted` are there; returns the new position. */
  take(piece: Uint8Array, at: number, wanted: number): number {
    const count = Math.min(wanted - this.length, piece.length - at);
    if (count <= 0) return at;
    this.bytes.set(piece.subarray(at, at + count), this.length);
    this.length += count;
    return at + count;
  }

  /** Little-endian, as in all headers of gzip, zstd and lz4. */
  uint32(at: number): number {
    return new DataView(this.bytes.buffer).getUint32(at, true);
  }
}
