/** A connection as the lab writes it, for tests of the reading of truth. */

import type { TruthConnection } from './truth.ts';

/** An ordinary connection, client first, as the lab writes it; times in seconds. */
export function connection(changes: Partial<TruthConnection> = {}): TruthConnection {
  return {
    client: '10.77.0.1:40000',
    server: '10.77.0.2:8080',
    close: '4-way',
    close_as_sent: '4-way',
    closed_first: 'client',
    closed_first_as_sent: 'client',
    complete: true,
    rst_by: null,
    rst_after_close: null,
    handshake: '3-way',
    client_rfc: [
      [1, 'CLOSE', 'SYN_SENT'],
      [2, 'SYN_SENT', 'ESTABLISHED'],
      [3, 'ESTABLISHED', 'FIN_WAIT1'],
      [4, 'FIN_WAIT1', 'FIN_WAIT2'],
      [5, 'FIN_WAIT2', 'TIME_WAIT', 'tw'],
    ],
    server_rfc: [
      [2, 'LISTEN', 'SYN_RECV'],
      [2, 'SYN_RECV', 'ESTABLISHED'],
      [3, 'ESTABLISHED', 'CLOSE_WAIT'],
      [4, 'CLOSE_WAIT', 'LAST_ACK'],
      [5, 'LAST_ACK', 'CLOSE'],
    ],
    client_resets: [],
    server_resets: [],
    fins: { client: true, server: true },
    fins_as_sent: { client: true, server: true },
    first_frame: 1,
    frames: 10,
    streams: [0],
    notes: '',
    ...changes,
  };
}
