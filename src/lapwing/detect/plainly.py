"""What `natively`, `hashing`, `lines`, `reading`, `members`, `pages`, `records`, `logins` and `tallying` do in C.

It is for where nothing is compiled. Both give the same to the last bit.
"""

from copy import deepcopy
from math import exp2, log
from typing import Any

from lapwing.detect import layout
from lapwing.detect.decay import HOUR_NS
from lapwing.detect.layout import SPARK_BASE

__all__ = [
    "as_row",
    "as_tally",
    "at",
    "best_way",
    "cast",
    "cclass",
    "copied",
    "exp2",
    "freelist",
    "gone",
    "hash_lanes",
    "hour_of",
    "identity",
    "ipv4",
    "is_member",
    "is_plain",
    "item",
    "keep",
    "lay",
    "lay_name",
    "lay_text",
    "leading",
    "like",
    "lines_of",
    "log",
    "mark_of",
    "marked",
    "member",
    "nearest",
    "no_gc",
    "octet",
    "octets",
    "place",
    "put_back",
    "read_counts",
    "read_ipv4",
    "real_member",
    "release",
    "replace",
    "row",
    "row_for",
    "row_of",
    "seek",
    "seek_lined",
    "set_word",
    "settle",
    "sip",
    "soon",
    "soon_cell",
    "soon_item",
    "soon_member",
    "soon_parts",
    "soon_record",
    "soon_slot",
    "soon_sought",
    "soon_struct",
    "spark",
    "take",
    "take_item",
    "trailing",
    "whole",
    "whole_member",
    "word_at",
    "words",
]

MASK = 0xFFFF_FFFF_FFFF_FFFF
LINE = 8  # words of a line of the processor's cache
IPV4_CHARS = 15
best_way = 0  # four hashes one after the other; 1 where the processor has AVX2 for them, 2 where it has AVX-512VL


def is_plain(text: str) -> bool:
    """Whether `text` is ASCII, so that a character is a byte. What C may say no to is hashed to the same."""
    return text.isascii()


def octets(text: str, at: int) -> int:
    """Eight characters of plain text from `at` as a little-endian word, zeros after its end."""
    return int.from_bytes(text[at : at + 8].encode("ascii"), "little")


def octet(text: str, at: int) -> int:
    """One character of plain text."""
    return ord(text[at])


def ipv4(text: str) -> int:
    """Four decimal octets without leading zeros as a number; -1 for anything else."""
    parts = text.split(".") if text.isascii() and len(text) <= IPV4_CHARS else ()
    if len(parts) != 4:
        return -1
    value = 0
    for part in parts:
        if not part.isdigit() or (part[0] == "0" and part != "0") or int(part) > 255:
            return -1
        value = value << 8 | int(part)
    return value


def read_ipv4(way: int, text: str) -> int:  # noqa: ARG001
    """The same. Any `way` of hashing gives the same of it."""
    return ipv4(text)


def keep(kind: type) -> None:
    """Objects of `kind` are kept together."""


def like(pattern: Any) -> Any:
    """A new object like `pattern`, which holds numbers alone."""
    return deepcopy(pattern)


def nearest(x: float) -> int:
    """The nearest whole number, of two the even one."""
    return round(x)


def leading(word: int) -> int:
    """How many zeros stand before the highest bit of a word."""
    return 64 - word.bit_length()


def trailing(word: int) -> int:
    """How many zeros stand after the lowest bit of a word that has any."""
    return (word & -word).bit_length() - 1


def words(count: int) -> Any:
    """So many words of zero, where there are few: a large table is a `column`. Whoever has them releases them."""
    return [0] * count


def release(words: Any) -> None:
    """They are not needed any more."""


def word_at(words: Any, at: int) -> int:
    """One of them."""
    return words[at]  # type: ignore[no-any-return]


def set_word(words: Any, at: int, word: int) -> None:
    """Write one of them."""
    words[at] = word


def seek(words: Any, count: int, item: int) -> int:
    """Where `item`, which is not 0, stands among so many words, fewer than 2 to the 32, or would: one of them is 0.

    It belongs where its higher half points, as a share of them, and stands there or at the first free place after it.
    """
    at = (item >> 32) * count >> 32
    while words[at] not in (0, item):
        at = at + 1 if at + 1 < count else 0
    return at


def seek_lined(words: Any, count: int, item: int) -> int:
    """The same in lines of eight words, of which the first that is looked at is nearly always the only one.

    In a line it is sought from its share on, round and round; in the next one only where all eight are others.
    """
    at = (item >> 32) * count >> 32
    line = at - at % LINE
    while True:
        for step in range(LINE):
            place = line + (at + step) % LINE
            if words[place] in (0, item):
                return place
        at = line = line + LINE if line + LINE < count else 0


