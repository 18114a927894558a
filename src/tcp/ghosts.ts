/** A small memory of the 4-tuples of connections already written out, so that a late frame opens no new one. */

/** Tuples remembered: each place holds the latest whose hash leads there. */
const PLACES = 65_536;
const WORDS = 4;

/** A direct-mapped cache of 4-tuples. Its hash has no seed: what it forgets must be the same on every run. */
export class GhostMemory {
  readonly #keys = new Int32Array(PLACES * WORDS);

  remember(a: number, b: number, ports: number, family: number): void {
    const at = place(a, b, ports);
    this.#keys[at] = a;
    this.#keys[at + 1] = b;
    this.#keys[at + 2] = ports;
    this.#keys[at + 3] = family + 1;
  }

  has(a: number, b: number, ports: number, family: number): boolean {
    const at = place(a, b, ports);
    const keys = this.#keys;
    return (
      keys[at] === a && keys[at + 1] === b && keys[at + 2] === ports && keys[at + 3] === family + 1
    );
  }

  /** A new connection of the tuple began. */
  forget(a: number, b: number, ports: number, family: number): void {
    if (this.has(a, b, ports, family)) this.#keys[place(a, b, ports) + 3] = 0;
  }
}

function place(a: number, b: number, ports: number): number {
  let h = Math.imul(a ^ (b >>> 16) ^ (b << 16), 0x9e3779b1) + Math.imul(ports, 0x85ebca6b);
  h ^= h >>> 15;
  return (h & (PLACES - 1)) * WORDS;
}
