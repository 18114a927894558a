"""
The truth of one capture in the JSON form of the kernel captures: the kernel's states, what both ends sent, and what of that is in
the file. `undecided` names the ends whose states this file can't tell, because a segment was lost on its far side.
"""

import json
import platform
import re

from kernel import MS, attach, sockets, with_time_wait
from readable import lost_first_fin, unreadable
from wire import SIDES, Verdict, connections, handshake, other

HOSTS = {'10.77.0.1', '10.77.0.2', '[fd77::1]', '[fd77::2]'}
CLIENT_HOSTS = {'10.77.0.1', '[fd77::1]'}


def reset_ends(connection):
    """Whether a RST that `side` sent ended the connection: false where that end lived on, or the receiver ignored a forged one."""

    def ends(side, segment):
        if segment.key in connection.keys:
            sk = connection.sockets[side]
            return sk is None or not any(t > segment.t + MS and new != 'CLOSE' for t, _old, new in sk.states)
        victim = connection.sockets[other(side)]
        return victim is not None and any(
            kind == 'receive_reset' and abs(t - segment.t) < 2000 * MS for t, kind, _reason in victim.resets
        )

    return ends


def seconds(t):
    return round(t / 1e9, 6)


def plain(path):
    return [[seconds(entry[0]), *entry[1:]] for entry in path]


def resets(sk):
    return [[seconds(t), kind, reason] for t, kind, reason in sk.resets] if sk else []


def kernel_close(paths):
    names = {side: [entry[2] for entry in paths[side]] for side in SIDES}
    if any('CLOSING' in path for path in names.values()) or all(
        'FIN_WAIT1' in path and 'CLOSE_WAIT' not in path for path in names.values()
    ):
        return 'simultaneous'
    if all('TIME_WAIT' in path or 'LAST_ACK' in path for path in names.values()):
        return 'orderly'
    return 'rst' if any(path[-1:] == ['CLOSE'] for path in names.values()) else None


class Truth:
    """Taps and events of one run, from which the truth of each of its captures is made."""

    def __init__(self, tap_client, tap_server, events, clock, stop_ns, fin_timeout_s, taps_exact):
        self.clock, self.stop_ns, self.exact = clock, stop_ns, taps_exact
        self.connections = connections(tap_client, tap_server, CLIENT_HOSTS)
        kept = [e for e in events if e.t <= stop_ns]
        found, strays = sockets(kept, HOSTS)
        attach(self.connections, found, strays)
        self.paths = {}
        for connection in self.connections:
            self.paths[id(connection)] = {
                side: with_time_wait(connection, side, fin_timeout_s * 1_000_000_000, stop_ns) for side in SIDES
            }

    def _segments_of(self, connection, by_key, by_pair):
        """The segments of `connection` in the file, in its order, each transmission once."""
        if self.exact:
            indexes = sorted({i for key in connection.keys for i in by_key.get(key, ())})
        else:
            indexes = by_pair.get(tuple(sorted(connection.end.values())), [])
        return indexes

    def of_file(self, segments, at_side):
        """The `connections` list for a file whose segments are `segments`, captured at `client`, `server` or `middle`."""
        by_key, by_pair = {}, {}
        known = {key for c in self.connections for key in c.keys}
        for i, s in enumerate(segments):
            by_key.setdefault(s.key, []).append(i)
            by_pair.setdefault(tuple(sorted((s.source, s.target))), []).append(i)
        rows = []
        for connection in self.connections:
            indexes = self._segments_of(connection, by_key, by_pair)
            if not indexes:
                continue
            # Forged segments are in the file and in nobody's tap as sent: they are those of the same stream.
            streams = {segments[i].stream for i in indexes}
            for i in by_pair.get(tuple(sorted(connection.end.values())), ()):
                if segments[i].key not in known and segments[i].stream in streams and i not in indexes:
                    indexes.append(i)
            indexes.sort()
            unique, seen = [], set()
            for i in indexes:
                if segments[i].key not in seen:
                    seen.add(segments[i].key)
                    unique.append(segments[i])
            rows.append(self._row(connection, unique, [segments[i] for i in indexes], at_side))
        rows.sort(key=lambda row: row['first_frame'])
        return rows

    def _row(self, connection, unique, frames, at_side):
        ends = reset_ends(connection)
        sent = sorted(connection.sent['client'] + connection.sent['server'], key=lambda s: s.t)
        forged = connection.forged['client'] + connection.forged['server']
        as_sent = Verdict(connection, sorted(sent + forged, key=lambda s: s.t), ends)
        in_file = Verdict(connection, unique, ends)
        paths = self.paths[id(connection)]
        keys = {s.key for s in unique}
        notes, undecided = [], []
        for side in SIDES:
            sk = connection.sockets[side]
            path = paths[side]
            if sk and path and len(path[-1]) > 3 and path[-1][3].startswith('tw'):
                notes.append(
                    f"{side}: the kernel's list ends in CLOSE where a minisocket took over in {sk.states[-1][1]}"
                )
            why = unreadable(connection, side, keys, paths, at_side) if self.exact else None
            if not why and in_file.close != as_sent.close:
                why = lost_first_fin(connection, side, keys)
            if why and path:
                undecided.append(side)
                notes.append(f'{side}: {why}')
        if in_file.close != as_sent.close:
            notes.append(
                f'as sent: {as_sent.close}; from this capture alone: {in_file.close} (a deciding segment is not in the file)'
            )
        client, server = connection.sockets['client'], connection.sockets['server']
        if server is None:
            notes.append('the server never had a full socket')
        return {
            'client': connection.end['client'],
            'server': connection.end['server'],
            'rst_by': in_file.rst_by,
            'rst_by_as_sent': as_sent.rst_by,
            'rst_senders': in_file.rst_senders,
            'rst_after_close': in_file.rst_after_close,
            'handshake': handshake(connection, unique),
            'handshake_as_sent': handshake(connection, sent),
            'kernel_close': kernel_close(paths),
            'complete': in_file.complete,
            'frames': len(frames),
            'first_frame': min(s.frame for s in frames),
            'streams': sorted({s.stream for s in frames}),
            'client_states': plain(client.states) if client else [],
            'server_states': plain(server.states) if server else [],
            'client_rfc': plain(paths['client']),
            'server_rfc': plain(paths['server']),
            'client_resets': resets(client),
            'server_resets': resets(server),
            'client_retransmits': client.retransmits if client else 0,
            'server_retransmits': server.retransmits if server else 0,
            'stray_resets': [[seconds(t), side, reason] for t, side, reason in connection.stray_resets],
            'close_as_sent': as_sent.close,
            'close': in_file.close,
            'closed_first_as_sent': as_sent.closed_first,
            'closed_first': in_file.closed_first,
            'fins_as_sent': {side: as_sent.fins[side] is not None for side in SIDES},
            'fins': {side: in_file.fins[side] is not None for side in SIDES},
            'undecided': undecided,
            'notes': '; '.join(notes),
        }


def write(path, head, rows):
    """One connection a line, as the committed fixtures are read by people too."""
    text = json.dumps(head, indent=1)[:-2] + ',\n "connections": [\n'
    text += ',\n'.join(json.dumps(row) for row in rows) + '\n]}\n'
    with open(path, 'w') as f:
        f.write(text)


def kernel_name():
    """The kernel's version, without what its builder added."""
    return re.match(r'[\d.]*', platform.release())[0]
