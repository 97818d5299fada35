"""Long headers (RFC 9000, 17.2) and the frames of Initial packets (RFC 9000, 19)."""

from collections.abc import Iterator
from typing import NamedTuple

from lapwing.events import WireError
from lapwing.protocols.tls.reader import Reader

INITIAL, ZERO_RTT, HANDSHAKE, RETRY = range(4)
NEGOTIATION = 4

VERSION_1 = 1
VERSION_2 = 0x6B3343CF  # RFC 9369
MAX_ID_BYTES = 20
MIN_ID_BYTES = 8  # of the id a client invents (RFC 9000, 7.2)
MIN_INITIAL_BYTES = 1200  # of a datagram with a client's Initial (RFC 9000, 14.1)
CLOSED = (-1, b"")  # in place of a CRYPTO frame: the sender says no more

_PADDING, _PING, _ACK, _ACK_ECN, _CRYPTO, _CLOSE = 0, 1, 2, 3, 6, 0x1C


class Packet(NamedTuple):
    """One packet with a long header.

    `start`, `number_at` (of the protected packet number) and `end` are places in the datagram. Of a version that is not
    known nothing after the ids means anything.
    """

    version: int
    kind: int
    destination_id: bytes
    source_id: bytes
    token: bytes
    start: int
    number_at: int
    end: int


def version_name(version: int) -> str:
    """Return `1`, `2`, `draft-29`, ...; hex for others."""
    if version in (VERSION_1, VERSION_2):
        return "1" if version == VERSION_1 else "2"
    return f"draft-{version & 0xFF}" if version >> 8 == 0xFF0000 else f"0x{version:08x}"


def is_known(version: int) -> bool:
    """Whether Initial packets of this version can be read."""
    return version in (VERSION_1, VERSION_2) or 0xFF000017 <= version <= 0xFF000022


def is_likely(version: int) -> bool:
    """Whether the number looks like a version somebody uses, or like GREASE (RFC 9000, 15)."""
    return is_known(version) or version >> 8 == 0xFF0000 or version & 0x0F0F0F0F == 0x0A0A0A0A


def packets(datagram: bytes) -> Iterator[Packet]:
    """Yield the packets with long headers, up to the first with a short one; raises WireError for damage."""
    at = 0
    while at < len(datagram) and datagram[at] & 0x80:
        packet = _packet(datagram, at)
        yield packet
        at = packet.end


def _packet(datagram: bytes, start: int) -> Packet:
    reader = Reader(datagram[start:])
    first, version = reader.number(1), reader.number(4)
    destination, source = reader.vector(1), reader.vector(1)
    end = len(datagram)
    if version == 0:
        return Packet(version, NEGOTIATION, destination, source, reader.take(reader.left), start, end, end)
    if not is_known(version):
        return Packet(version, INITIAL, destination, source, b"", start, end, end)
    if max(len(destination), len(source)) > MAX_ID_BYTES:
        raise WireError("a connection id is too long")
    kind = first >> 4 & 3
    if version == VERSION_2:
        kind = (kind - 1) & 3  # RFC 9369, 3.2
    if kind == RETRY:
        return Packet(version, kind, destination, source, reader.take(reader.left), start, end, end)
    token = reader.take(variable(reader)) if kind == INITIAL else b""
    length = variable(reader)
    number_at = end - reader.left
    if length > reader.left:
        raise WireError("a packet ends after its datagram")
    return Packet(version, kind, destination, source, token, start, number_at, number_at + length)


def variable(reader: Reader) -> int:
    """Read a number of variable size (RFC 9000, 16)."""
    first = reader.number(1)
    rest = (1 << (first >> 6)) - 1
    return (first & 0x3F) << 8 * rest | reader.number(rest)


def crypto_frames(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of each CRYPTO frame, and CLOSED at the end of the connection.

    Raises WireError for a frame that an Initial cannot have.
    """
    reader = Reader(payload)
    while reader.left:
        kind = variable(reader)
        if kind in (_PADDING, _PING):
            continue
        if kind == _CRYPTO:
            offset = variable(reader)
            yield offset, reader.take(variable(reader))
        elif kind in (_ACK, _ACK_ECN):
            _skip_ack(reader, kind)
        elif kind == _CLOSE:
            yield CLOSED
            return
        else:
            raise WireError(f"an Initial packet has a frame of type {kind}")


def _skip_ack(reader: Reader, kind: int) -> None:
    variable(reader), variable(reader)
    ranges = variable(reader)
    variable(reader)
    for _ in range(2 * ranges + (3 if kind == _ACK_ECN else 0)):
        variable(reader)
