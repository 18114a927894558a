"""Pages of the kernel's trace ring buffer as events (Documentation/trace/ring-buffer-map.rst, include/linux/ring_buffer.h)."""

import re
import struct

MISSED = 1 << 31
PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31


def parse_page(page):
    """Yields (time in ns of the instance's clock, bytes of the event); raises LookupError where events were lost."""
    at, commit = struct.unpack_from('<QQ', page, 0)
    if commit & MISSED:
        raise LookupError('the kernel lost trace events')
    position, end = 16, 16 + (commit & 0xFFFFF)
    while position + 4 <= end:
        (head,) = struct.unpack_from('<I', page, position)
        kind, delta = head & 31, head >> 5
        position += 4
        if kind == PADDING:
            if delta == 0:
                return
            at += delta
            (length,) = struct.unpack_from('<I', page, position)
            position += length
        elif kind in (TIME_EXTEND, TIME_STAMP):
            (high,) = struct.unpack_from('<I', page, position)
            at = (at if kind == TIME_EXTEND else 0) + (high << 27) + delta
            position += 4
        else:
            at += delta
            length = kind * 4
            if kind == 0:
                length = (struct.unpack_from('<I', page, position)[0] - 4 + 3) & ~3
                position += 4
            yield at, page[position : position + length]
            position += length


class Format:
    """The fields of one event, from its `format` file."""

    FIELD = re.compile(r'field:(.*?)(\w+)(\[\d+\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:(\d)')
    SYMBOL = re.compile(r'\{ (\d+), "(\w+)" \}')

    def __init__(self, name, text):
        self.name = name
        self.id = int(re.search(r'^ID: (\d+)', text, re.M)[1])
        self.fields = {}
        for _type, field, array, offset, size, signed in self.FIELD.findall(text):
            self.fields[field] = (int(offset), int(size), bool(array), signed == '1')
        # The names of `reason`, the last list of symbols that is keyed by it.
        _, _, reasons = text.partition('__print_symbolic(REC->reason,')
        self.reasons = {int(n): word for n, word in self.SYMBOL.findall(reasons)}

    def decode(self, data):
        """{field: number or bytes}, common fields left out."""
        values = {}
        for field, (offset, size, is_bytes, signed) in self.fields.items():
            if field.startswith('common_'):
                continue
            raw = data[offset : offset + size]
            values[field] = bytes(raw) if is_bytes else int.from_bytes(raw, 'little', signed=signed)
        return values
