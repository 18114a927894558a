/** One line of progress on a terminal, for runs longer than a second. */

import type { Progress } from '../analyze.ts';
import { escapeTerminal } from '../report/escape.ts';
import { humanBytes, humanCount } from '../report/units.ts';
import type { Context } from './context.ts';

const FIRST_AFTER_MS = 1000;
const EVERY_MS = 200;

/** Shows and clears the line; does nothing where standard error is no terminal. */
export function createProgress(
  ctx: Context,
  name: string,
  quiet: boolean,
): { show: (at: Progress) => void; clear: () => void } {
  if (quiet || !ctx.stderrIsTerminal) return { show() {}, clear() {} };
  let next = performance.now() + FIRST_AFTER_MS;
  let shown = false;
  return {
    show(at) {
      const now = performance.now();
      if (now < next) return;
      next = now + EVERY_MS;
      shown = true;
      const read =
        at.bytesTotal === null || at.bytesTotal === 0
          ? humanBytes(at.bytesRead)
          : `${Math.floor((100 * at.bytesRead) / at.bytesTotal)}%`;
      const line = `${escapeTerminal(name)}: ${read}, ${humanCount(at.frames)} frames, ${humanCount(at.connections)} connections`;
      ctx.status(`\r\u001b[K${line.slice(0, Math.max(20, ctx.width - 1))}`);
    },
    clear() {
      if (shown) ctx.status('\r\u001b[K');
      shown = false;
    },
  };
}
