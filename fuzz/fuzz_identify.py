"""Fuzz target: which protocol two sides speak, from segments cut by the input itself."""

from fuzz.talk import script, steps
from lapwing.events import Side
from lapwing.protocols import STREAM_PROTOCOLS, FirstLook, StreamIdentifier, StreamProtocol
from lapwing.protocols.identify import MAX_ASIDE_BYTES

LOOK = FirstLook(STREAM_PROTOCOLS)
PORTS = (9999, 80, 21, 25, 110, 143, 389, 443, 22, 53)
C, S = Side.CLIENT, Side.SERVER
SEEDS = tuple(
    bytes((port,)) + script(*pieces)
    for port in range(len(PORTS))
    for pieces in (
        ((C, b"\x00\x01 GET / HTTP/1.1\r\n"), (S, b"HTTP/1.1 200 OK\r\n")),
        ((C, b"USER ana\r\nPASS x\r\n"),),
        ((S, b"220 ready\r\n"), (C, b"EHLO client.example.com\r\n")),
        ((S, b"* OK hi\r\n"), (C, b"a LOGIN b c\r\n")),
        ((C, b"SSH-2.0-x\r\n"), (S, b"SSH-2.0-y\r\n")),
        ((C, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"), (S, b"\x15\x03\x01\x00\x02\x02\x28")),
        ((C, b"0\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"), (S, b"0\x0c\x02\x01\x01\x61")),
    )
)


def run(data: bytes) -> None:
    """However each side's bytes are cut, the same protocol is found, or none."""
    if data:
        pieces = [(side, piece) for side, hole, piece in steps(data[1:]) if piece and not hole]
        if sum(len(piece) for _, piece in pieces) < MAX_ASIDE_BYTES:  # bounds are met between segments
            port = PORTS[data[0] % len(PORTS)]
            bytewise = [(side, piece[at : at + 1]) for side, piece in pieces for at in range(len(piece))]
            assert _chosen(port, pieces) is _chosen(port, bytewise)


def _chosen(port: int, pieces: list[tuple[Side, bytes]]) -> StreamProtocol | None:
    identifier = StreamIdentifier(port, LOOK)
    for side, piece in pieces:
        protocol = identifier.feed(side, piece)
        assert (protocol is None) == (identifier.evidence is None)
        if protocol is not None or identifier.hopeless:
            return protocol
    return identifier.settle()
