"""The scenarios: what is done with sockets and cable, and where it is captured."""

import contextlib
import errno
import signal
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from session import SEND_QUEUE, TCP_QUEUE_SEQ, TCP_REPAIR, TCP_REPAIR_QUEUE
from session import linger0, receive, until_end

SCENARIOS = {}
BOTH = {'client': 'pcapng', 'server': 'nano'}
MIDDLE = {'client': 'micro', 'middle': 'nano', 'server': 'nano'}


@dataclass
class Scenario:
    """`limit`: seconds that any blocking call may take; `settle`: seconds of capture after `play`."""

    name: str
    text: str
    play: object
    topology: str = 'cable'
    cable: dict = field(default_factory=dict)
    captures: dict = field(default_factory=lambda: dict(BOTH))
    sysctl: dict = field(default_factory=dict)
    family: int = 4
    snap: int = 262144
    fin_timeout: int = 60
    settle: float = 0.3
    limit: float = 20.0
    late: bool = False


def scenario(name, text, **options):
    def register(play):
        SCENARIOS[name] = Scenario(name, text, play, **options)
        return play

    return register


def delayed(ms, **more):
    return dict({'delay': ms}, **more)


def client_first(lab, client, server, pause=0.15):
    """The client closes, the server reads the end of the stream and closes `pause` seconds later."""
    client.close()
    until_end(server)
    time.sleep(pause)
    server.close()


def ordinary(lab, pause=0.15, **pair):
    client, server = lab.pair(**pair)
    lab.exchange(client, server)
    client_first(lab, client, server, pause)


# ---- orderly closes ------------------------------------------------------------------------------------------------------------


@scenario('4way-client-first', 'client closes, server reads end of file and closes 150 ms later')
def _(lab):
    ordinary(lab)


@scenario('4way-server-first', 'server closes, client closes 150 ms later')
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    client_first(lab, server, client)


@scenario('3way-merged', 'server closes at once after recv() == 0: the delayed ACK rides on its FIN')
def _(lab):
    ordinary(lab, pause=0)


@scenario('3way-merged-data', 'server corks 400 bytes and closes: data, ACK of the FIN and FIN in one segment')
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    client.shutdown(socket.SHUT_WR)
    until_end(server)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    server.sendall(b'x' * 400)
    server.close()
    until_end(client)
    client.close()


@scenario('half-close', 'client shutdown(SHUT_WR); server stays in CLOSE_WAIT for 1 s, sends 20 kB, then closes', cable=delayed(4))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    client.shutdown(socket.SHUT_WR)
    until_end(server)
    for _ in range(4):
        server.sendall(b'h' * 5000)
        time.sleep(0.25)
    server.close()
    until_end(client)
    client.close()


@scenario('simultaneous', 'both close within a millisecond; 40 ms each way', cable=delayed(40))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    client.close()
    server.close()


@scenario('no-data', 'connected and closed without a byte')
def _(lab):
    client, server = lab.pair()
    client_first(lab, client, server)


@scenario('killed-process', "the client's process is killed: the kernel closes for it")
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    child = lab.process('import time; print(flush=True); time.sleep(60)', client)
    time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    until_end(server)
    time.sleep(0.1)
    server.close()


# ---- segments lost at the close ------------------------------------------------------------------------------------------------


def losing(name, text, direction, kind, last=1, pause=0.15, server_first=False, settle=1.2, together=False, **options):
    """A close in which a chosen segment is lost in the cable: after the capture point of its sender, before the other's."""

    def play(lab):
        client, server = lab.pair()
        lab.exchange(client, server)
        time.sleep(0.1)
        lab.rule('drop', direction, kind, 1, last)
        if together:
            client.close()
            server.close()
        elif server_first:
            client_first(lab, server, client, pause)
        else:
            client_first(lab, client, server, pause)

    options.setdefault('cable', delayed(5))
    SCENARIOS[name] = Scenario(name, text, play, settle=settle, **options)


losing('fin-lost', "client's first FIN is lost and sent again", 'client', 'FIN')
losing('fin-lost-twice', "client's first FIN and its copy are lost", 'client', 'FIN', 2, settle=2.0)
losing('second-fin-lost', "server's FIN is lost and sent again", 'server', 'FIN')
losing('merged-fin-lost', "the server's FIN that carries the ACK is lost", 'server', 'FIN', pause=0)
losing('ack-of-fin-lost', "the server's ACK of the client's FIN is lost", 'server', 'ACK-OF-FIN')
losing('last-ack-lost', "the ACK of the second FIN is lost: the server's FIN comes again to a client in TIME_WAIT", 'client', 'LAST-ACK')
losing('last-ack-lost-by-server', "the same, the server having closed first", 'server', 'LAST-ACK', server_first=True)
losing('last-ack-never', 'every ACK of the second FIN is lost', 'client', 'LAST-ACK', 99, settle=2.5)
losing('simultaneous-fin-lost', "both close at once and the client's FIN is lost", 'client', 'FIN', cable=delayed(40), together=True)
losing('simultaneous-server-fin-lost', "both close at once and the server's FIN is lost", 'server', 'FIN', cable=delayed(40), together=True)
losing('simultaneous-ack-lost', 'both close at once and the ACK of the client is lost', 'client', 'LAST-ACK', cable=delayed(40), together=True)


