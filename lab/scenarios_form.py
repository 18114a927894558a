"""Forms of capture, and the cable at work."""

import socket
import struct
import threading
import time

from scenario import SCENARIOS, Scenario, client_first, delayed, ordinary, scenario
from session import SEND_QUEUE, TCP_QUEUE_SEQ, TCP_REPAIR, TCP_REPAIR_QUEUE, receive


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


@scenario(
    'vlan',
    '802.1Q tag 42 on the captured trunk',
    topology='trunk',
    cable={'tags': [[0x8100, 42]]},
    captures={'middle': 'nano'},
)
def _(lab):
    ordinary(lab, pause=0)


@scenario(
    'qinq',
    '802.1ad tag 7 and 802.1Q tag 42 on the captured trunk',
    topology='trunk',
    cable={'tags': [[0x88A8, 7], [0x8100, 42]]},
    captures={'middle': 'pcapng'},
)
def _(lab):
    ordinary(lab)


@scenario(
    'any',
    "captured on 'any' at each end, and in the middle, where every frame passes twice",
    topology='trunk',
    captures={'any-client': 'micro', 'any-server': 'nano', 'any-middle': 'nano'},
)
def _(lab):
    ordinary(lab)
    ordinary(lab, port=8081, pause=0)


@scenario('snapped', 'snapped at 68 bytes: no payload and not all options are in the file', snap=68)
def _(lab):
    client, server = lab.pair()
    lab.exchange(client, server, 4000, 9000)
    client_first(lab, client, server)


@scenario(
    'offload',
    '6 MB with segmentation offload: frames up to 64 kB, checksums not yet computed, snapped at 128',
    topology='direct',
    snap=128,
)
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
