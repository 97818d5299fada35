# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""The latest logins that failed or belong to ones that did, in one ring of compact entries.

It serves twice. A record that has seen one plain failure is no record yet but a place in the journal (a spark, see
`Table`); and a finding tells its story by walking back the entries of its record, linked by dimension.
96 bytes and the sealed name an entry: 64 of them, one line of the processor's cache, hold all that a search compares,
as the keys of source, network and pair follow from the address and the account. What the ring has overwritten is
forgotten: the sparks there, oldest first, and the details of stories, never their counts.
Runs compiled, typed by `journal.pxd`, and as it stands.
"""

from typing import Any

import msgspec

from lapwing.detect import plainly as natively
from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.login import NAME_BYTES, Keyring, Login
from lapwing.detect.memory import column, wider
from lapwing.detect.parts import Packed, pour
from lapwing.detect.rows import Fading
from lapwing.detect.unpacking import Unpacker

WORDS = 8  # 64-bit words an entry
ACCOUNT, SECRET, CLIENT, HI, LO, AT, SEQ, META = range(8)
# META: bits 0-15 tries, 16 failed, 17 inferred, 18 forgiven, 24- protocol, 32- name's length, 40- weight, 50- owned
NOTES = 8  # 32-bit words an entry: how far back the entry before is, by dimension; where its name is; its sparks
NAME = 6
SPARKS = 7
BY_SOURCE, BY_ACCOUNT, BY_SECRET, BY_CLIENT, BY_NETWORK, BY_PAIR, BY_TIME = -1, ACCOUNT, SECRET, CLIENT, -2, -3, AT
COUNT_MASK = 0xFFFF
FAILED = 1 << 16
INFERRED = 1 << 17
FORGIVEN = 1 << 18
OWNED = 1 << 50  # and five bits above: the story of this dimension is told by another one's finding
GONE_LINK = 0xFFFF_FFFF
NAME_MASK = 0xFFFF_FFFF
NAME_BYTES_EACH = 16  # of the ring of names, an entry on average; longer ones shorten its memory
FIRST_ROOM = 256
SLOTS_A_BREATH = 65_536  # looked through in a fraction of a millisecond
FORGIVEN_BACK = 64  # entries looked through for the typos that a success excuses

_encode = msgspec.msgpack.Encoder().encode
_SOURCE = BY_SOURCE
_NETWORK = BY_NETWORK
_PAIR = BY_PAIR
_NAME_BYTES = NAME_BYTES


class Pointing:
    """What points at entries: a table whose records may be sparks. Its number is its place among the journal's.

    `field` is the word of an entry that holds the table's key.
    """

    def __init__(self, field: int) -> None:
        self.field = field
        self.following: Any = None  # chained, they are gone through without asking each for its type

    def turn(self, slot: int, key: int, next_key: int) -> int:  # noqa: ARG002 - for those that point
        """The journal forgets the entry at `slot`, which is all there is of `key`; the next one is all of `next_key`.

        Either is 0 where they are nothing of this table.
        """
        return 0


class Journal:
    """A ring of `limit` entries. Positions count from 0 for ever; `head` is the next one."""

    def __init__(self, limit: int, keyring: Keyring) -> None:
        self.limit = limit
        self.head = 0
        self.keyring = keyring
        self.tables: list[Any] = []
        self.names_at = 0
        self.fading = Fading()  # one for all trackers
        self._scratch, self._first, self._second = Login(), Login(), Login()
        self._first_slot = self._second_slot = self._told_head = -1
        self._chained: list[Any] | None = None  # what `_chain` has put into a row, and how many of them
        self._chain_length = 0
        self._first_table: Any = None
        self._by_source = self._by_network = 0  # bits of the tables that need these keys
        self._oldest_slot = -1  # the entry that goes next, where its keys may be known already: 0 where not
        self._oldest_source = self._oldest_network = 0
        self._capacity = 0
        self._here = 0  # the slot of `head`
        self._words = column("Q", 0)
        self._notes = column("I", 0)
        self._names = column("B", 0)
        self._names_capacity = 0
        self._resize(min(limit, FIRST_ROOM))

    def append(self, login: Login) -> int:
        """Enter `login`; its position."""
        if self.head >= self._capacity:
            self._make_room()
        slot = self._here
        following = slot + 1 if slot + 1 < self._capacity else 0
        if self._notes[slot * NOTES + SPARKS] != 0:
            self._drop(slot, following)
        else:
            self._oldest_slot = -1
        self._store(slot, login)
        login.pos = self.head
        self.head += 1
        self._here = following
        return login.pos

    def _store(self, at: int, login: Login) -> int:
        base = at * WORDS
        self._words[base] = login.account
        self._words[base + SECRET] = login.secret
        self._words[base + CLIENT] = login.client
        self._words[base + HI] = login.hi
        self._words[base + LO] = login.lo
        self._words[base + AT] = login.now_ns
        self._words[base + SEQ] = login.seq
        meta = login.protocol
        meta = (meta << 24) | min(login.count, 0xFFFF)
        if login.failed:
            meta |= FAILED
        if login.inferred:
            meta |= INFERRED
        thousandths = int(min(login.weight, 1.0) * 1000.0 + 0.5)
        self._words[base + META] = meta | (thousandths << 40)
        base = at * NOTES
        for index in range(base, base + NAME):
            self._notes[index] = GONE_LINK
        self._notes[base + NAME] = self.names_at & NAME_MASK
        self._notes[base + SPARKS] = 0
        if login.account != 0:
            self._keep_name(at, login)
        return 0

    def _keep_name(self, slot: int, login: Login) -> int:
        """Seal the name into the ring, as `Keyring.seal` would."""
        name = login.name
        length = len(name)
        at = self.names_at % self._names_capacity
        if login.named or length > _NAME_BYTES or at + length > self._names_capacity or not natively.is_plain(name):
            return self._keep_sealed(slot, login.named or self.keyring.seal(name, login.account))
        for index in range(0, length, 8):
            word = natively.octets(name, index) ^ self.keyring.pad(login.account, index)
            natively.lay(self._names, at + index, word, min(length - index, 8))
        self._words[slot * WORDS + META] |= length << 32
        self.names_at += length
        return 0

    def _keep_sealed(self, slot: int, named: bytes) -> int:
        at = self.names_at % self._names_capacity
        for index in range(len(named)):
            byte = named[index]
            self._names[at] = byte
            at += 1
            if at == self._names_capacity:
                at = 0
        length = len(named)
        self._words[slot * WORDS + META] |= length << 32
        self.names_at += length
        return 0

    def _make_room(self) -> int:
        """Grow until `limit`; then the oldest entry is overwritten."""
        if self._capacity < self.limit:
            self._resize(min(self.limit, 2 * self._capacity))
        return 0

    def _resize(self, capacity: int) -> None:
        """Only before the ring has wrapped: every entry keeps its slot."""
        names, old = column("B", NAME_BYTES_EACH * capacity), memoryview(self._names)
        at = self.names_at - min(self.names_at, self._names_capacity)  # unsigned: never below 0
        while at < self.names_at:
            here, there = at % len(old), at % len(names)
            run = min(self.names_at - at, len(old) - here, len(names) - there)
            names[there : there + run] = old[here : here + run]
            at += run
        self._words = wider(self._words, "Q", WORDS * capacity)
        self._notes = wider(self._notes, "I", NOTES * capacity)
        self._names = names
        self._capacity, self._names_capacity = capacity, len(names)
        self._here = self.head % capacity

    def _drop(self, slot: int, following: int) -> int:
        """The entry at `slot` is about to go: no table may point at it.

        `following` is the next to go: what that will change, anywhere in large tables, is fetched meanwhile.
        """
        if self._chained is not self.tables or self._chain_length != len(self.tables):
            self._chain()
        going, next_to_go = self._notes[slot * NOTES + SPARKS], self._notes[following * NOTES + SPARKS]
        if slot != self._oldest_slot:
            self._oldest_source = self._oldest_network = 0
        if going & self._by_source and self._oldest_source == 0:
            self._oldest_source = self.word(slot, _SOURCE)
        if going & self._by_network and self._oldest_network == 0:
            self._oldest_network = self.word(slot, _NETWORK)
        source = self.word(following, _SOURCE) if next_to_go & self._by_source else 0
        network = self.word(following, _NETWORK) if next_to_go & self._by_network else 0
        table = self._first_table
        both = going | next_to_go
        bit = 1
        while bit <= both:
            if both & bit:
                field = table.field
                table.turn(
                    slot,
                    self._key_of(slot, field, self._oldest_source, self._oldest_network) if going & bit else 0,
                    self._key_of(following, field, source, network) if next_to_go & bit else 0,
                )
            bit <<= 1
            table = table.following
        self._oldest_slot = following if following != slot else -1
        self._oldest_source, self._oldest_network = source, network
        return 0

    def _chain(self) -> int:
        """Put the tables into a row, in their order."""
        self._chained = self.tables
        self._chain_length = len(self.tables)
        self._by_source = self._by_network = 0
        self._first_table = None
        for number in range(len(self.tables) - 1, -1, -1):
            table = self.tables[number]
            table.following = self._first_table
            self._first_table = table
            if table.field in (_SOURCE, _PAIR):
                self._by_source |= 1 << number
            elif table.field == _NETWORK:
                self._by_network |= 1 << number
        return 0

    def _key_of(self, slot: int, field: int, source: int, network: int) -> int:
        """What `word` says, where the keys of the entry's address are known."""
        base = slot * WORDS
        if field >= 0:
            return self._words[base + field]
        if field == _SOURCE:
            return source
        if field == _NETWORK:
            return network
        return self.keyring.pair_with(source, self._words[base], self._words[base + META] >> 24 & 0xFF)

    def slot_of(self, pos: int) -> int:
        """Where the entry of `pos` is; -1 when it was overwritten."""
        back = self.head - pos
        if pos < 0 or back <= 0 or back > self._capacity:
            return -1
        slot = self._here - back
        return slot if slot >= 0 else slot + self._capacity

    def word(self, slot: int, field: int) -> int:
        """A key of an entry, or its time."""
        base = slot * WORDS
        if field >= 0:
            return self._words[base + field]
        if field == _NETWORK:
            return self.keyring.network_of(self._words[base + HI], self._words[base + LO])
        source = self.keyring.source_of(self._words[base + HI], self._words[base + LO])
        if field == _SOURCE:
            return source
        return self.keyring.pair_with(source, self._words[base], self._words[base + META] >> 24 & 0xFF)

    def glance(self, slot: int) -> int:
        """Have an entry fetched."""
        natively.soon(self._words[slot * WORDS])
        natively.soon(self._notes[slot * NOTES])
        return 0

    def link(self, pos: int, dimension: int, before: int) -> int:
        """The entry before `pos` in the story of its `dimension` is `before` (-1: none)."""
        slot = self.slot_of(pos)
        if slot >= 0:
            distance = pos - before
            self._notes[slot * NOTES + dimension] = GONE_LINK if before < 0 or distance >= GONE_LINK else distance
        return 0

    def before(self, pos: int, dimension: int) -> int:
        """The position before `pos` in its story; -1 when there is none or it is gone."""
        slot = self.slot_of(pos)
        if slot < 0:
            return -1
        distance = self._notes[slot * NOTES + dimension]
        if distance == GONE_LINK:
            return -1
        return pos - distance

    def spark_at(self, pos: int, table: int) -> int:
        """Note that `table` (its number) points at the entry of `pos`; its slot, -1 when it was overwritten."""
        slot = self.slot_of(pos)
        if slot >= 0:
            self._notes[slot * NOTES + SPARKS] |= 1 << table
        return slot

    def mark_spark(self, slot: int, table: int, on: bool) -> int:
        """Note whether `table` (its number) points at `slot`."""
        bit = 1 << table
        if on:
            self._notes[slot * NOTES + SPARKS] |= bit
        else:
            self._notes[slot * NOTES + SPARKS] &= ~bit
        return 0

    def has_spark(self, slot: int, table: int) -> bool:
        """Whether `table` points at `slot`."""
        return self._notes[slot * NOTES + SPARKS] >> table & 1 != 0

    def dump_sparks(self, table: int) -> Packed:
        """The slots that `table` points at, for a snapshot."""
        packed, some = Packed(), []
        for slot in range(min(self.head, self._capacity)):
            if self._notes[slot * NOTES + SPARKS] >> table & 1 != 0:
                some.append(_encode(slot))
                if len(some) == BREATH:
                    packed.add(some)
                    some = []
                    breathe()
            if slot % SLOTS_A_BREATH == 0:
                breathe()
        packed.add(some)
        return packed

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
        pos = self.head - self._here + slot
        return pos if slot < self._here else pos - self._capacity

    def forgive(self, tail: int, dimension: int, account: int, since_ns: int) -> int:
        """The failures of `account` in this story since `since_ns` were typos: its people are not to be named."""
        pos = tail
        for _ in range(FORGIVEN_BACK):
            slot = self.slot_of(pos)
            if slot < 0 or self.word(slot, AT) < since_ns:
                break
            if self.word(slot, ACCOUNT) == account:
                self._words[slot * WORDS + META] |= FORGIVEN
            pos = self.before(pos, dimension)
        return 0

    def retell(self, slot: int) -> Login:
        """The login of an entry as the first failure of its pair. The object is used again by the next call.

        Its name is not told: see `name_of`. Neither are its pair and its network, which nobody asks for.
        """
        login = self._scratch
        self._recall(login, slot)
        return login

    def again(self, slot: int) -> Login:
        """The same, for records that begin with an entry: nobody changes it, and other records begin with it too.

        Of one login, source, network and pair begin with one entry, the account and its home with another.
        """
        if self._told_head != self.head:
            self._told_head = self.head
            self._first_slot = self._second_slot = -1
        if slot == self._first_slot:
            return self._first
        if slot == self._second_slot:
            return self._second
        if self._first_slot < 0:
            self._first_slot = slot
            self._recall(self._first, slot)
            return self._first
        self._second_slot = slot
        self._recall(self._second, slot)
        return self._second

    def _recall(self, login: Login, slot: int) -> int:
        base = slot * WORDS
        login.account = self._words[base]
        login.secret = self._words[base + SECRET]
        login.client = self._words[base + CLIENT]
        meta = self._words[base + META]
        login.protocol = meta >> 24 & 0xFF
        login.hi = self._words[base + HI]
        login.lo = self._words[base + LO]
        login.source = self.keyring.source_of(login.hi, login.lo)
        login.now_ns = self._words[base + AT]
        login.seq = self._words[base + SEQ]
        login.count = meta & COUNT_MASK
        login.failed = (meta & FAILED) != 0
        login.succeeded = not login.failed
        login.counts = login.failed
        login.inferred = (meta & INFERRED) != 0
        login.forgiven = (meta & FORGIVEN) != 0
        login.weight = (meta >> 40 & 0x3FF) / 1000.0
        login.named = b""
        login.pos = -1
        if login.failed:
            login.begin_pair()
        return 0

    def name_of(self, slot: int) -> bytes:
        """The sealed name of an entry's account; empty where there is none, or it was overwritten."""
        length = self._words[slot * WORDS + META] >> 32 & 0xFF
        back = (self.names_at - self._notes[slot * NOTES + NAME]) & NAME_MASK
        if length == 0 or back > self._names_capacity:
            return b""
        start = self.names_at - back
        out = bytearray(length)
        for index in range(length):
            out[index] = self._names[(start + index) % self._names_capacity]
        return bytes(out)

    def used(self) -> int:
        """How many entries there are: their slots are the numbers below."""
        return min(self.head, self._capacity)

    def dump(self) -> list[Any]:
        """All entries, for a snapshot. Columns are shown as they are: copy them before the next login."""
        used = min(self.head, self._capacity)
        return [
            self.head,
            self._capacity,
            self.names_at,
            memoryview(self._words)[: used * WORDS].cast("B"),
            memoryview(self._notes)[: used * NOTES].cast("B"),
            memoryview(self._names),
            self.keyring.protocols,
        ]

    def load(self, state: Unpacker) -> None:
        """Become what `dump` gave. Raises ValueError where the parts do not fit one another; then nothing changed."""
        state.list_length()
        head, capacity, names_at = state.some(3)
        words, notes, names, protocols = state.octets(), state.octets(), state.octets(), state.value()
        used = min(head, capacity)
        if not 0 < capacity <= self.limit or len(words) != used * WORDS * 8 or len(notes) != used * NOTES * 4:
            raise ValueError("the snapshot's journal is damaged or larger than this one may be")
        if len(names) != NAME_BYTES_EACH * capacity:
            raise ValueError("the names of the snapshot's journal are damaged")
        self._capacity = self._names_capacity = 0
        self._words, self._notes = column("Q", 0), column("I", 0)
        self._resize(capacity)
        for source, into in ((words, self._words), (notes, self._notes), (names, self._names)):
            pour(source, memoryview(into))
        for slot in range(used):
            self._notes[slot * NOTES + SPARKS] = 0  # the tables mark their own
            if slot % SLOTS_A_BREATH == 0:
                breathe()
        self.head, self.names_at = head, names_at
        self._here = head % capacity
        self._oldest_slot = -1
        self.keyring.learn_protocols(protocols)
