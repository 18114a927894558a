/** Measures a part of the program as it is built: `npx tsx bench/part.ts decode|connections [FILE...]`. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { HOW } from '../rolldown.config.ts';

const [part] = process.argv.splice(2, 1);
const input = join(import.meta.dirname, `${part}.bench.ts`);
if (part === undefined || !existsSync(input)) {
  console.error('usage: npx tsx bench/part.ts decode|connections [FILE...]');
  process.exit(2);
}
// Where packages are found.
const dir = mkdtempSync(join(import.meta.dirname, '..', 'node_modules', '.finwait-bench-'));
try {
  await build({ ...HOW, input, logLevel: 'warn', output: { dir, entryFileNames: 'bench.mjs' } });
  await import(pathToFileURL(join(dir, 'bench.mjs')).href);
} finally {
  rmSync(dir, { recursive: true });
}
