"""Transcripts as tests: who sent which bytes, and what the parser made of them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from lapwing.events import FlowKey, Message, Side, Transport
from lapwing.protocols.contract import MAX_POISON_REASON_BYTES, StreamParser

KEY = FlowKey(1, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.TCP, "192.0.2.10", 40_000, "198.51.100.20", 21)


class Step(NamedTuple):
    """Bytes of one side, a hole in them, or their end."""

    side: Side
    data: bytes = b""
    missing_bytes: int = 0
    close: str = ""


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


def play(parser: StreamParser, *steps: Step) -> list[Message]:
    """Feed the steps as a driver would, and return all messages."""
    messages: list[Message] = []
    for now_ns, step in enumerate(steps):
        if parser.poisoned or parser.done:
            break
        if step.close:
            messages += parser.close(step.side, step.close, now_ns)
        elif step.missing_bytes:
            messages += parser.gap(step.side, step.missing_bytes, now_ns)
        else:
            messages += parser.feed(step.side, step.data, now_ns)
    assert parser.poisoned is None or 0 < len(parser.poisoned.encode()) <= MAX_POISON_REASON_BYTES
    return messages


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


def any_steps(alphabet: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Step]]:
    """Any talk made of such bytes, with holes and ends."""
    sides = st.sampled_from(Side)
    step = st.one_of(
        st.builds(Step, sides, alphabet),
        st.builds(lost, sides, st.integers(1, 5000)),
    )
    return st.lists(step, max_size=20).map(lambda steps: [*steps, closes(Side.CLIENT), closes(Side.SERVER)])


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=8)
