/** A small memory of the 4-tuples of connections already written out, so that a late frame opens no new one. */

/** Tuples remembered: each place holds the latest whose hash leads there. */
const PLACES = 65_536;
const WORDS = 4;

/**
 * A direct-mapped cache of 4-tuples and when each was forgotten. Its hash has no seed: what it forgets must be the same on every run.
 * Which end of an IPv6 tuple is the lower one hangs on when its addresses were first seen, so both ways round are one tuple here.
 */
export class GhostMemory {
  /** Empty until something is to be remembered: a small capture forgets nothing, and there may be thousands of them. */
  #keys = new Int32Array(0);
  #times = new Float64Array(0);

  /** `time`: seconds of any clock that only goes forward. */
  remember(a: number, b: number, ports: number, family: number, time: number): void {
    if (a > b) {
      this.remember(b, a, turned(ports), family, time);
      return;
    }
    if (this.#keys.length === 0) {
      this.#keys = new Int32Array(PLACES * WORDS);
      this.#times = new Float64Array(PLACES);
    }
    const at = place(a, b, ports);
    this.#keys[at] = a;
    this.#keys[at + 1] = b;
    this.#keys[at + 2] = ports;
    this.#keys[at + 3] = family + 1;
    this.#times[at / WORDS] = time;
  }

  /** Whether the tuple is remembered from `since` on. */
  has(a: number, b: number, ports: number, family: number, since: number): boolean {
    if (a > b) return this.has(b, a, turned(ports), family, since);
    const keys = this.#keys;
    if (keys.length === 0) return false;
    const at = place(a, b, ports);
    if (keys[at] !== a || keys[at + 1] !== b || keys[at + 2] !== ports) return false;
    return keys[at + 3] === family + 1 && this.#times[at / WORDS]! >= since;
  }

  /** Reads what `has` will read first. */
  touch(a: number, b: number, ports: number): number {
    if (this.#keys.length === 0) return 0;
    return a > b ? this.#keys[place(b, a, turned(ports))]! : this.#keys[place(a, b, ports)]!;
  }

  /** A new connection of the tuple began. */
  forget(a: number, b: number, ports: number, family: number): void {
    if (a > b) this.forget(b, a, turned(ports), family);
    else if (this.has(a, b, ports, family, 0)) this.#keys[place(a, b, ports) + 3] = 0;
  }
}

/** The ports of the other way round. */
function turned(ports: number): number {
  return (ports << 16) | (ports >>> 16);
}

function place(a: number, b: number, ports: number): number {
  let h = Math.imul(a ^ (b >>> 16) ^ (b << 16), 0x9e3779b1) + Math.imul(ports, 0x85ebca6b);
  h ^= h >>> 15;
  return (h & (PLACES - 1)) * WORDS;
}
