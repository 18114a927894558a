/** What the system says of interfaces, understood. */

import { expect, test } from 'vitest';
import { listInterfaces, parseIfconfig } from '../../../src/capture/live/interfaces.ts';
import { type LinkState, LinkWatch } from '../../../src/capture/live/link-watch.ts';

const MACOS = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
	inet 127.0.0.1 netmask 0xff000000
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	status: active
en1: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	status: inactive
gif0: flags=8010<POINTOPOINT,MULTICAST> mtu 1280
`;

test('ifconfig of macOS tells which interfaces are up, down and without carrier', () => {
  expect([...parseIfconfig(MACOS)]).toEqual([
    ['lo0', { state: 'up', mtu: 16384 }],
    ['en0', { state: 'up', mtu: 1500 }],
    ['en1', { state: 'no-carrier', mtu: 1500 }],
    ['gif0', { state: 'down', mtu: 1280 }],
  ]);
});

test.skipIf(process.platform !== 'linux')(
  'Linux lists the loopback and any (only on Linux)',
  () => {
    const names = listInterfaces().map(({ name }) => name);

    expect(names).toContain('lo');
    expect(names.at(-1)).toBe('any');
  },
);

test('a change of the link is told once, and what the system does not tell is no change', () => {
  const states: LinkState[] = ['up', 'up', 'down', 'down', 'absent', 'no-carrier', 'up'];
  const watch = new LinkWatch('eth0', () => states.shift() ?? 'up');

  const told = Array.from({ length: 6 }, () => watch.change());

  expect(told.map((text) => text?.split(':')[0] ?? null)).toEqual([
    null,
    'went down',
    null,
    null,
    'lost its carrier',
    'is up again',
  ]);
});