def lay(octets: memoryview, at: int, word: int, count: int) -> None:
    """Put the first `count` octets, 1 to 8, of a little-endian word among others, of which eight are there."""
    others = bytes(octets[at + count : at + 8]).ljust(8 - count, b"\0")  # too many where there are no eight
    octets[at : at + 8] = word.to_bytes(8, "little")[:count] + others


def mark_of(key: int) -> int:
    """What a place of an `Index` has of its key: eight bits, never 0."""
    return key >> 56 or 1


def marked(marks: Any, line: int, mark: int) -> int:
    """The places of this line of an `Index` that are marked so, one bit for each."""
    first = line * layout.LINE_BYTES
    return sum(1 << place for place in range(layout.PLACES) if marks[first + place] == mark)


def gone(numbers: Any, line: int, turn: int, here: int) -> int:
    """Those whose number stands for a spark that the journal has forgotten less than a lap ago (`Table._is_gone`)."""
    some = numbers[line * layout.LINE + layout.FIRST : (line + 1) * layout.LINE]
    return sum(1 << place for place, one in enumerate(some) if ((one ^ turn) - here) & layout.ALL < layout.LAP)


def soon(what: int) -> None:
    """What stands there is read soon: C has it fetched and goes on meanwhile."""


def soon_sought(words: Any, count: int, item: int) -> None:
    """The same of where `seek` begins."""


def soon_slot(records: list[Any], at: int) -> None:
    """The same of the place where a list has one of its items."""


