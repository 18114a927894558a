"""Network namespaces, veth pairs and their settings (ip-netns(8), veth(4), ethtool ioctls of linux/ethtool.h)."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess

CLIENT4, SERVER4 = '10.77.0.1', '10.77.0.2'
CLIENT6, SERVER6 = 'fd77::1', 'fd77::2'

MAC_CLIENT, MAC_SERVER = '02:00:0a:4d:00:01', '02:00:0a:4d:00:02'
PREFIX = 'finwait-lab-'
CLONE_NEWNET = 0x40000000
SIOCETHTOOL = 0x8946
# ETHTOOL_SRXCSUM, STXCSUM, SSG, STSO, SGSO, SGRO
OFFLOADS = (0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C)

_libc = ctypes.CDLL(None, use_errno=True)


def run(*args):
    """Runs a command to its end; its standard error becomes the exception's text."""
    done = subprocess.run(args, capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(args)}: {done.stderr.strip() or done.returncode}')
    return done.stdout


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        err = ctypes.get_errno()
        raise OSError(err, os.strerror(err))


@contextlib.contextmanager
def inside(namespace):
    """The calling thread is in `namespace` meanwhile; a socket made there stays there for life."""
    home = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    try:
        there = os.open(f'/run/netns/{namespace}', os.O_RDONLY)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def offload_off(namespace, interface):
    """No segmentation, coalescing or checksum offload: every frame is then as on a wire."""
    with inside(namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in OFFLOADS:
            value = bytearray(struct.pack('II', command, 0))
            address, _ = ctypes.addressof(ctypes.c_char.from_buffer(value)), value
            request = struct.pack('16sP16x', interface.encode(), address)
            with contextlib.suppress(OSError):
                fcntl.ioctl(s, SIOCETHTOOL, request)


def sysctl(namespace, name, value):
    """Sets net.NAME, written with dots, in `namespace`."""
    with inside(namespace), open('/proc/sys/net/' + name.replace('.', '/'), 'w') as f:
        f.write(str(value))


def sweep():
    """Removes the namespaces of a lab that was killed; the caller holds the lab's lock."""
    with contextlib.suppress(OSError):
        for name in os.listdir('/run/netns'):
            if name.startswith(PREFIX):
                with contextlib.suppress(RuntimeError):
                    run('ip', 'netns', 'del', name)


class Net:
    """
    Client, middle and server, and the links between them.

    `direct`: a0 -- b0, offload on.  `cable`: a0 -- m0 [cable] m1 -- b0.
    `trunk`: a0 -- m0 [cable] t0 -- t1 [cable] m1 -- b0, so that frames can be lost on either side of the trunk.
    """

    def __init__(self, topology, mtu=1500):
        tag = f'{PREFIX}{os.getpid()}'
        self.topology = topology
        self.client, self.middle, self.server = f'{tag}-c', f'{tag}-m', f'{tag}-s'
        self.namespaces = []
        try:
            self._make(mtu)
        except BaseException:
            self.close()
            raise

    def _make(self, mtu):
        for name in (self.client, self.middle, self.server):
            run('ip', 'netns', 'add', name)
            self.namespaces.append(name)
            run('ip', '-n', name, 'link', 'set', 'lo', 'up')
            for family in ('default', 'all'):
                sysctl(name, f'ipv6.conf.{family}.accept_dad', 0)
                sysctl(name, f'ipv6.conf.{family}.router_solicitations', 0)
        if self.topology == 'direct':
            self._pair(self.client, 'a0', self.server, 'b0')
        else:
            self._pair(self.client, 'a0', self.middle, 'm0')
            self._pair(self.server, 'b0', self.middle, 'm1')
            if self.topology == 'trunk':
                self._pair(self.middle, 't0', self.middle, 't1')
        here = (self.client, 'a0', CLIENT4, CLIENT6, MAC_CLIENT)
        there = (self.server, 'b0', SERVER4, SERVER6, MAC_SERVER)
        for (name, interface, v4, v6, mac), (_, _, peer4, peer6, peer_mac) in ((here, there), (there, here)):
            run('ip', '-n', name, 'link', 'set', interface, 'mtu', str(mtu))
            run('ip', '-n', name, 'addr', 'add', f'{v4}/24', 'dev', interface)
            run('ip', '-n', name, 'addr', 'add', f'{v6}/64', 'dev', interface, 'nodad')
            # Known neighbours: a SYN that waits for ARP would leave later than the kernel says.
            run('ip', '-n', name, 'link', 'set', interface, 'address', mac)
            for peer in (peer4, peer6):
                run(
                    'ip', '-n', name, 'neigh', 'replace', peer, 'lladdr', peer_mac, 'dev', interface, 'nud', 'permanent'
                )
            sysctl(name, 'ipv4.tcp_no_metrics_save', 1)

    def _pair(self, ns1, name1, ns2, name2):
        run('ip', 'link', 'add', name1, 'netns', ns1, 'type', 'veth', 'peer', 'name', name2, 'netns', ns2)
        for ns, name in ((ns1, name1), (ns2, name2)):
            if ns == self.middle:
                sysctl(ns, f'ipv6.conf.{name}.disable_ipv6', 1)
            if self.topology != 'direct':
                offload_off(ns, name)
            run('ip', '-n', ns, 'link', 'set', name, 'up')

    def close(self):
        for name in self.namespaces:
            with contextlib.suppress(Exception):
                run('ip', 'netns', 'del', name)
        self.namespaces = []
