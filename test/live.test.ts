/** `runLive`: an analysis in which time passes while nothing arrives. */

import { expect, test } from 'vitest';
import { openCapture } from '../src/capture/open.ts';
import type { FrameSource } from '../src/capture/source.ts';
import { type LiveRunOptions, runLive } from '../src/live.ts';
import { LiveEvents } from '../src/report/live-events.ts';
import type { ConnectionRecord } from '../src/report/record.ts';
import { LIVE_IDLE } from '../src/tcp/idle.ts';
import { BURST, fromAnother } from './support/burst.ts';
import { segments } from './support/fixtures.ts';
import { readPcap, writePcap } from './support/pcap.ts';

interface Heard {
  record: ConnectionRecord;
  /** Seconds after the last frame of the capture. */
  after: number;
}

/** Plays a file as if it had been captured live, and after it a silence of so many seconds, woken every half second. */
async function heardAfter(
  input: string | Uint8Array,
  silence: number,
  msl = 30,
  others: Partial<LiveRunOptions> = {},
): Promise<Heard[]> {
  const file = await openCapture(input);
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
    ...others,
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

test('a socket in CLOSE_WAIT is watched by the clock while nothing comes, to the end or until it is let go', async () => {
  const file = 'fixtures/close/half-closed.pcap';
  const [atEnd] = await heardAfter(file, 30);
  const [letGo] = await heardAfter(file, LIVE_IDLE.halfClosedSec + 60);

  expect(atEnd?.record.findings[0]?.what).toMatch(
    /for 2[78][.\d]* s and was still there when the capture ended:/,
  );
  expect(letGo?.record.findings[0]?.what).toMatch(
    /for 1 h 00 min and was still there when finwait let it go:/,
  );
});

test('what is still open at the end comes last, and is open', async () => {
  const heard = await heardAfter('fixtures/demo.pcap', 1);

  expect(heard).toHaveLength(12);
  expect(heard.some(({ record }) => record.close.kind === 'open')).toBe(true);
});

test('after a burst, when nothing comes any more, memory shrinks and an open connection is found where it is then', async () => {
  const open = readPcap(segments`
    C > S S 0:0(0)
    S > C S. 0:0(0) ack 1
    C > S . 1:1(0) ack 1
    C > S P. 1:101(100) ack 1
    S > C . 1:1(0) ack 101`);
  const [syn] = open;
  if (syn === undefined) throw new Error('no segment');
  const burst = Array.from({ length: BURST }, (_, i) => fromAnother(syn, i));
  const live = new LiveEvents(30, false, () => {});
  const indexes: (number | undefined)[] = [];
  let found: number[] = [];

  await heardAfter(writePcap([...burst, ...open]), 200, 30, {
    takeFinished: () => true,
    onHappening(now, index) {
      if (now.stream === BURST) live.happened(now, index);
    },
    onMoved: (to) => live.moved(to),
    onTick(run) {
      const index = live.open.get(BURST)?.index;
      if (index === undefined || index === indexes.at(-1)) return;
      indexes.push(index);
      const now = run.look(index, BURST);
      found = [now?.stream ?? -1, ...(now?.bytes ?? [])];
    },
  });

  expect(indexes).toEqual([BURST, 0]);
  expect(found.sort((a, b) => a - b)).toEqual([0, 100, BURST]);
});
