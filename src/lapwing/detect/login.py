# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""One login as detection sees it: keyed hashes to count by, and what the pair tracker found out about it.

Runs compiled, typed by `login.pxd`, and as it stands. Hashes are SipHash-1-3 under a secret key (Aumasson and
Bernstein, 2012), so nobody outside can choose which record a name or an address falls into; 0 stands for none.
"""

import unicodedata
from hashlib import blake2b
from typing import Any

from lapwing.detect import plainly as hashing
from lapwing.detect import plainly as natively
from lapwing.detect import plainly as reading
from lapwing.detect.addresses import halves_of, place_at
from lapwing.events import AuthEvent, AuthEvidence, AuthResolved, Outcome

NAME_BYTES = 64  # of an account name kept for people to read; longer names are cut, the key covers all of it
SEAL_BYTES = 16  # behind all state that is kept
MAX_CACHED = 32_768  # cached addresses that are not IPv4; a full cache starts anew
MAX_ADDRESS_CHARS = 64  # longer than any address with a zone; what a caller passes on from a header may be anything
MAX_COUNT = 20  # tries one event may stand for: a summary must not outweigh what was seen singly
MOST = 2**31 - 1
MAX_PROTOCOLS = 200  # different protocol names remembered; further ones share the last number

ACCOUNT, HIDDEN, SECRET, CLIENT, SOURCE, NETWORK, CHECK, ADDRESS, NAME, DRAW = range(1, 11)  # what a hash is of

_ACCOUNT, _HIDDEN, _SECRET, _CLIENT = ACCOUNT, HIDDEN, SECRET, CLIENT
_SOURCE, _NETWORK, _NAME, _DRAW = SOURCE, NETWORK, NAME, DRAW
_MOST_TRIES = MAX_COUNT
MASK = 0xFFFF_FFFF_FFFF_FFFF
V4_PREFIX = 0xFFFF_0000_0000  # ::ffff:0:0/96, where IPv4 addresses live
V4_NETWORK = 0xFFFF_FFFF_FFFF_FF00
V6_NETWORK = 0xFFFF_FFFF_FFFF_0000

_PACKET_SIZE, _PROTOCOL_STATE = AuthEvidence.PACKET_SIZE, AuthEvidence.PROTOCOL_STATE
_FAILED, _LOCKED, _SUCCEEDED, _UNKNOWN = Outcome.FAILED, Outcome.LOCKED, Outcome.SUCCEEDED, Outcome.UNKNOWN
NAMED_ONLY = 0.5  # of a try: an account that does not exist was named, and nothing shows that a secret was offered


class Login:
    """A resolved login with its keys. The pair tracker sets what is new about it.

    `failed` covers `failed` and `locked`. `weight` is how many tries it surely stands for. `pos` is its place in the
    journal, -1 for none. `hi` and `lo` are the address, IPv4 as IPv4-mapped IPv6.
    `known`: this account has logged in from this source before. `counts`: a failure that is not a known user's typo.
    `plain`: the first failure of its pair and nothing more, so that the journal alone can retell it.
    `routine`: a known account logs in again where it just did; only its source is looked at.
    `nobody`: the server has no such account.
    `resident`: others log in well from its source and hardly any account fails there, so it is somebody at home.
    `beside`: reasons its context gives.
    `pair_*`: what the pair adds to counts of failing pairs, by half-life (1 if it had not failed yet).
    `try_*`: what the try adds to counts of different tries; a repeated secret only renews what faded of it.
    `good_gain`: what it adds to counts of accounts that log in well.
    `took_back`: a success shows that the failures before it were typos; `back_*` is what it takes back from these
    counts and `back_secrets` the mistyped ones. `pair_tries`: different tries of the pair failed before, faded.
    `at_*`: what `Table.approach` said of these keys, if it was asked; it may be of another login, or no longer so.
    `pads`: where its account is `padded`, what the first 24 characters of its name are sealed with.
    """

    def __init__(self) -> None:
        self.event: Any = None
        self.client_text: Any = ""
        self.endpoint = ""
        self.name = ""
        self.at_source = self.at_network = self.at_account = -1  # nowhere
        self.at_client = self.at_pair = self.at_home = -1
        self.pads = [0] * 4  # the last one is none
        self.begin()

    def begin(self) -> int:
        """Be a login of which nothing is known yet. Its texts are those of before: whoever knows its keys sets them."""
        self.named = b""
        self.now_ns = 0
        self.seq = 0
        self.pos = -1
        self.source = self.network = self.account = self.secret = self.client = self.pair = self.hi = self.lo = 0
        self.padded = 0
        self.count = 1
        self.protocol = 0
        self.failed = self.succeeded = self.inferred = self.forgiven = False
        self.known = self.counts = self.routine = self.took_back = self.plain = self.nobody = self.resident = False
        self.weight = 1.0
        self.pair_tries = self.good_gain = 0.0
        self.pair_0 = self.pair_1 = self.pair_2 = self.pair_3 = 0.0
        self.try_0 = self.try_1 = self.try_2 = self.try_3 = 0.0
        self.back_pair_0 = self.back_pair_1 = self.back_pair_2 = self.back_pair_3 = 0.0
        self.back_try_0 = self.back_try_1 = self.back_try_2 = self.back_try_3 = 0.0
        self.back_secrets: tuple[int, ...] = ()
        self.beside: tuple[Any, ...] = ()
        return 0

    def count_tries(self, count: int, confidence: float) -> int:
        """It stands for so many tries, as surely as that."""
        self.count = 1 if count == 1 else min(max(count, 1), MOST)
        sure = min(confidence, 1.0) if confidence > 0.0 else 0.0  # NaN counts nothing: it would stay in every record
        self.weight = float(min(self.count, _MOST_TRIES)) * sure
        return 0

    def begin_pair(self) -> bool:
        """Set what a failure adds that is the first of its pair; True if the journal alone can retell it (`plain`)."""
        self.counts = True
        pair = 1.0 if self.account != 0 else 0.0
        self.pair_0 = self.pair_1 = self.pair_2 = self.pair_3 = pair
        self.try_0 = self.try_1 = self.try_2 = self.try_3 = self.weight
        self.plain = self.count == 1 and self.pos >= 0 and self.weight <= 1.0 and whole(self.weight)
        return self.plain

    @property
    def address(self) -> str:
        """Where it came from, as text."""
        from lapwing.detect.addresses import address_text

        return address_text(self.hi, self.lo)


def whole(weight: float) -> bool:
    """Whether the journal's thousandths hold `weight` exactly."""
    if weight == 1.0:
        return True
    thousandths = weight * 1000.0 + 0.5
    return (thousandths - thousandths % 1.0) / 1000.0 == weight


