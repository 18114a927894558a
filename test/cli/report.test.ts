/** `finwait report` over many captures: all counted, whatever the number of workers. */

import { execFile } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLOSE_KINDS, HANDSHAKE_KINDS } from '../../src/tcp/verdicts.ts';
import { buildInto } from '../support/built.ts';
import { finwait, type Outcome, ROOT, recordsOf, shell } from '../support/command.ts';
import { fixturePath } from '../support/fixtures.ts';
import { CAPTURES, type ManyCaptures, makeManyCaptures } from '../support/many-captures.ts';
import { cutFrames, DEMO_FRAMES, later, writeParts } from '../support/rotate.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const demo = fixturePath('demo.pcap');

/** The built program: threads can't be started from TypeScript. */
let main = '';
async function built(...args: string[]): Promise<Outcome> {
  const options = { cwd: ROOT, maxBuffer: 1 << 28 };
  try {
    const run = await promisify(execFile)(process.execPath, [main, 'report', ...args], options);
    return { status: 0, ...run };
  } catch (error) {
    const { code, stderr, stdout } = error as { code: number; stderr: string; stdout: string };
    return { status: code, stderr, stdout };
  }
}

interface Line {
  kind: string;
  [key: string]: unknown;
}
const linesOf = ({ stdout }: Outcome): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('300 captures, five of them damaged, some in rotated sets', () => {
  const many = join(folder, 'many');
  let made: ManyCaptures;
  let one: Outcome;
  beforeAll(async () => {
    made = makeManyCaptures(many);
    mkdirSync(join(folder, 'built'));
    main = buildInto(join(folder, 'built'));
    one = await built('--jobs', '1', '-f', 'jsonl', many);
  }, 60_000);

  test('all are counted, those that are none are skipped, and the exit status is 3', () => {
    const total = linesOf(one).find(({ kind }) => kind === 'total');

    expect(one.status).toBe(3);
    expect(made.captures).toHaveLength(CAPTURES);
    expect(total).toMatchObject({
      files: CAPTURES,
      timelines: CAPTURES - made.pieces + 4,
      skipped: made.others,
      notReached: 0,
    });
  });

  test('the five damaged ones are listed with offset and message, in the report and on standard error', () => {
    const problems = linesOf(one).filter(({ kind }) => kind === 'problem');

    expect(new Map(problems.map(({ code, file }) => [file, code]))).toEqual(made.damaged);
    for (const { file, message, offset, partial } of problems) {
      expect(partial).toBe(true);
      expect(offset).toBeGreaterThanOrEqual(24);
      expect(one.stderr).toContain(`finwait: ${file}: ${message} (at byte ${offset})\n`);
    }
  });

  test('the figures are those of the records of the same files', async () => {
    const all = linesOf(one);
    const total = all.find(({ kind }) => kind === 'total') as Line & {
      opened: Record<string, number>;
      closed: Record<string, number>;
    };
    const files = all.flatMap(({ files }) => (Array.isArray(files) ? files : []));

    const records = recordsOf(await finwait('-q', '-f', 'jsonl', ...made.captures));

    const tally = (kinds: readonly string[], of: (r: (typeof records)[number]) => string) =>
      Object.fromEntries(kinds.map((kind) => [kind, records.filter((r) => of(r) === kind).length]));
    expect(total.opened).toEqual(tally(HANDSHAKE_KINDS, (r) => r.handshake.kind));
    expect(total.closed).toEqual(tally(CLOSE_KINDS, (r) => r.close.kind));
    expect(total.connections).toBe(records.length);
    for (const { connections, file } of files) {
      expect([file, connections]).toEqual([file, records.filter((r) => r.file === file).length]);
    }
  });

  test('two workers and three write the same bytes as one, in every form', async () => {
    const [two, markdown, ofThree] = await Promise.all([
      built('--jobs', '2', '-f', 'jsonl', many),
      built('--jobs', '1', many),
      built('--jobs', '3', many),
    ]);

    expect(two).toEqual(one);
    expect(ofThree).toEqual(markdown);
    expect(markdown?.stdout).toContain(`# TCP connections in ${CAPTURES} captures\n`);
    expect(markdown?.stdout).toContain('- damaged, read up to the damage: 5 files\n');
  });
});

