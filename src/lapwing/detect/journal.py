# cython: infer_types=True, cpow=True
"""The latest logins that failed or belong to ones that did, in one ring of compact entries.

It serves twice. A record that has seen one plain failure is no record yet but a place in the journal (a spark, see
`Table`); and a finding tells its story by walking back the entries of its record, linked by dimension.
120 bytes and the sealed name an entry. What the ring has overwritten is forgotten: the sparks there, oldest first,
and the details of stories, never their counts.
Runs compiled, typed by `journal.pxd`, and as it stands.
"""

from array import array
from typing import Any

from lapwing.detect.login import Keyring, Login

WORDS = 12  # 64-bit words an entry: six keys, address, time, seq, what it was, where its name is
LINKS = 6  # one for each dimension: how far back the entry before is
BY_SOURCE, BY_ACCOUNT, BY_SECRET, BY_CLIENT, BY_NETWORK, BY_PAIR = range(6)  # the words that are keys
HI = 6
LO = 7
AT = BY_TIME = 8
SEQ = 9
META = (
    10  # bits 0-15 tries, 16 failed, 17 inferred, 18 forgiven, 24- protocol, 32- name's length, 40- weight, 50- owned
)
NAME_AT = 11
COUNT_MASK = 0xFFFF
FAILED = 1 << 16
INFERRED = 1 << 17
FORGIVEN = 1 << 18
OWNED = 1 << 50  # and five bits above: the story of this dimension is told by another one's finding
GONE_LINK = 0xFFFF_FFFF
NAME_BYTES_EACH = 16  # of the ring of names, an entry on average; longer ones shorten its memory
FIRST_ROOM = 256
FORGIVEN_BACK = 64  # entries looked through for the typos that a success excuses


