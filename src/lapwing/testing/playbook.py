"""Transcripts as tests: who sent which bytes, and what a parser or a login adapter made of all of it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from lapwing.events import AuthEvent, FlowKey, Message, Side, Transport
from lapwing.logins import LoginAdapter
from lapwing.protocols import MAX_SILENT_TICKS, StreamParser
from lapwing.protocols.contract import MAX_POISON_REASON_BYTES

KEY = FlowKey(1, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.TCP, "192.0.2.10", 40_000, "198.51.100.20", 21)


class Step(NamedTuple):
    """Bytes of one side, a hole in them, or their end; or time that passes."""

    side: Side
    data: bytes = b""
    missing_bytes: int = 0
    close: str = ""
    passed_ns: int = 0


def client(data: bytes) -> Step:
    """The client sends."""
    return Step(Side.CLIENT, data)


def server(data: bytes) -> Step:
    """The server sends."""
    return Step(Side.SERVER, data)


def lost(side: Side, missing_bytes: int) -> Step:
    """Bytes of `side` were never captured."""
    return Step(side, missing_bytes=missing_bytes)


def closes(side: Side, reason: str = "fin") -> Step:
    """`side` sends no more."""
    return Step(side, close=reason)


def passes(duration_ns: int) -> Step:
    """Nothing comes for so long; a parser that asked to be woken by then is woken."""
    return Step(Side.CLIENT, passed_ns=duration_ns)


def play(parser: StreamParser, *steps: Step) -> list[Message]:
    """Feed the steps as a driver would, and return all messages."""
    return [message for _, _, message in _run(parser, steps)]


def play_logins(parser: StreamParser, adapter: LoginAdapter, *steps: Step) -> list[AuthEvent]:
    """Feed the steps to the parser and its messages to the adapter, close it, and return all logins."""
    events: list[AuthEvent] = []
    for side, now_ns, message in _run(parser, steps):
        if message is not None:  # as a quiet parser says of what the adapter does not want
            events += adapter.message(side, message, now_ns)
    return [*events, *adapter.close(len(steps))]


def _run(parser: StreamParser, steps: Iterable[Step]) -> Iterator[tuple[Side, int, Message]]:
    passed_ns = 0
    for number, step in enumerate(steps):
        if parser.poisoned or parser.done:
            break
        passed_ns += step.passed_ns
        now_ns = number + passed_ns
        for message in wake(parser, now_ns) if step.passed_ns else _take(parser, step, now_ns):
            yield step.side, now_ns, message
    assert parser.poisoned is None or 0 < len(parser.poisoned.encode()) <= MAX_POISON_REASON_BYTES


def _take(parser: StreamParser, step: Step, now_ns: int) -> Iterable[Message]:
    if step.close:
        return parser.close(step.side, step.close, now_ns)
    if step.missing_bytes:
        return parser.gap(step.side, step.missing_bytes, now_ns)
    return parser.feed(step.side, step.data, now_ns)


def wake(parser: Any, now_ns: int) -> Iterator[Message]:
    """Wake a parser as often as it asked for until now; one that does not ask is left alone."""
    for _ in range(MAX_SILENT_TICKS):
        due_ns = getattr(parser, "next_wakeup_ns", None)
        if due_ns is None or due_ns > now_ns or parser.poisoned or parser.done:
            break
        yield from parser.tick(due_ns)


def cut(steps: Iterable[Step], sizes: Sequence[int]) -> list[Step]:
    """The same steps, their bytes in pieces of the given sizes, which repeat."""
    pieces = []
    turn = 0
    for step in steps:
        data = step.data
        while len(data) > (size := sizes[turn % len(sizes)]):
            pieces.append(step._replace(data=data[:size]))
            data = data[size:]
            turn += 1
        pieces.append(step._replace(data=data))
    return pieces
