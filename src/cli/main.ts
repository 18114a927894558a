#!/usr/bin/env node
/** The program `finwait`: says its version, or hands the process to the command line and exits with its status. */

import { readFileSync, writeSync } from 'node:fs';

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const isPackage = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return isPackage ? String(parsed.version) : 'unknown';
}

/** What scripts and package managers ask for, and nothing is loaded for it. */
function sayVersion(): void {
  try {
    writeSync(1, `${version()}\n`);
  } catch {
    // Nobody reads it.
  }
}

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  sayVersion();
} else {
  const { runProcess } = await import('./process.ts');
  // An exit that does not wait for a read of standard input that may never end.
  process.exit(await runProcess(args, version()));
}
