"""The collector's half of interactsh's wire: requests read within bounds, answers in its words."""

import hmac
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qs

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lapwing.callbacks.interactsh.cipher import IV_BYTES, encrypt_entry, read_public_key
from lapwing.callbacks.interactsh.client import EVICTED_REASON, REGISTERED
from lapwing.callbacks.interactsh.dialect import Dialect
from lapwing.callbacks.tokens import is_correlation_id
from lapwing.events import WireError

MAX_REQUEST_BYTES = 64 * 1024  # of a registration; with the largest RSA key it has 4 KiB
MAX_SECRET_CHARS = 256  # interactsh's client sends a UUID of 36

DEREGISTERED = "deregistration successful"
ALREADY_REGISTERED = "could not set id and public key: correlation-id provided already exists"
_JSON = ("Content-Type", "application/json; charset=utf-8")
_POLLED = ("Content-Type", "text/plain; charset=utf-8")  # what interactsh's server is sniffed as
_NO_SNIFF = ("X-Content-Type-Options", "nosniff")


class Reply(NamedTuple):
    """One HTTP answer of the control interface."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class RefusedError(WireError):
    """A request that is none; `reply` says so in interactsh's words."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reply = error_reply(reason, status)


class Registration(NamedTuple):
    """Who wants to listen."""

    correlation_id: str
    secret: str
    public_key: RSAPublicKey


class Mailbox(NamedTuple):
    """Whose mail is asked for, or whose registration is to end."""

    correlation_id: str
    secret: str


class _Register(msgspec.Struct, frozen=True, rename="kebab"):
    public_key: str
    secret_key: str
    correlation_id: str


class _Deregister(msgspec.Struct, frozen=True, rename="kebab"):
    correlation_id: str
    secret_key: str


def read_registration(body: bytes) -> Registration:
    """Read the body of POST /register. Raises RefusedError."""
    request = _decode(body, _Register)
    if not is_correlation_id(request.correlation_id):
        raise RefusedError("could not set id and public key: correlation-id must be letters and digits of a DNS label")
    _check_secret(request.secret_key)
    try:
        key = read_public_key(request.public_key)
    except WireError as problem:
        raise RefusedError(f"could not set id and public key: could not read public Key: {problem}") from None
    return Registration(request.correlation_id.lower(), request.secret_key, key)


def read_deregistration(body: bytes) -> Mailbox:
    """Read the body of POST /deregister. Raises RefusedError."""
    request = _decode(body, _Deregister)
    _check_secret(request.secret_key)
    return Mailbox(request.correlation_id.lower(), request.secret_key)


def read_poll(query: str) -> Mailbox:
    """Read the query of GET /poll. Raises RefusedError."""
    try:
        fields = parse_qs(query[:MAX_REQUEST_BYTES], max_num_fields=16)
    except ValueError:
        fields = {}
    own_id, secret = fields.get("id", [""])[0], fields.get("secret", [""])[0]
    if not own_id:
        raise RefusedError("no id specified for poll")
    if not secret:
        raise RefusedError("no secret specified for poll")
    return Mailbox(own_id.lower(), secret)


Shape = TypeVar("Shape")


def _decode(body: bytes, shape: type[Shape]) -> Shape:
    if len(body) > MAX_REQUEST_BYTES:
        raise RefusedError("request too large", 413)
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise RefusedError(f"could not decode json body: {problem}") from None


def _check_secret(secret: str) -> None:
    if not 0 < len(secret) <= MAX_SECRET_CHARS:
        raise RefusedError(f"could not decode json body: secret-key has 1 to {MAX_SECRET_CHARS} characters")


def same_secret(given: str, stored: str) -> bool:
    """Compare in constant time and, as interactsh does, without regard to letter case."""
    return hmac.compare_digest(given.lower().encode("utf-8", "replace"), stored.lower().encode("utf-8", "replace"))


def same_token(authorization: str | None, token: str) -> bool:
    """Whether an `Authorization` header is the token, verbatim."""
    return hmac.compare_digest((authorization or "").encode("utf-8", "replace"), token.encode("utf-8", "replace"))


def registered_reply(offers: dict[str, str] | None = None) -> Reply:
    """Confirm a registration. `offers` names what this collector has beyond interactsh; others skip the key."""
    fields: dict[str, object] = {"message": REGISTERED}
    if offers:
        fields["lapwing"] = offers
    return _json_reply(200, fields)


def deregistered_reply() -> Reply:
    """Confirm the end of a registration."""
    return _json_reply(200, {"message": DEREGISTERED})


def error_reply(reason: str, status: int = 400) -> Reply:
    """Refuse in interactsh's shape."""
    return _json_reply(status, {"error": reason})


def evicted_reply(dialect: Dialect, *, deregistering: bool = False) -> Reply:
    """Say that the id is not known (any more), in the words the client's generation looks for."""
    reason = f'cause="{EVICTED_REASON}"' if dialect.quoted_reason else EVICTED_REASON
    return error_reply(f"{_failed(deregistering=deregistering)}: {reason}")


def wrong_secret_reply(*, deregistering: bool = False) -> Reply:
    """Say that the secret is another one."""
    whose = "deregister" if deregistering else "user"
    return error_reply(f"{_failed(deregistering=deregistering)}: invalid secret key passed for {whose}")


def _failed(*, deregistering: bool) -> str:
    return "could not remove id" if deregistering else "could not get interactions"


def unauthorised_reply() -> Reply:
    """Refuse a wrong or missing token: no body."""
    return Reply(401)


def preflight_reply() -> Reply:
    """Answer OPTIONS."""
    return Reply(204)


def cors_headers(origin: str = "*") -> tuple[tuple[str, str], ...]:
    """Return what stands in every answer."""
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Headers", "Content-Type, Authorization"),
    )


def poll_reply(
    data: list[str], *, aes_key_field: str, extra: list[str] | None = None, tlddata: list[str] | None = None
) -> Reply:
    """Answer a poll: `data` holds encrypted entries, the other buckets plain JSON texts. Empty buckets are null."""
    fields: dict[str, object] = {"data": data or None, "extra": extra or None, "aes_key": aes_key_field}
    if tlddata:
        fields["tlddata"] = tlddata
    return Reply(200, msgspec.json.encode(fields) + b"\n", (_POLLED,))


def encrypt_entries(objects: list[bytes], *, aes_key: bytes, entropy: bytes, dialect: Dialect) -> list[str]:
    """Encrypt JSON objects for `data`. `entropy` has 16 random bytes for each, never used before with this key."""
    if len(entropy) != IV_BYTES * len(objects):
        raise ValueError(f"{IV_BYTES} bytes of entropy per entry")
    return [
        encrypt_entry(text, aes_key=aes_key, iv=entropy[index * IV_BYTES :][:IV_BYTES], mode=dialect.mode)
        for index, text in enumerate(objects)
    ]


def _json_reply(status: int, fields: dict[str, object]) -> Reply:
    return Reply(status, msgspec.json.encode(fields) + b"\n", (_JSON, _NO_SNIFF))
