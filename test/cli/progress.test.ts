/** The bar of progress: when it is drawn, what it tells, and that it leaves nothing behind. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgress, progressLine } from '../../src/cli/progress.ts';
import { ROOT } from '../support/command.ts';

const STATE = {
  name: 'web.pcapng',
  bytesRead: 108_000_000,
  bytesTotal: 922_000_000,
  connections: 49_062,
  perSecond: 108_000_000,
  seconds: 1,
};

describe('the line', () => {
  test('has bytes, rate, connections and the time left', () => {
    expect(progressLine(STATE, 119)).toBe(
      'web.pcapng  ███░░░░░░░░░░░░░░░░░░░░░   11%  108 MB of 922 MB  108 MB/s  49,062 connections  0:08 left',
    );
  });

  test('of a pipe has the time since it began', () => {
    expect(progressLine({ ...STATE, bytesTotal: null, seconds: 3725 }, 119)).toBe(
      'web.pcapng  108 MB  108 MB/s  49,062 connections  1:02:05',
    );
  });

  test('has the end of a long name', () => {
    const line = progressLine({ ...STATE, name: `${'x'.repeat(99)}.pcap` }, 119);

    expect(line).toMatch(/^…x{26}\.pcap {2}█/);
  });

  test('never takes more columns than there are', () => {
    for (let width = 0; width < 140; width++) {
      expect(progressLine(STATE, width).length).toBeLessThanOrEqual(width);
    }
    expect(progressLine(STATE, 15)).toBe(' 11%  0:08 left');
  });

  test('escapes a hostile name', () => {
    expect(progressLine({ ...STATE, name: '\u001b[2J\n' }, 119)).toMatch(/^\\x1b\[2J\\x0a {2}█/);
  });
});

describe('drawing', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  function terminal(changes: { stderrIsTerminal?: boolean; env?: Record<string, string> } = {}) {
    const written: string[] = [];
    const base = { env: {}, stderrIsTerminal: true, width: 120 };
    return { ...base, ...changes, written, status: (text: string) => void written.push(text) };
  }
  const at = { bytesRead: 1, bytesTotal: 100, connections: 0 };

  test('begins after a second, and comes ten times a second at most', () => {
    const ctx = terminal();
    const progress = createProgress(ctx, 'a', false);
    for (let ms = 0; ms < 2000; ms++) {
      progress.show(at);
      if (ms === 999) expect(ctx.written).toEqual([]);
      vi.advanceTimersByTime(1);
    }

    expect(ctx.written).toHaveLength(10);
  });

  test('clears the line, and after the terminal was made narrower all its rows', () => {
    const ctx = terminal();
    const progress = createProgress(ctx, 'a', false);
    vi.advanceTimersByTime(1000);
    progress.show(at);
    ctx.width = 40;
    progress.clear();
    progress.clear();

    expect(ctx.written).toHaveLength(2);
    expect(ctx.written[1]).toBe('\u001b[1A\r\u001b[J');
  });

  test.each([
    ['no terminal', { stderrIsTerminal: false }, false],
    ['a terminal that can do nothing', { env: { TERM: 'dumb' } }, false],
    ['--quiet', {}, true],
  ])('does not happen with %s', (_, changes, quiet) => {
    const ctx = terminal(changes);
    const progress = createProgress(ctx, 'a', quiet);
    vi.advanceTimersByTime(5000);
    progress.show(at);
    progress.clear();

    expect(ctx.written).toEqual([]);
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasScript)('on a real terminal (skipped where script(1) is missing)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'finwait-progress-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let made = 0;

  /** What a terminal gets while a capture comes slowly through a pipe, from the moment at which the pipe is opened. */
  function onTerminal(options: string, redirection = ''): string {
    const demo = 'fixtures/demo.pcap';
    const pipe = join(folder, `pipe${made++}`);
    const slowly = `head -c 4000 ${demo}; sleep 1.6; tail -c +4001 ${demo} | head -c 99; sleep .3; tail -c +4100 ${demo}`;
    const finwait = `node --import tsx src/cli/main.ts ${options} ${pipe} ${redirection}`;
    const line = `mkfifo ${pipe}; { ${slowly}; } > ${pipe} & ${finwait}`;
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm' };
    const run = spawnSync('script', ['-qec', line, '/dev/null'], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    });
    return run.stdout;
  }
  const BAR = '\u001b[?7l';
  const CLEARED = '\r\u001b[J';

  test('the bar comes before the table and is gone when the table comes', () => {
    const text = onTerminal('--format summary');
    const end = text.lastIndexOf(CLEARED);

    expect(text).toContain(BAR);
    expect(text.lastIndexOf(BAR)).toBeLessThan(end);
    expect(text.slice(end + CLEARED.length)).toContain('12 connections');
  });

  test('no bar stands between result lines on the same terminal', () => {
    const text = onTerminal('--format csv');

    expect(text).not.toContain(BAR);
    expect(text.split('\r\n').length).toBeGreaterThan(12);
  });

  test('records that go elsewhere leave the terminal to the bar, and the bar stays out of a file', () => {
    const [records, errors] = [join(folder, 'records'), join(folder, 'errors')];

    expect(onTerminal('--format csv', `> ${records}`)).toContain(BAR);
    onTerminal('--format summary', `2> ${errors}`);

    expect(readFileSync(records, 'utf8').split('\r\n')).toHaveLength(14);
    expect(readFileSync(errors, 'utf8')).toBe('');
  });
});
