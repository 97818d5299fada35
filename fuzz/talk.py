"""What the fuzz targets of the line and login protocols share: a talk read from the input, and its laws."""

from collections.abc import Callable, Iterator
from itertools import count

import msgspec

from lapwing.events import AuthAttempted, AuthEvent, AuthResolved, AuthUnanswered, FlowKey, Message, Side, Transport
from lapwing.logins import LoginContext, LoginSettings, SecretTagger, adapter_for
from lapwing.protocols.contract import MAX_POISON_REASON_BYTES, StreamParser
from lapwing.testing.playbook import wake

KEY = FlowKey(1, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.TCP, "192.0.2.10", 40_000, "198.51.100.20", 21)
MAX_STEPS = 512
LONGEST_HOLE = 192  # bytes; for more, time passes
NS_PER_S = 1_000_000_000


def steps(data: bytes) -> Iterator[tuple[Side, int, bytes]]:
    """Read (side, hole, bytes) from the input: one control byte, one size byte, the bytes."""
    position = 0
    for _ in range(MAX_STEPS):
        if position + 2 > len(data):
            return
        control, size = data[position], data[position + 1]
        position += 2
        side = Side.CLIENT if control & 1 else Side.SERVER
        if control & 0xE0 == 0xE0:
            yield side, size + 1, b""
        else:
            yield side, 0, data[position : position + size + 1]
            position += size + 1


def pause(seconds: int) -> bytes:
    """The input that `talk` takes for so many seconds of silence."""
    assert LONGEST_HOLE < seconds <= 256
    return bytes((0xE0, seconds - 1))


def script(*pieces: tuple[Side, bytes]) -> bytes:
    """The input that `steps` reads back as these pieces: a talk to begin with."""
    out = b""
    for side, data in pieces:
        for at in range(0, len(data), 256):
            piece = data[at : at + 256]
            out += bytes((side is Side.CLIENT, len(piece) - 1)) + piece
    return out


def talk(protocol: str, make: Callable[[], StreamParser], data: bytes) -> None:
    """Feed the input whole and byte by byte: equal messages, nothing raised, every login resolved once.

    Of a hole of more than LONGEST_HOLE bytes as many seconds pass instead, and parsers that asked for it are woken.
    """
    whole, bytewise = make(), make()
    messages: list[tuple[Side, Message]] = []
    now_ns = 0
    for side, hole, segment in steps(data):
        if whole.poisoned or whole.done:
            break
        passes = hole > LONGEST_HOLE
        if passes:
            now_ns += hole * NS_PER_S
            found = list(wake(whole, now_ns))
            assert found == list(wake(bytewise, now_ns))
        else:
            found = list(whole.gap(side, hole, now_ns) if hole else whole.feed(side, segment, now_ns))
            assert found == _bytewise(bytewise, side, hole, segment, now_ns)
        assert (whole.poisoned, whole.done) == (bytewise.poisoned, bytewise.done)
        messages += [(side, message) for message in found if message is not None]
    for side in Side:
        if not (whole.poisoned or whole.done):
            found = list(whole.close(side, "fin", now_ns))
            assert found == list(bytewise.close(side, "fin", now_ns))
            messages += [(side, message) for message in found if message is not None]
    assert len((whole.poisoned or "").encode()) <= MAX_POISON_REASON_BYTES
    _logins(protocol, messages)


def _bytewise(parser: StreamParser, side: Side, hole: int, segment: bytes, now_ns: int) -> list[Message]:
    if hole:
        return list(parser.gap(side, hole, now_ns))
    found: list[Message] = []
    for byte in segment:
        if not (parser.poisoned or parser.done):
            found += parser.feed(side, bytes((byte,)), now_ns)
    return found


def _logins(protocol: str, messages: list[tuple[Side, Message]]) -> None:
    ids = count(1)
    adapter = adapter_for(protocol, LoginContext(KEY, LoginSettings(), SecretTagger(bytes(16)), lambda: next(ids)))
    events: list[AuthEvent] = []
    for side, message in messages:
        msgspec.json.encode(message.redacted())
        if adapter is not None:
            events += adapter.message(side, message, 0)
    if adapter is not None:
        events += adapter.close(0)
    ended = [event.auth_id for event in events if isinstance(event, AuthResolved)]
    assert len(set(ended)) == len(ended)
    assert {event.auth_id for event in events if isinstance(event, AuthAttempted | AuthUnanswered)} <= set(ended)
