"""A soup: thousands of connections of every kind at once over a cable that loses, doubles and reorders."""

import contextlib
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from scenario import Scenario
from session import linger0, until_end

WORKERS = 96
ACCEPT_SECONDS = 25
SETTLE_SECONDS = 12


def orderly(first, second, pause):
    first.close()
    until_end(second)
    time.sleep(pause)
    second.close()


def four_way(client, server, rng):
    orderly(client, server, rng.uniform(0.05, 0.2))


def four_way_server(client, server, rng):
    orderly(server, client, rng.uniform(0.05, 0.2))


def merged(client, server, _rng):
    orderly(client, server, 0)


def merged_server(client, server, _rng):
    orderly(server, client, 0)


def half_close(client, server, rng):
    client.shutdown(socket.SHUT_WR)
    until_end(server)
    for _ in range(rng.randint(1, 4)):
        server.sendall(b'h' * rng.randint(1, 3000))
        time.sleep(rng.uniform(0, 0.06))
    server.close()
    until_end(client)
    client.close()


def simultaneous(client, server, rng):
    time.sleep(0.06)
    first, second = (client, server) if rng.random() < 0.5 else (server, client)
    first.close()
    time.sleep(rng.uniform(0, 0.006))
    second.close()


def racing(client, server, rng):
    """Both close within about one round trip: simultaneous or not, as it falls."""
    client.close()
    time.sleep(rng.uniform(0, 0.04))
    server.close()


def data_then_close(client, server, rng):
    """Data in flight at close(): the FIN follows it or carries it."""
    client.sendall(b'd' * rng.randint(1, 6000))
    client.close()
    until_end(server)
    time.sleep(rng.uniform(0, 0.08))
    server.close()


def both_data_then_close(client, server, rng):
    client.shutdown(socket.SHUT_WR)
    server.sendall(b'd' * rng.randint(1, 6000))
    server.shutdown(socket.SHUT_WR)
    until_end(client)
    until_end(server)
    client.close()
    server.close()


def abort_client(client, _server, _rng):
    linger0(client)
    client.close()


def abort_server(_client, server, _rng):
    linger0(server)
    server.close()


def unread(client, server, rng):
    server.sendall(b'u' * rng.randint(1, 2000))
    time.sleep(0.1)
    client.close()


def data_after_close(client, server, rng):
    client.close()
    until_end(server)
    time.sleep(rng.uniform(0.02, 0.1))
    server.sendall(b'late')
    time.sleep(0.3)
    server.close()


def abort_after_fin(client, server, rng):
    client.shutdown(socket.SHUT_WR)
    until_end(server)
    time.sleep(rng.uniform(0.0, 0.1))
    linger0(server)
    server.close()


def left_open(_client, _server, _rng):
    pass


def left_half_closed(client, _server, _rng):
    client.shutdown(socket.SHUT_WR)


# How often each is chosen.
STYLES = (
    (four_way, 16),
    (four_way_server, 10),
    (merged, 14),
    (merged_server, 8),
    (half_close, 8),
    (simultaneous, 10),
    (racing, 6),
    (data_then_close, 8),
    (both_data_then_close, 4),
    (abort_client, 4),
    (abort_server, 3),
    (unread, 4),
    (data_after_close, 4),
    (abort_after_fin, 3),
    (left_open, 1),
    (left_half_closed, 1),
)
REFUSED_SHARE, AGAIN_SHARE = 0.03, 0.04


class Acceptor:
    """Accepts in a thread of its own and hands each socket to the worker that connected from its port."""

    def __init__(self, lab, listener):
        self.lab, self.listener = lab, listener
        self.changed = threading.Condition()
        self.waiting = {}
        self.done = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        self.listener.settimeout(0.5)
        while not self.done:
            try:
                s, peer = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            s.settimeout(self.lab.scenario.limit)
            with self.changed:
                self.lab.held.append(s)
                self.waiting.setdefault(peer[1], []).append(s)
                self.changed.notify_all()

    def take(self, port):
        with self.changed:
            if not self.changed.wait_for(lambda: self.waiting.get(port), ACCEPT_SECONDS):
                raise TimeoutError('not accepted')
            return self.waiting[port].pop(0)


def one(lab, acceptor, seed):
    rng = random.Random(seed)
    if rng.random() < REFUSED_SHARE:
        with contextlib.suppress(OSError):
            lab.connect(8081)
        return
    style = rng.choices([s for s, _ in STYLES], [w for _, w in STYLES])[0]
    turns, port = 1, None
    if rng.random() < AGAIN_SHARE:
        # The same ports twice: the server holds TIME_WAIT and takes the new SYN out of it.
        style, turns = four_way_server, 2
    for _ in range(turns):
        with contextlib.suppress(OSError):
            client = lab.connect(8080, port)
            port = client.getsockname()[1]
            server = acceptor.take(port)
            for _ in range(rng.randint(0, 2)):
                lab.exchange(client, server, rng.randint(1, 400), rng.randint(1, 4000))
            style(client, server, rng)


def soup(options):
    """The scenario of `--soup N --loss P --dup P --reorder P --delay MS --seed S`."""

    def play(lab):
        acceptor = Acceptor(lab, lab.listen(backlog=1024))
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda i: one(lab, acceptor, f'{options.seed}-{i}'), range(options.soup)))
        acceptor.done = True

    cable = {'delay': options.delay, 'loss': options.loss, 'dup': options.dup, 'reorder': options.reorder, 'hold': 12}
    parts = [f'soup-{options.soup}', f'loss{options.loss:g}'] + [
        f'{name}{value:g}' for name, value in (('dup', options.dup), ('reorder', options.reorder)) if value
    ]
    return Scenario(
        '-'.join(parts),
        f'{options.soup} connections of every kind, seed {options.seed}',
        play,
        cable=cable,
        captures={'client': 'pcapng', 'server': 'nano'},
        snap=160,
        settle=SETTLE_SECONDS,
    )
