"""Fuzz target: two sides of IMAP, cut into segments and holes by the input itself."""

from fuzz.talk import script, talk
from lapwing.events import Side
from lapwing.protocols.imap import ImapParser

C, S = Side.CLIENT, Side.SERVER
SEEDS = (
    script((S, b"* OK hi\r\n"), (C, b"a LOGIN u p\r\n"), (S, b"a NO no\r\n")),
    script(
        (C, b"a LOGIN {1}\r\n"), (S, b"+ go\r\n"), (C, b"u {1+}\r\np\r\n"), (S, b"* 1 FETCH {3}\r\nabc\r\na OK\r\n")
    ),
    script((C, b"a AUTHENTICATE PLAIN\r\n"), (S, b"+ \r\n"), (C, b"AGEAYg==\r\n"), (S, b"a OK\r\n")),
)


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("imap", ImapParser, data)
