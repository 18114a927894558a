/** Transfer figures, one conversation a figure, with Wireshark's definitions (docs/specification.md §5). */

import { describe, expect, test } from 'vitest';
import type { TransferSide } from '../../src/tcp/figures.ts';
import { connectionsIn, onlyConnectionIn, segments } from '../support/fixtures.ts';

/** The client's first three segments have no options: windows are not scaled. 10 ms lie between lines. */
const OPENED = `
C > S  S   0:0(0)
S > C  S.  0:0(0)  ack 1
C > S  .   1:1(0)  ack 1`;

async function transferOf(text: string) {
  return (await onlyConnectionIn(segments`${text}`)).transfer;
}

/** The counts that are not 0, by name. */
function counts(side: TransferSide): Record<string, number> {
  const sizes = ['maxWindow', 'uniqueBytes', 'missingBytes', 'maxBytesInFlight', 'rtt'];
  const found = Object.entries(side).filter(([name, n]) => !sizes.includes(name) && n !== 0);
  return Object.fromEntries(found);
}

describe('repeated segments', () => {
  test('data sent again after its ACK failed to come is a retransmission', async () => {
    const { client, server } = await transferOf(`${OPENED}
C > S  P.  1:101(100)  ack 1
C > S  P.  1:101(100)  ack 1  +0.3
S > C  .   1:1(0)      ack 101`);

    expect(counts(client)).toEqual({ retransmissions: 1, retransmittedBytes: 100 });
    expect(counts(server)).toEqual({});
    expect(client.uniqueBytes).toBe(100);
  });

  test('a SYN sent again is a retransmission without bytes', async () => {
    const { client } = await transferOf(`
C > S  S   0:0(0)
C > S  S   0:0(0)  +1
S > C  S.  0:0(0)  ack 1
C > S  .   1:1(0)  ack 1`);

    expect(counts(client)).toEqual({ retransmissions: 1 });
  });

  test('data at the number of two duplicate ACKs within 20 ms is a fast retransmission', async () => {
    const { client, server } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   101:201(100)  ack 1  +0.001
C > S  .   201:301(100)  ack 1  +0.001
C > S  .   301:401(100)  ack 1  +0.001
S > C  .   1:1(0)        ack 101
S > C  .   1:1(0)        ack 101
S > C  .   1:1(0)        ack 101
C > S  .   101:201(100)  ack 1  +0.001
S > C  .   1:1(0)        ack 401`);

    expect(counts(client)).toEqual({
      retransmissions: 1,
      retransmittedBytes: 100,
      fastRetransmissions: 1,
    });
    expect(counts(server)).toEqual({ duplicateAcks: 2 });
  });

  test('data that was acknowledged before is a spurious retransmission', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  P.  1:101(100)  ack 1
S > C  .   1:1(0)      ack 101
C > S  P.  1:101(100)  ack 1  +0.3
S > C  .   1:1(0)      ack 101`);

    expect(counts(client)).toEqual({
      retransmissions: 1,
      retransmittedBytes: 100,
      spuriousRetransmissions: 1,
    });
  });

  test('a hole filled within the initial round trip is out of order, and its gap a lost segment', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   201:301(100)  ack 1  +0.001
C > S  .   101:201(100)  ack 1  +0.001
S > C  .   1:1(0)        ack 301`);

    expect(counts(client)).toEqual({ outOfOrder: 1, lostSegments: 1 });
    expect(client).toMatchObject({ uniqueBytes: 300, missingBytes: 0 });
  });

  test('a frame that the capture saw twice is in no figure', async () => {
    const { client, server } = await transferOf(`stack linux
${OPENED}
dup +0.001
C > S  P.  1:101(100)  ack 1
dup +0.001
S > C  .   1:1(0)      ack 101
dup +0.001`);

    expect(counts(client)).toEqual({});
    expect(counts(server)).toEqual({});
    expect(client.uniqueBytes).toBe(100);
  });
});

test('each of many connections keeps its own counts', async () => {
  const many = Array.from(
    { length: 300 },
    (_, i) => `client 10.0.0.1:${40_000 + i}
${OPENED}
C > S  P.  1:101(100)  ack 1
C > S  P.  1:101(100)  ack 1  +0.3
S > C  .   1:1(0)      ack 101
S > C  .   1:1(0)      ack 101`,
  );

  const records = await connectionsIn(segments`${many.join('\n')}`);

  const found = records.map(({ transfer }) => [
    transfer.client.retransmissions,
    transfer.server.duplicateAcks,
  ]);
  expect(found).toEqual(Array.from({ length: 300 }, () => [1, 1]));
});

describe('selective acknowledgement', () => {
  const LOSS = `${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   101:201(100)  ack 1  +0.001
C > S  .   201:301(100)  ack 1  +0.001`;

  test('a retransmission into a hole below a SACK block is told from one by timer', async () => {
    const { client } = await transferOf(`${LOSS}
S > C  .   1:1(0)        ack 101  <nop,nop,sack 1 {201:301}>
C > S  .   101:201(100)  ack 1  +0.5
S > C  .   1:1(0)        ack 301`);

    expect(counts(client)).toMatchObject({ retransmissions: 1, sackRetransmissions: 1 });
  });

  test('a retransmission without a SACK block is none of these', async () => {
    const { client } = await transferOf(`${LOSS}
S > C  .   1:1(0)        ack 101
C > S  .   101:201(100)  ack 1  +0.5
S > C  .   1:1(0)        ack 301`);

    expect(counts(client)).toMatchObject({ retransmissions: 1 });
    expect(client.sackRetransmissions).toBe(0);
  });

  test('a D-SACK says that bytes came twice', async () => {
    const { client, server } = await transferOf(`${LOSS}
C > S  .   101:201(100)  ack 1  +0.5
S > C  .   1:1(0)        ack 301
S > C  .   1:1(0)        ack 301  <nop,nop,sack 1 {101:201}>`);

    expect(client.dsacks).toBe(1);
    expect(server.dsacks).toBe(0);
  });

  test('a D-SACK above the acknowledgement lies within the second block', async () => {
    const { client } = await transferOf(`${LOSS}
S > C  .   1:1(0)        ack 101  <nop,nop,sack 2 {201:251}{201:301}>`);

    expect(client.dsacks).toBe(1);
  });

  test('what was selectively acknowledged is not in flight', async () => {
    const { client } = await transferOf(`${LOSS}
S > C  .   1:1(0)        ack 101  <nop,nop,sack 1 {201:301}>
C > S  .   301:501(200)  ack 1`);

    // 101 … 500 without the 100 bytes of the block, and no more than the 300 before.
    expect(client.maxBytesInFlight).toBe(300);
  });
});

describe('windows', () => {
  test('a window of 0, the probe of one byte and its answer are counted each on its side', async () => {
    const { client, server } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
S > C  .   1:1(0)        ack 101  win 0
C > S  .   101:102(1)    ack 1  +1
S > C  .   1:1(0)        ack 101  win 0
S > C  .   1:1(0)        ack 101  win 500
C > S  .   101:201(100)  ack 1
S > C  .   1:1(0)        ack 201  win 500`);

    expect(counts(client)).toEqual({ zeroWindowProbes: 1 });
    expect(counts(server)).toEqual({ zeroWindows: 2, zeroWindowProbeAcks: 1, windowUpdates: 1 });
    expect(client).toMatchObject({ uniqueBytes: 200, missingBytes: 0 });
  });

  test('data up to the edge of the window fills it', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  .   1:2(1)      ack 1
S > C  .   1:1(0)      ack 2  win 100
C > S  .   2:52(50)    ack 1
C > S  .   52:102(50)  ack 1`);

    expect(counts(client)).toEqual({ windowFull: 1 });
  });

  test('a window is scaled where both SYNs offered it, and a SYN’s never', async () => {
    const scaled = await transferOf(`
C > S  S   0:0(0)  win 60000  <mss 1460,nop,wscale 7>
S > C  S.  0:0(0)  ack 1  win 50000  <mss 1460,nop,wscale 2>
C > S  .   1:1(0)  ack 1  win 500
S > C  .   1:1(0)  ack 1  win 500`);
    const plain = await transferOf(`
C > S  S   0:0(0)  win 600  <mss 1460,nop,wscale 7>
S > C  S.  0:0(0)  ack 1  win 500
C > S  .   1:1(0)  ack 1  win 700`);

    expect(scaled.client.maxWindow).toBe(500 << 7);
    expect(scaled.server.maxWindow).toBe(50_000);
    expect(plain.client.maxWindow).toBe(700);
  });

  test('bytes in flight end at what was sent and begin at what was acknowledged', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   101:201(100)  ack 1
S > C  .   1:1(0)        ack 101
C > S  .   201:301(100)  ack 1
S > C  .   1:1(0)        ack 301
C > S  F.  301:351(50)   ack 1`);

    expect(client.maxBytesInFlight).toBe(200);
  });
});

