/** The program as users have it: built, in a folder of its own, so that a test of threads needs no `npm run build` before. */

import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './command.ts';

/** Builds the program into `folder`; returns the path of its main module. */
export function buildInto(folder: string): string {
  const dist = join(folder, 'dist');
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', dist];
  execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  symlinkSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return join(dist, 'cli/main.js');
}
