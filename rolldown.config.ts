/**
 * Builds the program: a few modules in place of 150, which load faster, and constants written where they are used: V8 looks an
 * imported one up at each use, and checks that it still is a number (docs/performance.md).
 */

import { isAbsolute } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/** What every analysis needs, the library's too. The rest is loaded by those who ask for it. */
const ENGINE = /src\/(analyze|report\/(census|csv|json|select|summary))\.ts$/;
/** Of that, what takes frames apart: a thread may do nothing else. */
const READER = /src\/(segments|capture\/open)\.ts$/;
/** What the command line shares with the engine: names of kinds, addresses, and what errors of the system mean. */
const WORDS = /src\/(base\/system-error|report\/address|tcp\/verdicts)\.ts$/;

/** Also for what measures parts of the program (bench/part.ts). */
export const HOW = {
  platform: 'node',
  // Packages and Node's own modules, which are neither relative nor absolute paths.
  external: (id: string) => !id.startsWith('.') && !isAbsolute(id),
  optimization: { inlineConst: { mode: 'all', pass: 2 } },
} as const;

/** V8 keeps the text of a module in memory, in each thread, and with two bytes a character where a single one is not Latin-1. */
const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${hex(unit.charCodeAt(0))}`);
    }
  },
};

function hex(unit: number): string {
  return unit.toString(16).padStart(4, '0');
}

// biome-ignore lint/style/noDefaultExport: rolldown reads its configuration from the default export
export default defineConfig({
  input: {
    'cli/main': 'src/cli/main.ts',
    index: 'src/index.ts',
    // Threads and processes, started by their names.
    'parts/report-thread': 'src/cli/report-thread.ts',
    'parts/decode-thread': 'src/cli/decode-thread.ts',
    'parts/batch-thread': 'src/cli/batch-thread.ts',
    'parts/decompress-thread': 'src/capture/decompress-thread.ts',
    'parts/cap-child': 'src/capture/live/cap-child.ts',
  },
  ...HOW,
  plugins: [ascii],
  output: {
    comments: false,
    dir: 'dist',
    cleanDir: true,
    entryFileNames: '[name].js',
    // Beside the threads: who starts one looks for it beside itself.
    chunkFileNames: 'parts/[name].js',
    codeSplitting: {
      groups: [
        { name: 'words', test: WORDS, priority: 3 },
        { name: 'command-line', test: /src\/cli\/process\.ts$/, priority: 2 },
        { name: 'reader', test: READER, priority: 2 },
        { name: 'engine', test: ENGINE, priority: 1 },
        { name: 'analysis', test: /src\/cli\/analyze-command\.ts$/ },
      ],
    },
  },
});