@scenario('fin-before-data', "the last data segment is lost: the FIN behind it arrives first", cable=delayed(5), settle=1.2)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.rule('drop', 'client', 'DATA')
    client.sendall(b'z' * 300)
    client.close()
    until_end(server)
    time.sleep(0.1)
    server.close()


@scenario('fin-overtakes', 'the ACK of the FIN is held back 30 ms: the FIN of the server overtakes it', cable=delayed(5))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.rule('delay', 'server', 'ACK-OF-FIN', ms=120)
    client_first(lab, client, server, 0.08)


for _stage, _where in ((1, 'before'), (2, 'behind')):

    @scenario(
        f'trunk-fin-lost-{_where}', f'captured in the middle; the first FIN is lost {_where} it', topology='trunk',
        cable=delayed(6), captures=dict(MIDDLE), settle=1.2,
    )
    def _(lab, stage=_stage):
        client, server = lab.pair()
        lab.exchange(client, server)
        time.sleep(0.1)
        lab.rule('drop', 'client', 'FIN', stage=stage)
        client_first(lab, client, server)

    @scenario(
        f'trunk-ack-lost-{_where}', f'captured in the middle; the last ACK is lost {_where} it', topology='trunk',
        cable=delayed(6), captures=dict(MIDDLE), settle=1.2,
    )
    def _(lab, stage=_stage):
        client, server = lab.pair()
        lab.exchange(client, server)
        time.sleep(0.1)
        lab.rule('drop', 'client', 'LAST-ACK', stage=stage)
        client_first(lab, client, server)


# ---- openings ------------------------------------------------------------------------------------------------------------------


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
    'accept-queue-overflow', 'listen(2) and four connections: the server drops the last ACK and repeats its SYN-ACK',
    cable=delayed(20), settle=0.6, sysctl={'ipv4.tcp_syncookies': 0},
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


@scenario('syn-unanswered', 'SYNs dropped by nftables on the server; the client gives up', sysctl={'ipv4.tcp_syn_retries': 1, 'ipv4.tcp_syn_linear_timeouts': 0})
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


@scenario('tfo', 'Fast Open: the first connection fetches a cookie, the second sends its request in the SYN', sysctl={'ipv4.tcp_fastopen': 3})
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


@scenario('tfo-refused', "Fast Open with a cookie the server doesn't take any more: the data is sent again", sysctl={'ipv4.tcp_fastopen': 3}, cable=delayed(3))
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


# ---- resets --------------------------------------------------------------------------------------------------------------------


@scenario('rst-linger0-client', 'client close() with SO_LINGER 0')
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    linger0(client)
    client.close()


@scenario('rst-linger0-server', 'server close() with SO_LINGER 0', cable=delayed(3))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    linger0(server)
    server.close()


@scenario('rst-linger0-half-closed', 'client shutdown(); the server answers with close() and SO_LINGER 0', cable=delayed(3))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    client.shutdown(socket.SHUT_WR)
    until_end(server)
    time.sleep(0.1)
    linger0(server)
    server.close()


@scenario('rst-lost', "the client's RST is lost; the server learns of it when it sends", cable=delayed(3))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    lab.rule('drop', 'client', 'RST')
    linger0(client)
    client.close()
    time.sleep(0.2)
    server.sendall(b'late')


@scenario('rst-unread-data', 'client close() with unread data in its receive queue')
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    server.sendall(b'u' * 700)
    time.sleep(0.1)
    client.close()


@scenario('rst-data-after-close', 'client close(); the server then sends data to the orphan: RST')
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    client.close()
    until_end(server)
    time.sleep(0.15)
    server.sendall(b'late')


@scenario('rst-data-in-flight', "the server's data crosses the client's FIN: RST", cable=delayed(30))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    server.sendall(b'y' * 3000)
    client.close()


@scenario('killed-process-unread', "the client's process is killed with unread data")
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    child = lab.process('import time; print(flush=True); time.sleep(60)', client)
    server.sendall(b'u' * 700)
    time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    time.sleep(0.1)


@scenario('rst-forged-ignored', 'a forged RST inside the window but not at its edge: the server sends a challenge ACK and lives on', cable=delayed(3, watch=True))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.inject_reset('client', 1000)
    time.sleep(0.1)
    lab.exchange(client, server)
    client_first(lab, client, server)


