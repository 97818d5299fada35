"""TLS by hand: hellos, records and certificates as they go over the wire."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lapwing.protocols.tls.hello import RETRY_RANDOM

Extension = tuple[int, bytes]


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def server_name(name: str) -> Extension:
    return 0, vector(2, b"\0" + vector(2, name.encode()))


def alpn(*names: bytes) -> Extension:
    return 16, vector(2, b"".join(vector(1, name) for name in names))


def extensions(*listed: Extension) -> bytes:
    return vector(2, b"".join(words(kind) + vector(2, data) for kind, data in listed))


def client_hello(
    *listed: Extension, ciphers: tuple[int, ...] = (0x1301, 0xC02F), version: int = 0x0303, session_id: bytes = b""
) -> bytes:
    body = words(version) + bytes(32) + vector(1, session_id) + vector(2, words(*ciphers)) + b"\1\0"
    return handshake(1, body + (extensions(*listed) if listed else b""))


def server_hello(
    *listed: Extension, cipher: int = 0xC02F, version: int = 0x0303, session_id: bytes = b"", retry: bool = False
) -> bytes:
    random = RETRY_RANDOM if retry else bytes(32)
    body = words(version) + random + vector(1, session_id) + words(cipher) + b"\0"
    return handshake(2, body + (extensions(*listed) if listed else b""))


def handshake(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + vector(3, body)


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    return bytes((kind,)) + words(version) + vector(2, body)


def certificates(*encoded: bytes) -> bytes:
    return handshake(11, vector(3, b"".join(vector(3, one) for one in encoded)))


def certificate(name: str = "www.example.com") -> bytes:
    """A self-signed certificate, valid for a day from a fixed time on."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime(2026, 1, 2, tzinfo=UTC)
    built = x509.CertificateBuilder(subject, subject, key.public_key(), 0xABC, begins, begins + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(IPv4Address("192.0.2.1"))])
    return built.add_extension(names, critical=False).sign(key, SHA256()).public_bytes(Encoding.DER)


CHANGE_CIPHER = record(20, b"\1")
ENCRYPTED = record(22, b"\x99" * 40)
APPLICATION = record(23, b"\x99" * 60)
