"""
What the wire showed of each connection, from two taps that sit on the sockets' own interfaces: everything each end sent, in
the order in which it sent it, and everything it received. Independent of finwait: tshark reads the taps.
"""

from capture import ACK, FIN, RST, SYN

SIDES = ('client', 'server')


def other(side):
    return 'server' if side == 'client' else 'client'


def host(endpoint):
    return endpoint.rpartition(':')[0]


class Connection:
    """One incarnation of a 4-tuple; `client` is the end in the client's namespace, which opens (in a simultaneous open both do)."""

    def __init__(self, client, server, start):
        self.end = {'client': client, 'server': server}
        self.start = start
        self.isn = {'client': None, 'server': None}
        self.synack = False
        self.sent = {'client': [], 'server': []}
        self.got = {'client': [], 'server': []}
        self.forged = {'client': [], 'server': []}
        self.order = {}
        self.sockets = {'client': None, 'server': None}
        self.stray_resets = []
        self.keys = set()

    def side(self, endpoint):
        return 'client' if endpoint == self.end['client'] else 'server'

    def fin(self, side):
        """The first FIN as sent by `side`, or None."""
        return next((s for s in self.sent[side] if s.flags & FIN), None)

    def add_sent(self, segment):
        side = self.side(segment.source)
        if segment.flags & SYN and self.isn[side] is None:
            self.isn[side] = segment.seq
        self.synack = self.synack or segment.flags & (SYN | ACK) == SYN | ACK
        self.order.setdefault(segment.key, len(self.sent[side]))
        self.sent[side].append(segment)
        self.keys.add(segment.key)


def pair(segment):
    return tuple(sorted((segment.source, segment.target)))


def connections(tap_client, tap_server, client_hosts):
    """The connections of the two taps in the order of their first segment."""
    records = [(s.t, s, host(s.source) in client_hosts) for s in tap_client]
    records += [(s.t, s, host(s.source) not in client_hosts) for s in tap_server]
    records.sort(key=lambda record: record[0])
    found, current, by_key = [], {}, {}
    for at, segment, outgoing in records:
        if not outgoing:
            continue
        tuple_ = pair(segment)
        connection = current.get(tuple_)
        if segment.flags & (SYN | ACK | RST) == SYN and connection is not None:
            isn = connection.isn[connection.side(segment.source)]
            if isn not in (None, segment.seq) or (isn is None and connection.synack):
                connection = None
        if connection is None:
            from_client = host(segment.source) in client_hosts
            ends = (segment.source, segment.target) if from_client else (segment.target, segment.source)
            connection = current[tuple_] = Connection(*ends, at)
            found.append(connection)
        connection.add_sent(segment)
        by_key[segment.key] = connection
    for at, segment, outgoing in records:
        if outgoing:
            continue
        connection = by_key.get(segment.key)
        if connection is None:
            candidates = [c for c in found if pair(segment) == tuple(sorted(c.end.values())) and c.start <= at]
            if not candidates:
                continue
            connection = candidates[-1]
            if segment.flags & RST:
                connection.forged[connection.side(segment.target)].append(segment)
        side = connection.side(segment.target)
        connection.got[side].append(segment)
    return found


def handshake(connection, segments):
    """The kind of opening that `segments`, in their order, show; `tfo` and `none-seen` as in the shared labs' form."""
    client, server = connection.end['client'], connection.end['server']
    syns = [s for s in segments if s.flags & (SYN | ACK | RST) == SYN]
    synacks = [s for s in segments if s.flags & (SYN | ACK | RST) == SYN | ACK]
    if {s.source for s in syns} == {client, server}:
        return 'simultaneous-open'
    if not syns:
        return 'partial' if synacks else 'none-seen'
    first = syns[0]
    answers = [s for s in synacks if s.source != first.source and s.ack in ((first.seq + 1) & 0xFFFFFFFF, first.end)]
    from_client = [s for s in segments if s.source == first.source]
    from_server = [s for s in segments if s.source != first.source]
    if answers:
        number = (answers[0].seq + 1) & 0xFFFFFFFF
        if any(s.covers(number) and not s.flags & (RST | SYN) for s in from_client):
            return 'tfo' if first.len and answers[0].ack == first.end else '3-way'
        return 'aborted' if any(s.flags & RST for s in segments) else 'half-open'
    if any(s.flags & RST and s.flags & ACK and s.ack in {x.end for x in syns} for s in from_server):
        return 'refused'
    return 'partial' if any(not s.flags & RST for s in from_server) else 'unanswered'


