"""A protocol of one's own: messages of a length byte and that many bytes, behind a greeting. Under thirty lines."""

from collections.abc import Iterable

from lapwing.events import FlowKey, Side
from lapwing.events.messages import BaseMessage
from lapwing.protocols import Match, StreamProtocol


class Line(BaseMessage, frozen=True, gc=False, tag="example.line"):
    """One message."""

    text: str


class Parser:
    """Poisons itself on an empty message, which the protocol does not have."""

    def __init__(self, key: FlowKey) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._held = {Side.CLIENT: b"", Side.SERVER: b""}

    def feed(self, side: Side, data: bytes, now_ns: int) -> Iterable[Line]:
        held = (self._held[side] + data).removeprefix(b"LINES/1\n")
        found = []
        while held and not self.poisoned and len(held) > held[0]:
            if not held[0]:
                self.poisoned = "an empty message"
                break
            found.append(Line(held[1 : 1 + held[0]].decode("ascii", "backslashreplace")))
            held = held[1 + held[0] :]
        self._held[side] = held  # at most a message: 256 bytes and the piece they came in
        return found

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> Iterable[Line]:
        self.poisoned = "bytes are missing, and where a message begins cannot be seen"
        return ()

    def close(self, side: Side, reason: str, now_ns: int) -> Iterable[Line]:
        return ()


def probe(side: Side, head: bytes) -> Match:
    """The client greets."""
    if side is Side.SERVER:
        return Match.MORE
    greeting = b"LINES/1\n"
    return Match.YES if head.startswith(greeting) else Match.MORE if greeting.startswith(head) else Match.NO


LINES = StreamProtocol("example-lines", frozenset({7007}), probe, Parser)
