"""Who a session is: drawn fresh, or read from its file."""

import secrets
from typing import NamedTuple
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from lapwing.callbacks import ClientSettings, TokenBook, TokenKey, correlation_id
from lapwing.callbacks.interactsh import RSA_KEY_BITS, Identity, normalise_server
from lapwing.events import SettingsError
from lapwing.io.callbacks.session_file import Opened, Saved

TOKEN_KEY_BYTES = 32


class Persona(NamedTuple):
    """Everything that makes one session."""

    server: str
    domain: str
    identity: Identity
    key: RSAPrivateKey
    token_key: bytes
    book: TokenBook

    def opened(self) -> Opened:
        """As the first line of a session file."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Opened(
            server=self.server,
            domain=self.domain,
            correlation_id=self.identity.correlation_id,
            nonce_length=self.book.key.nonce_length,
            secret=self.identity.secret,
            token_key=self.token_key,
            key=pem.decode("ascii"),
            token=self.identity.token,
        )


def fresh(server: str, token: str | None, settings: ClientSettings) -> Persona:
    """Draw a new one; the RSA key takes some tens of milliseconds. Raises SettingsError for a server that is none."""
    address = normalise_server(server)
    own_id = correlation_id(secrets.token_bytes(settings.id_length))
    token_key = secrets.token_bytes(TOKEN_KEY_BYTES)
    return Persona(
        server=address,
        domain=settings.domain or address.partition("://")[2],
        identity=Identity(own_id, str(uuid4()), _checked(token)),
        key=generate_private_key(public_exponent=65537, key_size=RSA_KEY_BITS),
        token_key=token_key,
        book=TokenBook(TokenKey(token_key, own_id, settings.nonce_length)),
    )


def restored(saved: Saved) -> Persona:
    """Go on as an earlier run. Raises SettingsError when the file's key is none."""
    opened = saved.opened
    try:
        key = serialization.load_pem_private_key(opened.key.encode("ascii"), None)
        token_key = TokenKey(opened.token_key, opened.correlation_id, opened.nonce_length)
    except (ValueError, TypeError):
        raise SettingsError("session file: its key cannot be read") from None
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError("session file: its key is no RSA key")
    book = TokenBook(token_key)
    for line in saved.minted:
        book.recall(line.number, line.purpose, line.at_ns)
    return Persona(
        server=opened.server,
        domain=opened.domain,
        identity=Identity(opened.correlation_id, opened.secret, opened.token),
        key=key,
        token_key=opened.token_key,
        book=book,
    )


def _checked(token: str | None) -> str | None:
    """A token that no header carries would only be refused later, with the token in the message."""
    if token is not None and not (token.isascii() and token.isprintable() and token.strip() == token and token):
        raise SettingsError("callbacks.token: has characters that no HTTP header carries")
    return token
