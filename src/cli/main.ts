#!/usr/bin/env node
/** The program `finwait`: hands the process to the command line and exits with its status. */

import { readFileSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Context } from './context.ts';
import { main } from './program.ts';
import { fdWriter } from './writer.ts';

const DEFAULT_WIDTH = 80;

/** Standard error may be gone or full; nothing can be said about that. */
function toStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nowhere left to say it.
  }
}

function terminalWidth(): number {
  // Touched only on a terminal: process.stdout would make a pipe non-blocking.
  const stream = isatty(1) ? process.stdout : isatty(2) ? process.stderr : null;
  return stream?.columns || DEFAULT_WIDTH;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const isPackage = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return isPackage ? String(parsed.version) : 'unknown';
}

const interrupt = new AbortController();
// Once: a second Ctrl-C ends the process at once, as it would any other.
process.once('SIGINT', () => interrupt.abort());

const context: Context = {
  engine: async () => {
    const [{ openCapture }, { runAnalysis }] = await Promise.all([
      import('../capture/open.ts'),
      import('../analyze.ts'),
    ]);
    return { openCapture, runAnalysis };
  },
  stdout: fdWriter(1),
  warn: (line) => toStderr(`${line}\n`),
  status: toStderr,
  stdoutIsTerminal: isatty(1),
  stderrIsTerminal: isatty(2),
  get width() {
    return terminalWidth();
  },
  env: process.env,
  interrupt: interrupt.signal,
};

let status: number;
try {
  status = await main(process.argv.slice(2), context, version());
} catch (error) {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  toStderr(`finwait: internal error, please report it: ${what}\n`);
  status = 2;
}
// An exit that does not wait for a read of standard input that may never end.
process.exit(status);
