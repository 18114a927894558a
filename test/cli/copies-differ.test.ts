/** Bytes that were sent twice and differ are a finding of the one connection that is looked at. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { finwait } from '../support/command.ts';
import { segments } from '../support/fixtures.ts';
import { readPcap, writePcap } from '../support/pcap.ts';

const folder = mkdtempSync(join(tmpdir(), 'finwait-copies-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A connection whose fifth frame repeats the fourth, with another last byte where `isAltered`. */
function capture(isAltered: boolean): string {
  const frames = readPcap(segments`
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
    C > S . 1:1(0) ack 1
    C > S P. 1:21(20) ack 1
    C > S P. 1:21(20) ack 1 +0.3
    S > C . 1:1(0) ack 21
  `);
  const bytes = frames[4]?.bytes;
  if (bytes === undefined) throw new Error('the conversation has six frames');
  if (isAltered) bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  const path = join(folder, isAltered ? 'altered.pcap' : 'same.pcap');
  writeFileSync(path, writePcap(frames));
  return path;
}

test('show says which frame brought other bytes', async () => {
  const altered = await finwait('show', capture(true), '0');
  const same = await finwait('show', capture(false), '0');

  expect(altered.stdout.replace(/\s+/g, ' ')).toContain('brought other bytes for a place');
  expect(altered.stdout).toContain('copies-differ');
  expect(same.stdout).not.toContain('copies-differ');
});

test('follow takes the first copy and warns', async () => {
  const altered = await finwait('follow', '--raw', capture(true), '0');
  const same = await finwait('follow', '--raw', capture(false), '0');

  expect(altered.stdout).toBe(same.stdout);
  expect(altered.stderr).toContain('sent again with other bytes, the first copy is taken: #5');
  expect(same.stderr).toBe('');
});
