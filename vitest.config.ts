/** How the tests are run. */

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Node reads these certificates whenever it starts, which takes it longer than most of what the tests start it for.
delete process.env.NODE_EXTRA_CA_CERTS;

// What people read follows the locale: the tests and what they start have one.
process.env.LC_ALL = 'C.UTF-8';

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export
export default defineConfig({
  // All cores, where vitest would leave one free: of two that is half. Much of the time the tests wait for other programs.
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, maxWorkers: availableParallelism() },
});
