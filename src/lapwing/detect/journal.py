# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False, initializedcheck=False
"""The latest logins that failed or belong to ones that did, in one ring of compact entries.

It serves twice. A record that has seen one plain failure is no record yet but a place in the journal (a spark, see
`Table`); and a finding tells its story by walking back the entries of its record, linked by dimension.
96 bytes and the sealed name an entry: 64 of them, one line of the processor's cache, hold all that a search compares,
as the keys of source, network and pair follow from the address and the account. What the ring has overwritten is
forgotten: the sparks there, oldest first, and the details of stories, never their counts. The tables count such sparks
out at once and sweep them out of their indexes bit by bit, as their places stand: looking up where each one is would
take its keys and a line of memory for each table.
Runs compiled, typed by `journal.pxd`, and as it stands.
"""

from typing import Any

import msgspec

from lapwing.detect import layout
from lapwing.detect import plainly as logins
from lapwing.detect import plainly as natively
from lapwing.detect.breath import BREATH, breathe
from lapwing.detect.login import NAME_BYTES, Keyring, Login
from lapwing.detect.memory import column, wider
from lapwing.detect.parts import Packed, pour
from lapwing.detect.rows import Fading
from lapwing.detect.unpacking import Unpacker

BY_SOURCE, BY_NETWORK, BY_PAIR = layout.BY_SOURCE, layout.BY_NETWORK, layout.BY_PAIR
BY_ACCOUNT, BY_SECRET, BY_CLIENT, BY_TIME = layout.ACCOUNT, layout.SECRET, layout.CLIENT, layout.AT
NAME_BYTES_EACH = 16  # of the ring of names, an entry on average; longer ones shorten its memory
FIRST_ROOM = 256
SLOTS_A_BREATH = 65_536  # looked through in a fraction of a millisecond
SOON = 4  # entries from the next one to be overwritten, which is fetched meanwhile
TOLD = 3  # entries that the records of one login begin with, at most
FORGIVEN_BACK = 64  # entries looked through for the typos that a success excuses

_PADDED = 24  # characters of a name for which `Login` may have what they are sealed with
_encode = msgspec.msgpack.Encoder().encode
_NAME_BYTES = NAME_BYTES
_SOON = SOON
_TOLD = TOLD


