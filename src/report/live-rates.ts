/** How often things of each kind happened lately, and the newest findings: what the live screen shows beside its table. */

import type { LiveEvent } from './live-events.ts';

/** Seconds that a rate looks back. */
export const RATE_SECONDS = 10;
/** Findings kept. */
const MAX_FINDINGS = 20;

export interface SeenFinding {
  time: string;
  stream: number;
  code: string;
  /** The connection, as text. */
  who: string;
}

/** Counts of the last seconds, by kind. */
export class RateMeter {
  readonly #seconds: { sec: number; counts: Map<string, number> }[] = [];
  readonly totals = new Map<string, number>();

  /** One more of `kind` at second `sec`, which never goes back. */
  add(kind: string, sec: number): void {
    let last = this.#seconds.at(-1);
    if (last === undefined || last.sec !== sec) {
      last = { sec, counts: new Map() };
      this.#seconds.push(last);
      if (this.#seconds.length > RATE_SECONDS + 1) this.#seconds.shift();
    }
    last.counts.set(kind, (last.counts.get(kind) ?? 0) + 1);
    this.totals.set(kind, (this.totals.get(kind) ?? 0) + 1);
  }

  /** How many of each kind a second, over the whole seconds before `sec`. */
  perSecond(sec: number): Map<string, number> {
    const sums = new Map<string, number>();
    for (const one of this.#seconds) {
      if (one.sec >= sec || one.sec < sec - RATE_SECONDS) continue;
      for (const [kind, n] of one.counts) sums.set(kind, (sums.get(kind) ?? 0) + n);
    }
    for (const [kind, n] of sums) sums.set(kind, n / RATE_SECONDS);
    return sums;
  }
}

/** What happened lately, fed by events. */
export class LiveRates {
  readonly opened = new RateMeter();
  readonly closed = new RateMeter();
  /** The newest first. */
  readonly findings: SeenFinding[] = [];

  /** Takes an event at second `sec` of the wall's clock. */
  take(event: LiveEvent, sec: number): void {
    if (event.event === 'state') return;
    if (event.event === 'open') {
      if (!event.revised) this.opened.add(event.handshake, sec);
      return;
    }
    if (!event.revised && event.close !== 'open') this.closed.add(event.close, sec);
    for (const code of event.findings) {
      if (this.findings.some((one) => one.stream === event.stream && one.code === code)) continue;
      const { client, server, stream, time } = event;
      this.findings.unshift({
        time,
        stream,
        code,
        who: `${client.ip} → ${server.ip}:${server.port}`,
      });
      this.findings.length = Math.min(this.findings.length, MAX_FINDINGS);
    }
  }
}
