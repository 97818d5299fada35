"""The certificate of this moment: read again when its files change, made by a CA of the collector's own, or issued."""

import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lapwing.events import CollectorError
from lapwing.io.files import ANYBODY, write_new
from lapwing.io.listen.secure import note_sni
from lapwing.io.listen.settings import TlsSettings

CA_DAYS = 3650
LEAF_DAYS = 397  # of a certificate made here, anew at each start; clients refuse longer ones
LAB_NAME = "Lapwing lab CA"  # issuer of what is made here
CERTIFICATE, KEY = "certificate.pem", "key.pem"  # as they are called in a folder of ours
PROTOCOLS = ["h2", "http/1.1"]


class Certificates:
    """Gives TLS contexts. A certificate that cannot be read leaves the last good one in use and is reported."""

    def __init__(self, settings: TlsSettings, domains: tuple[str, ...]) -> None:
        """Raises CollectorError where there is no usable certificate to begin with."""
        self.failure = ""
        self.reload_count = 0
        self._certificate, self._key = Path(settings.certificate), Path(settings.key)
        if settings.lab_folder:
            self._certificate, self._key = make_lab(Path(settings.lab_folder), domains)
        elif settings.acme.folder:
            self._certificate, self._key = _standing_in(Path(settings.acme.folder), domains)
        try:
            self._web = self._load(PROTOCOLS)
            self._plain = self._load([])
        except (OSError, ssl.SSLError) as problem:
            raise CollectorError(f"{self._certificate}: no certificate with its key: {problem}") from None
        self._stamp = self._stamped()

    @property
    def web(self) -> ssl.SSLContext:
        """For HTTP: offers its versions."""
        return self._web

    @property
    def plain(self) -> ssl.SSLContext:
        """For everything else."""
        return self._plain

    def refresh(self) -> bool:
        """Look whether the files changed; True when a new certificate is in use for handshakes from now on."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            web, plain = self._load(PROTOCOLS), self._load([])
        except (OSError, ssl.SSLError) as problem:
            self.failure = f"{self._certificate}: {problem}"
            return False
        self._web, self._plain = web, plain
        self.failure = ""
        self.reload_count += 1
        return True

    def _load(self, protocols: list[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._key)
        context.sni_callback = note_sni
        if protocols:
            context.set_alpn_protocols(protocols)
        return context

    def _stamped(self) -> tuple[int, ...]:
        with contextlib.suppress(OSError):
            return tuple(
                number
                for path in (self._certificate, self._key)
                for number in (path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_ino)
            )
        return ()


def _standing_in(folder: Path, domains: tuple[str, ...]) -> tuple[Path, Path]:
    """What an authority issued before, or a certificate of our own until it issues the first."""
    if find_spec("acme") is None:
        raise CollectorError("collector.tls.acme: needs acme: pip install 'lapwing[acme]'")
    files = folder / CERTIFICATE, folder / KEY
    return files if all(file.exists() for file in files) else make_lab(folder, domains)


def make_lab(folder: Path, domains: tuple[str, ...]) -> tuple[Path, Path]:
    """Make a CA (once) and a certificate for the domains; returns certificate and key. Raises CollectorError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ca_key, ca = _authority(folder)
        return _leaf(folder, ca_key, ca, domains)
    except (OSError, ValueError) as problem:
        raise CollectorError(f"{folder}: no lab CA can be kept there: {problem}") from None


def _authority(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_file, file = folder / "ca-key.pem", folder / "ca.pem"
    if key_file.exists() and file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, x509.load_pem_x509_certificate(file.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LAB_NAME)])
    builder = _builder(name, name, key.public_key(), CA_DAYS).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    write_new(key_file, _pem(key))
    write_new(file, certificate.public_bytes(serialization.Encoding.PEM), ANYBODY)
    return key, certificate


def _leaf(
    folder: Path, ca_key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, domains: tuple[str, ...]
) -> tuple[Path, Path]:
    file, key_file = folder / CERTIFICATE, folder / KEY
    names = [x509.DNSName(text) for domain in domains for text in (domain, f"*.{domain}")]
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domains[0][:64])])
    certificate = (
        _builder(subject, ca.subject, key.public_key(), LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    write_new(key_file, _pem(key))
    write_new(file, certificate.public_bytes(serialization.Encoding.PEM), ANYBODY)
    return file, key_file


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
