"""DNS over UDP, with another implementation as the oracle."""

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import FlowKey, Message, Side, Transport
from lapwing.events.messages import DnsQuery, DnsQuestion, DnsRecord, DnsResponse, DnsUnanswered
from lapwing.protocols.contract import Match
from lapwing.protocols.dns import DNS, MAX_BAD_DATAGRAMS, MAX_PENDING, UNANSWERED_AFTER_NS, DnsParser, DnsTally

KEY = FlowKey(1, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.UDP, "192.0.2.10", 40_000, "198.51.100.53", 53)
MULTICAST = FlowKey(2, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.UDP, "192.0.2.10", 5353, "224.0.0.251", 5353)


def query(name: str = "www.Example.com", rtype: str = "A", number: int = 7) -> dns.message.Message:
    message = dns.message.make_query(name, rtype)
    message.id = number
    return message


def answer(question: dns.message.Message, *records: str) -> bytes:
    message = dns.message.make_response(question)
    message.flags |= dns.flags.AA | dns.flags.RA
    for record in records:
        name, rtype, data = record.split(" ", 2)
        message.answer.append(dns.rrset.from_text(name, 300, "IN", rtype, data))
    return message.to_wire()


def parse(parser: DnsParser, side: Side, datagram: bytes, now_ns: int = 0) -> Message:
    (message,) = parser.parse(side, datagram, now_ns)
    return message


def test_a_query_and_its_answer_are_read_and_paired() -> None:
    parser = DnsParser(KEY)
    assert parse(parser, Side.CLIENT, query().to_wire(), 1000) == DnsQuery(
        7, 0, [DnsQuestion("www.example.com", "A")], recursion_desired=True
    )
    wire = answer(query(), "www.example.com. CNAME web.example.com.", "web.example.com. A 192.0.2.1")
    assert parse(parser, Side.SERVER, wire, 3500) == DnsResponse(
        7,
        0,
        0,
        [DnsQuestion("www.example.com", "A")],
        [
            DnsRecord("www.example.com", "CNAME", 300, "web.example.com"),
            DnsRecord("web.example.com", "A", 300, "192.0.2.1"),
        ],
        authoritative=True,
        recursion_desired=True,
        recursion_available=True,
        rtt_ns=2500,
    )


def test_an_answer_without_its_query_or_to_another_question_has_no_rtt() -> None:
    parser = DnsParser(KEY)
    parse(parser, Side.CLIENT, query("a.example.com").to_wire())
    message = parse(parser, Side.SERVER, answer(query("b.example.com")), 5)
    assert isinstance(message, DnsResponse)
    assert message.rtt_ns is None


def test_a_repeated_query_counts_from_its_first_sending() -> None:
    parser = DnsParser(KEY)
    parse(parser, Side.CLIENT, query().to_wire(), 100)
    parse(parser, Side.CLIENT, query().to_wire(), 200)
    message = parse(parser, Side.SERVER, answer(query()), 300)
    assert isinstance(message, DnsResponse)
    assert message.rtt_ns == 200


def test_queries_never_answered_are_named_at_the_end_and_beyond_the_bound() -> None:
    parser = DnsParser(KEY)
    found: list[Message] = []
    for number in range(MAX_PENDING * 3):
        found += parser.parse(Side.CLIENT, query(number=number).to_wire(), number)
    assert len(parser._pending) == MAX_PENDING
    found += parser.close(0)
    unanswered = [one for one in found if isinstance(one, DnsUnanswered)]
    assert unanswered == [DnsUnanswered(number, "www.example.com", "A", number) for number in range(MAX_PENDING * 3)]


def test_a_group_that_is_asked_owes_no_answer() -> None:
    parser = DnsParser(MULTICAST)
    parser.parse(Side.CLIENT, query().to_wire(), 0)
    assert list(parser.close(0)) == []


def test_an_answer_to_a_forgotten_query_has_no_rtt() -> None:
    parser = DnsParser(KEY)
    for number in range(MAX_PENDING + 1):
        parser.parse(Side.CLIENT, query(number=number).to_wire(), 0)
    message = parse(parser, Side.SERVER, answer(query(number=0)))
    assert isinstance(message, DnsResponse)
    assert message.rtt_ns is None


