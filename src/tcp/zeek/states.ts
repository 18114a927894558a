/** Zeek's endpoint states, and the conn_state that it makes of two of them (zeek: base/protocols/conn/main.zeek). */

export const INACTIVE = 0;
export const SYN_SENT = 1;
export const SYN_ACK_SENT = 2;
/** Something was seen of it, but no SYN. */
export const PARTIAL = 3;
export const ESTABLISHED = 4;
/** It sent a FIN. */
export const CLOSED = 5;
/** It sent a RST. */
export const RESET = 6;

/** Every conn_state; docs/zeek.md says what each means. */
export const CONN_STATES = [
  'S0',
  'S1',
  'SF',
  'REJ',
  'S2',
  'S3',
  'RSTO',
  'RSTR',
  'RSTOS0',
  'RSTRH',
  'SH',
  'SHR',
  'OTH',
] as const;

export type ConnState = (typeof CONN_STATES)[number];

/** A SYN and later a RST of the originator, with nothing in between that a responder would answer. */
const SYN_THEN_RST = /^\^?S[^HAFGIQ]*R/;

/** The conn_state of a connection whose ends are in these states; `isEmpty`: neither end has sent a byte. */
export function connState(
  orig: number,
  resp: number,
  isEmpty: boolean,
  history: string,
): ConnState {
  const origUnknown = orig === INACTIVE || orig === PARTIAL;
  const respUnknown = resp === INACTIVE || resp === PARTIAL;
  if (resp === RESET) {
    if (orig === SYN_SENT || orig === SYN_ACK_SENT || (orig === RESET && isEmpty)) return 'REJ';
    return origUnknown ? 'RSTRH' : 'RSTR';
  }
  if (orig === RESET) {
    if (!respUnknown) return 'RSTO';
    return SYN_THEN_RST.test(history) ? 'RSTOS0' : 'OTH';
  }
  if (orig === CLOSED && resp === CLOSED) return 'SF';
  if (orig === CLOSED) return respUnknown ? 'SH' : 'S2';
  if (resp === CLOSED) return origUnknown ? 'SHR' : 'S3';
  if (orig === SYN_SENT && resp === INACTIVE) return 'S0';
  return orig === ESTABLISHED && resp === ESTABLISHED ? 'S1' : 'OTH';
}
