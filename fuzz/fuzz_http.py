"""Fuzz target: two sides of an HTTP connection, cut into segments and holes by the input itself."""

from collections.abc import Iterator

from lapwing.events import Message, Side
from lapwing.protocols.http import HttpParser

MAX_STEPS = 512


def steps(data: bytes) -> Iterator[tuple[Side, int, bytes]]:
    """Read (side, hole, bytes) from the input: one control byte, one size byte, the bytes."""
    pos = 0
    for _ in range(MAX_STEPS):
        if pos + 2 > len(data):
            return
        control, size = data[pos], data[pos + 1]
        pos += 2
        side = Side.CLIENT if control & 1 else Side.SERVER
        if control & 0xE0 == 0xE0:
            yield side, size + 1, b""
        else:
            yield side, 0, data[pos : pos + size + 1]
            pos += size + 1


def run(data: bytes) -> None:
    """Feed the input whole and byte by byte: nothing may raise, and both must give the same messages."""
    whole, bytewise = HttpParser(), HttpParser()
    for side, hole, segment in steps(data):
        if whole.poisoned or whole.done:
            break
        if hole:
            assert list(whole.gap(side, hole, 0)) == list(bytewise.gap(side, hole, 0))
            continue
        messages = list(whole.feed(side, segment, 0))
        pieces: list[Message] = []
        for byte in segment:
            if not (bytewise.poisoned or bytewise.done):
                pieces += bytewise.feed(side, bytes((byte,)), 0)
        assert messages == pieces
        assert (whole.poisoned, whole.done) == (bytewise.poisoned, bytewise.done)
        for message in messages:
            message.redacted()
    for side in Side:
        assert list(whole.close(side, "fin", 0)) == list(bytewise.close(side, "fin", 0))
