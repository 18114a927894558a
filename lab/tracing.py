"""
The kernel's own account, from the tracepoints sock:inet_sock_set_state, tcp:tcp_send_reset, tcp_receive_reset,
tcp_retransmit_skb and tcp_retransmit_synack, in a tracing instance of our own (Documentation/trace/ftrace.rst).
"""

import contextlib
import ipaddress
import os
import subprocess
import time

from ringbuffer import Format, parse_page

EVENTS = (
    'sock/inet_sock_set_state',
    'tcp/tcp_send_reset',
    'tcp/tcp_receive_reset',
    'tcp/tcp_retransmit_skb',
    'tcp/tcp_retransmit_synack',
)
BUFFER_KIB_PER_CPU = 32768
PAGE = 4096
AF_INET, AF_INET6 = 2, 10
STATES = (
    '',
    'ESTABLISHED',
    'SYN_SENT',
    'SYN_RECV',
    'FIN_WAIT1',
    'FIN_WAIT2',
    'TIME_WAIT',
    'CLOSE',
    'CLOSE_WAIT',
    'LAST_ACK',
    'LISTEN',
    'CLOSING',
    'NEW_SYN_RECV',
)


class TraceError(Exception):
    """tracefs is missing, lacks what the lab needs, or lost events."""


def tracefs():
    """The folder of tracefs, mounted if need be."""
    for folder in ('/sys/kernel/tracing', '/sys/kernel/debug/tracing'):
        if os.path.exists(f'{folder}/instances'):
            return folder
    with contextlib.suppress(OSError):
        subprocess.run(['mount', '-t', 'tracefs', 'nodev', '/sys/kernel/tracing'], capture_output=True)
    if not os.path.exists('/sys/kernel/tracing/instances'):
        raise TraceError('tracefs is not available: no /sys/kernel/tracing, and it could not be mounted')
    return '/sys/kernel/tracing'


def real_minus_mono():
    """(offset in ns, width of the bracket in ns) from CLOCK_MONOTONIC to CLOCK_REALTIME."""
    best = None
    for _ in range(200):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        real = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        if best is None or after - before < best[1]:
            best = (real - (before + after) // 2, after - before)
    return best


def endpoint(packed, port):
    """`10.0.0.1:80` or `[::1]:80`; a mapped address as IPv4."""
    ip = ipaddress.ip_address(packed)
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return f'[{ip}]:{port}' if ip.version == 6 else f'{ip}:{port}'


def sockaddr(raw):
    """A struct sockaddr_in or sockaddr_in6 as an endpoint."""
    family, port = int.from_bytes(raw[:2], 'little'), int.from_bytes(raw[2:4], 'big')
    return endpoint(raw[8:24] if family == AF_INET6 else raw[4:8], port)


class Event:
    """One event: `t` realtime in ns, `kind`, `sk` the socket's address, `local` and `remote` endpoints, `old`, `new`, `reason`."""

    __slots__ = ('t', 'kind', 'sk', 'local', 'remote', 'old', 'new', 'reason', 'state')

    def __init__(self, at, form, raw):
        values = form.decode(raw)
        self.t, self.kind, self.sk = at, form.name, values.get('skaddr', 0)
        if form.name == 'tcp_send_reset':
            self.local, self.remote = sockaddr(values['saddr']), sockaddr(values['daddr'])
        else:
            v6 = values['family'] == AF_INET6
            self.local = endpoint(values['saddr_v6' if v6 else 'saddr'], values['sport'])
            self.remote = endpoint(values['daddr_v6' if v6 else 'daddr'], values['dport'])
        self.old = STATES[values['oldstate']] if 'oldstate' in values else ''
        self.new = STATES[values['newstate']] if 'newstate' in values else ''
        state = values.get('state', 0)
        self.state = STATES[state] if 0 < state < len(STATES) else ''
        self.reason = form.reasons.get(values.get('reason', -1), '')


class Trace:
    """Events since the last `read`, of all namespaces; the caller keeps those of the lab's addresses."""

    def __init__(self):
        self.pipes = []
        self.folder = None
        root = tracefs()
        for event in EVENTS:
            if not os.path.exists(f'{root}/events/{event}'):
                raise TraceError(f'this kernel has no tracepoint {event.replace("/", ":")}')
        folder = f'{root}/instances/finwait-lab'
        # One of a lab that was killed; the caller holds the lab's lock.
        with contextlib.suppress(OSError):
            os.rmdir(folder)
        os.mkdir(folder)
        self.folder = folder
        try:
            self._write('trace_clock', 'mono')
            self._write('buffer_size_kb', str(BUFFER_KIB_PER_CPU))
            self._write('events/sock/inet_sock_set_state/filter', 'protocol == 6')
            self.formats = {}
            for event in EVENTS:
                with open(f'{self.folder}/events/{event}/format') as f:
                    form = Format(event.split('/')[1], f.read())
                self.formats[form.id] = form
                self._write(f'events/{event}/enable', '1')
            cpus = sorted(name for name in os.listdir(f'{self.folder}/per_cpu') if name.startswith('cpu'))
            for cpu in cpus:
                path = f'{self.folder}/per_cpu/{cpu}/trace_pipe_raw'
                self.pipes.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except BaseException:
            self.close()
            raise

    def _write(self, name, value):
        with open(f'{self.folder}/{name}', 'w') as f:
            f.write(value)

    def read(self):
        """(events in the order of time, the clock offset used as {real_minus_mono_ns, bracket_ns})."""
        offset, bracket = real_minus_mono()
        events = []
        for pipe in self.pipes:
            while True:
                try:
                    page = os.read(pipe, PAGE)
                except BlockingIOError:
                    break
                if len(page) < 16:
                    break
                try:
                    for at, data in parse_page(page):
                        form = self.formats.get(int.from_bytes(data[:2], 'little'))
                        if form is not None:
                            events.append(Event(at + offset, form, data))
                except LookupError as error:
                    raise TraceError(str(error)) from None
        events.sort(key=lambda event: event.t)
        return events, {'real_minus_mono_ns': offset, 'bracket_ns': bracket}

    def close(self):
        for pipe in self.pipes:
            with contextlib.suppress(OSError):
                os.close(pipe)
        self.pipes = []
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            self._write('events/enable', '0')
        for _ in range(40):
            try:
                os.rmdir(self.folder)
                return
            except OSError:
                time.sleep(0.05)
