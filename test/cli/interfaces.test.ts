/** The columns of `finwait interfaces`. */

import { expect, test } from 'vitest';
import { columns } from '../../src/cli/interfaces-command.ts';

const ROWS = [
  ['interface', 'addresses'],
  ['eth0', '192.0.2.2/24, fd00::2/64, fe80::fc:ff:fe00:1/64'],
  ['lo', '127.0.0.1/8'],
];

test('what is longer than the terminal is wide goes on in the next line, under its column', () => {
  expect(columns(ROWS, 40)).toEqual([
    'interface  addresses',
    'eth0       192.0.2.2/24, fd00::2/64,',
    '           fe80::fc:ff:fe00:1/64',
    'lo         127.0.0.1/8',
  ]);
});

test('in a pipe, or where there is no room for a column, lines stay whole', () => {
  expect(columns(ROWS, Number.POSITIVE_INFINITY)[1]).toBe(
    'eth0       192.0.2.2/24, fd00::2/64, fe80::fc:ff:fe00:1/64',
  );
  expect(columns(ROWS, 20)).toHaveLength(3);
});
