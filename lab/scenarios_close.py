"""Orderly closes, and segments lost in them."""

import signal
import socket
import time

from scenario import MIDDLE, SCENARIOS, Scenario, client_first, delayed, ordinary, scenario
from session import until_end


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


@scenario(
    'half-close',
    'client shutdown(SHUT_WR); server stays in CLOSE_WAIT for 1 s, sends 20 kB, then closes',
    cable=delayed(4),
)
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
losing(
    'last-ack-lost',
    "the ACK of the second FIN is lost: the server's FIN comes again to a client in TIME_WAIT",
    'client',
    'LAST-ACK',
)
losing('last-ack-lost-by-server', 'the same, the server having closed first', 'server', 'LAST-ACK', server_first=True)
losing('last-ack-never', 'every ACK of the second FIN is lost', 'client', 'LAST-ACK', 99, settle=2.5)
losing(
    'simultaneous-fin-lost',
    "both close at once and the client's FIN is lost",
    'client',
    'FIN',
    cable=delayed(40),
    together=True,
)
losing(
    'simultaneous-server-fin-lost',
    "both close at once and the server's FIN is lost",
    'server',
    'FIN',
    cable=delayed(40),
    together=True,
)
losing(
    'simultaneous-ack-lost',
    'both close at once and the ACK of the client is lost',
    'client',
    'LAST-ACK',
    cable=delayed(40),
    together=True,
)


@scenario(
    'fin-before-data', 'the last data segment is lost: the FIN behind it arrives first', cable=delayed(5), settle=1.2
)
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


@scenario(
    'fin-overtakes', 'the ACK of the FIN is held back 30 ms: the FIN of the server overtakes it', cable=delayed(5)
)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.rule('delay', 'server', 'ACK-OF-FIN', ms=120)
    client_first(lab, client, server, 0.08)


for _stage, _where in ((1, 'before'), (2, 'behind')):

    @scenario(
        f'trunk-fin-lost-{_where}',
        f'captured in the middle; the first FIN is lost {_where} it',
        topology='trunk',
        cable=delayed(6),
        captures=dict(MIDDLE),
        settle=1.2,
    )
    def _(lab, stage=_stage):
        client, server = lab.pair()
        lab.exchange(client, server)
        time.sleep(0.1)
        lab.rule('drop', 'client', 'FIN', stage=stage)
        client_first(lab, client, server)

    @scenario(
        f'trunk-ack-lost-{_where}',
        f'captured in the middle; the last ACK is lost {_where} it',
        topology='trunk',
        cable=delayed(6),
        captures=dict(MIDDLE),
        settle=1.2,
    )
    def _(lab, stage=_stage):
        client, server = lab.pair()
        lab.exchange(client, server)
        time.sleep(0.1)
        lab.rule('drop', 'client', 'LAST-ACK', stage=stage)
        client_first(lab, client, server)
