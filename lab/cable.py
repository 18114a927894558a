"""
The cable: carries frames between the links of the middle namespace and spoils them on purpose.

A process of its own (`cable.py NAMESPACE SPEC LOG`): SPEC is JSON, LOG takes one JSON line for each frame that was not
carried as it came. Rules and injections arrive as JSON lines on standard input, each answered by a line `ok`.
"""

import contextlib
import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MAX_FLOWS = 100_000
MAX_QUEUED = 200_000


def seq_le(a, b):
    return ((b - a) & 0xFFFFFFFF) < 0x80000000


def strip_tags(frame):
    """The frame without its VLAN tags."""
    while len(frame) >= 18 and frame[12:14] in (b'\x81\x00', b'\x88\xa8'):
        frame = frame[:12] + frame[16:]
    return frame


def push_tags(frame, tags):
    """`tags`, outermost first: [[ethertype, vlan id], …]."""
    for ethertype, vid in reversed(tags):
        frame = frame[:12] + struct.pack('!HH', ethertype, vid) + frame[12:]
    return frame


def decode(frame):
    """(source, sport, target, dport, seq, ack, flags, length) of an untagged Ethernet frame with TCP, else None."""
    kind = frame[12:14]
    if kind == b'\x08\x00' and frame[23] == 6:
        at = 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack_from('!H', frame, 16)[0]
        source, target = frame[26:30], frame[30:34]
    elif kind == b'\x86\xdd' and frame[20] == 6:
        at = 54
        end = 54 + struct.unpack_from('!H', frame, 18)[0]
        source, target = frame[22:38], frame[38:54]
    else:
        return None
    sport, dport, seq, ack, offset, flags = struct.unpack_from('!HHIIBB', frame, at)
    return source, sport, target, dport, seq, ack, flags, end - at - (offset >> 4) * 4


class Flow:
    """What the cable remembers of a connection to tell its segments apart."""

    __slots__ = ('last', 'isn', 'fin', 'opened')

    def __init__(self):
        self.isn = {}
        self.fin = {}
        self.opened = set()
        self.last = {}


class Kinds:
    """Names the part a segment plays: SYN, SYN-ACK, HANDSHAKE-ACK, DATA, FIN, ACK-OF-FIN, LAST-ACK, ACK, RST."""

    def __init__(self):
        self.flows = {}

    def of(self, segment, direction):
        source, sport, target, dport, seq, ack, flags, length = segment
        me, peer = (source, sport), (target, dport)
        key = (me, peer) if me < peer else (peer, me)
        if flags & SYN and not flags & ACK and key in self.flows and self.flows[key].isn.get(me) not in (None, seq):
            del self.flows[key]
        flow = self.flows.get(key)
        if flow is None:
            if len(self.flows) >= MAX_FLOWS:
                self.flows.pop(next(iter(self.flows)))
            flow = self.flows[key] = Flow()
        flow.last[direction] = segment
        kinds = {'ANY'}
        if flags & RST:
            return kinds | {'RST'}
        if flags & SYN:
            flow.isn[me] = seq
            return kinds | {'SYN-ACK' if flags & ACK else 'SYN'}
        if length:
            kinds.add('DATA')
        elif not flags & FIN:
            kinds.add('ACK')
        if me not in flow.opened and peer in flow.isn and not length and not flags & FIN:
            kinds.add('HANDSHAKE-ACK')
            if ack == (flow.isn[peer] + 1) & 0xFFFFFFFF and me in flow.isn and seq == (flow.isn[me] + 1) & 0xFFFFFFFF:
                pass
            else:
                flow.opened.add(me)
        elif length or flags & FIN:
            flow.opened.add(me)
        if flags & FIN:
            kinds.add('FIN')
            flow.fin.setdefault(me, (seq + length + 1) & 0xFFFFFFFF)
        elif peer in flow.fin and seq_le(flow.fin[peer], ack):
            kinds.add('LAST-ACK' if flow.fin.get(me) == seq else 'ACK-OF-FIN')
        return kinds


