"""Fingerprints of hellos: JA3, JA3S and JA4 (the client's; the only one of its family with a free licence)."""

from functools import lru_cache
from hashlib import md5, sha256

from lapwing.protocols.tls.hello import ALPN, SERVER_NAME, ClientHello, ServerHello, is_grease

MAX_COUNT = 99  # two digits stand for the number of cipher suites and of extensions
MAX_REMEMBERED = 1024  # texts of fingerprints with their hashes, mostly of some 200 characters
MAX_REMEMBERED_CHARS = 4096  # of a text; a hello that somebody makes up can have 200,000

_JA4_VERSIONS = {
    0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2",
    0xFEFF: "d1", 0xFEFD: "d2", 0xFEFC: "d3",
}  # fmt: skip
_HASH_CHARS = 12
_EMPTY_HASH = "0" * _HASH_CHARS


# By transport and offer: JA3 and JA4.
_known: dict[tuple[str, bytes], tuple[str, str]] = {}


def ja3_and_ja4(hello: ClientHello, transport: str) -> tuple[str, str]:
    """Return both fingerprints of a hello as it was read; those of an offer seen before are remembered."""
    if not hello.offer:
        return ja3(hello), ja4(hello, transport)
    name = (transport, hello.offer)
    found = _known.get(name)
    if found is None:
        if len(_known) >= MAX_REMEMBERED:
            _known.clear()
        found = _known[name] = (ja3(hello), ja4(hello, transport))
    return found


def ja3(hello: ClientHello) -> str:
    """Return version, cipher suites, extensions, groups and point formats as an MD5 in hex, without GREASE."""
    fields = (
        str(hello.legacy_version),
        _decimal(hello.cipher_suites),
        _decimal(kinds_of(hello.extensions)),
        _decimal(hello.groups),
        "-".join(map(str, hello.point_formats)),
    )
    return _md5(",".join(fields))


def ja3s(hello: ServerHello) -> str:
    """Return version, cipher suite and extensions of the answer as an MD5 in hex."""
    kinds = "-".join(map(str, kinds_of(hello.extensions)))
    return _md5(f"{hello.legacy_version},{hello.cipher_suite},{kinds}")


def ja4(hello: ClientHello, transport: str) -> str:
    """Return the JA4 of a hello; `transport` is `t` for TCP, `q` for QUIC, `d` for DTLS."""
    ciphers = _meaning(hello.cipher_suites)
    kinds = _meaning(kinds_of(hello.extensions))
    name = "d" if SERVER_NAME in kinds else "i"
    counts = f"{min(len(ciphers), MAX_COUNT):02}{min(len(kinds), MAX_COUNT):02}"
    version = _JA4_VERSIONS.get(hello.version, "00")
    others = [kind for kind in kinds if kind not in (SERVER_NAME, ALPN)]
    others.sort()
    ciphers.sort()
    extensions = _hex(others)
    if hello.signature_algorithms:
        extensions += "_" + _hex(_meaning(hello.signature_algorithms))
    hashed = _short_hash(extensions) if others else _EMPTY_HASH
    return f"{transport}{version}{name}{counts}{_ja4_alpn(hello.alpn)}_{_short_hash(_hex(ciphers))}_{hashed}"


def kinds_of(extensions: list[tuple[int, bytes]]) -> list[int]:
    """Return the numbers of extensions, in their order."""
    return [kind for kind, _ in extensions]


def _ja4_alpn(names: list[bytes]) -> str:
    """First and last letter of the first name; of its hex where one of them is no ASCII letter or digit.

    A name that begins outside ASCII is `99`, as in the published vectors.
    """
    first = names[0] if names else b""
    if not first:
        return "00"
    if first[0] > 0x7F:
        return "99"
    ends = first[:1] + first[-1:]
    if ends.isalnum():
        return ends.decode("ascii")
    text = first.hex()
    return text[0] + text[-1]


def _meaning(numbers: list[int]) -> list[int]:
    """Return the numbers without GREASE."""
    return [number for number in numbers if not is_grease(number)]


def _decimal(numbers: list[int]) -> str:
    return "-".join(map(str, _meaning(numbers)))


def _hex(numbers: list[int]) -> str:
    words = []
    for number in numbers:
        words.append(f"{number:04x}")  # noqa: PERF401 - its loop variable has a type where it is compiled
    return ",".join(words)


def _short_hash(text: str) -> str:
    return (_remembered_short if len(text) <= MAX_REMEMBERED_CHARS else _hash_short)(text)


def _md5(text: str) -> str:
    return (_remembered_md5 if len(text) <= MAX_REMEMBERED_CHARS else _hash_md5)(text)


def _hash_short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_HASH_CHARS] if text else _EMPTY_HASH


def _hash_md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


# Clients are many, the programs they run are few: mostly a text was hashed before.
_remembered_short = lru_cache(MAX_REMEMBERED)(_hash_short)
_remembered_md5 = lru_cache(MAX_REMEMBERED)(_hash_md5)
