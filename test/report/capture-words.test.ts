/** What the summary and the report say of the capture itself. */

import { expect, test } from 'vitest';
import { REASONS } from '../../src/decode/reasons.ts';
import { captureFacts } from '../../src/report/capture-words.ts';
import { captureSummary } from '../support/records.ts';

const SOUND = captureSummary();

test('of a capture that lacks nothing there is nothing to say', () => {
  expect(captureFacts(SOUND, {})).toEqual([]);
});

test('frames that hold something else are told together, each kind with its count', () => {
  expect(captureFacts(SOUND, { arp: 2, udp: 1000, 'not-tcp': 3, 'unknown-payload': 4 })).toEqual([
    'not TCP 1,009 (ARP 2, UDP 1,000, other than IP 4, other over IP 3)',
  ]);
  expect(captureFacts(SOUND, { udp: 7 })).toEqual(['not TCP 7 (UDP)']);
});

test('an unknown link type is named where it is known which', () => {
  const reasons = { 'unknown-link-type': 5 };

  expect(captureFacts(SOUND, reasons)).toEqual(['of an unknown link type 5']);
  expect(captureFacts(SOUND, reasons, [{ linkType: 999, frames: 5 }])).toEqual([
    'of the unknown link type 999: 5',
  ]);
});

test.each(REASONS)('%s is said in words', (reason) => {
  const [fact, ...others] = captureFacts(SOUND, { [reason]: 1 });

  expect(others).toEqual([]);
  expect(fact).toMatch(/ 1(?: \(.*\))?$/);
  expect(fact).not.toMatch(/[a-z]-[a-z]/);
});
