"""Resets: asked for, provoked, lost and forged."""

import signal
import socket
import time

from scenario import client_first, delayed, scenario
from session import linger0, until_end


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


@scenario(
    'rst-linger0-half-closed', 'client shutdown(); the server answers with close() and SO_LINGER 0', cable=delayed(3)
)
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


@scenario(
    'rst-forged-ignored',
    'a forged RST inside the window but not at its edge: the server sends a challenge ACK and lives on',
    cable=delayed(3, watch=True),
)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.inject_reset('client', 1000)
    time.sleep(0.1)
    lab.exchange(client, server)
    client_first(lab, client, server)


@scenario(
    'rst-forged-accepted',
    'a forged RST at the edge of the window ends the server; the client learns when it sends',
    cable=delayed(3, watch=True),
)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server)
    time.sleep(0.1)
    lab.inject_reset('client', 0)
    time.sleep(0.1)
    client.sendall(b'hello')
