"""Sockets and their states as the tracepoints tell them, with TIME_WAIT put back (net/ipv4/tcp_minisocks.c)."""

from wire import host, other

from capture import FIN, RST

MS = 1_000_000
# A change and the frame that made it lie microseconds apart; the socket may be owned by its process for a little longer.
NEAR_NS = 2 * MS
ONE_INTERRUPT_NS = 50_000


class Socket:
    """A full socket from its first state to CLOSE."""

    def __init__(self, event):
        self.local, self.remote, self.start = event.local, event.remote, event.t
        self.states = []
        self.resets = []
        self.retransmits = 0

    def add(self, event):
        self.states.append((event.t, event.old, event.new))

    def name(self, event):
        """A connecting socket has no port yet, and under IPv6 no address, when its first event is traced."""
        if self.local.endswith(':0'):
            self.local, self.remote = event.local, event.remote


def sockets(events, hosts):
    """(sockets, events of resets that belong to none) of the lab's addresses `hosts`."""
    by_address, found, strays = {}, [], []
    for event in events:
        if host(event.local) not in hosts and host(event.remote) not in hosts:
            continue
        sk = by_address.get(event.sk)
        if event.kind == 'inet_sock_set_state':
            if 'LISTEN' in (event.new,) or (event.old == 'LISTEN' and event.new == 'CLOSE'):
                continue
            if event.old in ('CLOSE', 'LISTEN') or sk is None:
                sk = by_address[event.sk] = Socket(event)
                found.append(sk)
            sk.name(event)
            sk.add(event)
        elif event.kind == 'tcp_retransmit_skb':
            if sk is not None:
                sk.retransmits += 1
        elif event.kind in ('tcp_send_reset', 'tcp_receive_reset'):
            if sk is not None and event.kind == 'tcp_receive_reset':
                sk.name(event)
            mine = sk is not None and (sk.local, sk.remote) == (event.local, event.remote)
            if mine and event.state not in ('TIME_WAIT', 'LISTEN', 'NEW_SYN_RECV'):
                sk.resets.append((event.t, event.kind[4:], event.reason))
            else:
                strays.append(event)
    return found, strays


def attach(connections, found, strays):
    """Gives each connection its two sockets and the resets that no socket of its own sent."""
    by_pair = {}
    for connection in connections:
        by_pair.setdefault(tuple(sorted(connection.end.values())), []).append(connection)
    for sk in found:
        best = None
        for connection in by_pair.get(tuple(sorted((sk.local, sk.remote))), ()):
            side = connection.side(sk.local)
            if connection.sockets[side] is not None:
                continue
            # A connecting socket begins before its first SYN, a listener's child after it.
            slack = 500 * MS if sk.states[0][2] == 'SYN_SENT' else 0
            if sk.start + slack < connection.start:
                continue
            if sk.states[0][2] == 'SYN_SENT':
                own = [s for s in connection.sent[side] if s.flags & 2]
                gap = abs(own[0].t - sk.start) if own else abs(connection.start - sk.start)
            else:
                gap = sk.start - connection.start
            if best is None or gap < best[0]:
                best = (gap, connection, side)
        if best is not None:
            best[1].sockets[best[2]] = sk
    for event in strays:
        candidates = [c for c in by_pair.get(tuple(sorted((event.local, event.remote))), ()) if c.start <= event.t + MS]
        if candidates:
            candidates[-1].stray_resets.append((event.t, candidates[-1].side(event.local), event.reason))


def with_time_wait(connection, side, fin_timeout_ns, stop_ns):
    """The socket's states, the minisocket's put back: [(t, old, new[, mark])]."""
    states = _restored(connection, side, fin_timeout_ns, stop_ns)
    for i, (entry, after) in enumerate(zip(states, states[1:], strict=False)):
        if entry[2] == 'FIN_WAIT2' and after[2] == 'TIME_WAIT' and after[0] - entry[0] < NEAR_NS:
            own_fin = connection.fin(side)
            first = own_fin and next((s for s in connection.got[side] if s.covers(own_fin.end)), None)
            if first and first.flags & FIN:
                # One segment brought the ACK and the FIN: on the wire FIN_WAIT_2 never was.
                states[i] = (*entry, 'at-once')
    return states


def _restored(connection, side, fin_timeout_ns, stop_ns):
    sk = connection.sockets[side]
    if sk is None:
        return []
    # close() after shutdown() sets the state that the socket is in already.
    states = [entry for entry in sk.states if entry[1] != entry[2]]
    at, old, new = states[-1]
    if new != 'CLOSE':
        return states
    # An orphan that gets data calls tcp_reset() on itself and sends a RST: both are traced.
    near = [kind for t, kind, _reason in sk.resets if abs(t - at) < NEAR_NS]
    if near == ['receive_reset'] and not any(s.flags & RST for s in connection.got[side]):
        # The RST belongs to the next incarnation of the 4-tuple: half-open discovery (RFC 9293 §3.5.1).
        return [*states[:-1], (at, old, new, 'silent')]
    if near:
        return states
    head = states[:-1]
    got = connection.got[side]
    own_fin = connection.fin(side)

    def arrived(test, since, until):
        return next((s for s in got if since <= s.t <= until and test(s)), None)

    covering = own_fin and arrived(lambda s: s.covers(own_fin.end), at - NEAR_NS, at + MS // 10)
    if old == 'LAST_ACK':
        return states if covering else [*head, (at, old, new, 'silent')]
    if old == 'CLOSING':
        return [*head, (at, old, 'TIME_WAIT', 'tw')] if covering else [*head, (at, old, new, 'silent')]
    if old != 'FIN_WAIT2':
        return [*head, (at, old, new, 'silent')]
    peer_fin = connection.fin(other(side))
    if peer_fin and _acknowledged(connection, side, peer_fin, at):
        return [*head, (at, old, 'TIME_WAIT', 'tw')]
    return head + _minisocket(connection, side, at, fin_timeout_ns, stop_ns, peer_fin)


def _acknowledged(connection, side, peer_fin, at):
    """
    Whether the socket itself took the peer's FIN at `at`: it then sends the ACK just before it is handed over. The FIN may have
    arrived long before, behind a gap.
    """
    return any(s.covers(peer_fin.end) for s in connection.sent[side] if at - MS // 2 <= s.t <= at + MS // 30)


def _minisocket(connection, side, since, fin_timeout_ns, stop_ns, peer_fin):
    """What became of an orphan that was handed over in FIN_WAIT2 at `since`."""
    ends = []
    for t, who, _reason in connection.stray_resets:
        if who == side and t >= since:
            ends.append((t, 'FIN_WAIT2', 'CLOSE', 'tw-rst'))
    for s in connection.got[side]:
        if s.t < since - MS // 10:
            continue
        if s.flags & RST:
            ends.append((s.t, 'FIN_WAIT2', 'CLOSE', 'tw-reset'))
        elif s.flags & FIN and peer_fin and s.end == peer_fin.end and s.len == 0:
            numbers = [x for x in connection.sent[side] if x.t < s.t]
            if numbers and numbers[-1].ack == s.seq:
                ends.append((s.t, 'FIN_WAIT2', 'TIME_WAIT', 'tw'))
    if since + fin_timeout_ns < stop_ns:
        ends.append((since + fin_timeout_ns, 'FIN_WAIT2', 'CLOSE', 'tw-timer'))
    return [min(ends)] if ends else []
