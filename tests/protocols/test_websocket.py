"""WebSocket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages.websocket import WebsocketClose, WebsocketMessage
from lapwing.protocols.websocket import MAX_CONTROL_BYTES, MAX_HEADER_BYTES, WEBSOCKET, WebsocketParser
from tests.protocols.playbook import SIZES, Step, any_steps, client, cut, lost, play, server


def frame(opcode: int, data: bytes, *, final: bool = True, masked: bool = False, extra: int = 0) -> bytes:
    size = len(data)
    head = bytes((opcode | 0x80 * final | extra,))
    short = size if size < 126 else 126 if size < 65_536 else 127
    head += bytes((short | 0x80 * masked,)) + (b"" if short < 126 else size.to_bytes(2 if short == 126 else 8, "big"))
    if masked:
        head += b"\1\2\3\4"
        data = bytes(byte ^ (at % 4 + 1) for at, byte in enumerate(data))
    return head + data


TALK = [
    client(frame(1, b"hello", masked=True) + frame(9, b"ping", masked=True)),
    server(frame(2, b"x" * 300, final=False) + frame(10, b"ping") + frame(0, b"y" * 70_000)),
    server(frame(1, b"z", extra=0x40) + frame(8, b"\x03\xe8bye")),
    client(frame(8, b"\x03\xe9", masked=True)),
]
PIECES = [one.data[:400] for one in TALK] + [b"\x81", b"\xff\xff", b"\x88\0"]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=4).map(b"".join))


def test_messages_are_counted_over_their_frames_and_ends_are_told() -> None:
    assert play(WebsocketParser(), *TALK) == [
        WebsocketMessage("text", 5),
        WebsocketMessage("binary", 70_300, 2),
        WebsocketMessage("text", 1, compressed=True),
        WebsocketClose(1000),
        WebsocketClose(1001),
    ]


@pytest.mark.parametrize("data", [b"\x83\0", b"\x08\0", b"\x88\x7e\0\xff", b"\x82\x7f" + b"\xff" * 8])
def test_what_is_no_frame_poisons(data: bytes) -> None:
    parser = WebsocketParser()
    play(parser, server(data))
    assert parser.poisoned


def test_a_hole_inside_a_payload_does_no_harm_and_one_elsewhere_silences_its_side() -> None:
    wire = frame(2, b"x" * 300)
    inside = [server(wire[:100]), lost(Side.SERVER, 150), server(wire[250:] + frame(1, b"a"))]
    assert play(WebsocketParser(), *inside)[-1] == WebsocketMessage("text", 1)
    beyond = [server(wire[:100]), lost(Side.SERVER, 1_000), server(frame(1, b"a"))]
    assert play(WebsocketParser(), *beyond) == [WebsocketMessage("binary", 300)]


@given(SIZES)
def test_any_split_gives_the_same_messages(sizes: list[int]) -> None:
    short = [TALK[0], *TALK[2:]]
    assert play(WebsocketParser(), *cut(short, sizes)) == play(WebsocketParser(), *short)


@given(any_steps(BYTES))
def test_any_bytes_give_messages_within_the_bounds(steps: list[Step]) -> None:
    parser = WebsocketParser()
    play(parser, *steps)
    assert parser.held_bytes <= 2 * (MAX_HEADER_BYTES + MAX_CONTROL_BYTES) or parser.poisoned


def test_no_first_bytes_are_taken_for_a_websocket() -> None:
    assert WEBSOCKET.starts == (b"", b"")