class Verdict:
    """What `segments` show of the close, in the words of the truth form."""

    def __init__(self, connection, segments, ends_by_reset):
        self.connection = connection
        self.fins = {}
        fin_end = {}
        for side in SIDES:
            true_first = connection.fin(side)
            if true_first is not None:
                fin_end[side] = true_first.end
            end = connection.end[side]
            self.fins[side] = next((s for s in segments if s.flags & FIN and s.source == end), None)
            if self.fins[side] is not None and side not in fin_end:
                fin_end[side] = self.fins[side].end
        self.fin_end = fin_end
        self.rst_by = self.rst_after_close = None
        self.rst_senders = []
        acked = {'client': False, 'server': False}
        for segment in segments:
            side = connection.side(segment.source)
            peer = other(side)
            if segment.flags & RST:
                if not ends_by_reset(side, segment):
                    continue
                if side not in self.rst_senders:
                    self.rst_senders.append(side)
                if all(acked.values()) and self.rst_by is None:
                    self.rst_after_close = self.rst_after_close or side
                else:
                    self.rst_by = self.rst_by or side
            elif peer in fin_end and self.fins[peer] is not None and segment.covers(fin_end[peer]):
                acked[peer] = acked[peer] or not segment.flags & SYN
        self.complete = all(acked.values()) and self.rst_by is None
        self.orderly = self._orderly(segments)
        self.close = 'rst' if self.rst_by else (self.orderly if all(self.fins.values()) else 'none')
        self.closed_first = self._first()

    def _orderly(self, segments):
        if not all(self.fins.values()):
            return None
        covering = {side: self.fins[side].covers(self.fin_end[other(side)]) for side in SIDES}
        if covering['client'] == covering['server']:
            return 'simultaneous'
        late = 'client' if covering['client'] else 'server'
        early = other(late)
        connection, fin = self.connection, self.fins[late]
        ours = [s for s in segments if s.source == connection.end[late] and not s.flags & (RST | SYN)]
        true_first = connection.fin(late)
        limit = connection.order.get(true_first.key) if true_first else None
        for s in ours:
            if s.flags & FIN or not s.covers(self.fin_end[early]):
                continue
            at = connection.order.get(s.key)
            if at is not None and limit is not None:
                before = at < limit
            else:
                before = (self.fin_end[late] - 1 - (s.seq + s.len)) & 0xFFFFFFFF < 0x80000000
            if before:
                return '4-way'
        if true_first is None or fin.key == true_first.key or not connection.order:
            return '3-way-merged'
        return self._without_first_fin(segments, late, early)

    def _without_first_fin(self, segments, late, early):
        """The first FIN of `late` is not in the file: an ACK from behind it, the other FIN seen once before, tells."""
        seen = 0
        for s in segments:
            if s.source == self.connection.end[early] and s.flags & FIN:
                seen += 1
                continue
            behind = s.source == self.connection.end[late] and s.seq == self.fin_end[late]
            if behind and not s.flags & (FIN | RST | SYN) and s.covers(self.fin_end[early]):
                return 'simultaneous' if seen == 1 else '3-way-merged'
        return '3-way-merged'

    def _first(self):
        seen = [side for side in SIDES if self.fins[side] is not None]
        if len(seen) < 2:
            return seen[0] if seen else None
        if self.orderly == 'simultaneous':
            return 'both'
        return 'server' if self.fins['client'].covers(self.fin_end['server']) else 'client'