describe('keep-alives', () => {
  test('a byte less than the next number is a keep-alive, and the same ACK again its answer', async () => {
    const { client, server } = await transferOf(`${OPENED}
C > S  P.  1:101(100)  ack 1
S > C  .   1:1(0)      ack 101
C > S  .   100:100(0)  ack 1    +60
S > C  .   1:1(0)      ack 101
C > S  .   100:101(1)  ack 1    +60
S > C  .   1:1(0)      ack 101`);

    expect(counts(client)).toEqual({ keepAlives: 2 });
    expect(counts(server)).toEqual({ keepAliveAcks: 2 });
    expect(client.uniqueBytes).toBe(100);
  });
});

describe('what the capture lacks', () => {
  test('a gap that the other end acknowledged is missing', async () => {
    const { client, server } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   301:401(100)  ack 1
S > C  .   1:1(0)        ack 401`);

    expect(client).toMatchObject({ uniqueBytes: 200, missingBytes: 200, lostSegments: 1 });
    expect(server.ackedUnseen).toBe(1);
  });

  test('a gap that nobody acknowledged is not', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   301:401(100)  ack 1
S > C  .   1:1(0)        ack 101`);

    expect(client).toMatchObject({ uniqueBytes: 200, missingBytes: 0 });
  });

  test('bytes acknowledged beyond everything captured are missing', async () => {
    const { client, server } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
S > C  .   1:1(0)        ack 501`);

    expect(client).toMatchObject({ uniqueBytes: 100, missingBytes: 400 });
    expect(server.ackedUnseen).toBe(1);
  });

  test('a gap filled in its middle and at its ends leaves what is left', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  .   1:101(100)     ack 1
C > S  .   901:1001(100)  ack 1
C > S  .   401:501(100)   ack 1  +0.5
C > S  .   101:151(50)    ack 1  +0.5
C > S  .   851:951(100)   ack 1  +0.5
S > C  .   1:1(0)         ack 1001`);

    expect(client).toMatchObject({ uniqueBytes: 400, missingBytes: 600 });
  });

  test('a capture that begins in mid-connection counts from its first segment', async () => {
    const { client } = await transferOf(`
C > S  .   1001:1101(100)  ack 1
C > S  .   901:1001(100)   ack 1
S > C  .   1:1(0)          ack 1101`);

    expect(client).toMatchObject({ uniqueBytes: 200, missingBytes: 0 });
  });

  test('a SYN on ports used before is said of the later connection', async () => {
    const records = await connectionsIn(segments`
C > S  S   0:0(0)
S > C  R.  0:0(0)  ack 1
isn C 90000
C > S  S   0:0(0)
S > C  R.  0:0(0)  ack 1`);

    expect(records.map(({ transfer }) => transfer.reusedPorts)).toEqual([false, true]);
  });
});

