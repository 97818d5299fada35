"""The client's half of interactsh's wire: what to send, and what the answers mean."""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from lapwing.callbacks.interaction import Interaction
from lapwing.callbacks.interactsh.cipher import decrypt_entry, public_key_field, unwrap_key
from lapwing.callbacks.interactsh.dialect import CipherMode
from lapwing.callbacks.interactsh.objects import from_object
from lapwing.callbacks.tokens import DEFAULT_ID_LENGTH
from lapwing.events import WireError

MAX_POLL_BYTES = 64 * 1024 * 1024  # of one answer; a poll empties the server, so a smaller bound would lose hits
MAX_ENTRIES = 200_000  # in one answer, all buckets together, and values within them; more than real interactions fit
MAX_REPLY_BYTES = 64 * 1024  # of an answer to register or deregister
MAX_SHOWN_CHARS = 256  # of a foreign error text in a message of ours

REGISTERED = "registration successful"
EVICTED_REASON = "could not get correlation-id from cache"  # stands alone before 1.3.0, within cause="..." since
_ENTRY = re.compile(rb'"([A-Za-z0-9+/]{22,}={0,2})"')
_VALUE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[^\s,:"\[\]{}]+')  # or the beginning of one
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


class Call(NamedTuple):
    """One HTTP request to a collector. `path` may hold the secret: it belongs in no log."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class FetchFailure(StrEnum):
    """Why a fetch brought nothing."""

    CONNECT = "connect"  # nothing was sent
    TIMEOUT = "timeout"  # sent, no whole answer in time
    REQUEST = "request"  # the connection broke after it was sent
    BODY = "body"  # the answer broke off
    DECODE = "decode"  # an answer of another shape
    OVERFLOW = "overflow"  # an answer past `MAX_POLL_BYTES`
    EVICTED = "evicted"  # the server does not know the id (any more)
    UNAUTHORISED = "unauthorised"  # the server wants another token, or another secret for this id
    THROTTLED = "throttled"  # 429
    STATUS = "status"  # any other status

    @property
    def may_have_lost(self) -> bool:
        """Whether interactions may be gone: a poll deletes what it reports, whether or not the report arrives."""
        return self in _DESTRUCTIVE


_DESTRUCTIVE = frozenset(
    {FetchFailure.TIMEOUT, FetchFailure.REQUEST, FetchFailure.BODY, FetchFailure.DECODE, FetchFailure.OVERFLOW,
     FetchFailure.EVICTED, FetchFailure.STATUS}
)  # fmt: skip


class CallError(WireError):
    """An answer that is none; the text names no address, as the address of a poll holds the secret."""

    def __init__(self, failure: FetchFailure, detail: str = "") -> None:
        """`detail` may be foreign text: it is cut and made printable."""
        shown = _UNPRINTABLE.sub(" ", detail)[:MAX_SHOWN_CHARS].strip()
        super().__init__(f"{failure} (url redacted)" + (f": {shown}" if shown else ""))
        self.failure = failure


class Identity(msgspec.Struct, frozen=True):
    """What a client registers under. `token` is the server's, None for an open one."""

    correlation_id: str
    secret: str
    token: str | None = None

    def __repr__(self) -> str:
        """Without what opens the mailbox."""
        return f"Identity(correlation_id={self.correlation_id!r})"


def register_call(identity: Identity, key: RSAPrivateKey) -> Call:
    """Return the registration; the same again renews it."""
    return _post(
        "/register",
        identity,
        {
            "public-key": public_key_field(key),
            "secret-key": identity.secret,
            "correlation-id": identity.correlation_id,
        },
    )


def poll_call(identity: Identity) -> Call:
    """Return the poll: it empties the session's mailbox on servers without acknowledgement."""
    query = urlencode({"id": identity.correlation_id, "secret": identity.secret})
    return Call("GET", f"/poll?{query}", headers=_authorization(identity))


def deregister_call(identity: Identity) -> Call:
    """Return the end of a registration."""
    return _post("/deregister", identity, {"correlation-id": identity.correlation_id, "secret-key": identity.secret})


def _post(path: str, identity: Identity, fields: dict[str, str]) -> Call:
    headers = (("Content-Type", "application/json"), *_authorization(identity))
    return Call("POST", path, msgspec.json.encode(fields), headers)


def _authorization(identity: Identity) -> tuple[tuple[str, str], ...]:
    return () if identity.token is None else (("Authorization", identity.token),)  # verbatim, without a scheme


class _Message(msgspec.Struct, frozen=True):
    message: str | None = None
    error: str | None = None
    lapwing: dict[str, str] | None = None


def check_status(status: int, body: bytes) -> None:
    """Raise CallError for an answer that is none of 200's."""
    if 200 <= status < 300:
        return
    if status == 401:
        raise CallError(FetchFailure.UNAUTHORISED, "the collector wants another token")
    if status == 429:
        raise CallError(FetchFailure.THROTTLED)
    text = body[:MAX_REPLY_BYTES].decode("utf-8", "replace")
    if EVICTED_REASON in text or status in {404, 410}:
        raise CallError(FetchFailure.EVICTED)
    if "invalid secret key" in text:
        raise CallError(FetchFailure.UNAUTHORISED, "the collector holds another secret for this id")
    raise CallError(FetchFailure.STATUS, f"status {status} {text}")


def read_register_reply(status: int, body: bytes) -> dict[str, str]:
    """Check that a registration was accepted. Raises CallError.

    Returns what the collector offers beyond interactsh, by name, e.g. the path of its event stream.
    """
    check_status(status, body)
    try:
        reply = msgspec.json.decode(body[:MAX_REPLY_BYTES], type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CallError(FetchFailure.DECODE, "the answer to the registration is no JSON object") from None
    if reply.message != REGISTERED:
        raise CallError(FetchFailure.DECODE, f"registration not confirmed: {reply.error or reply.message or ''}")
    return reply.lapwing or {}


_NOTHING = msgspec.Raw(b"null")
_Entries = list[msgspec.Raw] | None


class _PollAnswer(msgspec.Struct, frozen=True):
    data: msgspec.Raw = _NOTHING
    extra: msgspec.Raw = _NOTHING
    tlddata: msgspec.Raw = _NOTHING
    aes_key: str | None = None


class Batch(NamedTuple):
    """What one poll brought. `shared` has no owner: every client of the server's token sees it.

    `undecryptable_count` entries of the session's own were there and could not be read; `dropped_count` entries were
    readable and no interactions; `cut` says that the answer was longer than a bound, and of the session's own what
    fitted was read.
    """

    interactions: list[Interaction]
    shared: list[Interaction]
    undecryptable_count: int = 0
    dropped_count: int = 0
    cut: bool = False


class PollReader:
    """Reads the poll answers of one registration, whichever generation of server sends them."""

    def __init__(self, key: RSAPrivateKey, *, id_length: int = DEFAULT_ID_LENGTH) -> None:
        self.mode: CipherMode | None = None  # known once an entry was read
        self._key = key
        self._id_length = id_length
        self._wrapped = ""
        self._aes_key: bytes | None = None

    def read(self, status: int, body: bytes, *, now_ns: int, cut: bool = False) -> Batch:
        """Read one answer. `cut`: the body was longer than the bound and ends early. Raises CallError.

        One bad entry costs itself only.
        """
        check_status(status, body)
        if cut or len(body) > MAX_POLL_BYTES:
            return self._salvage(body[:MAX_POLL_BYTES], now_ns)
        try:
            answer = msgspec.json.decode(body, type=_PollAnswer)
            buckets = (answer.data, answer.extra, answer.tlddata)
            too_many = _has_too_many(buckets)  # seen before there is an object for each
            data, extra, tld = [None if too_many else msgspec.json.decode(one, type=_Entries) for one in buckets]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise CallError(FetchFailure.DECODE, "a poll answer is one JSON object") from None
        self._take_key(answer.aes_key)
        if too_many:
            return self._salvage(bytes(answer.data), now_ns)
        own, undecryptable, dropped = self._own(_texts(data), now_ns)
        shared, dropped_shared = self._shared(_texts(extra) + _texts(tld), now_ns)
        return Batch(own, shared, undecryptable, dropped + dropped_shared)

    def _take_key(self, wrapped: str | None) -> None:
        if not wrapped or wrapped == self._wrapped:
            return  # the same string on every poll of one registration
        try:
            self._aes_key = unwrap_key(wrapped, self._key)
        except WireError:
            self._aes_key = None
        self._wrapped = wrapped

    def _own(self, entries: list[str | None], now_ns: int) -> tuple[list[Interaction], int, int]:
        found: list[Interaction] = []
        undecryptable = dropped = 0
        for entry in entries:
            plain = None if entry is None else self._decrypt(entry)
            if plain is None:
                undecryptable += 1
                continue
            try:
                interaction = from_object(plain, now_ns=now_ns, id_length=self._id_length)
            except WireError:
                dropped += 1
                continue
            if interaction.attribution is None:
                dropped += 1  # nobody could be told about it
            else:
                found.append(interaction)
        return found, undecryptable, dropped

    def _decrypt(self, entry: str) -> bytes | None:
        if self._aes_key is None:
            return None
        first = self.mode or CipherMode.CTR
        for mode in (first, CipherMode.CFB if first is CipherMode.CTR else CipherMode.CTR):
            try:
                plain = decrypt_entry(entry, aes_key=self._aes_key, mode=mode)
            except WireError:
                continue
            self.mode = mode
            return plain
        return None

    def _shared(self, entries: list[str | None], now_ns: int) -> tuple[list[Interaction], int]:
        found: list[Interaction] = []
        for entry in entries:
            try:
                if entry is not None:
                    text = entry.encode("utf-8", "replace")
                    found.append(from_object(text, now_ns=now_ns, id_length=self._id_length))
            except WireError:
                pass  # counted by the difference
        return found, len(entries) - len(found)

    def _salvage(self, body: bytes, now_ns: int) -> Batch:
        """Read what a cut answer still holds: the server has deleted it already."""
        found = islice(_ENTRY.finditer(body), MAX_ENTRIES)
        own, undecryptable, dropped = self._own([one[1].decode("ascii") for one in found], now_ns)
        return Batch(own, [], undecryptable, dropped, cut=True)


def _has_too_many(buckets: Sequence[msgspec.Raw]) -> bool:
    """Whether there are more entries than an answer may have; one that is a list counts with all it holds."""
    values = chain.from_iterable(_VALUE.finditer(memoryview(bucket)) for bucket in buckets)
    return next(islice(values, MAX_ENTRIES + len(buckets), None), None) is not None  # each bucket is a value itself


def _texts(entries: _Entries) -> list[str | None]:
    """The strings of a bucket that may be null; None stands for an entry that is no string."""
    texts: list[str | None] = []
    for entry in entries or []:
        try:
            texts.append(msgspec.json.decode(entry, type=str))
        except (msgspec.DecodeError, UnicodeDecodeError):
            texts.append(None)
    return texts
