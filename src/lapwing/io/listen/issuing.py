"""Certificates from an ACME authority (RFC 8555), proved by the collector's own DNS: its domains and all names below.

The account's key, the certificate and its key lie in one folder, and are read again from there like any others.
Asking blocks for as long as an authority takes, so it happens in a thread of its own.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from lapwing.events import CollectorError
from lapwing.io.files import replace, write_new
from lapwing.io.listen.certificates import CERTIFICATE, KEY, LAB_NAME
from lapwing.io.listen.settings import AcmeSettings

ACCOUNT_BITS = 2048  # of the account's RSA key; the library signs with it alone
RENEW_SHARE = 1 / 3  # of a certificate's life left, at which a new one is asked for
CALL_S = 20  # for one call to the authority
ORDER_S = 180.0  # for it to look at the proofs and to sign

Challenges = Mapping[str, tuple[str, ...]]  # name to the texts it must have
Publish = Callable[[Challenges], None]  # returns once the DNS says them


class Issuer:
    """Gets certificates for the domains of a collector."""

    def __init__(self, settings: AcmeSettings, domains: tuple[str, ...], publish: Publish) -> None:
        """`publish` is called in the thread that `issue` runs in."""
        self._settings = settings
        self._names = [name for domain in domains for name in (domain, f"*.{domain}")]
        self._publish = publish
        self._folder = Path(settings.folder)

    def due(self, now: datetime) -> bool:
        """Whether a certificate is to be asked for: there is none, it is a stand-in, it ends, or names are missing."""
        try:
            held = x509.load_pem_x509_certificate((self._folder / CERTIFICATE).read_bytes())
            names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, x509.ExtensionNotFound):
            return True
        issuers = [one.value for one in held.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
        life = held.not_valid_after_utc - held.not_valid_before_utc
        return (
            LAB_NAME in issuers
            or not set(self._names) <= set(names.get_values_for_type(x509.DNSName))
            or now >= held.not_valid_after_utc - life * RENEW_SHARE
        )

    def issue(self) -> None:
        """Ask, prove, and put the certificate into the folder. Raises CollectorError saying what went wrong."""
        import requests
        from acme import errors

        try:
            chain, key = self._order()
        except (errors.Error, requests.RequestException, OSError, ValueError) as problem:
            said = str(problem).partition("\n")[0] or type(problem).__name__
            raise CollectorError(f"no certificate from {self._settings.directory}: {said}") from problem
        finally:
            self._publish({})
        # Key first: between the two, the old certificate does not fit it and stays in use.
        replace(self._folder / KEY, _pem(key))
        replace(self._folder / CERTIFICATE, chain.encode("ascii"))

    def _order(self) -> tuple[str, ec.EllipticCurvePrivateKey]:
        from acme import challenges, client, errors, messages
        from josepy.jwk import JWKRSA

        account = JWKRSA(key=self._account())
        verify = self._settings.ca_file or True
        net = client.ClientNetwork(account, verify_ssl=verify, user_agent="lapwing", timeout=CALL_S)  # type: ignore[arg-type]
        authority = client.ClientV2(client.ClientV2.get_directory(self._settings.directory, net), net)
        wish = messages.NewRegistration.from_data(email=self._settings.email or None, terms_of_service_agreed=True)
        try:
            authority.new_account(wish)
        except errors.ConflictError as known:
            net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
        key = ec.generate_private_key(ec.SECP256R1())
        order = authority.new_order(_request(key, self._names))
        asked = [
            (one, body.body.identifier.value)
            for body in order.authorizations
            for one in body.body.challenges
            # A proof an authority remembers is valid already, and is not to be given again.
            if isinstance(one.chall, challenges.DNS01) and one.status == messages.STATUS_PENDING
        ]
        texts: dict[str, tuple[str, ...]] = {}
        for one, domain in asked:
            name = one.chall.validation_domain_name(domain).lower()
            texts[name] = (*texts.get(name, ()), one.chall.validation(account))
        self._publish(texts)
        for one, _ in asked:
            authority.answer_challenge(one, one.chall.response(account))
        # The library compares with the local time of day.
        deadline = datetime.now() + timedelta(seconds=ORDER_S)
        return authority.poll_and_finalize(order, deadline).fullchain_pem, key

    def _account(self) -> rsa.RSAPrivateKey:
        file = self._folder / "account.pem"
        if file.exists():
            key = serialization.load_pem_private_key(file.read_bytes(), None)
            if isinstance(key, rsa.RSAPrivateKey):
                return key
        key = rsa.generate_private_key(public_exponent=65537, key_size=ACCOUNT_BITS)
        write_new(file, _pem(key))
        return key


def _request(key: ec.EllipticCurvePrivateKey, names: list[str]) -> bytes:
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def now_utc() -> datetime:
    """The time certificates are measured by."""
    return datetime.now(UTC)
