"""One run: namespaces, cable, taps, captures and tracing set up, the scenario played, its captures and their truth written."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time

import net
import truth

import capture

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
SEND_QUEUE, RECEIVE_QUEUE = 2, 1
CABLE_READY_SECONDS = 10
TAP_SNAP = 256


class Session:
    """What a scenario's `play` is handed: sockets of both ends, the cable's rules, and the captures."""

    def __init__(self, scenario, trace, seed=1):
        self.scenario = scenario
        self.trace = trace
        self.stack = contextlib.ExitStack()
        self.held = []
        self.children = []
        self.captures = {}
        self.taps = {}
        self.cable = None
        self.seed = seed
        self.folder = None

    # ---- both ends -------------------------------------------------------------------------------------------------------

    def address(self, end, port):
        v6 = self.scenario.family == 6
        hosts = (net.CLIENT6, net.SERVER6) if v6 else (net.CLIENT4, net.SERVER4)
        return (hosts[end == 'server'], port)

    def socket(self, end, port=None):
        """A TCP socket in the namespace of `end`, bound where `port` is given."""
        family = socket.AF_INET6 if self.scenario.family == 6 else socket.AF_INET
        with net.inside(self.net.client if end == 'client' else self.net.server):
            s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(self.scenario.limit)
        if port is not None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(self.address(end, port))
        self.held.append(s)
        return s

    def listen(self, port=8080, backlog=128, fastopen=False, receive_buffer=None):
        s = self.socket('server', port)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if fastopen:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        s.listen(backlog)
        return s

    def connect(self, port=8080, local_port=None, prepare=None):
        s = self.socket('client', local_port)
        if prepare:
            prepare(s)
        s.connect(self.address('server', port))
        return s

    def accept(self, listener):
        s, _ = listener.accept()
        s.settimeout(self.scenario.limit)
        self.held.append(s)
        return s

    def pair(self, port=8080, local_port=None, prepare=None, **listen):
        """A connected client and server socket; the listener is closed."""
        listener = self.listen(port, **listen)
        client = self.connect(port, local_port, prepare)
        server = self.accept(listener)
        listener.close()
        return client, server

    def exchange(self, client, server, up=120, down=900):
        """A request and its response."""
        client.sendall(b'q' * up)
        receive(server, up)
        server.sendall(b'r' * down)
        receive(client, down)

    def process(self, code, s, namespace=None):
        """A child process that owns socket `s` alone and runs `code`; the socket is closed here."""
        fd = s.fileno()
        child = subprocess.Popen([sys.executable, '-c', code, str(fd)], pass_fds=(fd,), stdout=subprocess.PIPE)
        self.children.append(child)
        child.stdout.readline()
        s.close()
        return child

    # ---- the cable ---------------------------------------------------------------------------------------------------------

    def _order(self, **order):
        self.cable.stdin.write(json.dumps(order) + '\n')
        self.cable.stdin.flush()
        self._cable_ok()

    def _cable_ok(self):
        if (
            not select.select([self.cable.stdout], [], [], CABLE_READY_SECONDS)[0]
            or self.cable.stdout.readline() != 'ok\n'
        ):
            raise RuntimeError('the cable did not answer')

    def rule(self, action, direction, kind, first=1, last=None, stage=1, ms=0):
        """From now on: `action` (drop, dup, delay) on the first-th … last-th segment of that kind from `direction`."""
        span = [first, first if last is None else last]
        rule = {'action': action, 'dir': direction, 'kind': kind, 'n': span, 'stage': stage, 'ms': ms}
        self._order(do='rule', rule=rule)

    def wire(self, **values):
        """Changes the cable's delay, loss, dup, reorder or hold."""
        self._order(do='set', values=values)

    def inject_reset(self, direction, offset):
        self._order(do='inject', dir=direction, offset=offset)

    def firewall(self, end, *rules):
        """nftables rules on the input of `end`."""
        name = self.net.client if end == 'client' else self.net.server
        lines = ['table inet lab {', 'chain input {', 'type filter hook input priority 0;', *rules, '}', '}', '']
        net.run('ip', 'netns', 'exec', name, 'nft', '\n'.join(lines))

    def firewall_off(self, end):
        name = self.net.client if end == 'client' else self.net.server
        net.run('ip', 'netns', 'exec', name, 'nft', 'flush', 'ruleset')

    # ---- captures ----------------------------------------------------------------------------------------------------------

    PLACES = {
        'client': ('client', 'a0', 'client'),
        'server': ('server', 'b0', 'server'),
        'middle': ('middle', 't0', 'middle'),
        'any-client': ('client', 'any', 'client'),
        'any-server': ('server', 'any', 'server'),
        'any-middle': ('middle', 'any', 'middle'),
    }

    def capture(self):
        """Starts the scenario's captures (done before `play`, unless the scenario says `late`)."""
        for place, form in self.scenario.captures.items():
            end, interface, _ = self.PLACES[place]
            ending = 'pcapng' if form == 'pcapng' else 'pcap'
            path = os.path.join(self.folder, f'{self.scenario.name}.{place}.{ending}')
            self.captures[place] = capture.Capture(getattr(self.net, end), interface, path, form, self.scenario.snap)

    # ---- the run -----------------------------------------------------------------------------------------------------------

    def run(self, out, scratch):
        """Plays the scenario; returns the truth files written."""
        self.folder = out
        with self.stack:
            self.stack.callback(self._clean)
            return self._run(out, scratch)

    def _run(self, out, scratch):
        scenario = self.scenario
        self.net = net.Net(scenario.topology)
        for end in ('client', 'server'):
            name = getattr(self.net, end)
            net.sysctl(name, 'ipv4.tcp_fin_timeout', scenario.fin_timeout)
            for key, value in scenario.sysctl.items():
                net.sysctl(name, key, value)
        log = os.path.join(scratch, 'wire.jsonl')
        if scenario.topology != 'direct':
            self._start_cable(log)
        for end, interface in (('client', 'a0'), ('server', 'b0')):
            path = os.path.join(scratch, f'tap-{end}.pcap')
            self.taps[end] = capture.Capture(getattr(self.net, end), interface, path, 'nano', TAP_SNAP)
        self.trace.read()
        if not scenario.late:
            self.capture()
        # Frames of the interfaces' own making (neighbour discovery) are over before the first socket.
        time.sleep(0.05)
        scenario.play(self)
        time.sleep(scenario.settle)
        stop_ns = time.time_ns()
        for running in [*self.captures.values(), *self.taps.values()]:
            running.stop()
        events, clock = self.trace.read()
        self._stop_cable()
        account = truth.Truth(
            capture.read(os.path.join(scratch, 'tap-client.pcap')),
            capture.read(os.path.join(scratch, 'tap-server.pcap')),
            events,
            clock,
            stop_ns,
            scenario.fin_timeout,
            scenario.topology != 'direct',
        )
        return [self._write(account, place, clock, log) for place in self.captures]

    def _write(self, account, place, clock, log):
        scenario = self.scenario
        running = self.captures[place]
        _end, interface, side = self.PLACES[place]
        rows = account.of_file(capture.read(running.path), side)
        wire_log = []
        if os.path.exists(log):
            with open(log) as f:
                wire_log = [json.loads(line) for line in f]
        head = {
            'scenario': f'{scenario.name}.{place}',
            'description': scenario.text,
            'capture': os.path.basename(running.path),
            'capture_side': side,
            'interfaces': [interface],
            'topology': scenario.topology,
            'wire_args': scenario.cable,
            'sysctl': scenario.sysctl,
            'kernel': truth.kernel_name(),
            'clock': clock,
            'wire_log': wire_log,
        }
        path = os.path.splitext(running.path)[0] + '.truth.json'
        truth.write(path, head, rows)
        return path

    def _start_cable(self, log):
        scenario = self.scenario
        spec = dict(scenario.cable, topology=scenario.topology, seed=self.seed)
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cable.py')
        self.cable = subprocess.Popen(
            [sys.executable, program, self.net.middle, json.dumps(spec), log],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self._cable_ok()

    def _stop_cable(self):
        if self.cable is None:
            return
        with contextlib.suppress(OSError):
            self.cable.stdin.close()
        try:
            self.cable.wait(5)
        except subprocess.TimeoutExpired:
            self.cable.kill()
            self.cable.wait()
        self.cable.stdout.close()
        self.cable = None

    def _clean(self):
        for running in [*self.captures.values(), *self.taps.values()]:
            running.kill()
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
            child.stdout.close()
        for s in self.held:
            with contextlib.suppress(OSError):
                s.close()
        self._stop_cable()
        if hasattr(self, 'net'):
            self.net.close()


def receive(s, count):
    """Exactly `count` bytes, or fewer at the end of the stream."""
    left = count
    while left:
        chunk = s.recv(left)
        if not chunk:
            break
        left -= len(chunk)
    return count - left


def until_end(s):
    """Reads to the end of the stream."""
    while s.recv(65536):
        pass


def linger0(s):
    """close() then sends a RST (socket(7), SO_LINGER)."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
