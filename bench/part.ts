/** Measures a part of the program as it is built: `npx tsx bench/part.ts decode|connections [FILE...]`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { HOW } from '../rolldown.config.ts';

const [part] = process.argv.splice(2, 1);
const input = join(import.meta.dirname, `${part}.bench.ts`);
const dir = mkdtempSync(join(tmpdir(), 'finwait-bench-'));
try {
  await build({ ...HOW, input, logLevel: 'warn', output: { dir, entryFileNames: 'bench.js' } });
  await import(pathToFileURL(join(dir, 'bench.js')).href);
} finally {
  rmSync(dir, { recursive: true });
}
