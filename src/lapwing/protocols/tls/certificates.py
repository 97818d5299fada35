"""Certificate lists (RFC 5246, 7.4.2) and what stands in a certificate (RFC 5280)."""

import warnings
from hashlib import sha256
from typing import TYPE_CHECKING

from lapwing.events.messages.tls import TlsCertificate
from lapwing.protocols.tls.reader import Reader

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_CERTIFICATES = 16  # of one chain; public chains have two to four
MAX_NAMES = 128  # alternative names kept of one certificate; shared hosts have up to a hundred
MAX_NAME_CHARS = 1024  # per subject, issuer or alternative name

_NS_PER_S = 1_000_000_000


def read_chain(body: bytes) -> list[TlsCertificate]:
    """Read the body of a Certificate message of TLS 1.2 or older; beyond MAX_CERTIFICATES the rest is left out."""
    chain = Reader(Reader(body).vector(3))
    found: list[TlsCertificate] = []
    while chain.left and len(found) < MAX_CERTIFICATES:
        found.append(read_certificate(chain.vector(3)))
    return found


def read_certificate(encoded: bytes) -> TlsCertificate:
    """Read one certificate; of one that cannot be read there is only the fingerprint."""
    # Imported when the first certificate comes: it would double the time the command line takes to start.
    from cryptography import x509

    digest = sha256(encoded).hexdigest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library finds odd in a stranger's certificate is not ours to print
        try:
            return _described(x509.load_der_x509_certificate(encoded), digest)
        except (ValueError, TypeError, OverflowError, x509.InvalidVersion):
            return TlsCertificate(digest)


def _described(certificate: "Certificate", digest: str) -> TlsCertificate:
    return TlsCertificate(
        digest,
        certificate.subject.rfc4514_string()[:MAX_NAME_CHARS],
        certificate.issuer.rfc4514_string()[:MAX_NAME_CHARS],
        f"{certificate.serial_number:x}",
        int(certificate.not_valid_before_utc.timestamp()) * _NS_PER_S,
        int(certificate.not_valid_after_utc.timestamp()) * _NS_PER_S,
        _alternative_names(certificate),
        _key(certificate),
    )


def _alternative_names(certificate: "Certificate") -> list[str]:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return []
    names: list[str] = []
    for name in extension.value:
        if isinstance(name, x509.DNSName | x509.IPAddress | x509.RFC822Name | x509.UniformResourceIdentifier):
            names.append(str(name.value)[:MAX_NAME_CHARS])
        if len(names) == MAX_NAMES:
            break
    return names


def _key(certificate: "Certificate") -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ec-{key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return f"{'rsa' if isinstance(key, rsa.RSAPublicKey) else 'dsa'}-{key.key_size}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    return "ed448" if isinstance(key, ed448.Ed448PublicKey) else type(key).__name__.removesuffix("PublicKey").lower()
