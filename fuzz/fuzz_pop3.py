"""Fuzz target: two sides of POP3, cut into segments and holes by the input itself."""

from fuzz.talk import script, talk
from lapwing.events import Side
from lapwing.protocols.pop3 import Pop3Parser

C, S = Side.CLIENT, Side.SERVER
SEEDS = (
    script((S, b"+OK hi\r\n"), (C, b"USER a\r\nPASS b\r\n"), (S, b"+OK\r\n-ERR no\r\n")),
    script((S, b"+OK hi\r\n"), (C, b"AUTH PLAIN\r\n"), (S, b"+ \r\n"), (C, b"AGEAYg==\r\n"), (S, b"+OK\r\n")),
    script((S, b"+OK hi\r\n"), (C, b"STLS\r\nCAPA\r\n"), (S, b"+OK go\r\n\x16\x03\x01")),
)


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("pop3", Pop3Parser, data)
