/** Selection of connections. */

import { expect, test } from 'vitest';
import { parseNetwork } from '../../src/report/address.ts';
import { compileFailOn, compileSelection } from '../../src/report/select.ts';
import { record } from '../support/records.ts';

function net(text: string) {
  const network = parseNetwork(text);
  if (network === null) throw new Error(`${text} is no network`);
  return [network];
}

test('an empty selection holds every connection', () => {
  expect(compileSelection({})(record())).toBe(true);
});

test.each([
  ['10.0.0.1', true],
  ['10.0.0.2', true],
  ['10.0.0.3', false],
  ['10.0.0.0/30', true],
  ['10.0.0.4/30', false],
  ['0.0.0.0/0', true],
  ['::/0', false],
])('--host %s on 10.0.0.1 and 10.0.0.2: %s', (host, holds) => {
  expect(compileSelection({ host: net(host) })(record())).toBe(holds);
});

test('an IPv6 network holds an address however it is written', () => {
  const r = record({ client: { ip: '2001:db8::1' } });

  expect(compileSelection({ host: net('2001:0DB8:0:0::1') })(r)).toBe(true);
  expect(compileSelection({ host: net('2001:db8::/33') })(r)).toBe(true);
  expect(compileSelection({ host: net('2001:db8:8000::/33') })(r)).toBe(false);
});

test('options must all match, of a list one', () => {
  expect(compileSelection({ close: ['rst', '4-way'], port: [80] })(record())).toBe(true);
  expect(compileSelection({ close: ['rst', '4-way'], port: [443] })(record())).toBe(false);
  expect(compileSelection({ handshake: ['refused'] })(record())).toBe(false);
  expect(compileSelection({ stream: [0] })(record())).toBe(true);
});

test('--fail-on matches a close, a handshake or a finding', () => {
  const r = record({
    findings: [{ code: 'zero-window', severity: 'note', frames: [], what: '', advice: '' }],
  });

  for (const name of ['4-way', '3-way', 'zero-window'] as const) {
    expect(compileFailOn([name])(r)).toBe(true);
  }
  expect(compileFailOn(['rst', 'vanished'])(r)).toBe(false);
});
