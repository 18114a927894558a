"""The lab's own tests: `python3 -m unittest discover -s lab` (run by test/lab/lab.test.ts)."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cable import Kinds, decode, push_tags, strip_tags
from forge import checksum, forge_reset
from ringbuffer import parse_page
from tracing import endpoint, sockaddr
from wire import Connection, Verdict, handshake

from capture import ACK, FIN, RST, SYN, Segment, without_machine

CLIENT, SERVER = '10.77.0.1:40000', '10.77.0.2:8080'


def segment(frame, source, flags, seq, ack, length=0):
    host, port = source.split(':')
    peer, peer_port = (SERVER if source == CLIENT else CLIENT).split(':')
    return Segment(
        (
            str(frame),
            f'{frame}.0',
            '0',
            host,
            peer,
            '',
            '',
            f'0x{frame:04x}',
            port,
            peer_port,
            str(seq),
            str(ack),
            hex(flags),
            str(length),
            '',
        )
    )


OPENING = [
    segment(1, CLIENT, SYN, 100, 0),
    segment(2, SERVER, SYN | ACK, 500, 101),
    segment(3, CLIENT, ACK, 101, 501),
]


def verdict(sent, lost=()):
    """What a file without the frames `lost` shows of the conversation `sent`."""
    connection = Connection(CLIENT, SERVER, 0)
    for s in OPENING + sent:
        connection.add_sent(s)
    shown = [s for s in OPENING + sent if s.frame not in lost]
    return Verdict(connection, shown, lambda _side, _segment: True), handshake(connection, shown)


class Closes(unittest.TestCase):
    four_way = [
        segment(4, CLIENT, FIN | ACK, 101, 501),
        segment(5, SERVER, ACK, 501, 102),
        segment(6, SERVER, FIN | ACK, 501, 102),
        segment(7, CLIENT, ACK, 102, 502),
    ]

    def test_an_ack_before_the_second_fin_makes_four_ways(self):
        found, opening = verdict(self.four_way)
        self.assertEqual((found.close, found.closed_first, found.complete, opening), ('4-way', 'client', True, '3-way'))

    def test_a_file_without_that_ack_shows_three(self):
        self.assertEqual(verdict(self.four_way, lost={5})[0].close, '3-way-merged')

    def test_a_file_without_the_last_ack_is_incomplete(self):
        self.assertFalse(verdict(self.four_way, lost={7})[0].complete)

    def test_crossing_fins_are_simultaneous(self):
        crossing = [
            segment(4, CLIENT, FIN | ACK, 101, 501),
            segment(5, SERVER, FIN | ACK, 501, 101),
            segment(6, CLIENT, ACK, 102, 502),
            segment(7, SERVER, ACK, 502, 102),
        ]
        found, _ = verdict(crossing)
        self.assertEqual((found.close, found.closed_first, found.complete), ('simultaneous', 'both', True))

    def test_an_ack_from_behind_the_lost_fin_proves_it(self):
        lost = [
            segment(4, CLIENT, FIN | ACK, 101, 501),
            segment(5, SERVER, FIN | ACK, 501, 101),
            segment(6, SERVER, ACK, 502, 102),
            segment(7, SERVER, FIN | ACK, 501, 102),
            segment(8, CLIENT, ACK, 102, 502),
        ]
        self.assertEqual(verdict(lost, lost={5})[0].close, 'simultaneous')

    def test_a_reset_before_both_acks_ends_it_and_one_after_does_not(self):
        reset = segment(9, CLIENT, RST, 102, 0)
        found, _ = verdict([*self.four_way, reset])
        self.assertEqual((found.close, found.rst_by, found.rst_after_close), ('4-way', None, 'client'))
        found, _ = verdict([*self.four_way[:2], segment(9, SERVER, RST, 501, 0)])
        self.assertEqual((found.close, found.rst_by, found.closed_first), ('rst', 'server', 'client'))

    def test_openings(self):
        self.assertEqual(verdict([], lost={3})[1], 'half-open')
        self.assertEqual(verdict([], lost={2, 3})[1], 'unanswered')
        self.assertEqual(verdict([], lost={1})[1], 'partial')
        self.assertEqual(verdict([], lost={1, 2})[1], 'none-seen')


def frame(flags, seq, ack, to_server=True):
    ports = (40000, 8080) if to_server else (8080, 40000)
    ips = (b'\x0a\x4d\0\1', b'\x0a\x4d\0\2') if to_server else (b'\x0a\x4d\0\2', b'\x0a\x4d\0\1')
    head = struct.pack('!BBHHHBBH', 0x45, 0, 40, 0, 0, 64, 6, 0) + ips[0] + ips[1]
    return bytes(12) + b'\x08\x00' + head + struct.pack('!HHIIBBHHH', *ports, seq, ack, 0x50, flags, 0, 0, 0)


class TheCable(unittest.TestCase):
    def test_tags_are_pushed_outermost_first_and_stripped(self):
        tagged = push_tags(frame(SYN, 1, 0), [[0x88A8, 7], [0x8100, 42]])
        self.assertEqual(tagged[12:20], b'\x88\xa8\x00\x07\x81\x00\x00\x2a')
        self.assertEqual(strip_tags(tagged), frame(SYN, 1, 0))

    def test_the_parts_that_segments_play(self):
        kinds = Kinds()
        talk = [
            (SYN, 100, 0, True, 'SYN'),
            (SYN | ACK, 500, 101, False, 'SYN-ACK'),
            (ACK, 101, 501, True, 'HANDSHAKE-ACK'),
            (FIN | ACK, 101, 501, True, 'FIN'),
            (ACK, 501, 102, False, 'ACK-OF-FIN'),
            (FIN | ACK, 501, 102, False, 'FIN'),
            (ACK, 102, 502, True, 'LAST-ACK'),
        ]
        for flags, seq, ack, to_server, kind in talk:
            found = kinds.of(decode(frame(flags, seq, ack, to_server)), 'client' if to_server else 'server')
            self.assertIn(kind, found)

    def test_a_forged_reset_has_good_checksums(self):
        last = decode(frame(ACK, 101, 501))
        forged, logged = forge_reset(bytes(12), last, last, {'offset': 1000})
        self.assertEqual(checksum(forged[14:34]), 0)
        self.assertEqual(checksum(forged[26:34] + b'\0\6\0\x14' + forged[34:]), 0)
        self.assertEqual(logged[4], 1101)


class TheKernelsForms(unittest.TestCase):
    def test_a_page_of_the_ring_buffer(self):
        event = struct.pack('<I', 2 | 5 << 5) + b'abcdefgh'
        extend = struct.pack('<II', 30 | 1 << 5, 1)
        longer = struct.pack('<II', 0 | 1 << 5, 4 + 5) + b'01234\0\0\0'
        body = event + extend + longer
        page = struct.pack('<QQ', 1000, len(body)) + body
        self.assertEqual(list(parse_page(page)), [(1005, b'abcdefgh'), (1005 + 1 + (1 << 27) + 1, b'01234\0\0\0')])

    def test_a_page_after_lost_events(self):
        with self.assertRaises(LookupError):
            list(parse_page(struct.pack('<QQ', 0, 1 << 31)))

    def test_addresses(self):
        self.assertEqual(sockaddr(b'\2\0\x1f\x90\x0a\x4d\0\2' + bytes(20)), '10.77.0.2:8080')
        self.assertEqual(endpoint(bytes(10) + b'\xff\xff\x0a\x4d\0\1', 80), '10.77.0.1:80')
        self.assertEqual(endpoint(bytes(15) + b'\1', 80), '[::1]:80')

    def test_a_pcapng_forgets_its_machine(self):
        def block(kind, body):
            return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)

        head = struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1)
        named = struct.pack('<HH', 4, 4) + b'tool' + struct.pack('<HH', 0, 0)
        made = block(0x0A0D0D0A, head + struct.pack('<HH', 2, 3) + b'cpu\0' + named)
        self.assertEqual(without_machine(made), block(0x0A0D0D0A, head + named))


if __name__ == '__main__':
    unittest.main()