class Pointing:
    """What points at entries: a table whose records may be sparks. Its number is its place among the journal's."""

    def __init__(self) -> None:
        self.following: Any = None  # chained, they are gone through without asking each for its type

    def lose(self) -> int:
        """The journal forgets an entry that it points at."""
        return 0

    def sweep(self, turns: int) -> int:  # noqa: ARG002 - for those that point
        """Tidy up so much of what pointed at such entries that in so many turns all of it is, twice."""
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
        self._scratch = Login()
        self._told = [Login() for _ in range(TOLD)]  # by `again`, since `head` was there
        self._told_slots = [-1] * 3  # `TOLD`
        self._told_count, self._told_head = 0, -1
        self._chained: list[Any] | None = None  # what `_chain` has put into a row
        self._chain_length = 0
        self._first_table: Any = None
        self._next_table: Any = None  # whose turn it is to sweep; the first one's after the last
        self._capacity = 0
        self._here = 0  # the slot of `head`
        self._lap = 0  # or `layout.LAP`: the other one each time that `_here` comes round
        self.words = column("Q", 0)
        self.notes = column("I", 0)
        self._names = column("B", 0)
        self._names_capacity = 0
        self._names_here = 0  # where `names_at` is
        self._resize(min(limit, FIRST_ROOM))

    def join(self, pointing: Pointing) -> int:
        """Tell this one what happens from now on; its number."""
        self.tables.append(pointing)
        self._chained = None
        return len(self.tables) - 1

    def append(self, login: Login) -> int:
        """Enter `login`; its position."""
        if self.head == self._capacity and self._capacity < self.limit:
            self._make_room()
        slot = self._here
        if self._sparks_at(slot) != 0:
            self._lose(self._sparks_at(slot))
        self._store(slot, login)
        login.pos = self.head
        self.head += 1
        self._here = slot + 1
        if self._here == self._capacity:
            self._here = 0
            self._lap ^= layout.LAP
        if self.head > self._capacity:
            self._sweep()
            soon = self._here + _SOON
            if soon < self._capacity:
                natively.soon(self.words[soon * layout.WORDS])
                natively.soon(self.notes[soon * layout.NOTES])
        return login.pos

    def turn(self) -> int:
        """What turns a spark of this lap into its slot, one of the lap before into that and `layout.LAP`."""
        return layout.SPARK_BIT | self._lap

    def _store(self, at: int, login: Login) -> int:
        base = at * layout.WORDS
        self.words[base] = login.account
        self.words[base + layout.SECRET] = login.secret
        self.words[base + layout.CLIENT] = login.client
        self.words[base + layout.HI] = login.hi
        self.words[base + layout.LO] = login.lo
        self.words[base + layout.AT] = login.now_ns
        self.words[base + layout.SEQ] = login.seq
        meta = login.protocol
        meta = (meta << layout.PROTOCOL_SHIFT) | min(login.count, layout.COUNT_MASK)
        if login.failed:
            meta |= layout.FAILED
        if login.inferred:
            meta |= layout.INFERRED
        thousandths = int(min(login.weight, 1.0) * 1000.0 + 0.5)
        self.words[base + layout.META] = meta | (thousandths << layout.WEIGHT_SHIFT)
        base = at * layout.NOTES
        self.notes[base] = self.notes[base + 1] = self.notes[base + 2] = layout.GONE  # of each dimension
        self.notes[base + 3] = self.notes[base + 4] = self.notes[base + 5] = layout.GONE
        self.notes[base + layout.NAME] = self.names_at & layout.NAME_MASK
        self.notes[base + layout.SPARKS] = 0
        if login.account != 0:
            self._keep_name(at, login)
        return 0

    def _keep_name(self, slot: int, login: Login) -> int:
        """Seal the name into the ring, as `Keyring.seal` would."""
        name = login.name
        length = len(name)
        at = self._names_here
        fits = length <= _NAME_BYTES and at + length + 7 <= self._names_capacity  # it is written eight bytes at a time
        if login.named or not fits or not natively.is_plain(name):
            return self._keep_sealed(slot, login.named or self.keyring.seal(name, login.account))
        padded = _PADDED if login.padded == login.account else 0
        for index in range(0, length, 8):
            pad = login.pads[index >> 3] if index < padded else self.keyring.pad(login.account, index)
            natively.lay(self._names, at + index, natively.octets(name, index) ^ pad, min(length - index, 8))
        self.words[slot * layout.WORDS + layout.META] |= length << layout.LENGTH_SHIFT
        self.names_at += length
        self._names_here = at + length if at + length < self._names_capacity else 0
        return 0

    def _keep_sealed(self, slot: int, named: bytes) -> int:
        at = self._names_here
        for index in range(len(named)):
            byte = named[index]
            self._names[at] = byte
            at += 1
            if at == self._names_capacity:
                at = 0
        length = len(named)
        self.words[slot * layout.WORDS + layout.META] |= length << layout.LENGTH_SHIFT
        self.names_at += length
        self._names_here = at
        return 0

    def _make_room(self) -> int:
        """Grow, until `limit`; then the oldest entry is overwritten."""
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
        self.words = wider(self.words, "Q", layout.WORDS * capacity)
        self.notes = wider(self.notes, "I", layout.NOTES * capacity)
        self._names = names
        self._capacity, self._names_capacity = capacity, len(names)
        self._here, self._lap = self.head % capacity, 0
        self._names_here = self.names_at % self._names_capacity

    def _lose(self, sparks: int) -> int:
        """Tell the tables of these bits that one of their sparks is gone."""
        if self._chained is not self.tables:
            self._chain()
        table = self._first_table
        while sparks:
            if sparks & 1:
                table.lose()
            sparks >>= 1
            table = table.following
        return 0

    def _sweep(self) -> int:
        """Have one table after the other pass some places of its index, so that each passes all of them twice a lap.

        More than a lap after it was lost a spark would look like one of the entry that stands there then.
        """
        if self._chained is not self.tables:
            self._chain()
        if self._capacity < self._chain_length:
            table = self._first_table
            while table is not None:
                table.sweep(1)
                table = table.following
            return 0
        if self._next_table is None:
            self._next_table = self._first_table
        if self._next_table is not None:
            self._next_table.sweep(self._capacity // self._chain_length)
            self._next_table = self._next_table.following
        return 0

    def _chain(self) -> int:
        """Put the tables into a row, in their order."""
        self._chained = self.tables
        self._chain_length = len(self.tables)
        self._first_table = self._next_table = None
        for table in reversed(self.tables):
            table.following = self._first_table
            self._first_table = table
        return 0

    def slot_of(self, pos: int) -> int:
        """Where the entry of `pos` is; -1 when it was overwritten."""
        back = self.head - pos
        if pos < 0 or back <= 0 or back > self._capacity:
            return -1
        slot = self._here - back
        return slot if slot >= 0 else slot + self._capacity

    def word(self, slot: int, field: int) -> int:
        """A key of an entry, or its time."""
        base = slot * layout.WORDS
        if field >= 0:
            return self.words[base + field]
        if field == layout.BY_NETWORK:
            return self.keyring.network_of(self.words[base + layout.HI], self.words[base + layout.LO])
        source = self.keyring.source_of(self.words[base + layout.HI], self.words[base + layout.LO])
        if field == layout.BY_SOURCE:
            return source
        protocol = self.words[base + layout.META] >> layout.PROTOCOL_SHIFT & layout.PROTOCOL_MASK
        return self.keyring.pair_with(source, self.words[base], protocol)

    def link(self, pos: int, dimension: int, before: int) -> int:
        """The entry before `pos` in the story of its `dimension` is `before` (-1: none)."""
        slot = self.slot_of(pos)
        if slot >= 0:
            distance = pos - before
            if before < 0 or distance >= layout.GONE:
                distance = layout.GONE
            self.notes[slot * layout.NOTES + dimension] = distance
        return 0

    def before(self, pos: int, dimension: int) -> int:
        """The position before `pos` in its story; -1 when there is none or it is gone."""
        slot = self.slot_of(pos)
        if slot < 0:
            return -1
        distance = self.notes[slot * layout.NOTES + dimension]
        if distance == layout.GONE:
            return -1
        return pos - distance

    def slot_before(self, slot: int, dimension: int) -> int:
        """Where the entry before the one at `slot` in its story is; -1 when there is none or it is gone."""
        distance = self.notes[slot * layout.NOTES + dimension]
        return -1 if distance == layout.GONE else self.slot_of(self.pos_of(slot) - distance)

    def spark_at(self, pos: int, table: int) -> int:
        """Note that `table` (its number) points at the entry of `pos`; its slot, -1 when it was overwritten."""
        slot = self.slot_of(pos)
        if slot >= 0:
            self.notes[slot * layout.NOTES + layout.SPARKS] |= 1 << table
        return slot

    def mark_spark(self, slot: int, table: int, on: bool) -> int:
        """Note whether `table` (its number) points at `slot`."""
        bit = 1 << table
        if on:
            self.notes[slot * layout.NOTES + layout.SPARKS] |= bit
        else:
            self.notes[slot * layout.NOTES + layout.SPARKS] &= ~bit
        return 0

    def has_spark(self, slot: int, table: int) -> bool:
        """Whether `table` points at `slot`."""
        return self._sparks_at(slot) >> table & 1 != 0

    def _sparks_at(self, slot: int) -> int:
        """Bits of the tables that point at `slot`."""
        return self.notes[slot * layout.NOTES + layout.SPARKS]

    def dump_sparks(self, table: int) -> Packed:
        """The slots that `table` points at, for a snapshot."""
        packed, some = Packed(), []
        for slot in range(min(self.head, self._capacity)):
            if self.has_spark(slot, table):
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
            self.words[slot * layout.WORDS + layout.META] |= layout.OWNED << dimension
        return 0

    def is_owned(self, slot: int, dimension: int) -> bool:
        """Whether `mark_owned` was asked for."""
        return self.words[slot * layout.WORDS + layout.META] & (layout.OWNED << dimension) != 0

    def pos_of(self, slot: int) -> int:
        """The position of the entry that is at `slot` now."""
        pos = self.head - self._here + slot
        return pos if slot < self._here else pos - self._capacity

    def forgive(self, tail: int, dimension: int, account: int, since_ns: int) -> int:
        """The failures of `account` in this story since `since_ns` were typos: its people are not to be named."""
        pos = tail
        for _ in range(FORGIVEN_BACK):
            slot = self.slot_of(pos)
            if slot < 0 or self.word(slot, layout.AT) < since_ns:
                break
            if self.word(slot, layout.ACCOUNT) == account:
                self.words[slot * layout.WORDS + layout.META] |= layout.FORGIVEN
            pos = self.before(pos, dimension)
        return 0

    def retell(self, slot: int) -> Login:
        """The login of an entry as the first failure of its pair. The object is used again by the next call.

        Its name is not told: see `name_of`. Neither are its pair and its network, which nobody asks for.
        """
        login = self._scratch
        self._recall(login, slot)
        login.named = b""
        return login

    def again(self, slot: int) -> Login:
        """The same, for records that begin with an entry: nobody changes it, and other records begin with it too.

        Of one login, source and network begin with the same one or two, the account and its home with another.
        """
        if self._told_head != self.head:
            self._told_head = self.head
            self._told_count = 0
        for at in range(self._told_count):
            if self._told_slots[at] == slot:
                return logins.row(self._told, at)  # type: ignore[no-any-return]
        if self._told_count < _TOLD:
            self._told_count += 1
        at = self._told_count - 1
        login: Login = logins.row(self._told, at)
        self._told_slots[at] = slot
        self._recall(login, slot)
        return login

    def _recall(self, login: Login, slot: int) -> int:
        base = slot * layout.WORDS
        login.account = self.words[base]
        login.secret = self.words[base + layout.SECRET]
        login.client = self.words[base + layout.CLIENT]
        meta = self.words[base + layout.META]
        login.protocol = meta >> layout.PROTOCOL_SHIFT & layout.PROTOCOL_MASK
        login.hi = self.words[base + layout.HI]
        login.lo = self.words[base + layout.LO]
        login.source = self.keyring.source_of(login.hi, login.lo)
        login.now_ns = self.words[base + layout.AT]
        login.seq = self.words[base + layout.SEQ]
        login.count = meta & layout.COUNT_MASK
        login.failed = (meta & layout.FAILED) != 0
        login.succeeded = not login.failed
        login.counts = login.failed
        login.inferred = (meta & layout.INFERRED) != 0
        login.forgiven = (meta & layout.FORGIVEN) != 0
        thousandths = meta >> layout.WEIGHT_SHIFT & layout.WEIGHT_MASK
        login.weight = thousandths / 1000.0
        if login.failed:
            login.begin_pair()
        return 0

    def name_of(self, slot: int) -> bytes:
        """The sealed name of an entry's account; empty where there is none, or it was overwritten."""
        length = self.words[slot * layout.WORDS + layout.META] >> layout.LENGTH_SHIFT & layout.LENGTH_MASK
        back = (self.names_at - self.notes[slot * layout.NOTES + layout.NAME]) & layout.NAME_MASK
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
            memoryview(self.words)[: used * layout.WORDS].cast("B"),
            memoryview(self.notes)[: used * layout.NOTES].cast("B"),
            memoryview(self._names),
            self.keyring.protocols,
        ]

    def load(self, state: Unpacker) -> None:
        """Become what `dump` gave. Raises ValueError where the parts do not fit one another; then nothing changed."""
        state.list_length()
        head, capacity, names_at = state.some(3)
        words, notes, names, protocols = state.octets(), state.octets(), state.octets(), state.value()
        used = min(head, capacity)
        fits = len(words) == used * layout.WORDS * 8 and len(notes) == used * layout.NOTES * 4
        if not 0 < capacity <= self.limit or not fits:
            raise ValueError("the snapshot's journal is damaged or larger than this one may be")
        if len(names) != NAME_BYTES_EACH * capacity:
            raise ValueError("the names of the snapshot's journal are damaged")
        self._capacity = self._names_capacity = 0
        self.words, self.notes = column("Q", 0), column("I", 0)
        self._resize(capacity)
        for source, into in ((words, self.words), (notes, self.notes), (names, self._names)):
            pour(source, memoryview(into))
        for slot in range(used):
            self.notes[slot * layout.NOTES + layout.SPARKS] = 0  # the tables mark their own
            if slot % SLOTS_A_BREATH == 0:
                breathe()
        self.head, self.names_at = head, names_at
        self._here, self._names_here = head % capacity, names_at % self._names_capacity
        self._lap = layout.LAP if head // capacity & 1 else 0
        self.keyring.learn_protocols(protocols)
