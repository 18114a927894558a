/** Frames to a classic pcap with nanoseconds (draft-ietf-opsawg-pcap), gathered for large writes. */

import { MAGIC_NANOSECONDS, PCAP_HEADER_BYTES, RECORD_HEADER_BYTES } from '../pcap.ts';

const CHUNK_BYTES = 256 * 1024;

/** The writer: its header goes out at once, frames by `flush` or when the buffer is full. */
export class PcapRecords {
  readonly #bytes = Buffer.alloc(CHUNK_BYTES);
  readonly #snapLen: number;
  readonly #write: (bytes: Uint8Array) => void;
  #used = 0;

  /** `write` takes bytes that hold during the call only. */
  constructor(snapLen: number, linkType: number, write: (bytes: Uint8Array) => void) {
    this.#snapLen = snapLen;
    this.#write = write;
    const bytes = this.#bytes;
    bytes.writeUInt32LE(MAGIC_NANOSECONDS, 0);
    bytes.writeUInt16LE(2, 4);
    bytes.writeUInt16LE(4, 6);
    bytes.writeUInt32LE(0, 8);
    bytes.writeUInt32LE(0, 12);
    bytes.writeUInt32LE(snapLen, 16);
    bytes.writeUInt32LE(linkType, 20);
    this.#used = PCAP_HEADER_BYTES;
    this.flush();
  }

  /** Adds the first `length` bytes of `frame`, cut to the snap length, with the time in milliseconds since 1970. */
  add(frame: Buffer, length: number, ms: number): void {
    const kept = Math.min(length, this.#snapLen);
    if (this.#used + RECORD_HEADER_BYTES + kept > CHUNK_BYTES) this.flush();
    const bytes = this.#bytes;
    const at = this.#used;
    const sec = Math.floor(ms / 1000);
    bytes.writeUInt32LE(sec >>> 0, at);
    bytes.writeUInt32LE(Math.min(999_999_999, Math.floor((ms - sec * 1000) * 1e6)), at + 4);
    bytes.writeUInt32LE(kept, at + 8);
    bytes.writeUInt32LE(length, at + 12);
    frame.copy(bytes, at + RECORD_HEADER_BYTES, 0, kept);
    this.#used = at + RECORD_HEADER_BYTES + kept;
  }

  /** Hands over what was gathered. */
  flush(): void {
    if (this.#used === 0) return;
    this.#write(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
  }
}
