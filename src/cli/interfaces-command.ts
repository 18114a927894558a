/** `finwait interfaces`: what can be captured on, and what this user may do. */

import { listInterfaces, type NetworkInterface } from '../capture/live/interfaces.ts';
import {
  type EngineRights,
  engineRights,
  type UserRights,
  userRights,
} from '../capture/live/rights.ts';
import { escapeTerminal } from '../report/escape.ts';
import { wrap } from '../report/wrap.ts';
import { type Context, columnsFor, EXIT, localeText } from './context.ts';

const GAP = '  ';

/** Runs the command; resolves with the exit status. */
export async function interfacesCommand(ctx: Context, asJson: boolean): Promise<number> {
  const interfaces = listInterfaces();
  const up = interfaces.filter(({ name, state }) => state === 'up' && name !== 'any');
  const engines = engineRights((up[0] ?? interfaces[0])?.name ?? 'lo');
  const user = userRights();
  const width = columnsFor(ctx, false, Number.POSITIVE_INFINITY);
  const text = asJson
    ? `${JSON.stringify({ schema: 1, platform: process.platform, interfaces, user, engines })}\n`
    : localeText(ctx.env)(
        `${[...tableOf(interfaces, width), '', ...rightsOf(user, engines, width)].join('\n')}\n`,
      );
  ctx.stdout.write(text);
  await ctx.stdout.finish();
  return EXIT.done;
}

function tableOf(interfaces: readonly NetworkInterface[], width: number): string[] {
  const rows = interfaces.map(({ addresses, linkTypeName, name, state }) => [
    escapeTerminal(name),
    state,
    linkTypeName,
    addresses.join(', ') || '–',
  ]);
  return columns([['interface', 'state', 'link type', 'addresses'], ...rows], width);
}

/** What may be done, and where something may not, the way to it. */
function rightsOf(user: UserRights, engines: readonly EngineRights[], width: number): string[] {
  const by =
    user.uid === 0
      ? user.name === 'root'
        ? ''
        : ' (root)'
      : user.capabilities !== null && user.capabilities.length > 0
        ? ` (with ${user.capabilities.join(', ')})`
        : '';
  const first = engines.find(({ works }) => works);
  const verdict =
    first === undefined
      ? 'may not capture with any engine'
      : `may capture; --engine auto takes ${first.engine}`;
  const rows = engines.map(({ engine, path, problem }) => [
    `  ${engine}`,
    problem === null ? `works${path === null ? '' : ` (${path})`}` : problem,
  ]);
  const remedies = engines.flatMap(({ engine, remedy }) =>
    remedy === null || first !== undefined ? [] : [`  ${engine}: ${remedy}`],
  );
  return [
    `${user.name}${by} ${verdict}`,
    ...columns(rows, width),
    ...(remedies.length > 0 ? ['', 'One of these gives the right:', ...remedies] : []),
  ];
}

/** Least room for the last column, below which the terminal breaks it. */
const MIN_LAST = 16;

/** Cells under each other; the last of a row is broken to `width`. */
export function columns(rows: readonly (readonly string[])[], width: number): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const before = widths.slice(0, -1).reduce((sum, one) => sum + one + GAP.length, 0);
  const room = width - before >= MIN_LAST ? width - before : Number.POSITIVE_INFINITY;
  return rows.flatMap((row) =>
    wrap(row.at(-1) ?? '', room).map((last, line) => {
      const cells = row
        .slice(0, -1)
        .map((cell, i) => (line === 0 ? cell : '').padEnd(widths[i] ?? 0));
      return [...cells, last].join(GAP).trimEnd();
    }),
  );
}