@scenario('rst-forged-accepted', 'a forged RST at the edge of the window ends the server; the client learns when it sends', cable=delayed(3, watch=True))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.inject_reset('client', 0)
    time.sleep(0.1)
    client.sendall(b'hello')


# ---- long lives ----------------------------------------------------------------------------------------------------------------


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


@scenario('fin-wait-2-timer', 'an orphan in FIN_WAIT_2 runs out after tcp_fin_timeout; the late FIN draws a RST', fin_timeout=2)
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


# ---- the same ports again ------------------------------------------------------------------------------------------------------


@scenario('reuse-timewait-server', 'the same 4-tuple twice: the server holds TIME_WAIT and a new SYN is accepted out of it (RFC 6191)')
def _(lab):
    listener = lab.listen()
    for _ in range(2):
        client = lab.connect(local_port=45000)
        server = lab.accept(listener)
        lab.exchange(client, server)
        client_first(lab, server, client, 0.1)
        time.sleep(0.05)


@scenario('reuse-timewait-client', 'the same 4-tuple twice: the client reuses its own TIME_WAIT (tcp_tw_reuse 1)', sysctl={'ipv4.tcp_tw_reuse': 1})
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


@scenario('half-open-discovery', "the client is gone without a word (TCP_REPAIR) and connects again from its port: challenge ACK, RST, then a new opening", settle=0.5)
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


# ---- forms of capture ----------------------------------------------------------------------------------------------------------


@scenario('ipv6-4way', 'IPv6, client first', family=6)
def _(lab):
    ordinary(lab)


@scenario('ipv6-simultaneous', 'IPv6, both at once', family=6, cable=delayed(30))
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    client.close()
    server.close()


@scenario('vlan', '802.1Q tag 42 on the captured trunk', topology='trunk', cable={'tags': [[0x8100, 42]]}, captures={'middle': 'nano'})
def _(lab):
    ordinary(lab, pause=0)


@scenario('qinq', '802.1ad tag 7 and 802.1Q tag 42 on the captured trunk', topology='trunk', cable={'tags': [[0x88A8, 7], [0x8100, 42]]}, captures={'middle': 'pcapng'})
def _(lab):
    ordinary(lab)


@scenario('any', "captured on 'any' at each end, and in the middle, where every frame passes twice", topology='trunk', captures={'any-client': 'micro', 'any-server': 'nano', 'any-middle': 'nano'})
def _(lab):
    ordinary(lab)
    ordinary(lab, port=8081, pause=0)


@scenario('snapped', 'snapped at 68 bytes: no payload and not all options are in the file', snap=68)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server, 4000, 9000)
    client_first(lab, client, server)


@scenario('offload', '6 MB with segmentation offload: frames up to 64 kB, checksums not yet computed, snapped at 128', topology='direct', snap=128)
def _(lab):
    client, server = lab.pair()
    reader = threading.Thread(target=receive, args=(server, 6_000_000))
    reader.start()
    client.sendall(b'o' * 6_000_000)
    reader.join()
    client_first(lab, client, server)


def first_number(number):
    """TCP_REPAIR: the next connect() starts at sequence number `number`."""

    def prepare(s):
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
        s.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, struct.pack('I', number))
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)

    return prepare


@scenario('seq-wrap', "the client's numbers wrap in the data (TCP_REPAIR)")
def _(lab):
    client, server = lab.pair(prepare=first_number(2**32 - 3000))
    lab.exchange(client, server, 9000, 9000)
    client_first(lab, client, server)


@scenario('seq-wrap-fin', "the client's FIN has the number 2^32 - 1 (TCP_REPAIR)")
def _(lab):
    client, server = lab.pair(prepare=first_number(2**32 - 1 - 121))
    lab.exchange(client, server, 120, 900)
    client_first(lab, client, server)


# ---- the cable at work ---------------------------------------------------------------------------------------------------------


def bulk(lab):
    client, server = lab.pair()
    reader = threading.Thread(target=receive, args=(server, 250_000))
    reader.start()
    client.sendall(b'b' * 250_000)
    reader.join()
    lab.exchange(client, server)
    client_first(lab, client, server, 0.1)


for _name, _text, _cable in (
    ('loss', 'bulk transfer with 5 % loss each way, then a close', delayed(5, loss=5)),
    ('reorder', '10 % of the frames are held back 8 ms', delayed(5, reorder=10, hold=8)),
    ('duplicates', '20 % of the frames are doubled by the network', delayed(3, dup=20)),
    ('reorder-and-loss', '4 % lost, 10 % held back, 5 % doubled', delayed(5, loss=4, reorder=10, hold=8, dup=5)),
):
    SCENARIOS[_name] = Scenario(_name, _text, bulk, cable=_cable, settle=2.5, snap=120)
