/** Large compressed files, which a thread of its own decompresses: in the built program, since threads run only there. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateFile } from '../../bench/generate.ts';
import { type Built, buildProgram, type Traced } from '../support/built.ts';
import type { Outcome } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-thread-'));
const FRAMES = 6000;
let program: Built;
let capture: Buffer;
/** Without compression: as large as the capture, 8 MB. */
let packed: Buffer;
let plain: string;

beforeAll(async () => {
  program = buildProgram();
  const path = join(folder, 'plain');
  await generateFile(
    {
      ...{ kind: 'bulk', container: 'pcap', ipVersion: 4, vlan: false, seed: 5, frames: FRAMES },
      ...{
        maxBytes: Infinity,
        deadlineMs: Infinity,
        concurrency: 40,
        gapNs: null,
        allClose: false,
      },
    },
    path,
    false,
  );
  capture = readFileSync(path);
  packed = gzipSync(capture, { level: 0 });
  plain = analyzed('plain', capture).stdout;
}, 60_000);
afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** JSON Lines without the file's name. */
function withoutName({ stdout, ...rest }: Outcome): Outcome {
  return { ...rest, stdout: stdout.replaceAll(/"file":"[^"]*",/g, '') };
}

function withoutTrace({ modules, ...outcome }: Traced) {
  return { ...withoutName(outcome), usesThread: modules.includes('parts/thread-input.js') };
}

/** Runs on `bytes` in a file. */
function analyzed(name: string, bytes: Uint8Array) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return withoutTrace(program.traced('-f', 'jsonl', path));
}

/** Runs a command that reads the same bytes from FILE. */
function read(bytes: Uint8Array, command: string) {
  const path = join(folder, 'input');
  writeFileSync(path, bytes);
  return withoutTrace(program.tracedShell(command.replaceAll('FILE', path)));
}

/** The same bytes through a named pipe, for which the program starts no thread. */
const NAMED = 'mkfifo FILE.fifo; cat FILE > FILE.fifo & finwait -f jsonl FILE.fifo';

test('a whole one gives the records of the plain file', () => {
  const { status, stderr, stdout, usesThread } = analyzed('whole.gz', packed);

  expect({ status, stderr, usesThread }).toEqual({ status: 0, stderr: '', usesThread: true });
  expect(stdout).toBe(plain);
  expect(plain.split('\n').length).toBeGreaterThan(20);
});

describe('a large one on standard input uses a thread', () => {
  const FAST = [
    ['as a file', 'finwait -f jsonl - < FILE'],
    ['as a pipe that is full', 'cat FILE | finwait -f jsonl -'],
  ] as const;

  test.each(FAST)('%s', (_, command) => {
    const { status, stderr, stdout, usesThread } = read(packed, command);

    expect({ status, stderr, usesThread }).toEqual({ status: 0, stderr: '', usesThread: true });
    expect(stdout).toBe(plain);
  });

  test.each(FAST)('%s, cut', (_, command) => {
    const cut = packed.subarray(0, 5_000_000);

    const { status, stderr, stdout, usesThread } = read(cut, command);

    expect({ status, usesThread }).toEqual({ status: 3, usesThread: true });
    expect(stderr).toMatch(/ends within a member, after 5000000 compressed bytes/);
    expect(stdout).toBe(analyzed('cut.gz', cut).stdout);
  });

  test('as a pipe that stops for a while', () => {
    const command = '{ head -c 3000000; sleep 0.5; cat; } < FILE | finwait -f jsonl -';

    const { status, stdout, usesThread } = read(packed, command);

    expect({ status, usesThread }).toEqual({ status: 0, usesThread: true });
    expect(stdout).toBe(plain);
  });

  test('as a pipe that never ends, until Ctrl-C', () => {
    const endless =
      '{ head -c 3000000 FILE; sleep 4; } | timeout --preserve-status -s INT 2 "$node" "$main" -f jsonl -';

    const { status, stdout } = read(packed, endless);

    expect(status).toBe(130);
    const streams = stdout.match(/^{"schema":1,"stream":\d+,/gm) ?? [];
    expect(streams.length).toBeGreaterThan(10);
    // Whole lines of connections that the whole capture has, too.
    for (const stream of streams) expect(plain).toContain(stream);
    expect(stdout.trimEnd().split('\n').length).toBe(streams.length);
    expect(stdout.endsWith('}\n')).toBe(true);
  });
});

test('a small one starts no thread and gives the same', () => {
  const beginning = capture.subarray(0, 3_000_000);
  const small = gzipSync(beginning, { level: 0 });

  const { stdout, usesThread } = analyzed('small.gz', small);

  expect(usesThread).toBe(false);
  expect(stdout).toBe(analyzed('beginning', beginning).stdout);
});

describe('a damaged one gives what the bytes before the damage hold, and says where it ends', () => {
  test('cut', () => {
    const cut = packed.subarray(0, 5_000_000);

    const { status, stderr, stdout, usesThread } = analyzed('cut.gz', cut);

    expect({ status, usesThread }).toEqual({ status: 3, usesThread: true });
    expect(stderr).toMatch(/ends within a member, after 5000000 compressed bytes/);
    const named = read(cut, NAMED);
    expect(named.usesThread).toBe(false);
    expect(stdout).toBe(named.stdout);
  });

  test('with a block of a type that deflate does not know', () => {
    const before = capture.subarray(0, 5_000_000);
    const flushed = deflateRawSync(before, { level: 0, finishFlush: constants.Z_SYNC_FLUSH });
    const bad = Buffer.concat([packed.subarray(0, 10), flushed, Buffer.alloc(50_000, 7)]);

    const { status, stderr, stdout, usesThread } = analyzed('bad.gz', bad);

    expect({ status, usesThread }).toEqual({ status: 3, usesThread: true });
    expect(stderr).toMatch(/invalid block type/);
    expect(stdout).toBe(analyzed('good', before).stdout);
  });

  test('with a wrong checksum', () => {
    const bad = Buffer.from(packed);
    bad[bad.length - 8]! ^= 1;

    const { status, stderr, stdout } = analyzed('checksum.gz', bad);

    expect(status).toBe(3);
    expect(stderr).toMatch(/expected gzip checksum/);
    expect(stdout).toBe(plain);
  });
});

test('garbage behind the end is a warning', () => {
  const { status, stderr, stdout } = analyzed(
    'garbage.gz',
    Buffer.concat([packed, Buffer.from('garbage')]),
  );

  expect(status).toBe(0);
  expect(stderr).toContain('ignored bytes behind the end of the gzip data');
  expect(stdout).toBe(plain);
});

test('compressed data in compressed data is refused, and the program ends', () => {
  const { status, stderr, usesThread } = analyzed('twice.gz', gzipSync(packed, { level: 0 }));

  expect({ status, usesThread }).toEqual({ status: 2, usesThread: true });
  expect(stderr).toMatch(/found compressed data again/);
});
