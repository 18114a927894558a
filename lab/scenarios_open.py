"""Openings: complete, lost in part, refused, crossed, fast."""

import contextlib
import errno
import socket
import time

from scenario import SCENARIOS, Scenario, client_first, delayed, ordinary, scenario
from session import receive


def losing_at_start(name, text, direction, kind, last=1):
    def play(lab):
        lab.rule('drop', direction, kind, 1, last)
        ordinary(lab)

    SCENARIOS[name] = Scenario(name, text, play, cable=delayed(2))


losing_at_start('syn-lost', 'the first SYN is lost', 'client', 'SYN')
losing_at_start('synack-lost', 'the first SYN-ACK is lost', 'server', 'SYN-ACK')


@scenario('handshake-ack-lost', "the handshake's last ACK is lost; data stands in for it", cable=delayed(2))
def _(lab):
    lab.rule('drop', 'client', 'HANDSHAKE-ACK')
    listener = lab.listen()
    client = lab.connect()
    time.sleep(0.05)
    client.sendall(b'q' * 100)
    server = lab.accept(listener)
    receive(server, 100)
    client_first(lab, client, server)


@scenario('half-open', "the client's last ACK never arrives: SYN-ACK sent again", cable=delayed(2), settle=3.2)
def _(lab):
    lab.rule('drop', 'client', 'HANDSHAKE-ACK', 1, 99)
    lab.listen()
    lab.connect()


@scenario(
    'accept-queue-overflow',
    'listen(2) and four connections: the server drops the last ACK and repeats its SYN-ACK',
    cable=delayed(20),
    settle=0.6,
    sysctl={'ipv4.tcp_syncookies': 0},
)
def _(lab):
    # Each SYN must find room in the queue of half-open connections, and the last ACK none in that of whole ones.
    listener = lab.listen(backlog=2)
    clients = [lab.connect(), lab.connect()]
    for _ in range(2):
        s = lab.socket('client')
        s.setblocking(False)
        s.connect_ex(lab.address('server', 8080))
        clients.append(s)
    time.sleep(1.5)
    by_port = {s.getsockname()[1]: s for s in clients}
    for _ in clients:
        server, peer = listener.accept()
        lab.held.append(server)
        server.settimeout(lab.scenario.limit)
        client_first(lab, by_port[peer[1]], server, 0.1)


@scenario(
    'syn-unanswered',
    'SYNs dropped by nftables on the server; the client gives up',
    sysctl={'ipv4.tcp_syn_retries': 1, 'ipv4.tcp_syn_linear_timeouts': 0},
)
def _(lab):
    lab.firewall('server', 'tcp dport 8080 drop')
    with contextlib.suppress(OSError):
        lab.connect()


@scenario('refused', 'SYN to a closed port')
def _(lab):
    with contextlib.suppress(ConnectionRefusedError):
        lab.connect(9999)


@scenario('refused-by-firewall', 'SYN answered with a RST by nftables')
def _(lab):
    lab.listen()
    lab.firewall('server', 'tcp dport 8080 reject with tcp reset')
    with contextlib.suppress(ConnectionRefusedError):
        lab.connect()


@scenario('aborted', 'the client closes before the SYN-ACK arrives and answers it with a RST', cable=delayed(30))
def _(lab):
    lab.listen()
    s = lab.socket('client')
    s.setblocking(False)
    s.connect_ex(lab.address('server', 8080))
    time.sleep(0.01)
    s.close()


@scenario('simultaneous-open', 'both ends bind and connect; SYNs cross', cable=delayed(40))
def _(lab):
    client, server = lab.socket('client', 7001), lab.socket('server', 7002)
    for s, end, port in ((client, 'server', 7002), (server, 'client', 7001)):
        s.setblocking(False)
        assert s.connect_ex(lab.address(end, port)) == errno.EINPROGRESS
    time.sleep(0.2)
    for s in (client, server):
        s.setblocking(True)
        s.settimeout(lab.scenario.limit)
    lab.exchange(client, server)
    client_first(lab, client, server)


@scenario(
    'tfo',
    'Fast Open: the first connection fetches a cookie, the second sends its request in the SYN',
    sysctl={'ipv4.tcp_fastopen': 3},
)
def _(lab):
    listener = lab.listen(fastopen=True)
    for _ in range(2):
        client = lab.socket('client')
        client.setblocking(True)
        client.sendto(b'q' * 100, socket.MSG_FASTOPEN, lab.address('server', 8080))
        server = lab.accept(listener)
        receive(server, 100)
        server.sendall(b'r' * 500)
        receive(client, 500)
        client_first(lab, client, server)


@scenario(
    'tfo-refused',
    "Fast Open with a cookie the server doesn't take any more: the data is sent again",
    sysctl={'ipv4.tcp_fastopen': 3},
    cable=delayed(3),
)
def _(lab):
    listener = lab.listen(fastopen=True)
    for turn in range(2):
        client = lab.socket('client')
        client.setblocking(True)
        client.sendto(b'q' * 100, socket.MSG_FASTOPEN, lab.address('server', 8080))
        server = lab.accept(listener)
        receive(server, 100)
        client_first(lab, client, server)
        if turn == 0:
            listener.close()
            listener = lab.listen()
