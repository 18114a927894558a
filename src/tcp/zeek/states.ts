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

/** Every conn_state, with Zeek's meaning of it. */
export const CONN_STATES = {
  S0: 'attempt seen, no reply',
  S1: 'established, not terminated',
  SF: 'normal establishment and termination',
  REJ: 'attempt rejected',
  S2: 'established, close by the originator seen, none by the responder',
  S3: 'established, close by the responder seen, none by the originator',
  RSTO: 'established, the originator aborted',
  RSTR: 'the responder aborted',
  RSTOS0: 'SYN and then RST of the originator, no SYN-ACK seen',
  RSTRH: 'SYN-ACK and then RST of the responder, no SYN seen',
  SH: 'SYN and then FIN of the originator, no SYN-ACK seen',
  SHR: 'SYN-ACK and then FIN of the responder, no SYN seen',
  OTH: 'no SYN seen, or anything else',
} as const;

export type ConnState = keyof typeof CONN_STATES;

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