def lines_of(records: list[Any], at: int) -> int:
    """How many lines of the processor's cache a record takes."""
    return -(-type(records[at]).__basicsize__ // 64)


def soon_record(records: list[Any], at: int, lines: int) -> None:
    """Its line and what else is of a record of so many lines, up to five, is read soon."""


def soon_parts(items: list[Any], at: int, behind: int) -> None:
    """The same of where one begins, and of what is so many bytes behind."""


def soon_item(items: list[Any], at: int, first: int, end: int) -> None:
    """The same of these bytes of an object in a list."""


def sip(k0: int, k1: int, first: int, second: int, third: int) -> int:
    """SipHash-1-3 of three words (Aumasson and Bernstein, 2012); never 0."""
    v0, v1, v2, v3 = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    for step, word in enumerate((first, second, third, 0, 0, 0)):
        if step == 3:
            v2 ^= 0xFF
        v3 ^= word
        v0 = (v0 + v1) & MASK
        v1 = (((v1 << 13) | (v1 >> 51)) & MASK) ^ v0
        v0 = ((v0 << 32) | (v0 >> 32)) & MASK
        v2 = (v2 + v3) & MASK
        v3 = (((v3 << 16) | (v3 >> 48)) & MASK) ^ v2
        v0 = (v0 + v3) & MASK
        v3 = (((v3 << 21) | (v3 >> 43)) & MASK) ^ v0
        v2 = (v2 + v1) & MASK
        v1 = (((v1 << 17) | (v1 >> 47)) & MASK) ^ v2
        v2 = ((v2 << 32) | (v2 >> 32)) & MASK
        v0 ^= word
    return (v0 ^ v1 ^ v2 ^ v3) or 1


def hash_lanes(way: int, k0: int, k1: int, lanes: list[int], keys: list[int], count: int) -> None:  # noqa: ARG001
    """The hashes of the three words of each of the first `count` lanes. Any `way` gives the same of these."""
    for lane in range(count):
        keys[lane] = sip(k0, k1, *lanes[3 * lane : 3 * lane + 3])


def lay_text(lanes: list[int], lane: int, domain: int, text: str) -> bool:
    """What the hash of `text` begins with becomes a lane; whether that is all of it: sixteen characters of ASCII."""
    if not is_plain(text):
        return False
    lanes[3 * lane : 3 * lane + 3] = len(text) << 8 | domain, octets(text, 0), octets(text, 8)
    return len(text) <= 16


def lay_name(lanes: list[int], lane: int, domain: int, name: str) -> int:
    """The same of a name: 2 for all of it, 1 if there is more.

    0 unless it is plainly its own spelling, so that nothing is to trim or to fold: visible ASCII without capitals.
    """
    if not name.isascii() or any(" " >= character > "\0" or "A" <= character <= "Z" for character in name):
        return 0
    return 2 if lay_text(lanes, lane, domain, name) else 1


def place(kind: type, name: str) -> Any:
    """Where structs of `kind` have the field of this `name`."""
    getattr(kind, name)
    return name


def member(of: Any, place: Any) -> Any:
    """What is there."""
    return getattr(of, place)


def is_member(of: Any, place: Any, what: Any) -> bool:
    """Whether it is this very object."""
    return getattr(of, place) is what


def identity(of: Any, place: Any) -> int:
    """What tells this object from all others that there are now."""
    return id(getattr(of, place))


def item(column: list[Any], at: int) -> Any:
    """What a column says of the row at `at`; one that has a single value says it of all."""
    return column[at if at < len(column) else 0]


def copied(column: list[Any], one: type, other: type) -> list[Any] | None:
    """A copy of a column that has values of these two types alone; None where another one is among them."""
    return column.copy() if all(type(value) in (one, other) for value in column) else None


def read_counts(column: list[Any], into: memoryview) -> bool:
    """Write the whole numbers of a column there; whether all are that, from 0 to 2 to the 63 less one."""
    for at, value in enumerate(column):
        if type(value) is not int or not 0 <= value < 1 << 63:
            return False
        into[at] = value
    return True


def take_item(column: list[Any], at: int) -> Any:
    """The same as `item`, and the column has it no longer, unless it is what it says of all."""
    if len(column) == 1:
        return column[0]
    value, column[at] = column[at], None
    return value


def put_back(column: list[Any], at: int, item: Any) -> None:
    """It has it again."""
    if len(column) != 1:
        column[at] = item


def soon_struct(items: list[Any], at: int) -> None:
    """A struct in a list, if it has so many, is read soon."""


def soon_member(of: Any, place: Any) -> None:
    """What is there, a short text or a number, is read soon."""


def soon_cell(column: list[Any], at: int) -> None:
    """What a column says of the row at `at`, if it has so many, is read soon."""


def whole(value: Any) -> Any:
    """A whole number, such as a time in nanoseconds."""
    return value


def whole_member(of: Any, place: Any) -> Any:
    """A whole number that is there."""
    return getattr(of, place)


def real_member(of: Any, place: Any) -> Any:
    """A number that is there."""
    return getattr(of, place)


def cclass(kind: type) -> type:
    """Of a class that is one of C's when it is compiled, which the two below ask for."""
    return kind


def cast(kind: type, what: Any) -> Any:
    """`what`, which is known to be of `kind`: compiled, nobody looks."""
    return what if kind else None


def no_gc(kind: type) -> type:
    """Of a class whose objects hold nothing that could point back: compiled, the garbage collector leaves them out."""
    return kind


def freelist(count: int) -> Any:
    """Compiled, the memory of so many objects of a class is used again."""
    return no_gc if count else None


def row(rows: list[Any], at: int) -> Any:
    """A record out of a list of records alone."""
    return rows[at]


def replace(rows: list[Any], at: int, row: Any) -> None:
    """Put a record into the place of another, or of None."""
    rows[at] = row


def as_row(what: Any) -> Any:
    """What is known to be a record: C does not ask for its type."""
    return what


def as_tally(what: Any) -> Any:
    """The same of a tally."""
    return what


def at(tracker: Any, age_ns: int) -> int:
    """From where on `left` of a tracker's fading has what is left after so long."""
    return tracker.fading.at(age_ns)  # type: ignore[no-any-return]


def settle(tracker: Any, row: Any, now_ns: int) -> int:
    """Bring the counts of a tracker's tally to `now_ns`."""
    return row.settle(now_ns, tracker.fading)  # type: ignore[no-any-return]


def row_of(tracker: Any, key: int, hint: int) -> Any:
    """The row of `key`, now the one touched last; None if there is no record. A spark becomes a row.

    `hint` is what `Table.approach` said, if it was asked.
    """
    table = tracker.table
    row = table.meet(key, hint)
    return tracker.kindle(key, SPARK_BASE - table.found) if table.found <= SPARK_BASE else row


def row_for(tracker: Any, login: Any, key: int, hint: int) -> Any:
    """The same for `login`. One without an outcome makes none of a spark, which gives no reason yet.

    A second plain failure that gives no reason yet either makes none of it: there is none, and `spark` says the rest.
    """
    table = tracker.table
    if not login.failed and not login.succeeded and tracker.quiet_first:
        return table.meet_row(key, hint)
    row = table.meet(key, hint)
    if table.found > SPARK_BASE:
        return row
    if login.plain and tracker.quiet_second and table.is_first(SPARK_BASE - table.found):
        return None
    return tracker.kindle(key, SPARK_BASE - table.found)


def spark(tracker: Any, key: int, login: Any) -> int:
    """A plain failure of a key that `row_for` has no row for."""
    table = tracker.table
    if table.found <= SPARK_BASE:
        table.renew(key, SPARK_BASE - table.found, login.pos)
    else:
        table.spark(key, login.pos)
    return 0


def take(row: Any, login: Any) -> int:
    """Count a login in a tally."""
    return row.take(login)  # type: ignore[no-any-return]


def hour_of(now_ns: int) -> int:
    """Hours since 1970."""
    return now_ns // HOUR_NS
