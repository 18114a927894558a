/** Whether an interface is up (Linux: sysfs): the kernel lets a capture go on in silence when its interface goes down. */

import { readFileSync } from 'node:fs';

const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

/** The state of a link: `absent` where the system doesn't tell. */
export type LinkState = 'up' | 'no-carrier' | 'down' | 'absent';

/** Reads the state of `iface`. `any` is always up. */
export function linkState(iface: string, root = '/sys/class/net'): LinkState {
  if (iface === 'any' || iface.includes('/')) return 'absent';
  try {
    const flags = Number(readFileSync(`${root}/${iface}/flags`, 'utf8'));
    if ((flags & IFF_UP) === 0) return 'down';
    const carrier = readFileSync(`${root}/${iface}/carrier`, 'utf8').trim();
    return carrier === '0' && (flags & IFF_RUNNING) === 0 ? 'no-carrier' : 'up';
  } catch {
    return 'absent';
  }
}

/** Notices changes. */
export class LinkWatch {
  readonly #iface: string;
  readonly #read: (iface: string) => LinkState;
  #state: LinkState;

  constructor(iface: string, read: (iface: string) => LinkState = linkState) {
    this.#iface = iface;
    this.#read = read;
    this.#state = read(iface);
  }

  /** What has changed since the last call, in words that follow the interface's name; null: nothing. */
  change(): string | null {
    const state = this.#read(this.#iface);
    if (state === this.#state || state === 'absent') return null;
    this.#state = state;
    switch (state) {
      case 'down':
        return 'went down: nothing arrives until it is up again';
      case 'no-carrier':
        return 'lost its carrier: nothing arrives until it is back';
      default:
        return 'is up again';
    }
  }
}
