/** Writes the types of the library beside the program: what `dist/index.d.ts` reaches and no more, of some 230 that TypeScript can write. */

import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = realpathSync(import.meta.dirname);
const DIST = join(ROOT, 'dist');
const TSC = [join(ROOT, 'node_modules/typescript/bin/tsc')];

execFileSync(process.execPath, [...TSC, '-p', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});

const options = ['--ignoreConfig', '--module', 'nodenext', '--types', 'node', '--listFilesOnly'];
const list = execFileSync(process.execPath, [...TSC, ...options, 'index.d.ts'], {
  cwd: DIST,
  encoding: 'utf8',
});
const reached = new Set(list.split('\n').map((path) => resolve(DIST, path)));
if (!reached.has(join(DIST, 'index.d.ts'))) throw new Error(`expected index.d.ts, found ${list}`);
for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.d.ts') && !reached.has(join(DIST, name))) rmSync(join(DIST, name));
}
