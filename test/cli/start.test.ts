/** What the program loads before it begins: start-up time is made of it (docs/performance.md). */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Built, buildProgram } from '../support/built.ts';

let program: Built;
beforeAll(() => {
  program = buildProgram();
}, 60_000);
afterAll(() => program.remove());

/** What no run needs that doesn't ask for it. */
const RARE = [
  /^package (cli-table3|fzstd|pcap-parser)/,
  /^node:(worker_threads|zlib|child_process)$/,
  /^parts\/(gzip|zstd|lz4|decompress|thread-input|zlib-stage|pcap-parser|offload|report-thread|table|ladder|zeek)/,
];

function rareAmong(modules: readonly string[]): string[] {
  return modules.filter((name) => RARE.some((pattern) => pattern.test(name)));
}

describe('--version', () => {
  test.each(['--version', '-V'])('%s loads one module of the program and no package', (flag) => {
    const { modules, stdout } = program.traced(flag);

    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(modules).toEqual(['cli/main.js', 'node:fs']);
  });
});

test('--help loads the command line and none of the engine', () => {
  const { modules, stdout } = program.traced('--help');

  expect(stdout).toContain('Usage: finwait');
  expect(modules).toContain('parts/command-line.js');
  expect(modules).not.toContain('parts/engine.js');
  expect(rareAmong(modules)).toEqual([]);
});

test('a summary of a small plain capture loads no decompressor, no table and no threads', () => {
  const { modules, stdout } = program.traced('-f', 'summary', 'fixtures/demo.pcap');

  expect(stdout).toContain('12 connections');
  expect(modules).toContain('parts/engine.js');
  expect(rareAmong(modules)).toEqual([]);
  // Of 150 source files.
  expect(modules.filter((name) => /^(cli|parts)\//.test(name)).length).toBeLessThan(10);
});
