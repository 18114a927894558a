/**
 * Holds finwait against the kernel: analyzes every capture in a folder that has a `.truth.json` beside it and prints the
 * accuracy of every figure and each mismatch (`npx tsx lab/compare.ts [DIR…]`; exit status 1 on any mismatch).
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { analyze } from '../src/analyze.ts';
import type { ConnectionRecord } from '../src/report/record.ts';
import {
  compareConnection,
  type Figure,
  matchRecords,
  timeErrors,
} from '../test/support/compare.ts';
import { readTruth } from '../test/support/truth.ts';

const MAX_PRINTED = 200;

interface Tally {
  right: number;
  all: number;
}

function folders(): string[] {
  const given = process.argv.slice(2);
  if (given.length > 0) return given;
  const shared = process.env.FINWAIT_CAPTURES;
  const found = ['fixtures/kernel', ...(shared ? [join(shared, 'kernel')] : [])].filter((d) =>
    existsSync(d),
  );
  if (found.length > 0) return found;
  console.error('usage: npx tsx lab/compare.ts DIR…');
  process.exit(2);
}

/** The value below which `share` of the sorted `values` lie. */
function quantile(values: number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

async function records(path: string): Promise<ConnectionRecord[]> {
  const list: ConnectionRecord[] = [];
  for await (const record of analyze(path)) list.push(record);
  return list;
}

async function main(): Promise<number> {
  const tallies = new Map<Figure, Tally>();
  const errors: number[] = [];
  let files = 0;
  let mismatches = 0;
  let connections = 0;
  let undecidable = 0;
  for (const folder of folders()) {
    for (const name of readdirSync(folder)
      .filter((n) => n.endsWith('.truth.json'))
      .sort()) {
      const truth = readTruth(join(folder, name));
      const path = join(folder, truth.capture);
      files += 1;
      const found = matchRecords(truth, await records(path));
      for (const { connection, record, flipped } of found) {
        connections += 1;
        if (connection.close !== connection.close_as_sent) undecidable += 1;
        const outcomes = compareConnection(connection, record, flipped);
        for (const { figure, mismatch } of outcomes) {
          const tally = tallies.get(figure) ?? { right: 0, all: 0 };
          tallies.set(figure, tally);
          tally.all += 1;
          if (mismatch === null) {
            tally.right += 1;
            continue;
          }
          mismatches += 1;
          if (mismatches <= MAX_PRINTED)
            console.log(`${path} stream ${connection.streams.join(',')}: ${figure}: ${mismatch}`);
        }
        const side = truth.capture_side;
        if (record !== null && (side === 'client' || side === 'server'))
          errors.push(...timeErrors(connection, record, side, flipped));
      }
    }
  }
  if (mismatches > MAX_PRINTED) console.log(`… and ${mismatches - MAX_PRINTED} more`);
  console.log(
    `${files} captures, ${connections} connections, of ${undecidable} the file lacks a segment that decides the close`,
  );
  for (const [figure, { right, all }] of tallies)
    console.log(`${figure.padEnd(18)}${right}/${all}  ${((100 * right) / all).toFixed(3)} %`);
  errors.sort((a, b) => a - b);
  const us = (share: number) => (quantile(errors, share) * 1e6).toFixed(1);
  if (errors.length > 0)
    console.log(
      `transition times  ${errors.length}: median ${us(0.5)} µs, 99th percentile ${us(0.99)} µs, largest ${us(1)} µs`,
    );
  return mismatches > 0 ? 1 : 0;
}

process.exitCode = await main();
