/** `runLive`: an analysis in which time passes while nothing arrives. */

import { expect, test } from 'vitest';
import { openCapture } from '../src/capture/open.ts';
import type { FrameSource } from '../src/capture/source.ts';
import { runLive } from '../src/live.ts';
import type { ConnectionRecord } from '../src/report/record.ts';
import { LIVE_IDLE } from '../src/tcp/idle.ts';

interface Heard {
  record: ConnectionRecord;
  /** Seconds after the last frame of the capture. */
  after: number;
}

/** Plays a file as if it had been captured live, and after it a silence of so many seconds, woken every half second. */
async function heardAfter(path: string, silence: number, msl = 30): Promise<Heard[]> {
  const file = await openCapture(path);
  let lastSec = 0;
  let isSilent = false;
  let seconds = 0;
  const source: FrameSource = {
    ...{ name: 'eth0', format: file.format, interfaces: file.interfaces, damage: null },
    ...{ warnings: [], bytesRead: 0, bytesTotal: null },
    fill(batch) {
      const count = isSilent ? 0 : file.fill(batch);
      for (let i = 0; i < count; i++) lastSec = Math.max(lastSec, batch.tsSec[i] ?? 0);
      return count;
    },
    async more() {
      if (!isSilent) {
        isSilent = !(await file.more());
        return true;
      }
      seconds += 0.5;
      return seconds <= silence;
    },
    close: () => file.close(),
  };
  const heard: Heard[] = [];
  await runLive(source, {
    file: 'eth0',
    msl,
    nowMs: () => (lastSec + seconds) * 1000,
    onRecord: (record) => heard.push({ record, after: seconds }),
    onTick() {},
  });
  await source.close();
  return heard;
}

test('a closed connection leaves when its TIME_WAIT is over, though no frame comes any more', async () => {
  const heard = await heardAfter('fixtures/close/4-way-client-first.pcap', 120);

  expect(heard[0]?.after).toBeGreaterThan(60);
  expect(heard[0]?.after).toBeLessThan(66);
});

test('a connection whose last ACK is missing leaves TIME_WAIT on time as well', async () => {
  const heard = await heardAfter('fixtures/close/last-ack-missing.pcap', 120);

  expect(heard[0]?.record.close.complete).toBe(false);
  expect(heard[0]?.after).toBeGreaterThan(60);
  expect(heard[0]?.after).toBeLessThan(70);
});

test('a SYN that nobody answers is let go after the time that Linux tries', async () => {
  const heard = await heardAfter('fixtures/handshake/unanswered.pcap', 300);

  expect(heard[0]?.record.handshake.kind).toBe('unanswered');
  expect(heard[0]?.after).toBeGreaterThan(127);
  expect(heard[0]?.after).toBeLessThan(140);
});

test('an open connection stays for hours, and is then let go', async () => {
  const heard = await heardAfter('fixtures/close/open.pcap', LIVE_IDLE.openSec + 60);

  expect(heard[0]?.record.close.kind).toBe('open');
  expect(heard[0]?.after).toBeGreaterThan(LIVE_IDLE.openSec - 10);
  expect(heard[0]?.after).toBeLessThan(LIVE_IDLE.openSec + 20);
});

test('what is still open at the end comes last, and is open', async () => {
  const heard = await heardAfter('fixtures/demo.pcap', 1);

  expect(heard).toHaveLength(12);
  expect(heard.some(({ record }) => record.close.kind === 'open')).toBe(true);
});
