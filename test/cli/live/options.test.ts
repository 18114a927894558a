/** The options of `finwait live`: what is refused before anything is captured. */

import { expect, test } from 'vitest';
import { finwait } from '../../support/command.ts';

test.each([
  [['live'], /expected an interface \(-i, --interface\)\n {2}finwait live -i IFACE\n/],
  [['live', 'eth0'], /'eth0' alone is a FILTER; .* finwait live -i eth0\n/],
  [['live', 'tcp', 'port', '80'], /\n {2}finwait live -i IFACE 'tcp port 80'\n/],
  [
    ['live', '--format', 'csv'],
    /live has no --format: .* JSON Lines.*\n.*\n.* finwait --format … /,
  ],
  [['live', '-i', 'x', '-o', 'a.csv'], /live has no --output: /],
  [['live', '--event'], /Did you mean --events\?/],
  [['live', '-i', 'x', '--engine', 'dumpcpa'], /did you mean dumpcap\?/],
  [['live', '-i', 'x', '-b', 'filesize:10'], /give -w FILE as well/],
  [['live', '-i', 'x', '-w', 'f', '-b', 'files:3'], /needs a rule that begins the next file/],
  [['live', '-i', 'x', '-w', 'f', '-b', 'filesiez:3'], /did you mean filesize\?/],
  [['live', '-i', 'x', '--metrics', 'nine'], /expected PORT, :PORT or HOST:PORT/],
  [['live', '-i', 'x', '--metrics', ':99999'], /--metrics: expected/],
  [['live', '-i', 'x', '-s', '300000'], /--snap-len: expected a whole number/],
  [['live', '-i', 'x', '--events', '--close', 'rst'], /a selection applies to records/],
])('%j is refused, and what is wrong is said', async (args, reason) => {
  const { status, stderr, stdout } = await finwait(...args);

  expect(status).toBe(2);
  expect(stderr).toMatch(reason);
  expect(stdout).toBe('');
});

test('the help of live has examples and says where to look for interfaces', async () => {
  const { status, stdout } = await finwait('live', '--help');

  expect(status).toBe(0);
  expect(stdout).toContain("finwait live -i eth0 'port 443'");
  expect(stdout).toContain('finwait interfaces');
  expect(stdout).not.toContain('--reader');
});

test('interfaces prints JSON with the engines and what is missing', async () => {
  const { status, stdout } = await finwait('interfaces', '--json');

  expect(status).toBe(0);
  const found = JSON.parse(stdout);
  expect(Object.keys(found)).toEqual(['schema', 'platform', 'interfaces', 'user', 'engines']);
  for (const { problem, works } of found.engines) expect(problem === null).toBe(works);
});