class Cable:
    def __init__(self, spec, log):
        self.spec = spec
        self.log_file = log
        self.rules = [dict(rule, seen=0) for rule in spec.get('rules', [])]
        self.kinds = Kinds()
        self.queue = []
        self.order = 0
        self.sockets = {}
        self.hops = {}
        self.tags = spec.get('tags', [])
        # Without rules the cable needn't know connections, unless it is to forge segments of them.
        self.watch = spec.get('watch', False)
        self.macs = {}
        names = [('m0', 'm1', 'client', 1), ('m1', 'm0', 'server', 1)]
        if spec['topology'] == 'trunk':
            names = [
                ('m0', 't0', 'client', 1),
                ('t1', 'm1', 'client', 2),
                ('m1', 't1', 'server', 1),
                ('t0', 'm0', 'server', 2),
            ]
        self.stages = len(names) // 2
        for source, target, direction, stage in names:
            for name in (source, target):
                if name not in self.sockets:
                    self.sockets[name] = self._open(name)
            rng = random.Random(f'{spec.get("seed", 1)}-{direction}-{stage}')
            self.hops[self.sockets[source].fileno()] = (source, target, direction, stage, rng)

    @staticmethod
    def _open(name):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        s.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20)
        s.bind((name, 0))
        s.setblocking(False)
        return s

    def log(self, action, direction, stage, segment):
        names = ''.join(
            letter for bit, letter in ((1, 'F'), (2, 'S'), (4, 'R'), (8, 'P'), (16, 'A')) if segment[6] & bit
        )
        other = 'server' if direction == 'client' else 'client'
        self.log_file.write(
            json.dumps(
                {
                    't': time.time_ns() / 1e9,
                    'action': action,
                    'dir': f'{direction}->{other}',
                    'stage': stage,
                    'flags': names,
                    'sport': segment[1],
                    'dport': segment[3],
                    'seq': segment[4],
                    'ack': segment[5],
                    'len': segment[7],
                }
            )
            + '\n'
        )

    def send(self, at_ns, target, frame):
        if at_ns <= time.monotonic_ns() and not self.queue:
            self._put(target, frame)
            return
        if len(self.queue) < MAX_QUEUED:
            self.order += 1
            heapq.heappush(self.queue, (at_ns, self.order, target, frame))

    def _put(self, target, frame):
        for _ in range(100):
            try:
                self.sockets[target].send(frame)
                return
            except (BlockingIOError, OSError):
                time.sleep(0.0002)

    def carry(self, hop, frame):
        source, target, direction, stage, rng = hop
        now = time.monotonic_ns()
        bare = strip_tags(frame)
        segment = decode(bare)
        out = push_tags(bare, self.tags) if target[0] == 't' and self.tags else bare
        if segment is None:
            self.send(now, target, out)
            return
        self.macs[direction] = bare[:12]
        spec = self.spec
        delay_ms = spec.get('delay', 0) / self.stages
        copies = 1
        kinds = self.kinds.of(segment, direction) if self.rules or self.watch else ()
        for rule in self.rules:
            if rule.get('dir') not in (None, direction) or rule.get('stage', 1) != stage or rule['kind'] not in kinds:
                continue
            rule['seen'] += 1
            first, last = rule.get('n', [1, 1])
            if not first <= rule['seen'] <= last:
                continue
            action = rule['action']
            self.log(action, direction, stage, segment)
            if action == 'drop':
                return
            if action == 'dup':
                copies += 1
            elif action == 'delay':
                delay_ms += rule['ms']
        chance = rng.random
        if spec.get('loss') and chance() * 100 < spec['loss'] / self.stages:
            self.log('loss', direction, stage, segment)
            return
        if spec.get('dup') and chance() * 100 < spec['dup'] / self.stages:
            self.log('dup', direction, stage, segment)
            copies += 1
        if spec.get('reorder') and chance() * 100 < spec['reorder'] / self.stages:
            self.log('hold', direction, stage, segment)
            delay_ms += spec.get('hold', 8)
        for copy in range(copies):
            self.send(now + int(delay_ms * 1e6) + copy * 300_000, target, out)

    def inject(self, order):
        """A forged RST from `dir`, its sequence number `offset` behind that of the last segment from there."""
        from forge import forge_reset

        direction = order['dir']
        peer = 'server' if direction == 'client' else 'client'
        flow = max(self.kinds.flows.values(), key=lambda f: len(f.last))
        frame, segment = forge_reset(self.macs[direction], flow.last[direction], flow.last[peer], order)
        self.log('inject', direction, 1, segment)
        self._put('m1' if direction == 'client' else 'm0', frame)

    def command(self, line):
        order = json.loads(line)
        if order['do'] == 'rule':
            self.rules.append(dict(order['rule'], seen=0))
        elif order['do'] == 'set':
            self.spec.update(order['values'])
        elif order['do'] == 'inject':
            self.inject(order)
        self.log_file.flush()
        sys.stdout.write('ok\n')
        sys.stdout.flush()

    def run(self):
        poll = select.epoll()
        for s in self.sockets.values():
            poll.register(s.fileno(), select.EPOLLIN)
        poll.register(0, select.EPOLLIN)
        sys.stdout.write('ok\n')
        sys.stdout.flush()
        by_fd = {s.fileno(): s for s in self.sockets.values()}
        while True:
            wait = -1
            if self.queue:
                wait = max(0, (self.queue[0][0] - time.monotonic_ns()) / 1e9)
                if wait > 0.0015:
                    wait -= 0.001
                elif wait > 0:
                    wait = 0
            for fd, _ in poll.poll(wait):
                if fd == 0:
                    line = sys.stdin.readline()
                    if not line:
                        return
                    self.command(line)
                    continue
                for _ in range(32):
                    try:
                        frame = by_fd[fd].recv(65536)
                    except BlockingIOError:
                        break
                    except OSError:
                        break
                    self.carry(self.hops[fd], frame)
            while self.queue and self.queue[0][0] <= time.monotonic_ns():
                _, _, target, frame = heapq.heappop(self.queue)
                self._put(target, frame)


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from net import inside

    namespace, spec, log = sys.argv[1:4]
    with open(log, 'w', buffering=1 << 16) as log_file:
        with inside(namespace):
            cable = Cable(json.loads(spec), log_file)
        with contextlib.suppress(KeyboardInterrupt):
            cable.run()


if __name__ == '__main__':
    main()
