/** The program as a process: what only a process can show. */

import { expect, test } from 'vitest';
import { shell } from '../support/command.ts';

/** A little-endian pcap header without a frame. */
const EMPTY_PCAP = Uint8Array.from(
  [0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1].flatMap((word) => [
    word & 255,
    (word >>> 8) & 255,
    (word >>> 16) & 255,
    word >>> 24,
  ]),
);

test('a capture without frames on standard input gives a summary of nothing', () => {
  const { status, stderr, stdout } = shell(`finwait -`, EMPTY_PCAP);

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^0 connections/);
});

test('a file that is not there is an error with its name and status 2', () => {
  const { status, stderr, stdout } = shell(`finwait no-such.pcap`);

  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^finwait: no-such\.pcap: /);
});

test('a closed pipe ends quietly', () => {
  const { stderr, stdout } = shell(
    `{ finwait -f csv -; echo "status $?" >&2; } | true`,
    EMPTY_PCAP,
  );

  expect({ stderr, stdout }).toEqual({ stderr: 'status 0\n', stdout: '' });
});
