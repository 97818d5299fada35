"""DNS over TCP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages import DnsQuery, DnsResponse, DnsUnanswered
from lapwing.protocols import Match
from lapwing.protocols.dns import UNANSWERED_AFTER_NS
from lapwing.protocols.dns_tcp import DNS_TCP, DnsStreamParser
from tests.protocols.playbook import KEY, SIZES, Step, any_steps, client, closes, cut, lost, passes, play, server
from tests.protocols.test_dns import answer, query


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


FIRST, SECOND = query(number=1), query("mail.example.com", "MX", number=2)
TALK = [
    client(framed(FIRST.to_wire()) + framed(SECOND.to_wire())),
    server(framed(answer(SECOND, "mail.example.com. MX 5 mx.example.com."))),
    server(framed(answer(FIRST, "www.example.com. A 192.0.2.1"))),
]
END = [closes(Side.CLIENT), closes(Side.SERVER)]
BYTES = st.one_of(
    st.binary(max_size=60), st.lists(st.sampled_from([one.data for one in TALK]), max_size=4).map(b"".join)
)


def test_pipelined_queries_are_paired_with_answers_in_any_order() -> None:
    messages = play(DnsStreamParser(KEY), *TALK, *END)
    assert [(type(one), one.transaction_id) for one in messages if isinstance(one, DnsQuery | DnsResponse)] == [
        (DnsQuery, 1),
        (DnsQuery, 2),
        (DnsResponse, 2),
        (DnsResponse, 1),
    ]
    assert [one.rtt_ns for one in messages if isinstance(one, DnsResponse)] == [1, 2]


def test_what_nobody_answered_is_named_when_both_sides_ended() -> None:
    assert play(DnsStreamParser(KEY), TALK[0], TALK[1], *END)[-1] == DnsUnanswered(1, "www.example.com", "A", 0)


def test_after_a_hole_inside_a_message_the_next_is_read() -> None:
    wire = TALK[0].data
    size = len(framed(FIRST.to_wire()))
    messages = play(DnsStreamParser(KEY), client(wire[:9]), lost(Side.CLIENT, size - 12), client(wire[size - 3 :]))
    assert [one.transaction_id for one in messages if isinstance(one, DnsQuery)] == [2]


def test_after_a_hole_that_hides_where_messages_begin_a_side_is_silent() -> None:
    assert play(DnsStreamParser(KEY), client(b"\0"), lost(Side.CLIENT, 100), client(TALK[0].data)) == []
    assert play(DnsStreamParser(KEY), lost(Side.CLIENT, 100), client(TALK[0].data)) == []


@given(SIZES)
def test_any_split_gives_the_same_messages(sizes: list[int]) -> None:
    def without_times(steps: list[Step]) -> list[object]:
        return [(type(one), getattr(one, "transaction_id", None)) for one in play(DnsStreamParser(KEY), *steps)]

    assert without_times(cut(TALK, sizes)) == without_times(TALK)


@given(any_steps(BYTES))
def test_any_bytes_give_messages_within_the_bounds(steps: list[Step]) -> None:
    parser = DnsStreamParser(KEY)
    play(parser, *steps)
    assert parser.held_bytes <= 2 * (0xFFFF + 2)


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.CLIENT, TALK[0].data[:64], Match.YES),
        (Side.CLIENT, TALK[0].data[:20], Match.MORE),
        (Side.CLIENT, TALK[0].data[:1], Match.MORE),
        (Side.SERVER, TALK[1].data[:64], Match.YES),
        (Side.SERVER, TALK[0].data[:64], Match.NO),
        (Side.CLIENT, bytes(64), Match.NO),
        (Side.CLIENT, b"\0\x50" + bytes(62), Match.NO),
    ],
)
def test_the_first_message_tells(side: Side, head: bytes, match: Match) -> None:
    assert DNS_TCP.probe(side, head) is match


def test_an_overdue_query_is_told_while_the_connection_lives() -> None:
    messages = play(DnsStreamParser(KEY), *TALK[:2], passes(2 * UNANSWERED_AFTER_NS), TALK[2], *END)
    assert messages[3] == DnsUnanswered(1, "www.example.com", "A", 0)
    late = messages[4]
    assert isinstance(late, DnsResponse)
    assert late.rtt_ns is not None
    assert late.rtt_ns > UNANSWERED_AFTER_NS
    assert len(messages) == 5
