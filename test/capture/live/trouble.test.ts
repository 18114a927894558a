/** What capturing programs say on their standard error, understood. */

import { describe, expect, test } from 'vitest';
import {
  isInterfaceLost,
  lastWords,
  readCounters,
  startTrouble,
} from '../../../src/capture/live/trouble.ts';

describe('what dumpcap 4.0 and tcpdump 4.99 say when they do not start', () => {
  test.each([
    [
      'dumpcap',
      `Capturing on 'x'\ndumpcap: There is no device named "x".\n(No such device exists)`,
    ],
    ['tcpdump', 'tcpdump: x: No such device exists\n(No such device exists)'],
    ['tcpdump', 'tcpdump: x: SIOCETHTOOL(ETHTOOL_GET_TS_INFO) ioctl failed: No such device'],
  ] as const)('no such interface (%s)', (engine, stderr) => {
    expect(startTrouble(engine, 'x', '', stderr).code).toBe('no-such-interface');
  });

  test.each([
    [
      'dumpcap',
      `Capturing on 'lo'\ndumpcap: You do not have permission to capture on device "lo".\n(socket: Operation not permitted)\nPlease check …`,
    ],
    [
      'tcpdump',
      "tcpdump: lo: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)",
    ],
  ] as const)('no rights (%s)', (engine, stderr) => {
    const { code, message } = startTrouble(engine, 'lo', 'port 1', stderr);

    expect(code).toBe('no-capture-rights');
    expect(message).toMatch(/permission/);
  });

  test('the filter’s own error is what is said, not the sentence around it', () => {
    const dumpcap = `Capturing on 'v0'\ndumpcap: Invalid capture filter "tcp prot 3" for interface 'v0'.\n\nThat string isn't a valid capture filter (can't parse filter expression: syntax error).\nSee the User's Guide for a description of the capture filter syntax.\n`;
    const said = ["can't parse filter expression: syntax error"];

    for (const stderr of [dumpcap, `tcpdump: ${said[0]}\n`]) {
      const { code, message } = startTrouble('dumpcap', 'v0', 'tcp prot 3', stderr);
      expect(code).toBe('bad-filter');
      expect(message).toBe(`the filter 'tcp prot 3' is not valid: ${said[0]}`);
    }
  });

  test('an interface that is down, with the command that brings it up', () => {
    const stderr = 'tcpdump: v0: That device is not up\n';

    expect(startTrouble('tcpdump', 'v0', '', stderr)).toMatchObject({
      code: 'interface-down',
      message: expect.stringContaining('ip link set v0 up'),
    });
  });

  test('anything else is handed on as it was said', () => {
    const { code, message } = startTrouble('tcpdump', 'v0', '', 'tcpdump: the moon is full\n');

    expect({ code, message }).toEqual({
      code: 'engine-failed',
      message: 'tcpdump did not start: the moon is full',
    });
  });
});

describe('counters', () => {
  test('dumpcap’s', () => {
    const stderr = `Packets captured: 8\nPackets received/dropped on interface 'v0': 8/3 (pcap:3/dumpcap:0/flushed:0/ps_ifdrop:0) (72.7%)\n`;

    expect(readCounters(stderr)).toEqual({ received: 8, dropped: 3 });
  });

  test('tcpdump’s, the latest of several, drops of the interface included', () => {
    const first = '4 packets captured, 4 packets received by filter, 0 packets dropped by kernel\n';
    const last =
      '9 packets captured\n12 packets received by filter\n2 packets dropped by kernel\n1 packet dropped by interface\n';

    expect(readCounters(first + last)).toEqual({ received: 12, dropped: 3 });
  });

  test('none where nothing was said', () => {
    expect(readCounters('tcpdump: listening on v0')).toBeNull();
  });
});

test('an interface that went away is known from either program', () => {
  expect(isInterfaceLost('tcpdump: pcap_loop: The interface disappeared\n')).toBe(true);
  expect(
    isInterfaceLost(
      'dumpcap: The network adapter "v0" is no longer attached; the capture has stopped.\n',
    ),
  ).toBe(true);
  expect(isInterfaceLost('Packets captured: 3\n')).toBe(false);
});

test('what is said at every start and end is no last word', () => {
  expect(
    lastWords(
      `Capturing on 'v0'\nFile: -\nPackets captured: 0\ntcpdump: listening on v0, link-type EN10MB\n0 packets dropped by kernel\n`,
    ),
  ).toBe('');
});
