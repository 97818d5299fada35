"""Fuzz target: datagrams of one QUIC flow, and what lies inside an Initial packet that opens."""

from lapwing.events import Side
from lapwing.protocols.quic import QUIC, QuicParser
from tests.protocols.quic_bytes import crypto, initial, negotiation, retry
from tests.protocols.tls_bytes import client_hello, server_name

HELLO = client_hello(server_name("www.example.com"))
SEEDS = (
    b"\0" + crypto(0, HELLO),
    b"\0" + crypto(9, HELLO[9:]) + b"\2\0\0\0\0" + crypto(0, HELLO[:9]),
    b"\1" + retry(b"12345678"),
    b"\1" + negotiation(1, 2),
    b"\1" + initial(crypto(0, HELLO)),
)


def run(data: bytes) -> None:
    """The first byte says whether the rest is a datagram or the payload of a packet; nothing may raise."""
    parser = QuicParser()
    datagram = initial(data[1:]) if data[:1] == b"\0" else data[1:]
    for side in Side:
        QUIC.probe(side, datagram)
        if not (parser.done or parser.poisoned):
            parser.parse(side, datagram, 0)
    parser.close(0)