describe('round trips', () => {
  test('the ACK that ends where a segment ends gives one, to the side that sent the segment', async () => {
    const { client, server } = await transferOf(`
C > S  S   0:0(0)
S > C  S.  0:0(0)      ack 1    +0.02
C > S  .   1:1(0)      ack 1    +0.001
C > S  P.  1:101(100)  ack 1    +0
S > C  .   1:1(0)      ack 101  +0.03
C > S  P.  101:201(100) ack 1   +0
S > C  .   1:1(0)      ack 201  +0.05`);

    expect(client.rtt).toEqual({ samples: 3, min: 0.02, median: 0.03, p95: 0.05, max: 0.05 });
    expect(server.rtt).toEqual({
      samples: 1,
      min: 0.001,
      median: 0.001,
      p95: 0.001,
      max: 0.001,
    });
  });

  test('an ACK of several segments measures the last one', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   101:201(100)  ack 1
C > S  .   201:301(100)  ack 1
S > C  .   1:1(0)        ack 201  +0.005
S > C  .   1:1(0)        ack 301  +0.001`);

    // The SYN 10 ms; the second segment 15 ms, the third 6 ms.
    expect(client.rtt).toMatchObject({ samples: 3, min: 0.006, median: 0.01, max: 0.015 });
  });

  test('nothing that was under way when a segment was sent again is measured (Karn)', async () => {
    const { client } = await transferOf(`${OPENED}
C > S  .   1:101(100)    ack 1
C > S  .   101:201(100)  ack 1
C > S  .   1:101(100)    ack 1  +0.3
S > C  .   1:1(0)        ack 201`);

    expect(client.rtt).toMatchObject({ samples: 1, max: 0.01 });
  });

  test('without an ACK there is none', async () => {
    const { client } = await transferOf(`
C > S  S   0:0(0)`);

    expect(client.rtt).toBeNull();
  });

  test('the median and p95 of many are exact up to a hundred, and within 1/32 beyond', async () => {
    const exchange = (n: number) =>
      Array.from({ length: n }, (_, i) => {
        const at = 1 + i * 10;
        return `C > S  P.  ${at}:${at + 10}(10)  ack 1  +0\nS > C  .  1:1(0)  ack ${at + 10}  +0.00${i + 100}`;
      }).join('\n');
    const few = await transferOf(`${OPENED}\n${exchange(99)}`);
    const many = await transferOf(`${OPENED}\n${exchange(800)}`);

    // 1.00 … 1.98 ms and the SYN's 10 ms: nearest rank.
    expect(few.client.rtt).toMatchObject({ samples: 100, median: 0.00149, p95: 0.00194 });
    // 1.00 … 8.99 ms and 10 ms.
    const { samples, min, max, median, p95 } = many.client.rtt!;
    expect({ samples, min, max }).toEqual({ samples: 801, min: 0.001, max: 0.01 });
    expect(Math.abs(median / 0.005 - 1)).toBeLessThan(1 / 32);
    expect(Math.abs(p95 / 0.0086 - 1)).toBeLessThan(1 / 32);
  });
});
