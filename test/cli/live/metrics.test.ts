/** The address of `--metrics`, where it can't be had. */

import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { serveMetrics } from '../../../src/cli/metrics.ts';
import { LiveEvents } from '../../../src/report/live-events.ts';

const live = new LiveEvents(30, false, () => {});

test('a port that is taken is said in words', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  await expect(serveMetrics({ host: '127.0.0.1', port }, live)).rejects.toThrow(
    `--metrics 127.0.0.1:${port}: something listens there already`,
  );

  other.close();
});

test('an address of another machine is said in words', async () => {
  await expect(serveMetrics({ host: '203.0.113.77', port: 9464 }, live)).rejects.toThrow(
    '--metrics 203.0.113.77:9464: not an address of this machine',
  );
});
