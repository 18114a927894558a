"""Captures by tcpdump and dumpcap inside a namespace, and what tshark reads in them."""

import os
import re
import signal
import struct
import subprocess
import threading

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
READY_SECONDS = 10
FIELDS = (
    'frame.number',
    'frame.time_epoch',
    'tcp.stream',
    'ip.src',
    'ip.dst',
    'ipv6.src',
    'ipv6.dst',
    'ip.id',
    'tcp.srcport',
    'tcp.dstport',
    'tcp.seq_raw',
    'tcp.ack_raw',
    'tcp.flags',
    'tcp.len',
    'tcp.options.timestamp.tsval',
)


class CaptureError(Exception):
    """A capture did not start, or lost frames."""


class Capture:
    """One running capture. `form`: `pcapng` (dumpcap), `nano` or `micro` (tcpdump)."""

    def __init__(self, namespace, interface, path, form='nano', snap=262144):
        self.path = path
        base = ['ip', 'netns', 'exec', namespace]
        if form == 'pcapng':
            base += ['dumpcap', '-q', '-i', interface, '-s', str(snap), '-B', '64', '-w', path]
            ready = re.compile(r'^File: ')
        else:
            base += [
                'tcpdump',
                '-n',
                '-i',
                interface,
                '-s',
                str(snap),
                '-B',
                '65536',
                '-U',
                '--immediate-mode',
                '-Z',
                'root',
                '-w',
                path,
            ]
            base += ['--time-stamp-precision', form]
            ready = re.compile(r'listening on ')
        self.child = subprocess.Popen(
            base, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.said = []
        self.ready = threading.Event()
        threading.Thread(target=self._listen, args=(ready,), daemon=True).start()
        if not self.ready.wait(READY_SECONDS) or self.child.poll() is not None:
            self.kill()
            raise CaptureError(f'{base[4]} did not start: {"".join(self.said).strip()}')

    def _listen(self, ready):
        for line in self.child.stderr:
            self.said.append(line)
            if ready.search(line):
                self.ready.set()
        self.ready.set()

    def stop(self):
        """Ends the capture and checks that it dropped nothing."""
        self.child.send_signal(signal.SIGINT)
        try:
            self.child.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        text = ''.join(self.said)
        lost = re.search(r'(\d+) packets? dropped by kernel', text) or re.search(
            r'received/dropped on interface .*: \d+/(\d+)', text
        )
        if lost and int(lost[1]):
            raise CaptureError(f'{os.path.basename(self.path)}: the capture dropped {lost[1]} frames')

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()


# pcapng blocks and their options that describe the machine: shb_hardware, shb_os, if_os (draft-ietf-opsawg-pcapng §4.1, §4.2).
MACHINE_OPTIONS = {0x0A0D0D0A: (24, (2, 3)), 1: (16, (12,))}


def without_machine(data):
    """A little-endian pcapng without the options that tell on which machine it was made; other files as they are."""
    if data[:4] != b'\x0a\x0d\x0d\x0a' or data[8:12] != b'\x4d\x3c\x2b\x1a':
        return data
    out, at = [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from('<II', data, at)
        block = data[at : at + length]
        at += length
        if kind in MACHINE_OPTIONS:
            head, dropped = MACHINE_OPTIONS[kind]
            options, position = b'', head
            while position + 4 <= length - 4:
                code, size = struct.unpack_from('<HH', block, position)
                whole = 4 + (size + 3 & ~3)
                if code not in dropped:
                    options += block[position : position + whole]
                position += whole
            total = head + len(options) + 4
            block = struct.pack('<II', kind, total) + block[8:head] + options + struct.pack('<I', total)
        out.append(block)
    return b''.join(out)


class Segment:
    """A TCP segment as tshark reads it; `t` in seconds since the epoch as an integer of nanoseconds."""

    __slots__ = ('frame', 't', 'stream', 'source', 'target', 'seq', 'ack', 'flags', 'len', 'key')

    def __init__(self, columns):
        (frame, t, stream, ip4s, ip4d, ip6s, ip6d, ip_id, sport, dport, seq, ack, flags, length, tsval) = columns
        self.frame = int(frame)
        whole, _, part = t.partition('.')
        self.t = int(whole) * 1_000_000_000 + int(part.ljust(9, '0')[:9])
        self.stream = int(stream)
        self.source = f'{ip4s}:{sport}' if ip4s else f'[{ip6s}]:{sport}'
        self.target = f'{ip4d}:{dport}' if ip4d else f'[{ip6d}]:{dport}'
        self.seq, self.ack, self.flags, self.len = int(seq), int(ack or 0), int(flags, 16) & 0xFF, int(length or 0)
        # Tells one transmission from another: the IPv4 identification, or the timestamp where there is none.
        self.key = (self.source, self.target, self.seq, self.ack, self.flags, self.len, ip_id or tsval)

    @property
    def end(self):
        """The sequence number behind the segment."""
        return (self.seq + self.len + (self.flags & FIN) + (self.flags >> 1 & 1)) & 0xFFFFFFFF

    def covers(self, number):
        """Whether it acknowledges everything before `number`."""
        return bool(self.flags & ACK) and (self.ack - number) & 0xFFFFFFFF < 0x80000000


def read(path):
    """(segments in the order of the file, its number of frames)."""
    command = ['tshark', '-n', '-r', path, '-Y', 'tcp', '-T', 'fields', '-E', 'occurrence=l', '-E', 'separator=/t']
    for field in FIELDS:
        command += ['-e', field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    segments = []
    for line in done.stdout.splitlines():
        columns = line.split('\t')
        if len(columns) == len(FIELDS) and columns[2] and columns[10]:
            segments.append(Segment(columns))
    return segments
