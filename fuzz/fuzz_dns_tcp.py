"""Fuzz target: two sides of a DNS connection, cut into segments and holes by the input itself."""

from fuzz.talk import KEY, script, talk
from lapwing.events import Side
from lapwing.protocols.dns_tcp import DnsStreamParser

QUERY = bytes.fromhex("0021000701000001000000000000 03777777076578616d706c6503636f6d0000010001")
ANSWER = bytes.fromhex(
    "0031000781800001000100000000 03777777076578616d706c6503636f6d0000010001c00c00010001000001 2c0004c0000201"
)
SEEDS = (script((Side.CLIENT, QUERY + QUERY), (Side.SERVER, ANSWER)),)


def run(data: bytes) -> None:
    """Parse the input, whole and byte by byte."""
    talk("dns", lambda: DnsStreamParser(KEY), data)
