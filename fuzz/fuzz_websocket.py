"""Fuzz target: two sides of a WebSocket, cut into segments and holes by the input itself."""

from fuzz.talk import script, talk
from lapwing.events import Side
from lapwing.protocols.websocket import WebsocketParser

SEEDS = (
    script(
        (Side.CLIENT, b"\x81\x85\1\2\3\4hello\x88\x80\1\2\3\4"), (Side.SERVER, b"\x02\x01a\x80\x01b\x88\x02\x03\xe8")
    ),
    script((Side.SERVER, b"\x82\x7e\x01\x00" + bytes(256) + b"\x89\x00")),
)


def run(data: bytes) -> None:
    """Parse the input, whole and byte by byte."""
    talk("websocket", WebsocketParser, data)
