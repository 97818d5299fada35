"""One login as detection sees it: keyed hashes to count by, and what the pair tracker found out about it."""

import unicodedata
from hashlib import blake2b

import msgspec

from lapwing.detect.addresses import Place, place_of
from lapwing.detect.decay import ZEROS, Quad
from lapwing.events import AuthEvidence, AuthResolved, Outcome

NAME_BYTES = 64  # of an account name kept for people to read; longer names are cut, the key covers all of it
INFERRED = (AuthEvidence.PACKET_SIZE, AuthEvidence.PROTOCOL_STATE)
MAX_CACHED = 32_768  # entries of each cache of parsed addresses and hashed words; a full one starts anew
MAX_COUNT = 20  # tries one event may stand for: a summary must not outweigh what was seen singly


class Login:
    """A resolved login with its keys. Set once by the pair tracker: `known`, `gain`, `secret_gain`, `taken_back`...

    `failed` covers `failed` and `locked`. `weight` is how many tries it surely stands for.
    `known`: this account has logged in from this source before. `counts`: a failure that is not a known user's typo.
    `routine`: a known account logs in again where it just did; only its source is looked at.
    `pair_gain`: what the pair adds to counts of failing pairs, by half-life (1 if it had not failed yet).
    `try_gain`: what the try adds to counts of different tries; a repeated secret only renews what faded of it.
    `good_gain`: what it adds to counts of accounts that log in well.
    `back_pairs`, `back_tries`: what a success takes back from these counts, as the failures before it were typos;
    `back_secrets` are the mistyped ones. `pair_tries` is how many different tries of the pair failed before, faded.
    """

    __slots__ = (
        "account",
        "back_pairs",
        "back_secrets",
        "back_tries",
        "client",
        "client_text",
        "counts",
        "event",
        "failed",
        "glimpse",
        "good_gain",
        "known",
        "name",
        "now_ns",
        "pair",
        "pair_gain",
        "pair_tries",
        "place",
        "routine",
        "secret",
        "succeeded",
        "try_gain",
        "weight",
    )

    glimpse: "Glimpse | None"

    def __init__(self, event: AuthResolved, now_ns: int, place: Place) -> None:
        self.event = event
        self.glimpse = None
        self.now_ns = now_ns
        self.place = place
        self.failed = event.outcome is Outcome.FAILED or event.outcome is Outcome.LOCKED
        self.succeeded = event.outcome is Outcome.SUCCEEDED
        self.account: bytes | None = None
        self.name = ""
        self.secret: bytes | None = None
        self.client: bytes | None = None
        self.client_text = ""
        self.pair = b""
        self.weight = 1.0
        self.known = False
        self.counts = False
        self.routine = False
        self.pair_gain: Quad = ZEROS
        self.try_gain: Quad = ZEROS
        self.pair_tries = 0.0
        self.good_gain = 0.0
        self.back_pairs: Quad | None = None
        self.back_tries: Quad = ZEROS
        self.back_secrets: tuple[bytes, ...] = ()


class Glimpse(msgspec.Struct, frozen=True, gc=False):
    """What is kept of one login for people. `named` is the account's name, sealed; empty if not visible."""

    ts_ns: int
    seq: int
    count: int
    failed: bool
    inferred: bool
    protocol: str
    endpoint: str
    address: str
    source: bytes
    account: bytes | None
    named: bytes
    secret: bytes | None
    client: bytes | None


class Keyring:
    """Turns events into logins under one secret key, and seals account names so that no snapshot shows them."""

    def __init__(self, key: bytes) -> None:
        """`key` has 16 to 64 bytes."""
        if not 16 <= len(key) <= 64:
            raise ValueError("the key needs 16 to 64 bytes")
        self._key = key
        self._places: dict[str, Place | None] = {}
        self._words: dict[tuple[str, str], bytes] = {}

    def login(self, event: AuthResolved, now_ns: int) -> Login | None:
        """The login of `event`; None where its address is none."""
        place = self._place(event.client_ip)
        if place is None:
            return None
        login = Login(event, now_ns, place)
        name = fold_name(event.username)
        if name:
            login.name, login.account = name, self.word("account", name)
            login.pair = place.source + login.account
        else:
            login.pair = place.source + self.word("hidden account", event.protocol)
        if event.secret_tag is not None:
            login.secret = self.word("secret", event.secret_tag)
        login.client_text = event.fingerprint or event.user_agent or ""
        if login.client_text:
            login.client = self.word("client", login.client_text)
        login.weight = min(max(event.attempt_count, 1), MAX_COUNT) * min(max(event.confidence, 0.0), 1.0)
        return login

    def word(self, domain: str, text: str) -> bytes:
        """Eight bytes that stand for `text`; unpredictable without the key."""
        cached = self._words.get((domain, text))
        if cached is None:
            data = f"{domain}\0{text}".encode("utf-8", "surrogatepass")
            cached = blake2b(data, key=self._key, digest_size=8).digest()
            if len(text) <= NAME_BYTES:
                if len(self._words) >= MAX_CACHED:
                    self._words.clear()
                self._words[(domain, text)] = cached
        return cached

    def glimpse(self, login: Login) -> Glimpse:
        """What people will want to know of `login`; made once, shared by all that keep it."""
        made = login.glimpse
        if made is None:
            event = login.event
            made = login.glimpse = Glimpse(
                ts_ns=login.now_ns,
                seq=event.seq,
                count=max(event.attempt_count, 1),
                failed=login.failed,
                inferred=event.evidence in INFERRED,
                protocol=event.protocol,
                endpoint=event.endpoint,
                address=login.place.text,
                source=login.place.source,
                account=login.account,
                named=self._seal(login.name, login.account) if login.account is not None else b"",
                secret=login.secret,
                client=login.client,
            )
        return made

    def _seal(self, name: str, account: bytes) -> bytes:
        """`name`, cut to `NAME_BYTES`, readable only with the key. The account's own hash serves as the nonce."""
        data = name.encode("utf-8", "replace")
        if len(data) > NAME_BYTES:
            data = data[:NAME_BYTES].decode("utf-8", "ignore").encode()
        return account + self._masked(account, data)

    def unseal(self, named: bytes) -> str:
        """The account's name in `Glimpse.named`."""
        return self._masked(named[:8], named[8:]).decode("utf-8", "replace")

    def _masked(self, nonce: bytes, data: bytes) -> bytes:
        pad = blake2b(nonce, key=self._key, digest_size=NAME_BYTES, person=b"name pad").digest()
        length = len(data)
        return (int.from_bytes(data, "big") ^ int.from_bytes(pad[:length], "big")).to_bytes(length, "big")

    def _place(self, text: str) -> Place | None:
        try:
            return self._places[text]
        except KeyError:
            if len(self._places) >= MAX_CACHED:
                self._places.clear()
            place = self._places[text] = place_of(text)
            return place


def fold_name(name: str | None) -> str:
    """One spelling per account: NFKC, casefold, trimmed (W15). Adapters do it too; other producers may not."""
    if not name:
        return ""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name).casefold()
    return name.strip().casefold()
