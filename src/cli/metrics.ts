/** Metrics of a live capture for Prometheus (text format 0.0.4), by prom-client. */

import { createServer } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Progress } from '../analyze.ts';
import { reasonOf } from '../base/system-error.ts';
import type { CaptureInterface } from '../capture/source.ts';
import type { LiveEvent, LiveEvents } from '../report/live-events.ts';
import type { ConnectionRecord } from '../report/record.ts';
import { CLOSE_KINDS, FINDING_CODES, HANDSHAKE_KINDS, RST_PHASES } from '../tcp/verdicts.ts';
import type { MetricsAddress } from './live-options.ts';
import { UsageError } from './usage.ts';

/** Seconds: from a rack to a satellite. */
const RTT_BUCKETS = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

export interface Metrics {
  readonly url: string;
  event: (event: LiveEvent) => void;
  record: (record: ConnectionRecord) => void;
  tick: (progress: Progress, interfaces: readonly CaptureInterface[]) => void;
  close: () => Promise<void>;
}

/** Serves `/metrics`; rejects with a UsageError where the address can't be had. */
export async function serveMetrics(address: MetricsAddress, live: LiveEvents): Promise<Metrics> {
  const registry = new Registry();
  const registers = [registry];
  const counterBy = (label: string, values: readonly string[], name: string, help: string) => {
    const counter = new Counter({ name, help, labelNames: [label], registers });
    // Every series is there from the start: a rate needs its zero.
    for (const value of values) counter.labels(value).inc(0);
    return (value: string): void => counter.labels(value).inc();
  };
  const opened = counterBy(
    'handshake',
    HANDSHAKE_KINDS,
    'finwait_connections_opened_total',
    'Connections whose opening is decided, by kind.',
  );
  const closed = counterBy(
    'close',
    CLOSE_KINDS,
    'finwait_connections_closed_total',
    'Connections that were closed, by kind; open and half-closed ones when they were given up.',
  );
  const resets = counterBy(
    'phase',
    RST_PHASES,
    'finwait_resets_total',
    'Connections ended by RST, by the phase they were in.',
  );
  const found = counterBy(
    'code',
    FINDING_CODES,
    'finwait_findings_total',
    'Findings of finished connections, by code.',
  );
  const rtt = new Histogram({
    name: 'finwait_handshake_rtt_seconds',
    help: 'Round trip of the handshake.',
    buckets: RTT_BUCKETS,
    registers,
  });
  const frames = new Counter({ name: 'finwait_frames_total', help: 'Frames analyzed.', registers });
  const dropped = new Gauge({
    name: 'finwait_frames_dropped',
    help: 'Frames the kernel or the interface dropped so far; NaN while the engine does not tell.',
    registers,
  });
  const tracked = new Gauge({
    name: 'finwait_connections_tracked',
    help: 'Connections that are open, or waiting for late frames.',
    registers,
  });
  const inState = new Gauge({
    name: 'finwait_sockets',
    help: 'Sockets in this state at present, both ends counted.',
    labelNames: ['state'] as const,
    registers,
  });
  dropped.set(Number.NaN);

  const server = createServer((request, response) => {
    if (request.url !== '/metrics' && request.url !== '/') {
      response.writeHead(404).end('finwait: /metrics is all there is\n');
      return;
    }
    inState.set({ state: 'TIME_WAIT' }, live.sockets.TIME_WAIT);
    inState.set({ state: 'CLOSE_WAIT' }, live.sockets.CLOSE_WAIT);
    registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  const place = address.host.includes(':') ? `[${address.host}]` : address.host;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const reason = reasonOf(error, { EACCES: 'no permission to listen there' });
      reject(new UsageError(`--metrics ${place}:${address.port}: ${reason}`));
    });
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  let framesBefore = 0;
  return {
    url: `http://${place}:${port}/metrics`,
    event(event) {
      if (event.revised) return;
      if (event.event === 'open') {
        opened(event.handshake);
        if (event.handshakeRtt !== null) rtt.observe(event.handshakeRtt);
      } else if (event.event === 'close') {
        closed(event.close);
        if (event.phase !== null) resets(event.phase);
      }
    },
    record(record) {
      for (const { code } of record.findings) found(code);
    },
    tick(progress, interfaces) {
      frames.inc(progress.frames - framesBefore);
      framesBefore = progress.frames;
      tracked.set(live.open.size);
      const known = interfaces.map((one) => one.dropped).filter((count) => count !== null);
      if (known.length > 0) dropped.set(known.reduce((sum, count) => sum + count, 0));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
