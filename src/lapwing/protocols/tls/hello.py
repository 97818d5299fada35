"""ClientHello and ServerHello as fields (RFC 8446, 4.1; RFC 5246, 7.4.1)."""

import msgspec

from lapwing.events import WireError
from lapwing.protocols.tls.reader import Reader, extension_list, numbers

MAX_EXTENSIONS = 256  # of one hello; clients send up to some forty
MAX_OFFERS = 1024  # remembered; then it begins anew. Clients are many, the programs they run are few
MAX_OFFER_BYTES = 1024  # of one that is remembered; those of programs have some 200

SERVER_NAME = 0
SUPPORTED_GROUPS = 10
POINT_FORMATS = 11
SIGNATURE_ALGORITHMS = 13
ALPN = 16
SESSION_TICKET = 35
PRE_SHARED_KEY = 41
SUPPORTED_VERSIONS = 43
KEY_SHARE = 51
NEXT_PROTOCOL = 13172
ENCRYPTED_HELLO = 0xFE0D  # RFC 9849

_OFFERED = frozenset({SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS})
_TWO_BYTES = {number: number.to_bytes(2, "big") for number in range(256)}  # most numbers of extensions and lengths
# By offer: cipher suites, ALPN, groups, point formats, signature algorithms, versions.
_offers: dict[bytes, tuple[list[int], list[bytes], list[int], bytes, list[int], list[int]]] = {}

# SHA-256 of "HelloRetryRequest": the random of a ServerHello that is none (RFC 8446, 4.1.3).
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def is_grease(number: int) -> bool:
    """Whether a number means nothing and only keeps servers tolerant (RFC 8701)."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def highest(versions: list[int], otherwise: int) -> int:
    """Return the highest number that means something, `otherwise` where there is none."""
    found = -1
    for one in versions:
        if one > found and not is_grease(one):
            found = one
    return otherwise if found < 0 else found


class ClientHello(msgspec.Struct, frozen=True, gc=False):
    """Fields of a ClientHello as sent; `extensions` keeps type and data in order.

    `offer` is what hellos of one program have in common, as bytes: what JA3 and JA4 depend on, and the lists. Empty
    where it is too long to be remembered.
    """

    legacy_version: int
    session_id: bytes
    cipher_suites: list[int]
    extensions: list[tuple[int, bytes]]
    server_name: str | None
    alpn: list[bytes]
    groups: list[int]
    point_formats: bytes
    signature_algorithms: list[int]
    versions: list[int]
    offer: bytes = b""

    @property
    def version(self) -> int:
        """The highest version offered."""
        return highest(self.versions, self.legacy_version)

    def has(self, kind: int) -> bool:
        """Whether an extension was sent."""
        return any(one == kind for one, _ in self.extensions)


class ServerHello(msgspec.Struct, frozen=True, gc=False):
    """Fields of a ServerHello as sent."""

    version: int
    session_id: bytes
    cipher_suite: int
    extensions: list[tuple[int, bytes]]
    alpn: bytes | None
    group: int | None
    retry: bool
    legacy_version: int

    def has(self, kind: int) -> bool:
        """Whether an extension was sent."""
        return any(one == kind for one, _ in self.extensions)


def read_client_hello(body: bytes) -> ClientHello:
    """Read the body of a ClientHello. Raises WireError; an extension whose inside is broken counts as empty."""
    reader = Reader(body)
    version = reader.number(2)
    reader.take(32)
    session_id = reader.vector(1)
    ciphers = reader.vector(2)
    reader.vector(1)  # compression
    extensions = _extensions(reader)
    by_kind = dict(reversed(extensions))
    offer = _offer(body[:2], ciphers, extensions)
    found = _offers.get(offer)
    if found is None:
        found = (
            numbers(ciphers),
            _alpn(by_kind.get(ALPN, b"")),
            _numbers(by_kind.get(SUPPORTED_GROUPS, b""), 2),
            _point_formats(by_kind.get(POINT_FORMATS, b"")),
            _numbers(by_kind.get(SIGNATURE_ALGORITHMS, b""), 2),
            _numbers(by_kind.get(SUPPORTED_VERSIONS, b""), 1),
        )
        if offer:
            if len(_offers) >= MAX_OFFERS:
                _offers.clear()
            _offers[offer] = found
    suites, alpn, groups, point_formats, algorithms, versions = found
    # Lists are copied: whoever has an event may change what is in it.
    return ClientHello(
        version,
        session_id,
        suites[:],
        extensions,
        _server_name(by_kind.get(SERVER_NAME, b"")),
        alpn[:],
        groups[:],
        point_formats,
        algorithms[:],
        versions[:],
        offer,
    )


def _offer(version: bytes, ciphers: bytes, extensions: list[tuple[int, bytes]]) -> bytes:
    """What two hellos must have in common for their lists and fingerprints to be the same; empty when too long.

    Every part has its length in front or a fixed one, so no two offers have the same bytes.
    """
    parts = [version, _two_bytes(len(ciphers)), ciphers]
    for kind, data in extensions:
        parts.append(_two_bytes(kind))
        if kind in _OFFERED:
            parts.append(_two_bytes(len(data)))
            parts.append(data)
    offer = b"".join(parts)
    return offer if len(offer) <= MAX_OFFER_BYTES else b""


def _two_bytes(number: int) -> bytes:
    found = _TWO_BYTES.get(number)
    return number.to_bytes(2, "big") if found is None else found


def read_server_hello(body: bytes) -> ServerHello:
    """Read the body of a ServerHello. Raises WireError."""
    reader = Reader(body)
    version = reader.number(2)
    random = reader.take(32)
    session_id = reader.vector(1)
    cipher = reader.number(2)
    reader.take(1)  # compression
    extensions = _extensions(reader)
    by_kind = dict(reversed(extensions))
    chosen = by_kind.get(SUPPORTED_VERSIONS, b"")
    share = by_kind.get(KEY_SHARE, b"")
    alpn = _alpn(by_kind.get(ALPN, b""))
    return ServerHello(
        int.from_bytes(chosen, "big") if len(chosen) == 2 else version,
        session_id,
        cipher,
        extensions,
        alpn[0] if alpn else None,
        int.from_bytes(share[:2], "big") if len(share) >= 2 else None,
        random == RETRY_RANDOM,
        version,
    )


def _extensions(reader: Reader) -> list[tuple[int, bytes]]:
    if not reader.left:
        return []  # before TLS 1.2 they may be left out altogether
    return extension_list(reader.vector(2), MAX_EXTENSIONS)


def _server_name(data: bytes) -> str | None:
    """The first host name of the list (RFC 6066, 3); None where there is none."""
    try:
        names = Reader(Reader(data).vector(2))
        kind, name = names.number(1), names.vector(2)
    except WireError:
        return None
    return name.decode("ascii", "backslashreplace") if kind == 0 and name else None


def _alpn(data: bytes) -> list[bytes]:
    """The protocol names (RFC 7301, 3.1)."""
    try:
        names = Reader(Reader(data).vector(2))
        found = []
        while names.left:
            found.append(names.vector(1))
    except WireError:
        return []
    return found


def _numbers(data: bytes, length_size: int) -> list[int]:
    try:
        return numbers(Reader(data).vector(length_size))
    except WireError:
        return []


def _point_formats(data: bytes) -> bytes:
    try:
        return Reader(data).vector(1)
    except WireError:
        return b""
