"""Whether a file can tell the states of an end: what was lost, or changed places, on the far side of the capture leaves no trace."""

from kernel import MS, ONE_INTERRUPT_NS
from wire import other

from capture import FIN, RST, SYN


def unreadable(connection, side, file_keys, paths, at_side):
    """Why the file can't tell the states of `side`, or None."""
    path = paths[side]
    why = _fin_waited(path, connection.fin(side))
    if why or at_side == side or not path:
        return why
    return _far(connection, side, file_keys, path)


def lost_first_fin(connection, side, file_keys):
    """The kind of close itself was read wrong, for want of the first transmission of this end's FIN."""
    fin = connection.fin(side)
    return 'the first transmission of its FIN is not in the file' if fin and fin.key not in file_keys else None


def _fin_waited(path, own_fin):
    """The kernel counts from close(), the wire from the FIN."""
    for i, entry in enumerate(path):
        if entry[2] in ('FIN_WAIT1', 'LAST_ACK'):
            if own_fin is None:
                return 'its FIN was never sent'
            later = path[i + 1][0] if i + 1 < len(path) else None
            if own_fin.t > entry[0] + MS and later is not None and later < own_fin.t:
                return 'its FIN waited behind data while the kernel was in FIN_WAIT1 already'
            return None
    return None


def _far(connection, side, file_keys, path):
    peer = other(side)
    own_fin, peer_fin = connection.fin(side), connection.fin(peer)
    names = [entry[2] for entry in path]
    in_file = [s for s in connection.sent[peer] if s.key in file_keys]
    own_in_file = [s for s in connection.sent[side] if s.key in file_keys]
    got = connection.got[side]
    if names[-1] == 'CLOSE':
        # What arrives after the end changes nothing any more.
        got = [s for s in got if s.t <= path[-1][0] + MS]

    checks = [('RST', lambda s: s.flags & RST)]
    if peer_fin is not None:
        checks.append(('FIN', lambda s: s.flags & FIN))
    if own_fin is not None:
        checks.append(('ACK of its FIN', lambda s: s.covers(own_fin.end) and not s.flags & RST))
    for name, test in checks:
        shown, delivered = any(map(test, in_file)), any(map(test, got))
        if shown and not delivered and not (name == 'RST' and names[-1] == 'CLOSE'):
            return f"the {peer}'s {name} is in the file and did not arrive in time"
        if name == 'RST' and shown and delivered and names[-1] not in ('CLOSE', 'TIME_WAIT'):
            return f"the {peer}'s RST arrived and was not accepted: another was lost"
        if delivered and not shown and (name != 'RST' or names[-1] == 'CLOSE'):
            return f"the {peer}'s {name} arrived and is not in the file"
    for name, test in (('FIN', lambda s: s.flags & FIN), ('RST', lambda s: s.flags & RST)):
        if any(map(test, connection.sent[side])) and not any(map(test, own_in_file)):
            return f'its {name} is not in the file'
    acknowledged = peer_fin is not None and any(s.covers(peer_fin.end) for s in connection.sent[side])
    if acknowledged and got and not any(s.covers(peer_fin.end) for s in own_in_file):
        return f"none of its ACKs of the {peer}'s FIN is in the file"
    if side == 'client' and 'ESTABLISHED' in names and all(s.flags & SYN for s in own_in_file):
        return 'its ACK of the SYN-ACK is not in the file'
    if own_fin is not None and peer_fin is not None:
        return _other_order(connection, side, file_keys, path, in_file)
    return None


def _other_order(connection, side, file_keys, path, in_file):
    """The peer's FIN and its ACK of ours may arrive in another order, or the FIN wait there behind a gap."""
    own_fin = connection.fin(side)
    names = [entry[2] for entry in path]
    if 'FIN_WAIT1' not in names:
        return None
    fin = next((i for i, s in enumerate(in_file) if s.flags & FIN), None)
    ack = next((i for i, s in enumerate(in_file) if s.covers(own_fin.end) and not s.flags & RST), None)
    if fin is None or ack is None:
        return None
    shown = 'FIN first' if fin < ack else 'ACK first' if ack < fin else 'at once'
    kernel = 'FIN first'
    if 'FIN_WAIT2' in names:
        i = names.index('FIN_WAIT2')
        near = i + 1 < len(path) and path[i + 1][0] - path[i][0] < ONE_INTERRUPT_NS
        kernel = 'at once' if near or path[i][3:] == ('at-once',) else 'ACK first'
    copies = [s for s in connection.sent[side] if s.flags & FIN and s.key in file_keys]
    last = max((s.t for s in copies), default=0)
    again = any(s.t > last and s.covers(own_fin.end) for s in in_file[:fin])
    if kernel == 'ACK first' and shown == 'ACK first' and last > in_file[ack].t and not again:
        return 'its FIN was sent again before the ACK arrived, as if that were lost'
    fins = [s for s in in_file if s.flags & FIN]
    if len(fins) > 1:
        if not any(s.key == fins[0].key for s in connection.got[side]):
            # The peer sent its FIN again, and the first had not arrived: that is what the file says, too.
            return None
        own = [s for s in connection.sent[side] if s.key in file_keys and s.covers(fins[0].end)]
        if not any(s.t < fins[1].t for s in own):
            return "the peer's FIN was sent again, as if the first were lost"
    if shown != kernel and (shown, kernel) != ('ACK first', 'at once'):
        return "the peer's FIN and its ACK arrived in another order than the file shows"
    return None
