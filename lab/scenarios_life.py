"""Long lives, and the same ports again."""

import contextlib
import socket
import time

from scenario import client_first, scenario
from session import TCP_REPAIR, linger0, receive, until_end


def keep_alive(s, count=3):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, count)


@scenario('keepalive', 'keep-alive probes every second while idle, then a close')
def _(lab):
    client, server = lab.pair(prepare=keep_alive)
    lab.exchange(client, server)
    time.sleep(3.5)
    client_first(lab, client, server)


@scenario('keepalive-timeout', 'the peer is gone: keep-alive probes unanswered, then a RST', settle=0.5)
def _(lab):
    client, server = lab.pair(prepare=lambda s: keep_alive(s, 2))
    lab.exchange(client, server)
    lab.rule('drop', None, 'ANY', 1, 10_000)
    time.sleep(4.5)


@scenario('vanished', 'the path is cut in mid-transfer: retransmissions until TCP_USER_TIMEOUT')
def _(lab):
    client, server = lab.pair(prepare=lambda s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000))
    lab.exchange(client, server)
    lab.rule('drop', None, 'ANY', 1, 10_000)
    client.sendall(b'lost')
    time.sleep(4.0)


@scenario('zero-window', 'the server stops reading: zero window and probes; it reads on, then an ordinary close')
def _(lab):
    client, server = lab.pair(receive_buffer=4096)
    client.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while sent < 40_000:
            sent += client.send(b'z' * 2000)
    time.sleep(1.5)
    receive(server, sent)
    client.setblocking(True)
    client_first(lab, client, server)


@scenario('zero-window-close', "the client closes while the server's window is shut: its FIN waits behind data")
def _(lab):
    client, server = lab.pair(receive_buffer=4096)
    client.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while sent < 20_000:
            sent += client.send(b'z' * 2000)
    client.close()
    time.sleep(1.0)
    until_end(server)
    time.sleep(0.1)
    server.close()


@scenario(
    'fin-wait-2-timer',
    'an orphan in FIN_WAIT_2 runs out after tcp_fin_timeout; the late FIN draws a RST',
    fin_timeout=2,
)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    client.close()
    until_end(server)
    time.sleep(3.0)
    server.close()


@scenario('still-open', 'the connection is open at the end of the capture')
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)


@scenario('half-closed-at-end', 'the client has shut down; the server has not at the end of the capture')
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    client.shutdown(socket.SHUT_WR)


@scenario('midstream', 'the capture starts in the middle of a connection, which then closes', late=True)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.capture()
    lab.exchange(client, server)
    client_first(lab, client, server)


@scenario(
    'reuse-timewait-server',
    'the same 4-tuple twice: the server holds TIME_WAIT and a new SYN is accepted out of it (RFC 6191)',
)
def _(lab):
    listener = lab.listen()
    for _ in range(2):
        client = lab.connect(local_port=45000)
        server = lab.accept(listener)
        lab.exchange(client, server)
        client_first(lab, server, client, 0.1)
        time.sleep(0.05)


@scenario(
    'reuse-timewait-client',
    'the same 4-tuple twice: the client reuses its own TIME_WAIT (tcp_tw_reuse 1)',
    sysctl={'ipv4.tcp_tw_reuse': 1},
)
def _(lab):
    listener = lab.listen()
    for _ in range(2):
        client = lab.connect(local_port=45000)
        server = lab.accept(listener)
        lab.exchange(client, server)
        client_first(lab, client, server, 0.1)
        time.sleep(1.3)


@scenario('reuse-after-reset', 'the same 4-tuple three times, each ended by a RST')
def _(lab):
    listener = lab.listen()
    for _ in range(3):
        client = lab.connect(local_port=45000)
        server = lab.accept(listener)
        lab.exchange(client, server)
        linger0(client)
        client.close()
        time.sleep(0.05)


@scenario(
    'half-open-discovery',
    'the client is gone without a word (TCP_REPAIR) and connects again from its port: challenge ACK, RST, then a new opening',
    settle=0.5,
)
def _(lab):
    listener = lab.listen()
    client = lab.connect(local_port=45000)
    server = lab.accept(listener)
    lab.exchange(client, server)
    client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    client.close()
    time.sleep(0.1)
    again = lab.connect(local_port=45000)
    server = lab.accept(listener)
    lab.exchange(again, server)
    client_first(lab, again, server)
