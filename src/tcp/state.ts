/** The TCP state machine as data (RFC 9293 §3.3.2, Figure 5 and its notes; §3.10.7). */

export const TCP_STATES = [
  'CLOSED',
  'LISTEN',
  'SYN_SENT',
  'SYN_RECEIVED',
  'ESTABLISHED',
  'FIN_WAIT_1',
  'FIN_WAIT_2',
  'CLOSING',
  'TIME_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
] as const;
export type TcpState = (typeof TCP_STATES)[number];

/** Edge labels of Figure 5: what an endpoint sends or receives. */
export const TCP_EVENTS = [
  'snd SYN',
  'rcv SYN',
  'rcv SYN,ACK',
  'rcv ACK of SYN',
  'snd FIN',
  'rcv FIN',
  'rcv ACK of FIN',
  'rcv FIN,ACK of FIN',
  'snd RST',
  'rcv RST',
  'timeout 2MSL',
] as const;
export type TcpEvent = (typeof TCP_EVENTS)[number];

// biome-ignore format: one state a line, so the table reads like Figure 5 of RFC 9293 (§3.3.2)
export const TRANSITIONS = {
  CLOSED:       { 'snd SYN': 'SYN_SENT' },
  LISTEN:       { 'rcv SYN': 'SYN_RECEIVED', 'snd SYN': 'SYN_SENT', 'rcv RST': 'LISTEN' },
  SYN_SENT:     { 'rcv SYN,ACK': 'ESTABLISHED', 'rcv SYN': 'SYN_RECEIVED' },
  SYN_RECEIVED: { 'rcv ACK of SYN': 'ESTABLISHED', 'rcv SYN,ACK': 'ESTABLISHED', // §3.10.7.4: a SYN,ACK acknowledges the SYN
                  'snd FIN': 'FIN_WAIT_1', 'rcv FIN': 'CLOSE_WAIT' },            // §3.10.7.4, eighth step
  ESTABLISHED:  { 'snd FIN': 'FIN_WAIT_1', 'rcv FIN': 'CLOSE_WAIT' },
  FIN_WAIT_1:   { 'rcv ACK of FIN': 'FIN_WAIT_2', 'rcv FIN': 'CLOSING',
                  'rcv FIN,ACK of FIN': 'TIME_WAIT' },                           // Figure 5, note 2
  FIN_WAIT_2:   { 'rcv FIN': 'TIME_WAIT', 'rcv FIN,ACK of FIN': 'TIME_WAIT' },
  CLOSE_WAIT:   { 'snd FIN': 'LAST_ACK' },
  CLOSING:      { 'rcv ACK of FIN': 'TIME_WAIT' },
  LAST_ACK:     { 'rcv ACK of FIN': 'CLOSED' },
  TIME_WAIT:    { 'timeout 2MSL': 'CLOSED' },
} as const satisfies Record<TcpState, Partial<Record<TcpEvent, TcpState>>>;

/**
 * The state after `event` in `state`; `state` itself where the pair has no entry.
 * Adds the one rule the table leaves out: a RST sent or accepted closes from every state but LISTEN (§3.5.3).
 */
export function nextState(state: TcpState, event: TcpEvent): TcpState {
  if ((event === 'rcv RST' || event === 'snd RST') && state !== 'LISTEN') return 'CLOSED';
  const edges: Partial<Record<TcpEvent, TcpState>> = TRANSITIONS[state];
  return edges[event] ?? state;
}
