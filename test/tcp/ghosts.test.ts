/** Connections that were written out are remembered for their late frames. */

import { expect, test } from 'vitest';
import { runAnalysis } from '../../src/analyze.ts';
import { openCapture } from '../../src/capture/open.ts';
import { OPENED_AND_CLOSED, segments } from '../support/fixtures.ts';

test.each([
  ['IPv4', '10.0.0.1:40000', '10.0.0.2:80'],
  ['IPv6', '[2001:db8::1]:40000', '[2001:db8::2]:80'],
])('a late frame of either end of an %s connection opens no new one', async (_, client, server) => {
  const noise = 'X > Y . 1:1(0) ack 1\n'.repeat(300);
  for (const late of ['C > S', 'S > C']) {
    const capture = segments`
      client ${client}
      server ${server}
      host X 10.0.0.3:1
      host Y 10.0.0.4:1
      ${OPENED_AND_CLOSED}
      X > Y . 1:1(0) ack 1 +65
      ${noise}
      ${late} . 2:2(0) ack 2 +0.1`;
    const summary = await runAnalysis(await openCapture(capture), { onRecord() {} });

    expect(summary).toMatchObject({ connections: 2, strayFrames: 1 });
  }
});
