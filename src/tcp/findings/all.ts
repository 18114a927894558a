/** Every finding about one connection, in the order in which a person would want to read them. */

import type { Finding } from '../verdicts.ts';
import { rstLinger, rstTimeout, rstUnreadData } from './abortive-close.ts';
import { badHandshakeAck } from './bad-handshake-ack.ts';
import { captureLostPackets } from './capture-lost-packets.ts';
import { closeWaitLong, finWait2Long } from './close-wait-long.ts';
import { finRetransmitted } from './fin-retransmitted.ts';
import type { Case, Finder } from './finding.ts';
import { halfClosedData } from './half-closed-data.ts';
import { lastAckLost } from './last-ack-lost.ts';
import { mergedByDelayedAck } from './merged-by-delayed-ack.ts';
import { portReusedInTimeWait } from './port-reused-in-time-wait.ts';
import { refused } from './refused.ts';
import { rstAfterClose } from './rst-after-close.ts';
import { rstForged } from './rst-forged.ts';
import { rstIgnored } from './rst-ignored.ts';
import { rstNoSuchConnection } from './rst-no-such-connection.ts';
import { synRetransmitted } from './syn-retransmitted.ts';
import { vanished } from './vanished.ts';
import { zeroWindow } from './zero-window.ts';

/** In this order. */
export const FINDERS: readonly Finder[] = [
  synRetransmitted,
  badHandshakeAck,
  refused,
  rstUnreadData,
  rstAfterClose,
  rstLinger,
  rstTimeout,
  rstNoSuchConnection,
  rstForged,
  rstIgnored,
  finRetransmitted,
  lastAckLost,
  halfClosedData,
  mergedByDelayedAck,
  closeWaitLong,
  finWait2Long,
  zeroWindow,
  portReusedInTimeWait,
  vanished,
  captureLostPackets,
];

/** What is worth knowing of the connection; empty for most. */
export function findAll(c: Case): Finding[] {
  const findings: Finding[] = [];
  for (const find of FINDERS) {
    const finding = find(c);
    if (finding !== null) findings.push(finding);
  }
  return findings;
}
