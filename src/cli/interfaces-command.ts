/** `finwait interfaces`: what can be captured on, and what this user may do. */

import { listInterfaces, type NetworkInterface } from '../capture/live/interfaces.ts';
import {
  type EngineRights,
  engineRights,
  type UserRights,
  userRights,
} from '../capture/live/rights.ts';
import { escapeTerminal } from '../report/escape.ts';
import { type Context, EXIT, localeText } from './context.ts';

/** Runs the command; resolves with the exit status. */
export async function interfacesCommand(ctx: Context, asJson: boolean): Promise<number> {
  const interfaces = listInterfaces();
  const up = interfaces.filter(({ name, state }) => state === 'up' && name !== 'any');
  const engines = engineRights((up[0] ?? interfaces[0])?.name ?? 'lo');
  const user = userRights();
  const text = asJson
    ? `${JSON.stringify({ schema: 1, platform: process.platform, interfaces, user, engines })}\n`
    : localeText(ctx.env)(
        `${[...tableOf(interfaces), '', ...rightsOf(user, engines)].join('\n')}\n`,
      );
  ctx.stdout.write(text);
  await ctx.stdout.finish();
  return EXIT.done;
}

function tableOf(interfaces: readonly NetworkInterface[]): string[] {
  const rows = interfaces.map(({ addresses, linkTypeName, name, state }) => [
    escapeTerminal(name),
    state,
    linkTypeName,
    addresses.join(', ') || '–',
  ]);
  return columns([['interface', 'state', 'link type', 'addresses'], ...rows]);
}

/** What may be done, and where something may not, the way to it. */
function rightsOf(user: UserRights, engines: readonly EngineRights[]): string[] {
  const by =
    user.uid === 0
      ? ' (root)'
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
    ...columns(rows),
    ...(remedies.length > 0 ? ['', 'One of these gives the right:', ...remedies] : []),
  ];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