describe('inputs', () => {
  test('a file named that is no capture is an error, and the others are read', async () => {
    const { status, stderr, stdout } = await finwait('report', 'README.md', demo);

    expect(status).toBe(2);
    expect(stderr).toMatch(/^finwait: README\.md: expected a pcap or pcapng capture, found .*\n$/);
    expect(stdout).toContain('# TCP connections in 1 capture\n');
    expect(stdout).toContain('- not readable: 1 file\n');
  });

  test('the report itself is not one of the files of its folder', async () => {
    const base = join(folder, 'itself');
    const report = join(base, 'report.md');
    writeParts([join(base, 'x.pcap')], [DEMO_FRAMES]);
    await finwait('report', base, '-o', report);
    const before = readFileSync(report, 'utf8');

    await finwait('report', base, '-o', report);

    expect(readFileSync(report, 'utf8')).toBe(before);
    expect(before).not.toContain('skipped');
  });

  test('a folder without a capture is an error', async () => {
    const { status, stderr, stdout } = await finwait('report', 'docs');

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^finwait: docs: expected captures, found none; other files: \d+\n$/);
  });

  test('a capture whose header is cut short is listed, one that is none but named so is said', async () => {
    const base = join(folder, 'odd');
    writeParts([join(base, 'whole.pcap')], [DEMO_FRAMES]);
    writeFileSync(join(base, 'short'), readFileSync(demo).subarray(0, 12));
    writeFileSync(join(base, 'named.pcapng'), 'no capture');

    const { status, stderr } = await finwait('report', base);

    expect(status).toBe(2);
    expect(stderr).toBe(
      `finwait: ${join(base, 'named.pcapng')}: named as a capture and is none; skipped\n` +
        `finwait: ${join(base, 'short')}: expected a 24-byte pcap header, found 12 bytes (at byte 0)\n`,
    );
  });

  test('the same file by several paths is read once, under its own name', async () => {
    const base = join(folder, 'same');
    writeParts([join(base, 'x.pcap')], [DEMO_FRAMES]);
    symlinkSync('x.pcap', join(base, 'link.pcap'));

    const { stdout } = await finwait('report', base, base, join(base, 'link.pcap'));

    expect(stdout).toContain('# TCP connections in 1 capture\n\n- 12 connections,');
    expect(stdout).toContain(`| \`${join(base, 'x.pcap')}\``);
  });

  test('a capture that is there twice, compressed or not, is counted twice and said', async () => {
    const base = join(folder, 'twice');
    const [copy, packed, other] = ['b.pcap', 'a.pcap.gz', 'c.pcap'].map((name) => join(base, name));
    writeParts([copy ?? '', other ?? ''], [DEMO_FRAMES, later(DEMO_FRAMES, 1)]);
    writeFileSync(packed ?? '', gzipSync(readFileSync(copy ?? '')));
    const text = `looks like ${packed} again (as many frames and bytes, the same times and figures): counted twice`;

    const { status, stderr, stdout } = await finwait('report', '-f', 'jsonl', base);

    expect({ status, stderr }).toEqual({ status: 0, stderr: `finwait: ${copy}: ${text}\n` });
    expect(linesOf({ stdout } as Outcome).slice(0, 3)).toMatchObject([
      { file: packed, warnings: [] },
      { file: copy, warnings: [text] },
      { file: other, warnings: [] },
    ]);
  });

  test.skipIf(process.platform !== 'linux')(
    'what can’t be opened because its name is not UTF-8 is listed (skipped where names always are)',
    async () => {
      const base = join(folder, 'bytes');
      const named = (name: string): Buffer =>
        Buffer.concat([Buffer.from(`${base}/`), Buffer.from(name, 'latin1')]);
      mkdirSync(base);
      mkdirSync(named('folder\xff'));
      writeFileSync(named('capture\xff'), readFileSync(demo));
      writeFileSync(named('notes\xff'), 'text');
      writeParts([join(base, 'in \ufffd UTF-8.pcap')], [DEMO_FRAMES]);

      const { status, stderr, stdout } = await finwait('report', base);
      const single = await finwait(join(base, 'capture\ufffd'));

      expect(status).toBe(2);
      expect(stderr.split('\n').sort()).toEqual([
        '',
        ...['capture', 'folder'].map(
          (name) =>
            `finwait: ${base}/${name}\ufffd: expected a name in UTF-8, found another: give it a new one`,
        ),
      ]);
      expect(stdout).toContain('# TCP connections in 1 capture\n');
      expect(stdout).toContain('- no captures, skipped: 1 file\n');
      expect(single.stderr).toContain('found no such file; if its name is not UTF-8');
    },
  );

  test.skipIf(process.getuid?.() === 0)(
    'a folder that may not be read is listed (skipped for root, who may read all)',
    async () => {
      const base = join(folder, 'locked');
      mkdirSync(base);
      chmodSync(base, 0);

      const { status, stderr } = await finwait('report', base, demo);

      expect(status).toBe(2);
      expect(stderr).toContain(`${base}: expected a readable folder, found: no permission`);
    },
  );

  test('a piece that is missing is a warning on standard error and in every form', async () => {
    const base = join(folder, 'missing');
    const names = ['x.pcap', 'x.pcap1', 'x.pcap3'].map((name) => join(base, name));
    writeParts(names, cutFrames(DEMO_FRAMES, 3));
    const text = `${names[2]}: the piece before it, number 2, is missing: its packets count as lost`;

    const [md, csv, jsonl] = [
      await finwait('report', base),
      await finwait('report', '-f', 'csv', base),
      await finwait('report', '-f', 'jsonl', base),
    ];

    expect([md?.status, md?.stderr]).toEqual([0, `finwait: ${text}\n`]);
    expect(md?.stdout).toMatch(
      /\n## Warnings\n\n\| capture .*\n.*\n\| `\S+x\.pcap … .*number 2, is missing/,
    );
    expect(csv?.stdout).toMatch(/\nwarning,"?\S+x\.pcap … .*number 2, is missing/);
    expect(linesOf(jsonl as Outcome)[0]).toMatchObject({ kind: 'timeline', warnings: [text] });
  });

  test('pieces whose times do not go on are timelines of their own; --join and --separate decide otherwise', async () => {
    const names = ['x.pcap', 'x.pcap1', 'x.pcap2'].map((name) => join(folder, 'split', name));
    const [first = [], second = []] = cutFrames(DEMO_FRAMES, 2);
    writeParts(names, [first, second, later(second, 90_000)]);
    const timelines = async (...args: string[]): Promise<unknown[]> =>
      linesOf(await finwait('report', '-q', '-f', 'jsonl', ...args, join(folder, 'split')))
        .filter(({ kind }) => kind === 'timeline')
        .map(({ files }) => (Array.isArray(files) ? files.length : 0));

    expect(await timelines()).toEqual([2, 1]);
    expect((await finwait('report', join(folder, 'split'))).stderr).toBe(
      `finwait: ${names[2]}: named as a continuation of ${names[0]} … ${names[1]} (2 files), but begins before that ends, or more than a day after: analyzed on its own; --join takes both as one capture\n`,
    );
    expect(await timelines('--join')).toEqual([3]);
    expect(await timelines('--separate')).toEqual([1, 1, 1]);
  });
});

