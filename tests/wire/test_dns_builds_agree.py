"""The compiled and the plain reader of DNS messages say the same of the same bytes, whatever the bytes."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from lapwing.events import WireError
from lapwing.wire.dns import MAX_QUESTIONS, decode
from tests.wire.support import DNS_READERS

LABEL = st.one_of(
    st.from_regex(rb"[A-Za-z0-9_-]{1,12}", fullmatch=True), st.binary(min_size=1, max_size=63), st.just(b"a" * 63)
).map(lambda label: bytes((len(label),)) + label)
POINTER = st.integers(0, 90).map(lambda target: (0xC000 | target).to_bytes(2, "big"))
NAME = st.builds(
    lambda labels, end: b"".join(labels) + end,
    st.lists(LABEL, max_size=5),
    st.one_of(st.just(b"\0"), st.just(b"\xc0\x0c"), POINTER),
)
NUMBER = st.integers(0, 0xFFFF).map(lambda number: number.to_bytes(2, "big"))
CLASS = st.one_of(st.just(b"\0\x01"), st.just(b"\x80\x01"), NUMBER)
SMALL_GROUPS = st.lists(st.sampled_from([0, 0, 0, 1, 0x20, 0x300, 0x2001, 0xFFFF]), min_size=8, max_size=8)
ADDRESS6 = SMALL_GROUPS.map(lambda groups: b"".join(group.to_bytes(2, "big") for group in groups))
RTYPE_AND_DATA = st.one_of(
    st.tuples(st.just(1), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(28), st.one_of(ADDRESS6, st.binary(min_size=16, max_size=16))),
    st.tuples(st.sampled_from([2, 5, 12, 15, 39]), NAME),
    st.tuples(st.sampled_from([1, 28, 2, 5, 6, 12, 16, 33, 65_280]), st.binary(max_size=24)),
)
RECORD = st.builds(
    lambda name, content, rclass, ttl: (
        name + content[0].to_bytes(2, "big") + rclass + ttl + len(content[1]).to_bytes(2, "big") + content[1]
    ),
    NAME,
    RTYPE_AND_DATA,
    CLASS,
    st.binary(min_size=4, max_size=4),
)
QUESTION = st.builds(
    lambda name, qtype, qclass: name + qtype + qclass, NAME, st.one_of(st.just(b"\0\x01"), NUMBER), CLASS
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message, perhaps with counts that are wrong, cut short, or with bytes changed."""
    questions, answers = draw(st.lists(QUESTION, max_size=3)), draw(st.lists(RECORD, max_size=4))
    counts = [len(questions), len(answers), draw(st.integers(0, 3)), draw(st.integers(0, 3))]
    if draw(st.booleans()):
        counts[draw(st.integers(0, 3))] = draw(st.sampled_from([0, 1, MAX_QUESTIONS, MAX_QUESTIONS + 1, 512, 513]))
    head = draw(NUMBER) + draw(st.one_of(st.sampled_from([b"\x01\0", b"\x81\x80"]), NUMBER))
    data = bytearray(head + b"".join(count.to_bytes(2, "big") for count in counts) + b"".join(questions + answers))
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


DATAGRAMS = st.one_of(messages(), st.binary(max_size=80))


def told(reader: Any, data: bytes, class_mask: int) -> tuple[object, ...]:
    try:
        return tuple(reader.read_dns(data, class_mask))
    except WireError as problem:
        return ("refused", str(problem))


@given(DATAGRAMS, st.sampled_from([0xFFFF, 0x7FFF]))
@example(b"\0" * 4 + b"\0\x01" + b"\0" * 6 + (b"\x3f" + b"a" * 63) * 4 + b"\0", 0xFFFF)  # name too long
@example(b"\0" * 4 + b"\0\x01" + b"\0" * 6 + (b"\x3f" + b"a" * 63) * 3 + b"\x3f", 0xFFFF)  # too long and cut
@example(b"\0" * 4 + b"\0\x01" + b"\0" * 6 + (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\0\0\1\0\1", 0xFFFF)
def test_both_builds_read_messages_alike(data: bytes, class_mask: int) -> None:
    plain, hot = (told(reader, data, class_mask) for reader in DNS_READERS.values())
    assert hot == plain


@given(DATAGRAMS)
def test_both_builds_recognise_messages_alike(data: bytes) -> None:
    plain, hot = (reader.looks_like_dns(data) for reader in DNS_READERS.values())
    assert hot is plain


@given(st.lists(RECORD, min_size=2, max_size=4))
def test_answers_after_many_names_keep_their_own(records: list[bytes]) -> None:
    data = b"\0\1\x81\x80\0\1" + len(records).to_bytes(2, "big") + b"\0\0\0\0\x03www\0\0\1\0\1" + b"".join(records)
    answers = DNS_READERS["hot"].read_dns(data, 0xFFFF)[3]
    assert [(answer.name, answer.data) for answer in answers] == [
        (answer.name, answer.data) for answer in decode(data).answers
    ]


def asked(reader: Any, data: bytes) -> tuple[object, ...]:
    try:
        return tuple(reader.read_asked(data))
    except WireError as problem:
        return ("refused", str(problem))


@given(DATAGRAMS)
@example(b"\0" * 4 + b"\0\x02" + b"\0" * 6 + b"\x03W\xffw\0\0\1\0\1" + b"\xc0\x0c\0\1\0\1")
def test_what_pairs_messages_is_read_alike_and_refused_where_the_message_is(data: bytes) -> None:
    plain, hot = (asked(reader, data) for reader in DNS_READERS.values())
    assert hot == plain
    whole = told(DNS_READERS["plain"], data, 0xFFFF)
    assert plain == whole if whole[0] == "refused" else plain[0] == whole[1]


@given(DATAGRAMS, DATAGRAMS)
def test_what_pairs_messages_is_id_first_name_and_type(one: bytes, other: bytes) -> None:
    try:
        left, right = (DNS_READERS["plain"].read_dns(data, 0xFFFF) for data in (one, other))
    except WireError:
        return
    same = [(parts[0], parts[2][0].name, parts[2][0].qtype) if parts[2] else None for parts in (left, right)]
    assert (asked(DNS_READERS["hot"], one)[1] == asked(DNS_READERS["hot"], other)[1]) is (same[0] == same[1])
