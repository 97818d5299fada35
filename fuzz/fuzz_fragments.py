"""Fuzz target: fragments of IP datagrams, their places and sizes taken from the input."""

import numpy as np

from lapwing.flows import Fragments
from lapwing.flows.fragments import MAX_HELD_BYTES
from lapwing.testing import ethernet, fragment_body, ipv4, ipv6
from lapwing.wire import DECODE_COUNTERS, PACKET_DTYPE, decode

SEEDS = (
    bytes((0x80, 0, 40, 0x00, 5, 16)),
    bytes((0xC0, 0, 40, 0x40, 5, 16)),
    bytes((0x80, 0, 40, 0x80, 3, 40, 0x00, 8, 8)),
)


def run(data: bytes) -> None:
    """Three bytes a fragment: flags and number, place, size; nothing may raise, and memory stays bounded."""
    frames = [_frame(*data[at : at + 3]) for at in range(0, len(data) - 2, 3)]
    fragments = Fragments()
    rows = np.zeros(len(frames), PACKET_DTYPE)
    rows["frame_off"] = np.cumsum([0, *map(len, frames)])[:-1]
    rows["captured"] = rows["wire_bytes"] = [len(frame) for frame in frames]
    rows["link_type"] = 1
    buffer = b"".join(frames)
    decode(buffer, rows, len(frames), np.zeros(DECODE_COUNTERS, np.int64))
    for _ in fragments.spans(buffer, rows, len(frames)):
        assert fragments.statistics()["held_bytes"] <= MAX_HELD_BYTES
    fragments.finish()
    assert fragments.statistics()["held_bytes"] == 0


def _frame(flags: int, place: int, size: int) -> bytes:
    more, ident = bool(flags & 0x80), flags & 3
    if flags & 0x40:
        body = fragment_body(place * 8, more=more, ident=ident)
        return ethernet(ipv6("2001:db8::1", "2001:db8::2", 17, bytes(size), extensions=[(44, body)]))
    word = place | (0x2000 if more else 0)
    return ethernet(ipv4("192.0.2.1", "192.0.2.2", 17, bytes(size), ident=ident, flags_and_offset=word))
