"""Forged resets, as a middlebox or an attacker sends them (RFC 5961 §3)."""

import struct

RST, ACK = 4, 16


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def forge_reset(macs, last, peer_last, order):
    """
    An IPv4 RST in the name of the sender of `last`: its sequence number is the next one plus `offset`.
    Returns the frame and the segment as the cable logs it.
    """
    source, sport, target, dport, seq, _ack, flags, length = last
    if len(source) != 4:
        raise ValueError('forged resets are IPv4 only')
    number = (seq + length + (1 if flags & 3 else 0) + order.get('offset', 0)) & 0xFFFFFFFF
    tcp = struct.pack('!HHIIBBHHH', sport, dport, number, 0, 5 << 4, RST, 0, 0, 0)
    pseudo = source + target + struct.pack('!BBH', 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack('!H', checksum(pseudo + tcp)) + tcp[18:]
    head = struct.pack(
        '!BBHHHBBH4s4s', 0x45, 0, 40, order.get('id', 4242), 0, order.get('ttl', 99), 6, 0, source, target
    )
    head = head[:10] + struct.pack('!H', checksum(head)) + head[12:]
    segment = (source, sport, target, dport, number, 0, RST, 0)
    return macs + b'\x08\x00' + head + tcp, segment
