/** `finwait live` in network namespaces, with real traffic: needs root. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import type { LiveEvent } from '../../../src/report/live-events.ts';
import type { ConnectionRecord } from '../../../src/report/record.ts';
import { ROOT } from '../../support/command.ts';
import {
  builtMain,
  Cable,
  CLIENT_IP,
  hasCap,
  hasProgram,
  removeBuilt,
  SERVER_IP,
  whyNoLive,
} from '../../support/live.ts';
import { compareRun, programOf, readReference } from '../../support/live-run.ts';

const why = whyNoLive();
const folder = mkdtempSync(join(tmpdir(), 'finwait-live-'));
const cables: Cable[] = [];

function cable(): Cable {
  const made = new Cable();
  cables.push(made);
  return made;
}

async function recordsOf(path: string): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const record of analyze(path)) records.push(record);
  return records;
}

afterAll(() => {
  for (const one of cables) one.close();
  rmSync(folder, { recursive: true, force: true });
  removeBuilt();
});

const ENGINES = ['dumpcap', 'tcpdump', ...(hasCap ? ['cap'] : [])];
const title = why === null ? 'live' : `live (skipped: ${why})`;

describe.skipIf(why !== null)(`${title}, engines`, { timeout: 90_000 }, () => {
  test('every engine gives live the records that its own packets give as a file, and tcpdump’s file of the same traffic', async () => {
    const out = join(folder, 'mix');
    const node = `${process.execPath} ${builtMain()}`;
    const programs = ENGINES.map((engine) => `${engine}=${node} ${programOf(engine, out)}`);

    const lab = spawnSync('python3', ['lab/live.py', '--out', out, '--count', '800', ...programs], {
      cwd: ROOT,
      encoding: 'utf8',
    });

    expect(lab.stderr).toBe('');
    const reference = await readReference(out);
    const expected = reference.records.length;
    expect(expected).toBeGreaterThan(800);
    for (const engine of ENGINES) {
      const { frames, records, unlike } = await compareRun(out, engine, reference);
      // The same frames in the same order with the same stamps: the same in everything.
      expect({ engine, unlike }).toEqual({ engine, unlike: [] });
      // Another socket has the same frames with stamps of its own: the same but for what a stamp decides, and it must.
      expect({ engine, unmatched: frames.unmatched }).toEqual({ engine, unmatched: 0 });
      expect({ engine, different: records.different }).toEqual({ engine, different: [] });
      expect(records.records).toBe(expected);
      expect(records.equal + records.byDelay + records.byOrder).toBe(expected);
      if (engine === 'cap') continue;
      expect(frames.apart[Math.floor(frames.apart.length * 0.99)]).toBeLessThan(0.001);
      expect(records.equal).toBeGreaterThanOrEqual(0.98 * expected);
    }
  });
});

describe.skipIf(why !== null).concurrent(title, { timeout: 90_000 }, () => {
  test('events come at once, and Ctrl-C ends with what is open written as open', async () => {
    const net = cable();
    const live = net.finwait(['live', '-i', 'a0', '--events', 'tcp']);
    await live.ready();

    const talk = net.talk('--hold', '20');
    await live.until('"event":"close"');
    await live.until(/"stream":1.*"event":"open"/);
    const status = await live.stop();
    net.close();
    await talk;

    expect(status).toBe(0);
    const events = live.lines<LiveEvent | { event: 'capture'; what: string; dropped: number }>();
    expect(events[0]).toMatchObject({ event: 'capture', what: 'started', times: 'kernel' });
    expect(events.at(-1)).toMatchObject({ event: 'capture', what: 'ended', dropped: 0 });
    const first = events.filter((event) => 'stream' in event && event.stream === 0);
    const told = first.map((one) => ('state' in one ? `${one.side} ${one.state}` : one.event));
    // The kernel may or may not merge its ACK and its FIN.
    const merged = told.filter((text) => text !== 'client FIN_WAIT_2').join(', ');
    expect(merged).toBe(
      'server LISTEN, client SYN_SENT, server SYN_RECEIVED, client ESTABLISHED, open, server ESTABLISHED, client FIN_WAIT_1, server CLOSE_WAIT, client TIME_WAIT, server LAST_ACK, server CLOSED, close',
    );
    expect(first.at(-1)).toMatchObject({
      close: expect.stringMatching(/4-way|merged/),
      complete: true,
    });
    expect(events.at(-2)).toMatchObject({ stream: 1, event: 'close', close: 'open' });
    expect(live.stderr).toContain('0 frames dropped');
  });

  test('a connection leaves TIME_WAIT on time while nothing arrives', async () => {
    const net = cable();
    const live = net.finwait(['live', '-i', 'a0', '--msl', '1', 'tcp']);
    await live.ready();

    await net.talk();
    await live.until('"schema":1');
    const heard = Date.now();
    await live.stop('SIGTERM');

    const [record] = live.lines<ConnectionRecord>();
    const closed = Date.parse(record?.start ?? '') + (record?.duration ?? 0) * 1000;
    expect(heard - closed).toBeGreaterThan(1500);
    expect(heard - closed).toBeLessThan(9000);
    expect(record?.close.timeWait).toBe('client');
  });

  test('-w keeps the packets in a ring of files, and they hold the same connections', async () => {
    const net = cable();
    const kept = join(folder, 'kept.pcapng');
    const ring = ['-w', kept, '-b', 'filesize:40', '-b', 'files:3'];
    const live = net.finwait(['live', '-i', 'a0', '--engine', 'dumpcap', ...ring, 'tcp']);
    await live.ready();

    await net.talk('--count', '30', '--bytes', '8000');
    expect(await live.stop()).toBe(0);

    const names = readdirSync(folder)
      .filter((name) => name.startsWith('kept'))
      .sort();
    expect(names).toHaveLength(3);
    expect(names[0]).toMatch(/^kept_000\d\d_\d{14}\.pcapng$/);
    const last = await recordsOf(join(folder, names[2] ?? ''));
    const streams = live.lines<ConnectionRecord>();
    expect(streams).toHaveLength(30);
    expect(streams.map((one) => one.client.port)).toContain(last.at(-1)?.client.port);
    if (hasProgram('capinfos')) {
      const info = spawnSync('capinfos', ['-c', join(folder, names[2] ?? '')], {
        encoding: 'utf8',
      });
      expect(info.status, info.stderr).toBe(0);
    }
  });

  test('--count and --duration end it, and a selection prints only what matches', async () => {
    const net = cable();
    const counted = net.finwait(['live', '-i', 'a0', '--count', '5', 'tcp']);
    const timed = net.finwait(['live', '-i', 'a0', '--duration', '4', '--close', 'rst', 'tcp']);
    await Promise.all([counted.ready(), timed.ready()]);

    await net.talk('--count', '3');

    expect(await counted.ended()).toBe(0);
    expect(counted.stderr).toContain('5 frames');
    expect(counted.lines<ConnectionRecord>()).toHaveLength(1);
    expect(await timed.ended()).toBe(0);
    expect(timed.stdout).toBe('');
    expect(timed.stderr).toContain('0 of 3 connections');
  });

  test('metrics are served on loopback while it runs', async () => {
    const net = cable();
    const live = net.finwait(['live', '-i', 'a0', '--metrics', ':9464', 'tcp']);
    await live.until('metrics at http://127.0.0.1:9464/metrics');
    await net.talk('--count', '4');
    await new Promise((resolve) => setTimeout(resolve, 700));

    const code = `fetch('http://127.0.0.1:9464/metrics').then(r=>r.text()).then(t=>console.log(t))`;
    const got = spawnSync('ip', ['netns', 'exec', net.client, process.execPath, '-e', code], {
      encoding: 'utf8',
    });
    await live.stop();

    expect(got.stdout).toContain('finwait_connections_opened_total{handshake="3-way"} 4');
    expect(got.stdout).toContain('finwait_sockets{state="TIME_WAIT"} 4');
    expect(got.stdout).toMatch(/finwait_handshake_rtt_seconds_count 4\b/);
  });
});

describe.skipIf(why !== null).concurrent(`${title}: refusals`, { timeout: 90_000 }, () => {
  test.each([
    ['an interface that is not there', ['-i', 'nope'], /nope: there is no such interface/],
    ['a bad filter', ['-i', 'a0', 'tcp prot 3'], /'tcp prot 3' is not valid: .*syntax error/],
    ['an interface that is down', ['-i', 'd0'], /d0: is not up/],
  ])('%s is refused by every engine, with the reason', async (_what, args, reason) => {
    const net = cable();
    net.addDown('d0');

    const runs = ['auto', ...ENGINES].map((engine) =>
      net.finwait(['live', '--engine', engine, ...args]),
    );

    for (const run of runs) {
      expect(await run.ended(), run.stderr).toBe(2);
      expect(run.stderr, run.child.spawnargs.join(' ')).toMatch(reason);
      expect(run.stderr.trim().split('\n').length).toBeLessThan(3);
    }
  });

  test('without the right to capture it says how to get it', async () => {
    const net = cable();
    const drop = [
      'setpriv',
      '--bounding-set=-net_raw,-net_admin',
      '--inh-caps=-net_raw,-net_admin',
    ];

    const runs = ['auto', ...ENGINES].map((engine) =>
      net.finwait(['live', '-i', 'a0', '--engine', engine], drop),
    );

    for (const run of runs) {
      expect(await run.ended(), run.stderr).toBe(2);
      expect(run.stderr).toMatch(/may not capture: .*permi.*usermod -aG wireshark.*setcap/);
    }
  });

  test('without an engine it says what to install', async () => {
    const net = cable();
    const run = net.finwait(['live', '-i', 'a0', '--engine', 'tcpdump'], ['env', 'PATH=/nowhere']);

    expect(await run.ended()).toBe(2);
    expect(run.stderr).toContain('apt-get install tcpdump');
  });

  test.each(ENGINES)(
    '%s: an interface that goes down is said, one that is taken away ends it with status 3',
    async (engine) => {
      const net = cable();
      const live = net.finwait(['live', '-i', 'a0', '--engine', engine, 'tcp']);
      await live.ready();
      await net.talk();

      if (engine === 'cap') {
        // It has no time to hand over what it holds.
        await new Promise((resolve) => setTimeout(resolve, 500));
      } else {
        net.link('down');
        await live.until('a0 went down');
        net.link('up');
        await live.until('a0 is up again');
      }
      net.link('gone');

      expect(await live.ended()).toBe(3);
      expect(live.stderr).toMatch(/a0: (the interface is gone|cap (ended|was ended))/);
      expect(live.stderr).toContain('what was analyzed until then is kept');
      expect(live.lines<ConnectionRecord>()).toHaveLength(1);
    },
  );

  test.each(ENGINES)(
    '%s: when it is killed, what was analyzed is written, with status 3',
    async (engine) => {
      const net = cable();
      const live = net.finwait(['live', '-i', 'a0', '--engine', engine, 'tcp']);
      await live.ready();
      await net.talk();
      await new Promise((resolve) => setTimeout(resolve, 500));

      const pid = live.child.pid ?? 0;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
      process.kill(Number(children.at(-1)), 'SIGKILL');

      expect(await live.ended()).toBe(3);
      expect(live.stderr).toContain(`${engine} was ended by SIGKILL`);
      expect(live.lines<ConnectionRecord>()).toHaveLength(1);
    },
  );

  test('a full disk ends it: said, the records are written, the file is whole', async () => {
    const net = cable();
    const disk = mkdtempSync(join(folder, 'disk-'));
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', disk]).status).toBe(0);
    try {
      const kept = join(disk, 'kept.pcapng');
      const live = net.finwait(['live', '-i', 'a0', '-w', kept, 'tcp']);
      await live.ready();

      await net.talk('--count', '10', '--bytes', '200000');

      expect(await live.ended()).toBe(3);
      expect(live.stderr).toMatch(/kept\.pcapng: no space left on the device; the capture ends/);
      const records = live.lines<ConnectionRecord>();
      expect(records.length).toBeGreaterThan(0);
      const again = await recordsOf(kept);
      expect(again[0]?.client).toEqual(records[0]?.client);
      expect(again[0]?.client.ip).toBe(CLIENT_IP);
      expect(again[0]?.server.ip).toBe(SERVER_IP);
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