def test_answers_before_a_cut_are_kept() -> None:
    wire = answer(query(), "www.example.com. A 192.0.2.1", 'www.example.com. TXT "cut"')
    message = parse(DnsParser(KEY), Side.SERVER, wire[:-2])
    assert isinstance(message, DnsResponse)
    assert [record.data for record in message.answers] == ["192.0.2.1"]


def test_a_bad_datagram_is_skipped_and_many_in_a_row_poison() -> None:
    parser = DnsParser(KEY)
    for _ in range(MAX_BAD_DATAGRAMS - 1):
        assert not parser.parse(Side.CLIENT, b"\x00" * 4 + b"\xff" * 20, 0)
    parse(parser, Side.CLIENT, query().to_wire())
    assert parser.poisoned is None
    for _ in range(MAX_BAD_DATAGRAMS):
        parser.parse(Side.CLIENT, b"short", 0)
    assert parser.poisoned == "no DNS message: message ends within its header or questions"


def test_the_cache_flush_bit_of_multicast_is_no_class() -> None:
    wire = bytearray(answer(query("printer.local"), "printer.local. A 192.0.2.9"))
    end_of_question = 12 + len(b"\x07printer\x05local\x00") + 4
    wire[end_of_question - 2] |= 0x80
    assert parse(DnsParser(MULTICAST), Side.SERVER, bytes(wire)) == parse(
        DnsParser(KEY), Side.SERVER, answer(query("printer.local"), "printer.local. A 192.0.2.9")
    )
    message = parse(DnsParser(KEY), Side.SERVER, bytes(wire))
    assert isinstance(message, DnsResponse)
    assert message.questions == [DnsQuestion("printer.local", "A", "CLASS32769")]


QUESTIONS = [
    query(name, rtype, number) for name in ("a.example", "A.Example") for rtype in ["A", "TXT"] for number in (1, 2)
]
WIRE = [
    *(question.to_wire() for question in QUESTIONS),
    *(answer(question) for question in QUESTIONS),
    b"\0" * 12,
    b"no",
]


@given(
    st.lists(st.one_of(st.sampled_from(WIRE), st.binary(max_size=60)), max_size=30), st.sampled_from([KEY, MULTICAST])
)
def test_a_tally_counts_what_the_parser_says_and_ends_where_it_does(datagrams: list[bytes], key: FlowKey) -> None:
    parser, tally = DnsParser(key), DnsTally(key.client_port, key.server_port)
    for datagram in datagrams:
        assert tally.parse(datagram, 0) == len(parser.parse(Side.CLIENT, datagram, 0))
        assert tally.poisoned is (parser.poisoned is not None)
    assert tally.close() == len(parser.close(0))


def test_a_tally_stays_poisoned() -> None:
    tally = DnsTally(KEY.client_port, KEY.server_port)
    for datagram in (*[b""] * MAX_BAD_DATAGRAMS, query().to_wire(), b""):
        tally.parse(datagram, 0)
    assert tally.poisoned


@pytest.mark.parametrize("key", [KEY, MULTICAST])
def test_a_tally_gives_up_the_same_queries_as_the_parser(key: FlowKey) -> None:
    parser, tally = DnsParser(key), DnsTally(key.client_port, key.server_port)
    for number in range(MAX_PENDING + 9):
        wire = query(number=number).to_wire()
        assert tally.parse(wire, 0) == len(parser.parse(Side.CLIENT, wire, 0))
    assert tally.parse(answer(query(number=3)), 0) == len(parser.parse(Side.SERVER, answer(query(number=3)), 0))
    assert tally.close() == len(parser.close(0))


@given(
    st.lists(st.tuples(st.sampled_from(WIRE), st.integers(0, UNANSWERED_AFTER_NS)), max_size=30),
    st.sampled_from([KEY, MULTICAST]),
)
def test_woken_or_not_a_parser_tells_the_same_and_a_tally_counts_it(
    datagrams: list[tuple[bytes, int]], key: FlowKey
) -> None:
    woken, slept, tally = DnsParser(key), DnsParser(key), DnsTally(key.client_port, key.server_port)
    told: list[Message] = []
    other: list[Message] = []
    counted = now_ns = 0
    for datagram, later_ns in datagrams:
        now_ns += later_ns
        while woken.next_wakeup_ns is not None and woken.next_wakeup_ns <= now_ns:
            told += woken.tick(woken.next_wakeup_ns)
        told += woken.parse(Side.CLIENT, datagram, now_ns)
        other += slept.parse(Side.CLIENT, datagram, now_ns)
        counted += tally.parse(datagram, now_ns)
    told += woken.close(now_ns)
    other += slept.close(now_ns)
    assert told == other
    assert counted + tally.close() == len(told)