def sip(k0: int, k1: int, first: int, second: int, third: int) -> int:
    """SipHash-1-3 of three words; never 0. One copy for all of this module."""
    return natively.sip(k0, k1, first, second, third)


class Keyring:
    """Turns events into logins under one secret key, and seals account names so that no snapshot shows them."""

    def __init__(self, key: bytes) -> None:
        """`key` has 16 to 64 bytes."""
        if not 16 <= len(key) <= 64:
            raise ValueError("the key needs 16 to 64 bytes")
        digest = blake2b(key, digest_size=16, person=b"lapwing detect").digest()
        self._k0 = int.from_bytes(digest[:8], "big")
        self._k1 = int.from_bytes(digest[8:], "big")
        self._others: dict[str, tuple[int, int] | None] = {}
        self._hidden = [0] * 256  # as many as a journal entry can name
        self._way = hashing.best_way
        self._lanes = [0] * 12  # three words of each of four hashes, which become keys at once
        self._keys = [0] * 4
        self._sealing = [_NAME, 0, 0, _NAME, 0, 8, _NAME, 0, 16, 0, 0, 0]  # the same of three pads and a secret
        self._pads = [0] * 4  # what the name of this account is sealed with
        self._padded = 0
        self._latest_protocol: str | None = None
        self._latest_number = 0
        self._login = Login()
        # The keys of the address placed last, and the source of the one asked for last: 0 where there is none yet.
        self._near_hi = self._near_lo = self._near_source = self._near_place = self._near_network = 0
        self._near_kind = 0
        self._far_hi = self._far_lo = self._far_source = 0
        self._protocols: list[str] = []
        self._protocol_numbers: dict[str, int] = {}

    def hash_by(self, way: int) -> int:
        """Hash by this way from now on if the processor has it, or else by its best one. All of them give the same."""
        self._way = min(max(way, 0), hashing.best_way)
        return self._way

    def sibling(self) -> "Keyring":
        """Another keyring under the same key that has met nothing yet."""
        other = Keyring(bytes(16))
        other._k0, other._k1 = self._k0, self._k1
        return other

    def state_seal(self) -> "blake2b":
        """What state made under this key is hashed with."""
        key = f"{self._k0:016x}{self._k1:016x}".encode()
        return blake2b(key=key, digest_size=SEAL_BYTES, person=b"lapwing state")

    def under(self, key: bytes) -> "Keyring":
        """A keyring under `key`: this one, where that is its own."""
        other = Keyring(key)
        return self if (other._k0, other._k1) == (self._k0, self._k1) else other

    def login(self, event: AuthResolved, now_ns: int) -> Login | None:
        """The login of `event`; None where its address is none or its outcome says nothing."""
        outcome = event.outcome
        if outcome is _FAILED or outcome is _LOCKED or outcome is _SUCCEEDED:
            return self._login if self.read(self._login, event, now_ns) else None
        return self._named_nobody(event, now_ns) if outcome is _UNKNOWN else None

    def read(self, login: Login, event: AuthResolved, now_ns: int) -> bool:
        """Become the login of an `event` that succeeded or failed; False where its address is none."""
        if not self._attempt(login, event, now_ns):
            return False
        login.succeeded = event.outcome is _SUCCEEDED
        login.failed = not login.succeeded
        evidence = event.evidence
        login.count_tries(event.attempt_count, event.confidence)
        login.inferred = evidence is _PACKET_SIZE or evidence is _PROTOCOL_STATE
        login.nobody = event.account_exists is False
        return True

    def _named_nobody(self, event: AuthResolved, now_ns: int) -> Login | None:
        """Nobody gets in under a name the server does not have: no need to see the refusal."""
        if event.account_exists is not False:
            return None
        login = self.attempt(event, now_ns)
        if login is not None:
            login.failed = login.nobody = True
            login.weight = NAMED_ONLY
        return login

    def attempt(self, event: AuthEvent, now_ns: int) -> Login | None:
        """The login of `event` without an outcome; None where its address is none. The next one is the same object."""
        return self._login if self._attempt(self._login, event, now_ns) else None

    def _attempt(self, login: Login, event: AuthEvent, now_ns: int) -> bool:
        client = event.fingerprint or event.user_agent
        if not self.name(login, event.client_ip, event.username, event.protocol, event.secret_tag, client):
            return False
        self.stand_at(login)
        login.event = event
        login.endpoint = event.endpoint
        login.now_ns = now_ns
        login.seq = event.seq
        return True

    def identify(
        self, address: str, username: str | None, protocol: str, secret_tag: str | None, client: str | None
    ) -> Login | None:
        """A login with its keys alone; None where the address is none. The next one is the same object."""
        if not self.name(self._login, address, username, protocol, secret_tag, client):
            return None
        self.stand_at(self._login)
        return self._login

    def name(
        self,
        login: Login,
        address: str,
        username: str | None,
        protocol: str,
        secret_tag: str | None,
        client: str | None,
    ) -> bool:
        """Give `login`, which begins anew, its keys; False where the address is none."""
        if not self.locate(login, address, username, client):
            return False
        self.describe(login, protocol, secret_tag)
        return True

    def locate(self, login: Login, address: str, username: str | None, client: str | None) -> bool:
        """Give `login`, which begins anew, the keys of its address, account and client; False where the first is none.

        These four are computed at once, so a login takes two computations: see `describe`.
        """
        login.begin()
        login.event = None
        if not self._read_address(login, address):
            return False
        self._lay_place(login.hi, login.lo)
        name = "" if username is None else username
        laid = hashing.lay_name(self._lanes, 2, _ACCOUNT, name)
        if laid == 0:
            name = fold_name(name)
            laid = 2 if hashing.lay_text(self._lanes, 2, _ACCOUNT, name) else 1
        count, short_client = 3, False
        if client:
            count, short_client = 4, hashing.lay_text(self._lanes, 3, _CLIENT, client)
        hashing.hash_lanes(self._way, self._k0, self._k1, self._lanes, self._keys, count)
        login.source = self._keys[0]
        login.network = self._keys[1]
        login.name = name
        if name:
            login.account = self._keys[2] if laid == 2 else self._rest_of_word(_ACCOUNT, name, self._keys[2])
        if client is not None and count == 4:
            login.client_text = client
            login.client = self._keys[3] if short_client else self._rest_of_word(_CLIENT, client, self._keys[3])
        else:
            login.client_text = ""
        return True

    def describe(self, login: Login, protocol: str, secret_tag: str | None) -> int:
        """Give a login that was located its other keys."""
        if secret_tag is not None:
            if self._way == 0:
                login.secret = self.word(_SECRET, secret_tag)
            else:
                login.secret = self._secret_and_pads(login, secret_tag)
        if protocol is self._latest_protocol:
            login.protocol = self._latest_number
        else:
            login.protocol = self.protocol_number(protocol)
        login.pair = self.pair_with(login.source, login.account, login.protocol)
        return 0

    def _secret_and_pads(self, login: Login, secret_tag: str) -> int:
        """The key of its secret. What the journal will seal its name with costs nothing beside it."""
        short_secret = hashing.lay_text(self._sealing, 3, _SECRET, secret_tag)
        self._sealing[1] = self._sealing[4] = self._sealing[7] = login.account
        hashing.hash_lanes(self._way, self._k0, self._k1, self._sealing, login.pads, 4)
        login.padded = login.account
        return login.pads[3] if short_secret else self._rest_of_word(_SECRET, secret_tag, login.pads[3])

    def word(self, domain: int, text: str) -> int:
        """Eight bytes that stand for `text`; unpredictable without the key."""
        if hashing.lay_text(self._lanes, 0, domain, text):
            return sip(self._k0, self._k1, self._lanes[0], self._lanes[1], self._lanes[2])
        return self._rest_of_word(domain, text, sip(self._k0, self._k1, self._lanes[0], self._lanes[1], self._lanes[2]))

    def _rest_of_word(self, domain: int, text: str, state: int) -> int:
        """What stands for `text`, the first sixteen characters of which came to `state` if they are ASCII."""
        if not natively.is_plain(text):
            return self._wide_word(domain, text)
        for at in range(16, len(text), 16):
            state = sip(self._k0, self._k1, state, natively.octets(text, at), natively.octets(text, at + 8))
        return state

    def _wide_word(self, domain: int, text: str) -> int:
        """The same of text beyond ASCII, by its UTF-8 bytes."""
        data = text.encode("utf-8", "surrogatepass")
        count = len(data)
        state = (count << 8) | domain
        at = 0
        while True:
            low = high = 0
            shift = 0
            while shift < 64 and at < count:
                byte = data[at]
                low |= byte << shift
                shift += 8
                at += 1
            shift = 0
            while shift < 64 and at < count:
                byte = data[at]
                high |= byte << shift
                shift += 8
                at += 1
            state = sip(self._k0, self._k1, state, low, high)
            if at >= count:
                return state

    def pair_of(self, source: int, account: int) -> int:
        """Both are keyed hashes, so a turn and a difference keep pairs apart."""
        a = account
        b = ((a << 29) | (a >> 35)) & MASK
        return (source ^ b) or 1

    def pair_with(self, source: int, account: int, protocol: int) -> int:
        """The pair of a login; without a visible account the protocol stands in for it."""
        return self.pair_of(source, account if account != 0 else self._hidden[protocol])

    def source_of(self, hi: int, lo: int) -> int:
        """What an IPv4 address or an IPv6 /64 is counted by."""
        if lo == self._near_lo and hi == self._near_hi and self._near_source != 0:
            return self._near_source
        if lo != self._far_lo or hi != self._far_hi or self._far_source == 0:
            self._far_hi = hi
            self._far_lo = lo
            self._far_source = self._source_word(hi, lo)
        return self._far_source

    def _source_word(self, hi: int, lo: int) -> int:
        if hi == 0 and lo >> 32 == 0xFFFF:
            return sip(self._k0, self._k1, _SOURCE, 0, lo)
        return sip(self._k0, self._k1, _SOURCE, 1, hi)

    def network_of(self, hi: int, lo: int) -> int:
        """What its /24 or /48 is counted by."""
        if hi == 0 and lo >> 32 == 0xFFFF:
            kind, place = 0, lo & V4_NETWORK
        else:
            kind, place = 1, hi & V6_NETWORK
        if place != self._near_place or kind != self._near_kind or self._near_network == 0:
            return sip(self._k0, self._k1, _NETWORK, kind, place)
        return self._near_network

    def sources_of(self, halves: list[int], count: int, sources: list[int]) -> int:
        """What `source_of` says of up to four addresses, given in halves."""
        for lane in range(count):
            hi, lo = halves[2 * lane], halves[2 * lane + 1]
            v4 = hi == 0 and lo >> 32 == 0xFFFF
            self._lanes[3 * lane] = _SOURCE
            self._lanes[3 * lane + 1] = 0 if v4 else 1
            self._lanes[3 * lane + 2] = lo if v4 else hi
        hashing.hash_lanes(self._way, self._k0, self._k1, self._lanes, sources, count)
        return 0

    def pad(self, account: int, at: int) -> int:
        """What a name is sealed with, eight bytes from `at`."""
        if at >= 32 or self._way == 0:
            return sip(self._k0, self._k1, _NAME, account, at)
        if account != self._padded:
            for lane in range(4):
                self._lanes[3 * lane] = _NAME
                self._lanes[3 * lane + 1] = account
                self._lanes[3 * lane + 2] = 8 * lane
            hashing.hash_lanes(self._way, self._k0, self._k1, self._lanes, self._pads, 4)
            self._padded = account
        return self._pads[at >> 3]

    def draw(self, first: int, second: int) -> int:
        """A number that nobody can guess who does not know the key, the same for the same two."""
        return sip(self._k0, self._k1, _DRAW, first, second)

    def place(self, login: Login, hi: int, lo: int) -> int:
        """Set the address: the source is an IPv4 address or an IPv6 /64, its network a /24 or a /48."""
        login.hi = hi
        login.lo = lo
        self._lay_place(hi, lo)
        hashing.hash_lanes(self._way, self._k0, self._k1, self._lanes, self._keys, 2)
        login.source = self._keys[0]
        login.network = self._keys[1]
        return self.stand_at(login)

    def _lay_place(self, hi: int, lo: int) -> int:
        """What the keys of an address are hashes of becomes the first two lanes."""
        v4 = hi == 0 and lo >> 32 == 0xFFFF
        self._lanes[0] = _SOURCE
        self._lanes[3] = _NETWORK
        self._lanes[1] = self._lanes[4] = 0 if v4 else 1
        self._lanes[2] = lo if v4 else hi
        self._lanes[5] = lo & V4_NETWORK if v4 else hi & V6_NETWORK
        return 0

    def stand_at(self, login: Login) -> int:
        """Have the keys of its address at hand: what comes next is about `login`."""
        hi = self._near_hi = login.hi
        lo = self._near_lo = login.lo
        self._near_source = login.source
        v4 = hi == 0 and lo >> 32 == 0xFFFF
        self._near_kind = 0 if v4 else 1
        self._near_place = lo & V4_NETWORK if v4 else hi & V6_NETWORK
        self._near_network = login.network
        return 0

    def protocol_number(self, name: str) -> int:
        """A small number for a protocol's name."""
        if name is self._latest_protocol:
            return self._latest_number
        known = self._protocol_numbers.get(name)
        if known is None:
            known = min(len(self._protocols), MAX_PROTOCOLS)
            if known < MAX_PROTOCOLS:
                self._protocols.append(name)
                self._protocol_numbers[name] = known
            self._hidden[known] = self.word(_HIDDEN, name if known < MAX_PROTOCOLS else "other")
        self._latest_protocol, self._latest_number = name, known
        return self._latest_number

    def protocol_name(self, number: int) -> str:
        """The name that got `number`."""
        return self._protocols[number] if number < len(self._protocols) else "other"

    @property
    def protocols(self) -> list[str]:
        """Names by number."""
        return list(self._protocols)

    def learn_protocols(self, names: list[str]) -> None:
        """Become a keyring that has met these, in this order."""
        self._protocols = []
        self._protocol_numbers = {}
        self._latest_protocol = None
        for name in names:
            self.protocol_number(name)

    def seal(self, name: str, account: int) -> bytes:
        """`name`, cut to `NAME_BYTES`, readable only with the key. The account's own hash serves as the nonce."""
        data = name.encode("utf-8", "replace")
        if len(data) > NAME_BYTES:
            data = data[:NAME_BYTES].decode("utf-8", "ignore").encode()
        return self._masked(account, data)

    def unseal(self, named: bytes) -> str:
        """The name of an account whose hash, eight bytes, stands before what `seal` gave."""
        return self._masked(int.from_bytes(named[:8], "big"), named[8:]).decode("utf-8", "replace")

    def _masked(self, account: int, data: bytes) -> bytes:
        out = bytearray(len(data))
        pad = 0
        for at in range(len(data)):
            if at & 7 == 0:
                pad = sip(self._k0, self._k1, _NAME, account, at)
            byte = data[at]
            out[at] = (byte ^ pad) & 0xFF
            pad >>= 8
        return bytes(out)

    def _read_address(self, login: Login, text: str) -> bool:
        value = reading.read_ipv4(self._way, text)
        if value >= 0:
            login.hi = 0
            login.lo = V4_PREFIX | value
            return True
        halves = self._halves(text)
        if halves is None:
            return False
        login.hi, login.lo = halves
        return True

    def source_text(self, text: str) -> str | None:
        """How the source of an address is written; None if it is none. IPv4 addresses have one spelling only."""
        if natively.ipv4(text) >= 0:
            return text
        halves = self._halves(text)
        return None if halves is None else place_at(halves[0], halves[1]).source_text

    def halves(self, text: str) -> tuple[int, int] | None:
        """The address in `text`, or of a source as it is written; None if it is neither."""
        value = natively.ipv4(text)
        return (0, V4_PREFIX | value) if value >= 0 else self._halves(text.removesuffix("/64"))

    def _halves(self, text: str) -> tuple[int, int] | None:
        """Of an address that is not plain IPv4, remembered as they take long to read."""
        if len(text) > MAX_ADDRESS_CHARS:
            return None
        if text not in self._others:
            if len(self._others) >= MAX_CACHED:
                self._others.clear()
            self._others[text] = halves_of(text)
        return self._others[text]


def fold_name(name: str | None) -> str:
    """One spelling per account: NFKC, casefold, trimmed (W15). Adapters do it too; other producers may not."""
    if not name:
        return ""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name).casefold()
    return name.strip().casefold()