class Journal:
    """A ring of `limit` entries. Positions count from 0 for ever; `head` is the next one."""

    def __init__(self, limit: int, keyring: Keyring) -> None:
        self.limit = limit
        self.head = 0
        self.keyring = keyring
        self.tables: list[Any] = []
        self.names_at = 0
        self._scratch = Login()
        self._capacity = 0
        self._words = array("Q")
        self._links = array("I")
        self._sparks = bytearray()
        self._names = bytearray()
        self._names_capacity = 0
        self._resize(min(limit, FIRST_ROOM))

    def append(self, login: Login) -> int:
        """Enter `login`; its position."""
        if self.head >= self._capacity:
            self._make_room()
        slot = self.head % self._capacity
        if self._sparks[slot] != 0:
            self._drop(slot)
        self._store(slot, login)
        login.pos = self.head
        self.head += 1
        return login.pos

    def _store(self, at: int, login: Login) -> int:
        base = at * WORDS
        words = self._words
        words[base] = login.source
        words[base + 1] = login.account
        words[base + 2] = login.secret
        words[base + 3] = login.client
        words[base + 4] = login.network
        words[base + 5] = login.pair
        words[base + HI] = login.hi
        words[base + LO] = login.lo
        words[base + AT] = login.now_ns
        words[base + SEQ] = login.seq
        meta = login.protocol
        meta = (meta << 24) | min(login.count, 0xFFFF)
        if login.failed:
            meta |= FAILED
        if login.inferred:
            meta |= INFERRED
        thousandths = int(min(login.weight, 1.0) * 1000.0 + 0.5)
        words[base + META] = meta | (thousandths << 40)
        words[base + NAME_AT] = self.names_at
        if login.account != 0:
            self._keep_name(base, login)
        for index in range(at * LINKS, at * LINKS + LINKS):
            self._links[index] = GONE_LINK
        return 0

    def _keep_name(self, base: int, login: Login) -> int:
        named = login.named
        if not named:
            named = login.named = self.keyring.seal(login.name, login.account)
        at = self.names_at
        for index in range(len(named)):
            byte = named[index]
            self._names[at % self._names_capacity] = byte
            at += 1
        self._words[base + META] |= len(named) << 32
        self.names_at = at
        return 0

    def _make_room(self) -> int:
        """Grow until `limit`; then the oldest entry is overwritten."""
        if self._capacity < self.limit:
            self._resize(min(self.limit, 2 * self._capacity))
        return 0

    def _resize(self, capacity: int) -> None:
        """Only before the ring has wrapped: every entry keeps its slot."""
        words, links = array("Q", bytes(8 * WORDS * capacity)), array("I", bytes(4 * LINKS * capacity))
        sparks, names = bytearray(capacity), bytearray(NAME_BYTES_EACH * capacity)
        used = self._capacity
        if used:
            memoryview(words)[: used * WORDS] = memoryview(self._words)
            memoryview(links)[: used * LINKS] = memoryview(self._links)
            sparks[:used] = memoryview(self._sparks)
            for at in range(max(0, self.names_at - self._names_capacity), self.names_at):
                names[at % len(names)] = self._names[at % self._names_capacity]
        self._words, self._links, self._sparks, self._names = words, links, sparks, names
        self._capacity, self._names_capacity = capacity, len(names)

    def _drop(self, slot: int) -> int:
        """The entry at `slot` is about to go: no table may point at it."""
        for table in self.tables:
            if self._sparks[slot] >> table.number & 1:
                table.lose_spark(slot)
        self._sparks[slot] = 0
        return 0

    def slot_of(self, pos: int) -> int:
        """Where the entry of `pos` is; -1 when it was overwritten."""
        if pos < 0 or pos >= self.head or pos < self.head - self._capacity:
            return -1
        return pos % self._capacity

    def word(self, slot: int, field: int) -> int:
        """One word of an entry."""
        return self._words[slot * WORDS + field]

    def link(self, pos: int, dimension: int, before: int) -> int:
        """The entry before `pos` in the story of its `dimension` is `before` (-1: none)."""
        slot = self.slot_of(pos)
        if slot >= 0:
            distance = pos - before
            self._links[slot * LINKS + dimension] = GONE_LINK if before < 0 or distance >= GONE_LINK else distance
        return 0

    def before(self, pos: int, dimension: int) -> int:
        """The position before `pos` in its story; -1 when there is none or it is gone."""
        slot = self.slot_of(pos)
        if slot < 0:
            return -1
        distance = self._links[slot * LINKS + dimension]
        if distance == GONE_LINK:
            return -1
        return pos - distance

    def mark_spark(self, slot: int, table: int, on: bool) -> int:
        """Note whether `table` (its number) points at `slot`."""
        if on:
            self._sparks[slot] |= 1 << table
        else:
            self._sparks[slot] &= ~(1 << table)
        return 0

    def mark_owned(self, pos: int, dimension: int) -> int:
        """The failure at `pos` is explained by the finding of another record than that of `dimension`."""
        slot = self.slot_of(pos)
        if slot >= 0:
            self._words[slot * WORDS + META] |= OWNED << dimension
        return 0

    def is_owned(self, slot: int, dimension: int) -> bool:
        """Whether `mark_owned` was asked for."""
        return self._words[slot * WORDS + META] & (OWNED << dimension) != 0

    def pos_of(self, slot: int) -> int:
        """The position of the entry that is at `slot` now."""
        return self.head - 1 - (self.head - 1 - slot) % self._capacity

    def forgive(self, tail: int, dimension: int, account: int, since_ns: int) -> int:
        """The failures of `account` in this story since `since_ns` were typos: its people are not to be named."""
        pos = tail
        for _ in range(FORGIVEN_BACK):
            slot = self.slot_of(pos)
            if slot < 0 or self.word(slot, AT) < since_ns:
                break
            if self.word(slot, BY_ACCOUNT) == account:
                self._words[slot * WORDS + META] |= FORGIVEN
            pos = self.before(pos, dimension)
        return 0

    def retell(self, slot: int) -> Login:
        """The login of an entry as the first failure of its pair. The object is used again by the next call."""
        login = self._scratch
        base = slot * WORDS
        words = self._words
        login.source = words[base]
        login.account = words[base + 1]
        login.secret = words[base + 2]
        login.client = words[base + 3]
        login.network = words[base + 4]
        login.pair = words[base + 5]
        login.hi = words[base + HI]
        login.lo = words[base + LO]
        login.now_ns = words[base + AT]
        login.seq = words[base + SEQ]
        meta = words[base + META]
        login.count = meta & COUNT_MASK
        login.failed = (meta & FAILED) != 0
        login.succeeded = not login.failed
        login.counts = login.failed
        login.inferred = (meta & INFERRED) != 0
        login.forgiven = (meta & FORGIVEN) != 0
        login.protocol = meta >> 24 & 0xFF
        login.named = self._name(words[base + NAME_AT], meta >> 32 & 0xFF)
        login.weight = (meta >> 40 & 0x3FF) / 1000.0
        login.pos = -1
        if login.failed:
            login.begin_pair()
        return login

    def _name(self, start: int, length: int) -> bytes:
        if length == 0 or start + self._names_capacity < self.names_at:
            return b""
        out = bytearray(length)
        for index in range(length):
            out[index] = self._names[(start + index) % self._names_capacity]
        return bytes(out)

    def dump(self) -> list[Any]:
        """All entries, for a snapshot."""
        used = min(self.head, self._capacity)
        return [
            self.head,
            self._capacity,
            self.names_at,
            bytes(memoryview(self._words)[: used * WORDS]),
            bytes(memoryview(self._links)[: used * LINKS]),
            bytes(self._names),
            self.keyring.protocols,
        ]

    def load(self, state: list[Any]) -> None:
        """Become what `dump` gave. Raises ValueError where the parts do not fit one another."""
        head, capacity, names_at, words, links, names, protocols = state
        used = min(head, capacity)
        if not 0 < capacity <= self.limit or len(words) != used * WORDS * 8 or len(links) != used * LINKS * 4:
            raise ValueError("the snapshot's journal is damaged or larger than this one may be")
        if len(names) != NAME_BYTES_EACH * capacity:
            raise ValueError("the names of the snapshot's journal are damaged")
        self._capacity = 0
        self._resize(capacity)
        memoryview(self._words).cast("B")[: len(words)] = words
        memoryview(self._links).cast("B")[: len(links)] = links
        memoryview(self._names)[:] = names
        self.head, self.names_at = head, names_at
        self.keyring.learn_protocols(protocols)