describe('output', () => {
  test('-o goes by the ending, and never onto an input', async () => {
    const out = join(folder, 'out.csv');

    expect((await finwait('report', demo, '-o', out)).status).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(/^scope,name,files,/);
    expect((await finwait('report', demo, '-o', join(folder, 'out.doc'))).stderr).toContain(
      'expected .md, .markdown, .csv, .jsonl or .ndjson',
    );
    expect((await finwait('report', demo, '-f', 'csv', '-o', demo)).stderr).toContain(
      'is one of the inputs',
    );
  });
});

test('Ctrl-C leaves a pipe that never ends, and the report has what was finished', () => {
  const out = join(folder, 'interrupted.md');
  const { status, stderr } = shell(
    `cd ${folder}; mkfifo fifo; { touch opened; exec sleep 60; } > fifo & sleeper=$!
     cd ${ROOT}; node --import tsx src/cli/main.ts report ${demo} ${folder}/fifo -o ${out} & reader=$!
     until [ -e ${folder}/opened ]; do sleep 0.1; done; sleep 0.3
     kill -INT $reader; wait $reader; status=$?; kill $sleeper; exit $status`,
  );

  expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
  expect(readFileSync(out, 'utf8')).toMatch(
    /^# TCP connections in 1 capture\n[^#]*- interrupted before these were read: 1 capture\n/,
  );
});
