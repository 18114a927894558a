/** What the command line takes from this process: its streams, its terminal, its signals. */

import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { type Context, EXIT, localeText } from './context.ts';
import { main } from './program.ts';
import { untilQuiet } from './quiet.ts';
import { fdWriter } from './writer.ts';

const DEFAULT_WIDTH = 80;
/** One Ctrl-C may come twice: from the terminal, and passed on by npx or timeout(1). */
const SAME_INTERRUPT_MS = 500;

/** Runs the command line; resolves with the exit status. */
export async function runProcess(args: readonly string[], version: string): Promise<number> {
  const interrupt = new AbortController();
  let firstMs = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second one ends the process at once, but for the files that must not stay behind (temporary.ts).
      if (performance.now() - firstMs > SAME_INTERRUPT_MS) process.exit(EXIT.interrupted);
      if (interrupt.signal.aborted) return;
      firstMs = performance.now();
      interrupt.abort();
    });
  }
  const inLocale = localeText(process.env);
  const context: Context = {
    engine: () => import('./engine.ts'),
    stdout: fdWriter(1),
    warn: (line) => toStderr(inLocale(`${line}\n`)),
    status: (text) => toStderr(inLocale(text)),
    stdoutIsTerminal: isatty(1),
    stderrIsTerminal: isatty(2),
    get width() {
      return terminalWidth();
    },
    env: process.env,
    interrupt: interrupt.signal,
  };
  try {
    return await main(args, context, version);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    toStderr(`finwait: internal error, please report it: ${what}\n`);
    return EXIT.unusable;
  } finally {
    await untilQuiet();
  }
}

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
