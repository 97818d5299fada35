"""Fuzz target: two sides of an FTP control channel, cut into segments and holes by the input itself."""

from fuzz.talk import script, talk
from lapwing.events import Side
from lapwing.protocols.ftp import FtpParser

C, S = Side.CLIENT, Side.SERVER
SEEDS = (
    script(
        (S, b"220-hello\r\n220 ready\r\n"),
        (C, b"USER a\r\n"),
        (S, b"331 go on\r\n"),
        (C, b"PASS b\r\n"),
        (S, b"530 no\r\n"),
    ),
    script((S, b"220 ready\r\n"), (C, b"AUTH TLS\r\n"), (S, b"234 go on\r\n"), (C, b"\x16\x03\x01\x00\x05hello")),
)


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("ftp", FtpParser, data)
