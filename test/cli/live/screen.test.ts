/** The live screen in a real terminal (tmux), in network namespaces: needs root. */

import { spawnSync } from 'node:child_process';
import { afterAll, expect, test } from 'vitest';
import {
  builtMain,
  Cable,
  hasProgram,
  removeBuilt,
  SERVER_IP,
  whyNoLive,
} from '../../support/live.ts';

const why = whyNoLive() ?? (hasProgram('tmux') ? null : 'tmux is not installed');
/** A server of tmux's own, so that nobody's sessions are touched. */
const SOCKET = `finwait-test-${process.pid}`;
const WAIT_MS = 20_000;

function tmux(...args: string[]): string {
  const run = spawnSync('tmux', ['-L', SOCKET, ...args], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`tmux ${args.join(' ')}: ${run.stderr}`);
  return run.stdout;
}

/** What the terminal shows, once it shows `text`. */
async function shows(text: string | RegExp): Promise<string> {
  const began = Date.now();
  for (;;) {
    const screen = tmux('capture-pane', '-p', '-t', 'live');
    if (typeof text === 'string' ? screen.includes(text) : text.test(screen)) return screen;
    if (Date.now() - began > WAIT_MS) throw new Error(`waited for ${text}, found:\n${screen}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

afterAll(() => {
  if (why === null) spawnSync('tmux', ['-L', SOCKET, 'kill-server']);
  removeBuilt();
});

const title = `the screen shows connections, sorts, filters, pauses, opens a ladder, is resized and gives the terminal back${why === null ? '' : ` (skipped: ${why})`}`;

test.skipIf(why !== null)(title, { timeout: 90_000 }, async () => {
  const net = new Cable();
  try {
    const live = `ip netns exec ${net.client} ${process.execPath} ${builtMain()} live -i a0 tcp`;
    const command = `echo before; ${live}; echo "status $?"; sleep 60`;
    tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'live', '-x', '130', '-y', '30', command);
    await shows('capturing with dumpcap');

    await net.talk('--count', '3');
    const table = await shows(/0 +10\.89\.0\.1:\d+ +10\.89\.0\.2:8080/);
    expect(table).toMatch(/opened\/s/);
    expect(await shows(/TIME_WAIT +3 +10\.89\.0\.1 3/)).toContain('1–3 of 3, newest');

    tmux('send-keys', '-t', 'live', 's');
    await shows('1–3 of 3, oldest');
    tmux('send-keys', '-t', 'live', 'Down', 'Enter');
    const ladder = await shows('Connection 1');
    expect(ladder).toContain('SYN_RECEIVED');
    expect(ladder).toContain(`→ ${SERVER_IP}:8080`);
    tmux('send-keys', '-t', 'live', 'Escape');
    await shows('1–3 of 3, oldest');

    tmux('send-keys', '-t', 'live', '/');
    tmux('send-keys', '-t', 'live', '-l', '#2');
    tmux('send-keys', '-t', 'live', 'Enter');
    await shows("1–1 of 1, oldest  filter '#2'");
    tmux('send-keys', '-t', 'live', 'Escape');
    await shows('1–3 of 3');

    tmux('send-keys', '-t', 'live', 'p');
    await shows('PAUSED');
    tmux('send-keys', '-t', 'live', 'p');

    tmux('resize-window', '-t', 'live', '-x', '80', '-y', '20');
    const small = await shows('1–3 of 3, oldest   q quit');
    expect(small.split('\n').every((line) => line.length <= 80)).toBe(true);

    tmux('send-keys', '-t', 'live', 'q');
    const after = await shows('status 0');
    expect(after).toContain('before');
    expect(after).toContain('3 connections');
    expect(after).toContain('frames dropped');
  } finally {
    net.close();
  }
});
