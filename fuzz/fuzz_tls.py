"""Fuzz target: two sides of a TLS connection, cut into segments and holes by the input itself."""

from fuzz.talk import pause, script, talk
from lapwing.events import Side
from lapwing.protocols.tls import TlsParser

C, S = Side.CLIENT, Side.SERVER
HELLO = bytes.fromhex(
    "160301004d01000049030300000000000000000000000000000000000000000000000000000000000000000000041301c02f01000"
    "01c00000008000600000361626300100005000302683200 2b0003020304".replace(" ", "")
)
ANSWER = bytes.fromhex("160303002c020000280303" + "00" * 32 + "00c02f000000") + b"\x14\x03\x03\x00\x01\x01"
CHAIN = bytes.fromhex("160303000d0b00000900000600000330 0100".replace(" ", ""))
SEEDS = (
    script((C, HELLO), (S, ANSWER), (C, b"\x14\x03\x03\x00\x01\x01")),
    script((C, HELLO)) + pause(200) + script((S, ANSWER)),
    script((C, HELLO), (S, b"\x15\x03\x03\x00\x02\x02\x28")),
    script((S, ANSWER[:-6] + CHAIN), (C, b"\x17\x03\x03\x00\x05hello")),
)


def run(data: bytes) -> None:
    """Parse the input, whole and byte by byte."""
    talk("tls", TlsParser, data)
