/** Bytes from a pipe: read at once as long as there are some, waited for in the event loop only when there are none. */

import { readSync } from 'node:fs';
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { readFailure } from './inputs.ts';
import { type ByteInput, CHUNK_BYTES, type InputDamage } from './window.ts';

/** What Linux keeps in a pipe at most, unless told otherwise. */
const PIPE_BYTES = 64 * 1024;
/** A read that gave less has emptied the pipe: the next bytes are waited for. */
const NEARLY_EMPTY = PIPE_BYTES / 4;

/**
 * A pipe, by its descriptor.
 *
 * A stream would hand over each 64 KiB through the event loop. While a pipe is full they are there when they are asked for, and a read by hand costs
 * the copy alone. The socket makes the descriptor non-blocking and waits for the others: a read of `fs` that blocks
 * would keep a thread, and the program from exiting. (Who shares the pipe may make it blocking again: so by hand only
 * while much is there.)
 */
export class PipeInput implements ByteInput {
  bytesRead = 0;
  readonly bytesTotal = null;
  damage: InputDamage | null = null;
  readonly warnings: readonly string[] = [];
  readonly #fd: number;
  readonly #chunkBytes: number;
  readonly #socket: Socket;
  /** What the socket has read and nobody has taken: from `#from` to `#to`. */
  readonly #waiting = Buffer.allocUnsafe(PIPE_BYTES);
  #from = 0;
  #to = 0;
  /** The last read gave much. */
  #isFull = false;
  #isEnded = false;
  #wake: () => void = () => {};

  constructor(fd: number, chunkBytes: number = CHUNK_BYTES) {
    this.#fd = fd;
    this.#chunkBytes = chunkBytes;
    const options: SocketConstructorOpts & ConnectOpts = {
      fd,
      readable: true,
      writable: false,
      onread: { buffer: this.#waiting, callback: (count) => this.#receive(count) },
    };
    this.#socket = new Socket(options);
    this.#socket.on('end', () => this.#end());
    this.#socket.on('close', () => this.#end());
    this.#socket.on('error', (error) => {
      this.damage ??= readFailure(error, this.bytesRead);
      this.#end();
    });
  }

  read(into: Uint8Array, at: number): number | Promise<number> {
    const count = this.#take(into, at);
    return count > 0 || this.#isEnded ? count : this.#wait(into, at);
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    this.#end();
  }

  async #wait(into: Uint8Array, at: number): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#socket.resume();
    });
    return this.#take(into, at);
  }

  /** What is there, 0 where nothing is. */
  #take(into: Uint8Array, at: number): number {
    const room = Math.min(into.length - at, this.#chunkBytes);
    let count = 0;
    if (this.#from < this.#to) count = this.#takeWaiting(into, at, room);
    else if (this.#isFull) count = this.#readAll(into, at, room);
    this.bytesRead += count;
    return count;
  }

  #takeWaiting(into: Uint8Array, at: number, room: number): number {
    const count = Math.min(room, this.#to - this.#from);
    into.set(this.#waiting.subarray(this.#from, this.#from + count), at);
    this.#from += count;
    return count;
  }

  #readAll(into: Uint8Array, at: number, room: number): number {
    let total = 0;
    try {
      while (total < room && this.#isFull) {
        const wanted = room - total;
        const count = readSync(this.#fd, into, at + total, wanted, null);
        if (count === 0) this.#end();
        total += count;
        this.#isFull = count >= Math.min(wanted, NEARLY_EMPTY) && count > 0;
      }
    } catch (error) {
      this.#isFull = false;
      const isEmpty = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      if (!isEmpty) {
        this.damage ??= readFailure(error, this.bytesRead + total);
        this.#end();
      }
    }
    return total;
  }

  /** The socket has read `count` bytes. Returns false: it is to stop until it is needed again. */
  #receive(count: number): boolean {
    this.#from = 0;
    this.#to = count;
    this.#isFull = count >= NEARLY_EMPTY;
    this.#wake();
    return false;
  }

  #end(): void {
    this.#isEnded = true;
    this.#wake();
  }
}