def test_a_query_is_told_to_have_no_answer_after_ten_seconds_and_once() -> None:
    parser = DnsParser(KEY)
    assert parser.next_wakeup_ns is None
    parse(parser, Side.CLIENT, query().to_wire(), 5)
    parse(parser, Side.CLIENT, query("b.example").to_wire(), 7)
    assert parser.next_wakeup_ns == 5 + UNANSWERED_AFTER_NS
    assert list(parser.tick(5 + UNANSWERED_AFTER_NS)) == [DnsUnanswered(7, "www.example.com", "A", 5)]
    assert parser.next_wakeup_ns == 7 + UNANSWERED_AFTER_NS
    parse(parser, Side.SERVER, answer(query("b.example")), 8)
    assert parser.next_wakeup_ns is None
    parse(parser, Side.CLIENT, query().to_wire(), 6 + UNANSWERED_AFTER_NS)  # once more: still the same query
    assert list(parser.close(30 * UNANSWERED_AFTER_NS)) == []


def test_an_answer_that_comes_late_still_has_its_rtt() -> None:
    parser = DnsParser(KEY)
    parse(parser, Side.CLIENT, query().to_wire(), 5)
    unanswered, message = parser.parse(Side.SERVER, answer(query()), 6 + UNANSWERED_AFTER_NS)
    assert isinstance(unanswered, DnsUnanswered)
    assert isinstance(message, DnsResponse)
    assert message.rtt_ns == 1 + UNANSWERED_AFTER_NS


def test_what_is_late_and_what_is_waited_for_are_bounded_together() -> None:
    parser, tally = DnsParser(KEY), DnsTally(KEY.client_port, KEY.server_port)
    counts = [0, 0]
    for number in range(MAX_PENDING * 3):
        now_ns = number // MAX_PENDING * UNANSWERED_AFTER_NS
        for number_again in (number, number // 2):
            wire = query(number=number_again).to_wire()
            counts[0] += len(parser.parse(Side.CLIENT, wire, now_ns))
            counts[1] += tally.parse(wire, now_ns)
        assert len(parser._pending) + len(parser._late) <= MAX_PENDING
    assert counts[0] + len(parser.close(0)) == counts[1] + tally.close()


def test_a_group_that_is_asked_wakes_nobody() -> None:
    parser = DnsParser(MULTICAST)
    parser.parse(Side.CLIENT, query().to_wire(), 0)
    assert parser.next_wakeup_ns is None


@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=120)), max_size=12))
def test_any_bytes_give_messages_and_never_an_error(datagrams: list[tuple[Side, bytes]]) -> None:
    parser = DnsParser(KEY)
    for side, datagram in datagrams:
        DNS.probe(side, datagram)
        parser.parse(side, datagram, 0)


@given(st.data())
def test_a_damaged_answer_gives_messages_and_never_an_error(data: st.DataObject) -> None:
    wire = bytearray(answer(query(), "www.example.com. CNAME web.example.com.", "web.example.com. MX 5 m.example.com."))
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    assert len(DnsParser(KEY).parse(Side.SERVER, bytes(wire), 0)) <= 1


@pytest.mark.parametrize(
    ("datagram", "match"),
    [
        (query().to_wire(), Match.YES),
        (query(".", "NS").to_wire(), Match.YES),
        (answer(query(), "www.example.com. A 192.0.2.1"), Match.YES),
        (b"", Match.NO),
        (query().to_wire()[:-1], Match.NO),
        (b"\x00" * 40, Match.NO),
        (b"\x80\x00" + bytes(10) + b"rtp like payload of some size", Match.NO),
        (b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", Match.NO),
        (bytes.fromhex("2300012f0000") + bytes(42), Match.NO),
        (bytes.fromhex("1234014000010000000000000161000001" + "0001"), Match.NO),
    ],
)
def test_content_tells_dns_from_others(datagram: bytes, match: Match) -> None:
    assert DNS.probe(Side.CLIENT, datagram) is match
